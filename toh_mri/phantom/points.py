"""Sets of points, and the sampling lattice of one series."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toh_mri.geometry import Grid, Plane
from toh_mri.kernels import fields, raster

Field = NDArray[np.floating[Any]]
"""Values at points: float32, any shape that broadcasts with the points' coordinates."""


class Points(NamedTuple):
    """Coordinates in mm, three float32 arrays of one shape."""

    x: Field
    y: Field
    z: Field

    @classmethod
    def of(cls, xyz: ArrayLike) -> Points:
        """Split an array of shape (..., 3)."""
        array = np.asarray(xyz, dtype=np.float32)
        return cls(array[..., 0], array[..., 1], array[..., 2])

    def minus(self, origin: ArrayLike) -> Points:
        """Move the origin."""
        x, y, z = np.asarray(origin, dtype=np.float32)
        return Points(self.x - x, self.y - y, self.z - z)

    def along(self, axis: ArrayLike) -> Field:
        """Scalar product with a vector of shape (3,)."""
        return fields.weighted_sum(*self.flat(), *np.asarray(axis, dtype=np.float32)).reshape(self.shape)

    def rotated(self, matrix: ArrayLike) -> Points:
        """Apply a matrix of shape (3, 3)."""
        return Points(*(self.along(row) for row in np.asarray(matrix)))

    def norm(self) -> Field:
        """Distance from the origin."""
        return fields.length(*self.flat()).reshape(self.shape)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the coordinates, broadcast."""
        return np.broadcast(*self).shape

    def flat(self) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Return the coordinates one after the other, as kernels take them."""
        even = self.x.shape == self.y.shape == self.z.shape
        x, y, z = self if even else np.broadcast_arrays(*self)
        return line_up(x), line_up(y), line_up(z)


def line_up(field: Field) -> NDArray[np.float32]:
    """Return the values of a field one after the other, as kernels take them."""
    return np.ascontiguousarray(field, dtype=np.float32).reshape(-1)


def plane_distance(plane: Plane, p: Points) -> Field:
    """Distance of points to a plane, positive where its normal points."""
    return np.asarray(p.along(plane.normal) - np.float32(plane.offset_mm))


class Box(NamedTuple):
    """A box in LPS mm: lower and upper corner."""

    low: tuple[float, float, float]
    high: tuple[float, float, float]


@dataclass(frozen=True)
class Block:
    """A part of a lattice: half-open index ranges of sub-slices, rows and columns."""

    start: tuple[int, int, int]
    stop: tuple[int, int, int]

    @property
    def empty(self) -> bool:
        """Tell whether the block is too small to interpolate in."""
        return any(b - a < 2 for a, b in zip(self.start, self.stop, strict=True))

    def slices(self) -> tuple[slice, slice, slice]:
        """Return the block as array slices."""
        k, j, i = (slice(a, b) for a, b in zip(self.start, self.stop, strict=True))
        return k, j, i


@dataclass(frozen=True)
class Lattice:
    """Where the smooth fields of the anatomy are evaluated for one series.

    Distances are smooth, so they are evaluated on a lattice that is coarse in the plane of the slices and
    interpolated linearly to the fine raster on which tissues are painted; across the slices every sub-slice
    is evaluated.

    Attributes
    ----------
    grid : Grid
        Sub-slices, coarse rows, coarse columns. Sub-slices need not be evenly spaced; see `depths_mm`.
    depths_mm : ndarray of float64, shape (sub-slices,)
        Position of every sub-slice along the slice normal, from the grid's origin.
    up : int
        Fine rows or columns for each coarse one.
    """

    grid: Grid
    depths_mm: NDArray[np.float64]
    up: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """Numbers of sub-slices, coarse rows and coarse columns."""
        return self.grid.shape

    def points(self, block: Block) -> Points:
        """Return the LPS points of a block, arrays of the block's shape."""
        affine, normal = self.grid.affine, self.grid.directions[:, 0]
        k, j, i = block.slices()
        depth = self.depths_mm[k][:, None, None]
        row = np.arange(j.start, j.stop)[None, :, None]
        column = np.arange(i.start, i.stop)[None, None, :]
        axes = (affine[a, 3] + normal[a] * depth + affine[a, 1] * row + affine[a, 2] * column for a in range(3))
        return Points(*(axis.astype(np.float32) for axis in axes))

    def whole(self) -> Block:
        """Return the block of the whole lattice."""
        return Block((0, 0, 0), self.shape)

    def block(self, box: Box) -> Block:
        """Return the smallest block that holds a box, clipped to the lattice."""
        corners = np.array([[b[a] for a, b in enumerate(pick)] for pick in _corners(box)])
        offset = corners - self.grid.affine[:3, 3]
        depth = offset @ self.grid.directions[:, 0]
        in_plane = (offset @ self.grid.directions[:, 1:]) / self.grid.spacing_mm[1:]
        low = np.floor(in_plane.min(axis=0)).astype(int)
        high = np.ceil(in_plane.max(axis=0)).astype(int) + 1
        (j0, i0), (j1, i1) = np.clip(low, 0, self.shape[1:]), np.clip(high, 0, self.shape[1:])
        k0, k1 = np.searchsorted(self.depths_mm, [depth.min(), depth.max()])
        return Block((int(k0), int(j0), int(i0)), (int(k1), int(j1), int(i1)))


def _corners(box: Box) -> list[tuple[tuple[float, float, float], ...]]:
    return [(x, y, z) for x in box for y in box for z in box]


def upsample(field: Field, up: int) -> Field:
    """Interpolate linearly along the last two axes, `up` samples for each; the last sample is kept."""
    return raster.upsample_planes(np.ascontiguousarray(field, dtype=np.float32), up)
