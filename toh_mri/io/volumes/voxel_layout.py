"""Where the samples of a volume file belong: from any order of axes to [slice, row, column]. Knows no file format.

A format hands over its affine in LPS, mapping its own indices (i, j, k) to mm. Slightly sheared axes are
straightened and reported, strongly sheared ones refused.

Which axis runs through the slices: the one the header names, else one of length 1, else one whose voxels are
clearly longer, else the odd one out of two equal sizes (a sagittal 3-D series turned by a converter), else the
last one. Of the two others the later is the row index, as the usual converters write them.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from toh_mri.core.errors import GeometryError, InputError
from toh_mri.geometry import Grid

_CLEARLY_LONGER = 1.2
_RIGHT_ANGLE_NOISE = 2e-4  # cosine: below it an affine is as its float32 numbers allow, and is kept as it is
_FARTHEST_MM = 1e5  # nothing in a scanner lies 100 m from its centre

Shape = tuple[int, int, int]


class VoxelLayout(NamedTuple):
    """Where the samples of a file belong.

    Attributes
    ----------
    axes : tuple of 3 int
        The file's axes (0, 1, 2 for i, j, k) that become slice, row and column.
    grid : Grid
    notes : tuple of str
        What had to be corrected or is doubtful.
    """

    axes: tuple[int, int, int]
    grid: Grid
    notes: tuple[str, ...]


class VolumeHeader(NamedTuple):
    """What the header of a volume file says: the layout of each of its volumes, and how many there are."""

    layout: VoxelLayout
    volumes: int = 1


def lay_out(
    affine: NDArray[np.float64], shape: Shape, maximum_shear_degree: float, named_slice_axis: int | None = None
) -> VoxelLayout:
    """Choose the axes and build the grid.

    Parameters
    ----------
    affine : ndarray of float64, shape (4, 4)
        Maps (i, j, k, 1) to LPS mm; `is_usable`.
    shape : tuple of 3 int
        Samples along i, j, k.
    maximum_shear_degree : float
        Axes further off right angles are refused.
    named_slice_axis : int, optional
        The axis through the slices, where the header names it.

    Raises
    ------
    GeometryError
        ``sheared``.
    """
    straight, shear_degree = _at_right_angles(affine, shape, maximum_shear_degree)
    notes: tuple[str, ...] = ()
    if shear_degree > 0:
        notes = (f"Its axes were {shear_degree:.2f} degrees off right angles and have been straightened.",)
    through = named_slice_axis
    if through is None:
        through = _slice_axis(shape, np.linalg.norm(straight[:3, :3], axis=0))
    column, row = (axis for axis in range(3) if axis != through)
    axes = (through, row, column)
    ordered = np.column_stack([straight[:, axis] for axis in (*axes, 3)])
    return VoxelLayout(axes, Grid((shape[through], shape[row], shape[column]), ordered), notes)


def is_usable(affine: NDArray[np.float64]) -> bool:
    """Tell whether an affine, shape (4, 4), in mm, is finite, invertible and of a size that scanners have."""
    if not np.isfinite(affine).all() or np.abs(affine).max() > _FARTHEST_MM:
        return False
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    return bool(lengths.min() > 1e-6 and abs(np.linalg.det(affine[:3, :3] / lengths)) > 1e-3)


def empty_samples(layout: VoxelLayout, dtype: DTypeLike) -> tuple[NDArray[np.generic], NDArray[np.generic]]:
    """Return an array to be filled, indexed [slice, row, column], and a view of it indexed by the file's [i, j, k].

    Writing through the view puts every sample in its place without a copy of the volume.
    """
    array: NDArray[np.generic] = np.empty(layout.grid.shape, dtype)
    return array, array.transpose(np.argsort(layout.axes))


def make_finite(array: NDArray[np.generic]) -> tuple[str, ...]:
    """Replace, in place, samples that are not finite by the smallest finite one; return notes on what was done.

    Raises
    ------
    InputError
        ``no_samples`` where no sample is finite.
    """
    if array.dtype.kind != "f":
        return ()
    good = np.isfinite(array)
    replaced = int(array.size - np.count_nonzero(good))
    if replaced == 0:
        return ()
    if replaced == array.size:
        raise InputError("no_samples", "The file holds no finite sample.")
    array[~good] = np.min(array, where=good, initial=np.inf)
    return (f"{replaced} samples were not finite and took the smallest value.",)


def _at_right_angles(
    affine: NDArray[np.float64], shape: Shape, maximum_degree: float
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
            f"The axes of the file are {shear_degree:.2f} degrees off right angles "
            f"(at most {maximum_degree:g} are corrected).",
            "Resample the series to a right-angled grid, or convert it again from DICOM.",
        )
    left, _, right = np.linalg.svd(directions)
    straight = np.eye(4)
    straight[:3, :3] = (left @ right) * lengths
    middle = np.array([*((np.array(shape) - 1) / 2.0), 1.0])
    straight[:3, 3] = (affine @ middle)[:3] - straight[:3, :3] @ middle[:3]
    return straight, shear_degree


def _slice_axis(shape: Shape, spacing: NDArray[np.float64]) -> int:
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
