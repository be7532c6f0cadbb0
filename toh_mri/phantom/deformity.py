"""What diseases do to the surface of the femur: collapse, flattening, osteophytes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from toh_mri.phantom.anatomy.femur import Depression, Femur, osteophyte_nodes


@dataclass(frozen=True)
class Osteophytes:
    """Osteophytes round the head: their size, and the seed of where they are."""

    size_mm: float
    seed: int


@dataclass(frozen=True, eq=False)
class Deformity:
    """How a femur's surface differs from the sound one; by nothing unless told.

    Attributes
    ----------
    depression : Depression or None
        Collapse or flattening of the head.
    osteophytes : Osteophytes or None
    """

    depression: Depression | None = None
    osteophytes: Osteophytes | None = None

    def of(self, femur: Femur) -> Femur:
        """Return the deformed femur."""
        if self.depression is not None:
            femur = femur.depressed(self.depression)
        if self.osteophytes is not None:
            rng = np.random.default_rng(self.osteophytes.seed)
            femur = femur.with_osteophytes(osteophyte_nodes(femur, self.osteophytes.size_mm, rng))
        return femur


SOUND = Deformity()
"""The surface is as it should be."""
