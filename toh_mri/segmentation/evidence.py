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
from toh_mri.kernels.contrast import normalise
from toh_mri.kernels.sampling import resample as resample_volume
from toh_mri.kernels.sampling import sample_rays

_WINDOW_MM = 12.0  # local contrast window; 20 mm is as good, 6 mm worse (measured on real slices)
_FLOOR_SHARE = 0.12  # of the global deviation, keeps empty regions quiet
_ROUNDING = 1e-4  # of the signal: single precision makes differences a thousandth of that of a constant picture
_SMOOTH_MM = 0.6
_ONE_PLANE_COSINE = 0.99
_STATISTICS_STEP_MM = 4.0  # local mean and deviation vary slowly: computed on this grid


@dataclass(frozen=True, eq=False)
class LocalContrast:
    """What a series' signal is measured against: limits for all of it, mean and deviation round each place.

    Attributes
    ----------
    top : float
        Signal above it counts as this much.
    middle : float
        Taken off the signal before `mean` is, so that small differences keep their digits.
    floor : float
        Added to every deviation.
    grid : Grid
        Of the blocks.
    mean, deviation : ndarray of float32
        One value a block.
    """

    top: float
    middle: float
    floor: float
    grid: Grid
    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]

    def normalise(self, signal: NDArray[np.float32], grid: Grid) -> NDArray[np.float32]:
        """Return contrast-normalised samples on a grid along the same axes; 0 where `signal` is NaN."""
        to_blocks = self.grid.inverse @ grid.affine
        k, j, i = (float(v) for v in np.diag(to_blocks)[:3])
        first = (float(to_blocks[0, 3]), float(to_blocks[1, 3]), float(to_blocks[2, 3]))
        centred = (np.minimum(signal, np.float32(self.top)) - np.float32(self.middle)).astype(np.float32)
        return normalise(centred, self.mean, self.deviation, first, (k, j, i), self.floor)


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
    contrast : LocalContrast or None
        What it was normalised with; None where nothing of the series lies on the grid.
    """

    name: str
    image: Image
    fat_is_bright: bool
    contrast: LocalContrast | None = None

    def profiles(
        self,
        origins: NDArray[np.float64],
        directions: NDArray[np.float64],
        start_mm: NDArray[np.float64],
        step_mm: float,
        count: int,
    ) -> NDArray[np.float32]:
        """Interpolate along rays; NaN outside the field of view.

        Parameters
        ----------
        origins, directions : ndarray of float64, shape (..., 3)
            LPS mm; unit vectors.
        start_mm : ndarray of float64, shape (...)
            Distance of the first sample from its origin.
        step_mm : float
        count : int

        Returns
        -------
        ndarray of float32, shape (..., count)
        """
        one, along = (
            np.ascontiguousarray(np.broadcast_to(v, (*start_mm.shape, 3))).reshape(-1, 3) for v in (origins, directions)
        )
        samples = sample_rays(
            np.asarray(self.image.array, dtype=np.float32),
            self.image.grid.inverse,
            one,
            along,
            np.ascontiguousarray(start_mm).ravel(),
            step_mm,
            count,
        )
        return np.asarray(samples.reshape(*start_mm.shape, count))


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


def prepare(
    info: SeriesInfo, image: Image, target: Grid, *, fat_is_bright: bool, contrast: LocalContrast | None = None
) -> Evidence:
    """Resample one series onto the search grid and normalise its contrast locally.

    Parameters
    ----------
    info : SeriesInfo
    image : Image of float32
        Native samples, placed in the frame of `target`.
    target : Grid
        From `isotropic_grid`, or a box along the same axes.
    fat_is_bright : bool
        True for T1-like series.
    contrast : LocalContrast or None
        That of the same series on a coarser grid; None measures it on `target`.
    """
    signal = resample(image, target)
    inside = np.isfinite(signal)
    if not inside.any():
        return Evidence(info.name, Image(signal, target), fat_is_bright)
    against = contrast or _local_contrast(signal, inside, target)
    normalised = against.normalise(signal, target)
    sigma = [_SMOOTH_MM / step if n > 1 else 0.0 for n, step in zip(target.shape, target.spacing_mm, strict=True)]
    smooth = ndimage.gaussian_filter(normalised, sigma, truncate=3.0)
    smooth[~inside] = np.nan
    return Evidence(info.name, Image(smooth, target), fat_is_bright, against)


def resample(image: Image, target: Grid) -> NDArray[np.float32]:
    """Interpolate linearly onto another grid; NaN outside. In-plane detail finer than the target is averaged."""
    ratio = min(target.spacing_mm[1:]) / np.array(image.grid.spacing_mm)
    k, j, i = (float(max(r, 1.0)) if n > 1 else 1.0 for r, n in zip(ratio, image.grid.shape, strict=True))
    matrix = image.grid.inverse @ target.affine
    if image.grid.shape[0] == 1:  # half a slice thickness to either side belongs to a single slice
        matrix[0] = 0.0
    source = np.asarray(image.array, dtype=np.float32)
    return resample_volume(source, matrix, target.shape, (k, j, i), SLACK)  # outermost centres belong to the field


def _local_contrast(signal: NDArray[np.float32], inside: NDArray[np.bool_], grid: Grid) -> LocalContrast:
    """Measure mean and standard deviation in a Gaussian window, one value a block of samples."""
    values = signal[inside]
    top = float(np.percentile(values, 99.5))
    values = np.minimum(values, np.float32(top))
    middle = float(values.mean())
    centred = np.where(inside, np.minimum(signal, np.float32(top)) - np.float32(middle), np.float32(0))
    factors = [
        max(1, round(_STATISTICS_STEP_MM / step)) if n > 1 else 1
        for n, step in zip(grid.shape, grid.spacing_mm, strict=True)
    ]
    sums = [_block_mean(v, factors) for v in (inside.astype(np.float32), centred, centred * centred)]
    sigma = [
        _WINDOW_MM / (step * f) if n > 1 else 0.0
        for n, step, f in zip(grid.shape, grid.spacing_mm, factors, strict=True)
    ]
    weight, first, second = (ndimage.gaussian_filter(v, sigma, truncate=3.0) for v in sums)
    safe = np.maximum(weight, 1e-3)
    mean = np.asarray(first / safe, dtype=np.float32)
    deviation = np.sqrt(np.maximum(second / safe - mean * mean, np.float32(0))).astype(np.float32)
    to_samples = np.diag([*factors, 1.0])
    to_samples[:3, 3] = (np.array(factors) - 1) / 2
    floor = _FLOOR_SHARE * float(values.std()) + _ROUNDING * float(np.abs(values).max()) + 1e-6
    return LocalContrast(top, middle, floor, Grid(mean.shape, grid.affine @ to_samples), mean, deviation)


def _block_mean(values: NDArray[np.float32], factors: list[int]) -> NDArray[np.float32]:
    pad = [(0, -n % f) for n, f in zip(values.shape, factors, strict=True)]
    padded = np.pad(values, pad, mode="edge")
    k, j, i = (n // f for n, f in zip(padded.shape, factors, strict=True))
    blocks = padded.reshape(k, factors[0], j, factors[1], i, factors[2])
    return np.asarray(blocks.mean(axis=(1, 3, 5)), dtype=np.float32)
