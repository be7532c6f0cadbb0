"""What a feature is computed from, and how it says that it cannot be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toh_mri.core.hip import Anatomy, Finding, Findings, HipImages, Label, Structure


class AbsentError(Exception):
    """A value cannot be measured; `code` says why. Never leaves this package."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Subject:
    """One hip to be measured."""

    images: HipImages
    anatomy: Anatomy
    findings: Findings

    @property
    def unit(self) -> str:
        """``ml``, or ``mm2`` for a single slice."""
        return "mm2" if self.anatomy.dimensionality == 2 else "ml"

    @property
    def voxel_size(self) -> float:
        """Volume of a voxel in ml, or its area in mm2 for a single slice."""
        grid = self.anatomy.labels.grid
        if self.anatomy.dimensionality == 2:
            return grid.spacing_mm[1] * grid.spacing_mm[2]
        return grid.voxel_volume_ml

    def size(self, label: Label) -> float:
        """Size of a labelled structure, cortex included; absent where it is not in the anatomy."""
        voxels = int(np.count_nonzero(self.anatomy.mask(label)))
        if voxels == 0:
            raise AbsentError(f"no_{label.value}")
        return voxels * self.voxel_size

    def measured_size(self, label: Label) -> float:
        """Size of the part of a structure that lies in slices the reference series has; absent where none does."""
        voxels = int(np.count_nonzero(self._measured(label)))
        if voxels == 0:
            raise AbsentError("in_missing_slices" if self.anatomy.mask(label).any() else f"no_{label.value}")
        return voxels * self.voxel_size

    def _measured(self, label: Label) -> NDArray[np.bool_]:
        """Voxels of a structure in the slices that the reference series has."""
        return self.anatomy.mask(label)[self.images.reference_series.has_slice]

    def statistic(self, name: str) -> float:
        """Value the lesion stage measured on the way; absent for its reason, or edema's."""
        if name in self.findings.statistics:
            return self.findings.statistics[name]
        if name in self.findings.absent_statistics:
            raise AbsentError(self.findings.absent_statistics[name])
        raise AbsentError(self.findings.absent.get(Structure.EDEMA, "no_edema"))

    def edema(self, *labels: Label) -> float:
        """Edema of the labels that are in the anatomy; absent where none is, or edema was not measured.

        Nothing is counted in missing slices, so that it is a lower bound; what lies in them as a whole is absent.
        """
        present = [label for label in labels if self.anatomy.mask(label).any()]
        if not present:
            raise AbsentError(f"no_{labels[0].value}")
        measured = [label for label in present if self._measured(label).any()]
        if not measured:
            raise AbsentError("in_missing_slices")
        return sum(self.statistic(f"edema_{label.value}_{self.unit}") for label in measured)

    def mask_size(self, structure: Structure) -> float:
        """Size of a structure with a mask of its own; absent where it was not looked for."""
        if structure not in self.findings.masks:
            raise AbsentError(self.findings.absent.get(structure, "not_looked_for"))
        return int(np.count_nonzero(self.findings.masks[structure].array)) * self.voxel_size

    def found(self, structure: Structure) -> bool:
        """Tell whether a structure was found; absent where it was not looked for."""
        if structure in self.findings.absent:
            raise AbsentError(self.findings.absent[structure])
        return any(item.structure is structure for item in self.findings.items)

    def surest(self, structure: Structure) -> Finding:
        """Return the surest finding of a structure; absent where none was found."""
        if not self.found(structure):
            raise AbsentError(f"no_{structure.value}_found")
        mine = [item for item in self.findings.items if item.structure is structure]
        return max(mine, key=lambda item: (item.confidence, item.id))
