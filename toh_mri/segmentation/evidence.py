"""The pictures in which a femoral head is searched: one isotropic, contrast-normalised volume per series.

Only the search and the surface look at these; signal is never measured on them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from toh_mri.core.errors import SegmentationError
from toh_mri.core.study import SeriesInfo
from toh_mri.geometry import SLACK, Grid, Image

_WINDOW_MM = 12.0  # local contrast window; 20 mm is as good, 6 mm worse (measured on real slices)
_FLOOR_SHARE = 0.12  # of the global deviation, keeps empty regions quiet
_SMOOTH_MM = 0.6
_ONE_PLANE_COSINE = 0.99
_STATISTICS_STEP_MM = 4.0  # local mean and deviation vary slowly: computed on this grid


@dataclass(frozen=True, eq=False)
class Evidence:
    """One series on the common search grid.

    Attributes
    ----------
    name : str
        Series name.
    image : Image of float32
        Local-contrast-normalised signal; NaN outside the field of view.
    fat_is_bright : bool
        True for T1-like series: the head's rim is bright to dark. Otherwise either polarity is possible.
    """

    name: str
    image: Image
    fat_is_bright: bool


def isotropic_grid(grids: list[Grid], step_mm: float) -> Grid:
    """Return the search grid that covers all given fields of view.

    Volumes get a grid along the patient axes (slices along z, rows along y, columns along x). A single slice gets
    an isotropic grid in its own plane.

    Raises
    ------
    SegmentationError
        ``mixed_dimensions`` if single slices are mixed with volumes or lie in different planes.
    """
    if all(grid.shape[0] == 1 for grid in grids):
        return _in_plane_grid(grids, step_mm)
    if any(grid.shape[0] == 1 for grid in grids):
        raise SegmentationError("mixed_dimensions", "Single slices and volumes cannot be searched together.")
    corners = np.concatenate([_corners(grid) for grid in grids])
    low, high = corners.min(axis=0), corners.max(axis=0)
    x, y, z = (int(np.floor(length / step_mm + SLACK)) + 1 for length in high - low)
    affine = np.zeros((4, 4))
    affine[2, 0] = affine[1, 1] = affine[0, 2] = step_mm
    affine[:3, 3] = low + ((high - low) - (np.array([x, y, z]) - 1) * step_mm) / 2
    affine[3, 3] = 1.0
    return Grid((z, y, x), affine)


def _in_plane_grid(grids: list[Grid], step_mm: float) -> Grid:
    first = grids[0]
    directions = first.directions
    if not all(in_one_plane(first, grid) for grid in grids[1:]):
        raise SegmentationError("mixed_dimensions", "The single slices do not lie in one plane.")
    corners = np.concatenate([_corners(grid) for grid in grids]) @ directions
    low, high = corners.min(axis=0), corners.max(axis=0)
    rows, columns = (int(np.floor(length / step_mm + SLACK)) + 1 for length in (high - low)[1:])
    affine = np.eye(4)
    affine[:3, 0] = directions[:, 0] * first.spacing_mm[0]
    affine[:3, 1:3] = directions[:, 1:] * step_mm
    spare = ((high - low)[1:] - (np.array([rows, columns]) - 1) * step_mm) / 2
    affine[:3, 3] = directions @ np.array([first.centre @ directions[:, 0], *(low[1:] + spare)])
    return Grid((1, rows, columns), affine)


def in_one_plane(first: Grid, second: Grid) -> bool:
    """Tell whether two single slices lie in one plane, up to 8 degrees and the first one's slice distance."""
    normal = first.directions[:, 0]
    offset = (second.centre - first.centre) @ normal
    return bool(
        abs(second.directions[:, 0] @ normal) >= _ONE_PLANE_COSINE and abs(offset) <= first.spacing_mm[0] * (1 + SLACK)
    )


def _corners(grid: Grid) -> NDArray[np.float64]:
    unit = np.array([[k, j, i] for k in (0, 1) for j in (0, 1) for i in (0, 1)])
    return grid.to_world(unit * (np.array(grid.shape) - 1))


def prepare(info: SeriesInfo, image: Image, target: Grid, *, fat_is_bright: bool) -> Evidence:
    """Resample one series onto the search grid and normalise its contrast locally.

    Parameters
    ----------
    info : SeriesInfo
    image : Image of float32
        Native samples, placed in the frame of `target`.
    target : Grid
        From `isotropic_grid`.
    fat_is_bright : bool
        True for T1-like series.
    """
    signal = resample(image, target)
    inside = np.isfinite(signal)
    if not inside.any():
        return Evidence(info.name, Image(signal, target), fat_is_bright)
    top = np.percentile(signal[inside], 99.5)
    capped = np.minimum(signal, top)
    # Variances of small numbers keep their digits; outside counts as nothing.
    clipped = np.where(inside, capped - capped[inside].mean(), 0).astype(np.float32)
    mean, deviation = _local_statistics(clipped, inside, target)
    floor = _FLOOR_SHARE * float(clipped[inside].std()) + 1e-6
    normalised = np.where(inside, (clipped - mean) / (deviation + floor), 0)
    sigma = [_SMOOTH_MM / step if n > 1 else 0.0 for n, step in zip(target.shape, target.spacing_mm, strict=True)]
    smooth = ndimage.gaussian_filter(normalised.astype(np.float32), sigma)
    smooth[~inside] = np.nan
    return Evidence(info.name, Image(smooth, target), fat_is_bright)


def resample(image: Image, target: Grid) -> NDArray[np.float32]:
    """Interpolate linearly onto another grid; NaN outside. In-plane detail finer than the target is averaged first."""
    ratio = np.array([min(target.spacing_mm[1:])] * 3) / np.array(image.grid.spacing_mm)
    sigma = np.where((ratio > 1 + SLACK) & (np.array(image.grid.shape) > 1), 0.4 * ratio, 0.0)
    source = ndimage.gaussian_filter(np.asarray(image.array, dtype=np.float32), sigma)
    matrix = image.grid.inverse @ target.affine
    # The outermost centres belong to the field of view: indices are drawn in by SLACK of a voxel at most.
    middle = (np.array(image.grid.shape) - 1) / 2
    drawn_in = middle / (middle + SLACK)
    matrix[:3] *= drawn_in[:, None]
    matrix[:3, 3] += middle * (1 - drawn_in)
    if image.grid.shape[0] == 1:  # half a slice thickness to either side belongs to a single slice
        matrix[0] = 0.0
    result = ndimage.affine_transform(
        source, matrix[:3, :3], matrix[:3, 3], target.shape, order=1, mode="constant", cval=np.nan
    )
    return np.asarray(result, dtype=np.float32)


def _local_statistics(
    signal: NDArray[np.float32], inside: NDArray[np.bool_], grid: Grid
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return mean and standard deviation in a Gaussian window, computed coarsely and interpolated."""
    factors = [
        max(1, round(_STATISTICS_STEP_MM / step)) if n > 1 else 1
        for n, step in zip(signal.shape, grid.spacing_mm, strict=True)
    ]
    weight, first, second = (
        _block_mean(values, factors) for values in (inside.astype(np.float32), signal, signal * signal)
    )
    sigma = [
        _WINDOW_MM / (step * f) if n > 1 else 0.0
        for n, step, f in zip(signal.shape, grid.spacing_mm, factors, strict=True)
    ]
    weight, first, second = (ndimage.gaussian_filter(v, sigma, truncate=3.0) for v in (weight, first, second))
    safe = np.maximum(weight, 1e-3)
    mean = np.asarray(first / safe, dtype=np.float32)
    deviation = np.sqrt(np.maximum(second / safe - mean * mean, np.float32(0))).astype(np.float32)
    return _enlarge(mean, factors, signal.shape), _enlarge(deviation, factors, signal.shape)


def _block_mean(values: NDArray[np.float32], factors: list[int]) -> NDArray[np.float32]:
    pad = [(0, -n % f) for n, f in zip(values.shape, factors, strict=True)]
    padded = np.pad(values, pad, mode="edge")
    k, j, i = (n // f for n, f in zip(padded.shape, factors, strict=True))
    blocks = padded.reshape(k, factors[0], j, factors[1], i, factors[2])
    return np.asarray(blocks.mean(axis=(1, 3, 5)), dtype=np.float32)


def _enlarge(values: NDArray[np.float32], factors: list[int], shape: tuple[int, ...]) -> NDArray[np.float32]:
    scale = 1.0 / np.array(factors)
    offset = (scale - 1) / 2  # block centres
    result = ndimage.affine_transform(values, scale, offset, shape, order=1, mode="nearest")
    return np.asarray(result, dtype=np.float32)
