"""The one image type."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from toh_mri.core.errors import GeometryError
from toh_mri.geometry.arrays import read_only
from toh_mri.geometry.grid import Grid


@dataclass(frozen=True, eq=False)
class Image:
    """Samples and where they lie. Masks and label images are images of bool or uint8.

    Parameters
    ----------
    array : ndarray, shape (slices, rows, columns)
        Made C-ordered and read-only, without a copy where it is C-ordered already: whoever hands an array
        over must not write to it afterwards. Signal is float32, arbitrary units.
    grid : Grid
        Of the same shape.

    Raises
    ------
    GeometryError
        ``shape_mismatch`` if array and grid disagree.
    """

    array: NDArray[np.generic]
    grid: Grid

    def __post_init__(self) -> None:
        array = np.ascontiguousarray(self.array)
        if array.shape != self.grid.shape:
            raise GeometryError("shape_mismatch", f"The array has shape {array.shape}, its grid {self.grid.shape}.")
        object.__setattr__(self, "array", read_only(array))

    def with_array(self, array: NDArray[np.generic]) -> Image:
        """Return other samples on the same grid."""
        return Image(array, self.grid)

    def crop(self, start: tuple[int, int, int], stop: tuple[int, int, int]) -> Image:
        """Return a box of the image, half-open in (slice, row, column), with its own grid.

        Raises
        ------
        GeometryError
            ``outside_grid`` if the box is empty or reaches outside the image.
        """
        grid = self.grid.crop(start, stop)
        box = tuple(slice(a, b) for a, b in zip(start, stop, strict=True))
        return Image(self.array[box], grid)

    def sample(self, world: ArrayLike, *, outside: float = np.nan) -> NDArray[np.float32]:
        """Interpolate linearly at LPS points, shape (..., 3), in mm.

        Points up to half a voxel beyond the outermost centres take the nearest value, so that a single slice
        can be sampled within its thickness; points further out, and NaN, are `outside`. Never used to measure
        signal.
        """
        points = np.asarray(world, dtype=np.float64)
        shape, points = points.shape[:-1], points.reshape(-1, 3)
        inside = self.grid.contains(points)
        index = np.where(inside[..., None], self.grid.to_index(points), 0.0)
        clipped = np.clip(index, 0, np.array(self.grid.shape) - 1)
        values = ndimage.map_coordinates(
            np.asarray(self.array, dtype=np.float32), np.moveaxis(clipped, -1, 0), order=1, mode="nearest"
        )
        return np.where(inside, values, np.float32(outside)).astype(np.float32).reshape(shape)
