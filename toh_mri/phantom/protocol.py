"""What is scanned: series, their sequences and where their slices lie."""

from __future__ import annotations

from collections.abc import Sequence as Listing
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from toh_mri.core.study import Contrast, SlicePlane
from toh_mri.geometry import Grid
from toh_mri.phantom.signal import Sequence, Technique, in_phase_echo_ms, nulling_time_ms


class Difficulty(StrEnum):
    """How hard the images are: noise, shading, suppression of fat, movement between series."""

    EASY = "easy"
    STANDARD = "standard"
    HARD = "hard"


class Dialect(StrEnum):
    """Whose habits the names and tags of an examination follow. The maker is always said to be the phantom."""

    UNDERSCORE = "underscore"  # t1_tse_cor
    CAPITALS = "capitals"  # COR T1
    WEIGHTED = "weighted"  # T1W_TSE_COR


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
    tilt_degree : tuple of float
        Rotation vector about the LPS axes that turns the slices out of their plane: an oblique prescription.
    dialect : Dialect
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
    tilt_degree: tuple[float, float, float] = (0.0, 0.0, 0.0)
    dialect: Dialect = Dialect.UNDERSCORE

    @property
    def name(self) -> str:
        """Name of the series' files, for example ``COR_STIR``, ``COR_T1VIBE``, ``AX_DIXON_WATER``."""
        return f"{PREFIX[self.plane]}_{self.sequence.contrast}{'VIBE' if self.sequence.is_volume else ''}"

    @property
    def acquisition(self) -> str:
        """Name of the acquisition it comes from, which the two images of a water-fat separation share."""
        return f"{PREFIX[self.plane]}_DIXON" if self.sequence.is_dixon else self.name

    @property
    def spacing_mm(self) -> float:
        """Distance between slices."""
        return self.thickness_mm + self.gap_mm


PREFIX = {SlicePlane.CORONAL: "COR", SlicePlane.AXIAL: "AX", SlicePlane.SAGITTAL: "SAG"}
"""How the names of series begin."""

# Slice normal, row axis (down the picture) and column axis (to its right) in LPS.
_AXES = {
    SlicePlane.CORONAL: ((0, 1, 0), (0, 0, -1), (1, 0, 0)),
    SlicePlane.AXIAL: ((0, 0, 1), (0, 1, 0), (1, 0, 0)),
    SlicePlane.SAGITTAL: ((1, 0, 0), (0, 0, -1), (0, 1, 0)),
}


_TI_OF_NULL = 0.995  # inversion times are set a little before fat's null, which leaves fat a little negative

_SPIN_ECHOES = {  # TR, TE in ms, echoes of a train: as in routine hip protocols
    Contrast.T1: (600.0, 11.0, 3),
    Contrast.STIR: (4500.0, 42.0, 12),
    Contrast.T2FS: (4000.0, 62.0, 15),
    Contrast.PDFS: (3200.0, 36.0, 9),
    Contrast.T2: (4200.0, 80.0, 15),
    Contrast.PD: (3000.0, 28.0, 9),
    Contrast.DIXON_WATER: (3800.0, 62.0, 13),
    Contrast.DIXON_FAT: (3800.0, 62.0, 13),
}


def sequence_of(contrast: Contrast, field_strength_t: float) -> Sequence:
    """Return usual settings of a turbo spin echo; in STIR the inversion time is set just short of fat's null.

    Raises
    ------
    KeyError
        For a contrast the phantom cannot acquire.
    """
    tr, te, echoes = _SPIN_ECHOES[contrast]
    inversion = _TI_OF_NULL * nulling_time_ms(field_strength_t, tr) if contrast is Contrast.STIR else None
    return Sequence(contrast, field_strength_t, tr, te, inversion, echoes, 180.0 * field_strength_t / 1.5)


def volume_sequence(field_strength_t: float) -> Sequence:
    """Return a T1-weighted spoiled gradient echo (VIBE and the like), its echo where fat and water are in phase."""
    return Sequence(
        contrast=Contrast.T1,
        field_strength_t=field_strength_t,
        repetition_time_ms=10.0,
        echo_time_ms=round(in_phase_echo_ms(field_strength_t), 2),
        inversion_time_ms=None,
        echo_train_length=1,
        bandwidth_hz=400.0 * field_strength_t / 1.5,
        technique=Technique.SPOILED_GRADIENT_ECHO,
        flip_angle_degree=14.0,
    )


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


def volume_plan(field_strength_t: float, *, bilateral: bool) -> SeriesPlan:
    """Return the plan of a coronal T1-weighted volume: thin slices without gaps."""
    return SeriesPlan(
        plane=SlicePlane.CORONAL,
        sequence=volume_sequence(field_strength_t),
        fov_mm=370.0 if bilateral else 200.0,
        matrix=352 if bilateral else 224,
        acquired=(0.96, 0.8),
        readout=0,
        slices=60,
        thickness_mm=1.3,
        gap_mm=0.0,
        snr=16.0,
    )


def place(plan: SeriesPlan, center: NDArray[np.float64], turn: NDArray[np.float64]) -> Grid:
    """Return the grid of a series.

    Parameters
    ----------
    plan : SeriesPlan
    center : ndarray, shape (3,)
        Middle of the field of view in LPS mm.
    turn : ndarray, shape (3, 3)
        Rotation of the prescription away from the patient's axes, before that of the plan.
    """
    pixel = plan.fov_mm / plan.matrix
    oblique = Rotation.from_rotvec(np.radians(plan.tilt_degree)).as_matrix()
    directions = oblique @ turn @ np.array(_AXES[plan.plane], dtype=float).T
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
