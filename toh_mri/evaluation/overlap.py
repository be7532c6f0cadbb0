"""How well two masks on one grid agree: Dice, and the distances between their surfaces."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial.distance import dice as dice_dissimilarity

from toh_mri.geometry import Grid

Mask = NDArray[np.bool_]
Spacing = tuple[float, float, float]


@dataclass(frozen=True)
class SurfaceDistance:
    """Distances between two surfaces, mm."""

    mean_mm: float
    hausdorff95_mm: float


def dice(a: Mask, b: Mask) -> float | None:
    """Return the Dice coefficient of two masks of one shape; None where both are empty (Dice 1945, 10.2307/1932409)."""
    if not a.any() and not b.any():
        return None
    return 1.0 - float(dice_dissimilarity(a.ravel(), b.ravel()))


def surface_distance(a: Mask, b: Mask, spacing_mm: Spacing) -> SurfaceDistance | None:
    """Return the average symmetric surface distance and the 95 % Hausdorff distance.

    A surface is the voxels of a mask that share a face with a voxel outside it. The mean is over the voxels of both
    surfaces (Heimann et al. 2009, 10.1109/TMI.2009.2013851); the Hausdorff distance is the larger of the two directed
    95th percentiles (Maier-Hein et al. 2024, 10.1038/s41592-023-02151-z).

    Parameters
    ----------
    a, b : ndarray of bool, shape (slices, rows, columns)
    spacing_mm : tuple of 3 float
        Distance of voxel centres along slice, row and column.

    Returns
    -------
    SurfaceDistance or None
        None where a mask is empty: there is no distance to nothing.
    """
    if not a.any() or not b.any():
        return None
    box = bounding_box(a | b)
    surface_a, surface_b = _surface(a[box]), _surface(b[box])
    from_a = distance_to(surface_b, spacing_mm)[surface_a]
    from_b = distance_to(surface_a, spacing_mm)[surface_b]
    return SurfaceDistance(
        mean_mm=float(np.concatenate([from_a, from_b]).mean()),
        hausdorff95_mm=float(max(np.percentile(from_a, 95), np.percentile(from_b, 95))),
    )


def distance_to(mask: Mask, spacing_mm: Spacing) -> NDArray[np.float64]:
    """Return the distance of every voxel centre to the nearest voxel centre of a mask that is not empty, mm."""
    return np.asarray(ndimage.distance_transform_edt(~mask, sampling=spacing_mm), dtype=np.float64)


def bounding_box(mask: Mask) -> tuple[slice, ...]:
    """Return the smallest box that holds a mask that is not empty."""
    box: tuple[slice, ...] = ndimage.find_objects(mask.astype(np.uint8))[0]
    return box


def brought_to(array: NDArray[np.generic], source: Grid, target: Grid) -> NDArray[np.generic]:
    """Bring a mask or label image from one grid to another: every voxel takes the value at its centre.

    The value is that of the nearest voxel centre of `source` along its axes; outside its field of view it is 0.

    Parameters
    ----------
    array : ndarray of bool or uint8, shape of `source`
    source, target : Grid
        Any orientation and order of slices.

    Returns
    -------
    ndarray of the type of `array`, shape of `target`
    """
    if source.matches(target):
        return array
    to_source = source.inverse @ target.affine
    moved = ndimage.affine_transform(
        array.astype(np.uint8),
        np.round(to_source[:3, :3], 12),
        np.round(to_source[:3, 3], 9),
        output_shape=target.shape,
        order=0,
        mode="grid-constant",
        prefilter=False,
    )
    return np.asarray(moved).astype(array.dtype)


def _surface(mask: Mask) -> Mask:
    return np.asarray(mask & ~ndimage.binary_erosion(mask, border_value=0))
