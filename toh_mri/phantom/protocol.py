"""What is scanned: series, their sequences and where their slices lie."""

from __future__ import annotations

from collections.abc import Sequence as Listing
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from toh_mri.core.study import Contrast, SlicePlane
from toh_mri.geometry import Grid
from toh_mri.phantom.signal import Sequence, nulling_time_ms


class Difficulty(StrEnum):
    """How hard the images are: noise, shading, suppression of fat, movement between series."""

    EASY = "easy"
    STANDARD = "standard"
    HARD = "hard"


@dataclass(frozen=True)
class SeriesPlan:
    """One series to acquire.

    Attributes
    ----------
    plane : SlicePlane
    sequence : Sequence
    fov_mm : float
        Square field of view.
    matrix : int
        Reconstructed rows and columns.
    acquired : tuple of float
        Share of the matrix that is acquired along the row and the column index.
    readout : int
        0: fat is shifted along the row index; 1: along the column index.
    slices : int
    thickness_mm, gap_mm : float
    snr : float
        Signal of muscle over the noise's standard deviation, at standard difficulty, before coil shading.
    """

    plane: SlicePlane
    sequence: Sequence
    fov_mm: float
    matrix: int
    acquired: tuple[float, float]
    readout: int
    slices: int
    thickness_mm: float
    gap_mm: float
    snr: float

    @property
    def name(self) -> str:
        """Name of the series' files, for example ``COR_STIR``."""
        return f"{_PREFIX[self.plane]}_{self.sequence.contrast}"

    @property
    def spacing_mm(self) -> float:
        """Distance between slices."""
        return self.thickness_mm + self.gap_mm

    @property
    def description(self) -> str:
        """Series description as a scanner's operator would have it."""
        words = {
            Contrast.T1: "t1_tse",
            Contrast.STIR: "stir",
            Contrast.T2FS: "t2_tse_fs",
            Contrast.PDFS: "pd_tse_fs",
        }
        return f"{words[self.sequence.contrast]}_{_PREFIX[self.plane].lower()}"


_PREFIX = {SlicePlane.CORONAL: "COR", SlicePlane.AXIAL: "AX", SlicePlane.SAGITTAL: "SAG"}

# Slice normal, row axis (down the picture) and column axis (to its right) in LPS.
_AXES = {
    SlicePlane.CORONAL: ((0, 1, 0), (0, 0, -1), (1, 0, 0)),
    SlicePlane.AXIAL: ((0, 0, 1), (0, 1, 0), (1, 0, 0)),
    SlicePlane.SAGITTAL: ((1, 0, 0), (0, 0, -1), (0, 1, 0)),
}


def sequence_of(contrast: Contrast, field_strength_t: float) -> Sequence:
    """Return usual settings of a contrast: D3 of routine hip protocols, with fat's own nulling time in STIR.

    Raises
    ------
    KeyError
        For a contrast the phantom cannot acquire.
    """
    tr, te, echoes = {
        Contrast.T1: (600.0, 11.0, 3),
        Contrast.STIR: (4500.0, 42.0, 12),
        Contrast.T2FS: (4000.0, 62.0, 15),
        Contrast.PDFS: (3200.0, 36.0, 9),
    }[contrast]
    inversion = nulling_time_ms(field_strength_t, tr) if contrast is Contrast.STIR else None
    return Sequence(contrast, field_strength_t, tr, te, inversion, echoes, 180.0 * field_strength_t / 1.5)


def default_plans(
    field_strength_t: float,
    *,
    bilateral: bool,
    contrasts: Listing[tuple[SlicePlane, Contrast]] = (
        (SlicePlane.CORONAL, Contrast.T1),
        (SlicePlane.CORONAL, Contrast.STIR),
    ),
) -> tuple[SeriesPlan, ...]:
    """Return the plans of a study: both hips in a large field of view, or one in a small one."""
    return tuple(
        _plan(plane, sequence_of(contrast, field_strength_t), bilateral=bilateral) for plane, contrast in contrasts
    )


def _plan(plane: SlicePlane, sequence: Sequence, *, bilateral: bool) -> SeriesPlan:
    t1 = sequence.contrast is Contrast.T1
    coronal = plane is SlicePlane.CORONAL
    small = 200.0 if coronal else 180.0
    return SeriesPlan(
        plane=plane,
        sequence=sequence,
        fov_mm=370.0 if bilateral else small,
        matrix=320 if bilateral else (288 if t1 else 256),
        acquired=(0.96, 0.8) if t1 else (0.78, 0.94),
        readout=0 if t1 else 1,
        slices=20 if coronal else 24,
        thickness_mm=(4.0 if bilateral else 3.0) if t1 else (4.0 if bilateral else 3.5),
        gap_mm=0.4,
        snr=20.0 if t1 else 13.0,
    )


def place(plan: SeriesPlan, center: NDArray[np.float64], turn: NDArray[np.float64]) -> Grid:
    """Return the grid of a series.

    Parameters
    ----------
    plan : SeriesPlan
    center : ndarray, shape (3,)
        Middle of the field of view in LPS mm.
    turn : ndarray, shape (3, 3)
        Rotation of the prescription away from the patient's axes.
    """
    pixel = plan.fov_mm / plan.matrix
    directions = turn @ np.array(_AXES[plan.plane], dtype=float).T
    affine = np.eye(4)
    affine[:3, :3] = directions * [plan.spacing_mm, pixel, pixel]
    shape = (plan.slices, plan.matrix, plan.matrix)
    affine[:3, 3] = center - affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    return Grid(shape, affine)


def localizer_plans(field_strength_t: float) -> tuple[SeriesPlan, ...]:
    """Return a scout: one thick slice in every plane."""
    sequence = replace(sequence_of(Contrast.T1, field_strength_t), repetition_time_ms=300.0, echo_train_length=1)
    return tuple(
        SeriesPlan(plane, sequence, 400.0, 128, (1.0, 1.0), 1, slices=1, thickness_mm=8.0, gap_mm=0.0, snr=15.0)
        for plane in SlicePlane
    )
