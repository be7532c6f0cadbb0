"""Where the samples of an image lie in the patient."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toh_mri.core.errors import GeometryError
from toh_mri.geometry.arrays import read_only

_LAST_ROW = (0.0, 0.0, 0.0, 1.0)
_RIGID_TOLERANCE = 1e-6  # rounding of composed rotations
_ORTHOGONAL_TOLERANCE = 1e-3  # cosine between two axes; io corrects or refuses what is further off

# One place reaches us as decimal text (DICOM) or as float32 (NIfTI), some 1e-5 mm apart. Series prescribed on one grid
# put points exactly half-way between voxels, on the edge of a field of view, on a limit: which way such a point falls
# must not hang on the last digit. So limits are moved off the places where points lie by design.
SLACK = 1e-3
"""Share of a voxel, or of a mm where the limit is a length, by which limits are moved.

Far above what formats differ by, far below what matters.
"""

_NOMINAL_STEPS_PER_MM = 2**14  # binary, so that FOV / matrix and short decimals lie far from a rounding limit


@dataclass(frozen=True, eq=False)
class Grid:
    """A regular, right-angled lattice of voxel centres in patient space.

    Parameters
    ----------
    shape : tuple of 3 int
        Number of slices, rows and columns.
    affine : ndarray of float64, shape (4, 4)
        Maps homogeneous indices (slice, row, column, 1) to LPS mm. Either handedness.

    Raises
    ------
    GeometryError
        ``invalid_grid`` if the shape is empty, or the affine is singular, not finite, sheared, or no map of
        points (its last row is not 0 0 0 1: transposed, for instance).
    """

    shape: tuple[int, int, int]
    affine: NDArray[np.float64]

    def __post_init__(self) -> None:
        affine = np.array(self.affine, dtype=np.float64)
        shape = tuple(int(n) for n in self.shape)
        if affine.shape != (4, 4) or not np.isfinite(affine).all() or len(shape) != 3 or min(shape) < 1:
            raise GeometryError("invalid_grid", f"A grid needs three sizes and a finite 4x4 affine, not {shape}.")
        if not np.allclose(affine[3], _LAST_ROW, atol=1e-9):
            raise GeometryError("invalid_grid", "The last row of a grid's affine must be 0 0 0 1.")
        affine[3] = _LAST_ROW
        spacing = np.linalg.norm(affine[:3, :3], axis=0)
        if spacing.min() <= 0:
            raise GeometryError("invalid_grid", "A grid's axes must have a length.")
        cosines = (affine[:3, :3] / spacing).T @ (affine[:3, :3] / spacing)
        if np.abs(cosines - np.eye(3)).max() > _ORTHOGONAL_TOLERANCE:
            raise GeometryError("invalid_grid", "A grid's axes must be at right angles.")
        object.__setattr__(self, "affine", read_only(affine))
        object.__setattr__(self, "shape", shape)

    @cached_property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance between voxel centres along slice, row and column index, in mm."""
        lengths = np.linalg.norm(self.affine[:3, :3], axis=0)
        return (float(lengths[0]), float(lengths[1]), float(lengths[2]))

    @cached_property
    def nominal_spacing_mm(self) -> tuple[float, float, float]:
        """`spacing_mm` to 0.00006 mm: equal for one image read from two formats.

        For decisions between equal lengths (the nearest of several voxels, the longest of several paths), never for
        sizes.
        """
        k, j, i = (max(1, round(s * _NOMINAL_STEPS_PER_MM)) / _NOMINAL_STEPS_PER_MM for s in self.spacing_mm)
        return (k, j, i)

    @cached_property
    def directions(self) -> NDArray[np.float64]:
        """Unit vectors (columns) of the slice, row and column index in LPS, shape (3, 3)."""
        return read_only(self.affine[:3, :3] / np.array(self.spacing_mm))

    @cached_property
    def inverse(self) -> NDArray[np.float64]:
        """Maps homogeneous LPS mm to (slice, row, column, 1)."""
        return read_only(np.asarray(np.linalg.inv(self.affine), dtype=np.float64))

    @property
    def voxel_volume_ml(self) -> float:
        """Volume that one voxel stands for, in ml (slice distance, not slice thickness)."""
        return float(np.prod(self.spacing_mm)) / 1000.0

    @property
    def extent_mm(self) -> tuple[float, float, float]:
        """Size of the field of view, voxel edge to voxel edge, along slice, row and column, in mm."""
        k, j, i = (n * s for n, s in zip(self.shape, self.spacing_mm, strict=True))
        return (k, j, i)

    @cached_property
    def centre(self) -> NDArray[np.float64]:
        """LPS mm of the middle of the field of view, shape (3,)."""
        return read_only(self.to_world((np.array(self.shape) - 1) / 2.0))

    def to_world(self, index: ArrayLike) -> NDArray[np.float64]:
        """Map indices (slice, row, column), shape (..., 3), to LPS mm of the same shape."""
        return np.asarray(index, dtype=np.float64) @ self.affine[:3, :3].T + self.affine[:3, 3]

    def to_index(self, world: ArrayLike) -> NDArray[np.float64]:
        """Map LPS mm, shape (..., 3), to fractional indices (slice, row, column) of the same shape."""
        return np.asarray(world, dtype=np.float64) @ self.inverse[:3, :3].T + self.inverse[:3, 3]

    def nearest(self, world: ArrayLike) -> NDArray[np.intp]:
        """Return the indices of the voxel centres nearest to LPS points, same shape; they may lie outside the grid.

        A point half-way between two centres belongs to the lower index, also where it lies a little (`SLACK`) beyond.
        """
        return np.asarray(np.ceil(self.to_index(world) - 0.5 - SLACK), dtype=np.intp)

    def contains(self, world: ArrayLike, margin_mm: float = 0.0) -> NDArray[np.bool_]:
        """Tell which LPS points, shape (..., 3), lie in the field of view.

        Points nearer to its edge than `margin_mm` are taken to lie outside; points on the edge, up to `SLACK`, inside.
        """
        index = self.to_index(world)
        margin = margin_mm / np.array(self.spacing_mm)
        low, high = -0.5 - SLACK + margin, np.array(self.shape) - 0.5 + SLACK - margin
        return np.asarray(((index >= low) & (index <= high)).all(axis=-1))

    def voxel_centres(self) -> NDArray[np.float64]:
        """LPS mm of every voxel centre, shape (slices, rows, columns, 3)."""
        return self.to_world(np.moveaxis(np.indices(self.shape), 0, -1))

    def crop(self, start: tuple[int, int, int], stop: tuple[int, int, int]) -> Grid:
        """Return the grid of ``array[start[0]:stop[0], start[1]:stop[1], start[2]:stop[2]]``.

        Raises
        ------
        GeometryError
            ``outside_grid`` if the box is empty or reaches outside the grid.
        """
        if not all(0 <= a < b <= n for a, b, n in zip(start, stop, self.shape, strict=True)):
            raise GeometryError("outside_grid", f"The box from {start} to {stop} is empty or not inside {self.shape}.")
        affine = self.affine.copy()
        affine[:3, 3] = self.to_world(start)
        k, j, i = (b - a for a, b in zip(start, stop, strict=True))
        return Grid((k, j, i), affine)

    def box_around(self, world: ArrayLike, radius_mm: float) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
        """Return start and stop, inside the grid, of the box that holds a ball around an LPS point, up to `SLACK`.

        Start and stop are equal along an axis where the ball lies outside the grid.
        """
        index = self.to_index(world)
        reach = radius_mm / np.array(self.spacing_mm)
        low = np.clip(np.floor(index - reach + SLACK), 0, self.shape).astype(int)
        high = np.clip(np.ceil(index + reach - SLACK) + 1, low, self.shape).astype(int)
        return (int(low[0]), int(low[1]), int(low[2])), (int(high[0]), int(high[1]), int(high[2]))

    def transformed(self, rigid: ArrayLike) -> Grid:
        """Return this grid moved by a rigid LPS-to-LPS transform, shape (4, 4).

        Raises
        ------
        GeometryError
            ``invalid_transform`` if it stretches, shears or mirrors: volumes or sides would change.
        """
        matrix = np.asarray(rigid, dtype=np.float64)
        rotation = matrix[:3, :3]
        rigid_gap = np.abs(rotation @ rotation.T - np.eye(3)).max()
        if not rigid_gap <= _RIGID_TOLERANCE or np.linalg.det(rotation) < 0:
            raise GeometryError("invalid_transform", "A grid can be moved by a rotation and a shift only.")
        return Grid(self.shape, matrix @ self.affine)

    def matches(self, other: Grid, tolerance_mm: float = 1e-3) -> bool:
        """Tell whether both grids have one shape and all corners within `tolerance_mm` of each other.

        The corners are those of the field of view, so that a single slice's distance counts as well.
        """
        if self.shape != other.shape:
            return False
        corners = np.indices((2, 2, 2)).reshape(3, 8).T * np.array(self.shape) - 0.5
        gap = np.linalg.norm(self.to_world(corners) - other.to_world(corners), axis=1)
        return bool(gap.max() <= tolerance_mm)
