"""The geometry of a NIfTI header: RAS and (i, j, k) on its side, LPS and [slice, row, column] on ours.

Which affine: the sform where its code is set, else the qform where its code is set (the order of the NIfTI-1
standard, https://nifti.nimh.nih.gov/nifti-1). With neither set, left and right are unknown and the file is
refused.

Which axis runs through the slices: the one the header names (``dim_info``), else one of length 1, else one
whose voxels are clearly longer, else the odd one out of two equal sizes (a sagittal 3-D series turned by the
converter), else the last one. Of the two others the later is the row index, as the usual converter writes
them.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import nibabel
import numpy as np
from numpy.typing import NDArray

from toh_mri.core.errors import GeometryError, InputError
from toh_mri.geometry import Grid

LPS_FROM_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])

_CLEARLY_LONGER = 1.2
_RIGHT_ANGLE_NOISE = 2e-4  # cosine: below it an affine is as its float32 numbers allow, and is kept as it is
_FORMS_AGREE_MM = 1.0
_FARTHEST_MM = 1e5  # nothing in a scanner lies 100 m from its centre


class NiftiLayout(NamedTuple):
    """Where the samples of a NIfTI file belong.

    Attributes
    ----------
    axes : tuple of 3 int
        NIfTI axes (0, 1, 2 for i, j, k) that become slice, row and column.
    grid : Grid
    notes : tuple of str
        What had to be corrected or is doubtful.
    """

    axes: tuple[int, int, int]
    grid: Grid
    notes: tuple[str, ...]


def layout_of(header: nibabel.Nifti1Header, maximum_shear_degree: float) -> NiftiLayout:
    """Read the geometry of a NIfTI header.

    Raises
    ------
    InputError
        ``not_three_dimensional`` for more than one volume in a file.
    GeometryError
        ``no_orientation``, ``sheared`` or ``invalid_grid``.
    """
    shape = volume_shape(header)
    ras, notes = _best_affine(header, shape)
    ras, shear_degree = _at_right_angles(ras, shape, maximum_shear_degree)
    if shear_degree > 0:
        notes = (
            *notes,
            f"Its axes were {shear_degree:.2f} degrees off right angles and have been straightened.",
        )
    axes = _axis_order(header, shape, np.linalg.norm(ras[:3, :3], axis=0))
    lps = LPS_FROM_RAS @ ras
    affine = np.column_stack([lps[:, axes[0]], lps[:, axes[1]], lps[:, axes[2]], lps[:, 3]])
    return NiftiLayout(axes, Grid((shape[axes[0]], shape[axes[1]], shape[axes[2]]), affine), notes)


def volume_shape(header: nibabel.Nifti1Header) -> tuple[int, int, int]:
    """Return the size along i, j, k; a 2-D file has one slice, trailing axes of length 1 do not count.

    Raises
    ------
    InputError
        ``not_three_dimensional``.
    """
    sizes = [int(n) for n in header.get_data_shape()]
    if len(sizes) < 2 or min(sizes) < 1 or any(n != 1 for n in sizes[3:]):
        raise InputError(
            "not_three_dimensional",
            f"A NIfTI file of size {' x '.join(map(str, sizes)) or '0'} is not one volume.",
            "Split time series, echoes or directions into one file each.",
        )
    i, j, k = (*sizes, 1)[:3]
    return (i, j, k)


def _best_affine(
    header: nibabel.Nifti1Header, shape: tuple[int, int, int]
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    usable = [form for form in (_sform(header), _qform(header)) if form is not None and _is_usable(form)]
    if not usable:
        raise GeometryError(
            "no_orientation",
            "Neither sform nor qform of the NIfTI header gives an orientation: left and right are unknown.",
            "Convert the series again from DICOM, with a converter that keeps the orientation.",
        )
    if len(usable) == 2 and _corner_gap_mm(usable[0], usable[1], shape) > _FORMS_AGREE_MM:
        gap = _corner_gap_mm(usable[0], usable[1], shape)
        return usable[0], (f"Its sform and qform place it up to {gap:.1f} mm apart; the sform counts.",)
    return usable[0], ()


def _sform(header: nibabel.Nifti1Header) -> NDArray[np.float64] | None:
    return np.asarray(header.get_sform(), dtype=np.float64) if int(header["sform_code"]) > 0 else None


def _qform(header: nibabel.Nifti1Header) -> NDArray[np.float64] | None:
    """Return the qform; None where its code is not set or its quaternion is none."""
    if int(header["qform_code"]) <= 0:
        return None
    try:
        return np.asarray(header.get_qform(), dtype=np.float64)
    except ValueError:
        return None


def _is_usable(affine: NDArray[np.float64]) -> bool:
    linear = affine[:3, :3]
    if not np.isfinite(affine).all() or np.abs(affine).max() > _FARTHEST_MM:
        return False
    lengths = np.linalg.norm(linear, axis=0)
    return bool(lengths.min() > 1e-6 and abs(np.linalg.det(linear / lengths)) > 1e-3)


def _corner_gap_mm(a: NDArray[np.float64], b: NDArray[np.float64], shape: tuple[int, int, int]) -> float:
    corners = np.array([[i, j, k, 1] for i in (0, 1) for j in (0, 1) for k in (0, 1)], dtype=np.float64)
    corners[:, :3] *= np.array(shape) - 1
    return float(np.linalg.norm((corners @ (a - b).T)[:, :3], axis=1).max())


def _at_right_angles(
    affine: NDArray[np.float64], shape: tuple[int, int, int], maximum_degree: float
) -> tuple[NDArray[np.float64], float]:
    """Replace the axes by the nearest right-angled ones, keeping voxel sizes and the middle of the volume.

    The nearest orthogonal matrix is the orthogonal factor of the polar decomposition (Higham 1986,
    doi:10.1137/0907079).
    """
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    directions = affine[:3, :3] / lengths
    cosine = float(np.abs(directions.T @ directions - np.eye(3)).max())
    if cosine <= _RIGHT_ANGLE_NOISE:
        return affine, 0.0
    shear_degree = math.degrees(math.asin(min(cosine, 1.0)))
    if shear_degree > maximum_degree:
        raise GeometryError(
            "sheared",
            f"The axes of the NIfTI file are {shear_degree:.2f} degrees off right angles "
            f"(at most {maximum_degree:g} are corrected).",
            "Resample the series to a right-angled grid, or convert it again from DICOM.",
        )
    left, _, right = np.linalg.svd(directions)
    straight = np.eye(4)
    straight[:3, :3] = (left @ right) * lengths
    middle = np.array([*((np.array(shape) - 1) / 2.0), 1.0])
    straight[:3, 3] = (affine @ middle)[:3] - straight[:3, :3] @ middle[:3]
    return straight, shear_degree


def _axis_order(
    header: nibabel.Nifti1Header, shape: tuple[int, int, int], spacing: NDArray[np.float64]
) -> tuple[int, int, int]:
    through = _slice_axis(header, shape, spacing)
    column, row = (axis for axis in range(3) if axis != through)
    return (through, row, column)


def _slice_axis(header: nibabel.Nifti1Header, shape: tuple[int, int, int], spacing: NDArray[np.float64]) -> int:
    named = header.get_dim_info()[2]
    if named is not None:
        return int(named)
    single = [axis for axis in (2, 1, 0) if shape[axis] == 1]
    if single:
        return single[0]
    longest = int(np.argmax(spacing))
    if spacing[longest] > _CLEARLY_LONGER * np.delete(spacing, longest).max():
        return longest
    for axis in (2, 1, 0):
        one, two = (shape[other] for other in range(3) if other != axis)
        if one == two != shape[axis]:
            return axis
    return 2
