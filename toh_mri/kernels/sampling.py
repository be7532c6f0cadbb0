"""Linear interpolation of a volume: at points, along rays, on another grid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from toh_mri.kernels._jit import kernel


@kernel
def _linear(volume: NDArray[np.float32], k: float, j: float, i: float) -> float:
    """Interpolate at an index inside the volume; a sample of weight 0 has no part, so that its NaN does not count."""
    count, rows, columns = volume.shape
    k0, j0, i0 = min(int(k), max(count - 2, 0)), min(int(j), max(rows - 2, 0)), min(int(i), max(columns - 2, 0))
    wk, wj, wi = k - k0, j - j0, i - i0
    value = 0.0
    for a in range(2):
        weight_k = wk if a else 1.0 - wk
        if weight_k == 0.0:
            continue
        for b in range(2):
            weight_j = weight_k * (wj if b else 1.0 - wj)
            if weight_j == 0.0:
                continue
            if wi != 1.0:
                value += weight_j * (1.0 - wi) * volume[k0 + a, j0 + b, i0]
            if wi != 0.0:
                value += weight_j * wi * volume[k0 + a, j0 + b, i0 + 1]
    return value


@kernel
def _within(value: float, count: int, margin: float) -> float:
    """Return an index clipped to the outermost centres, NaN where it lies further out than `margin` voxels."""
    last = count - 1.0
    if not -margin <= value <= last + margin:
        return np.nan
    return min(max(value, 0.0), last)


@kernel
def sample_rays(
    volume: NDArray[np.float32],
    to_index: NDArray[np.float64],
    origins: NDArray[np.float64],
    directions: NDArray[np.float64],
    start_mm: NDArray[np.float64],
    step_mm: float,
    n_samples: int,
) -> NDArray[np.float32]:
    """Interpolate linearly along rays.

    Points up to half a voxel beyond the outermost centres take the nearest value; points further out are NaN.

    Parameters
    ----------
    volume : ndarray of float32, shape (slices, rows, columns)
    to_index : ndarray of float64, shape (4, 4)
        LPS mm to (slice, row, column).
    origins, directions : ndarray of float64, shape (n, 3)
        LPS mm; unit vectors.
    start_mm : ndarray of float64, shape (n,)
        Distance of the first sample from the origin of its ray.
    step_mm : float
    n_samples : int

    Returns
    -------
    ndarray of float32, shape (n, n_samples)
    """
    result = np.empty((origins.shape[0], n_samples), np.float32)
    first, pace = np.empty(3), np.empty(3)
    for n in range(origins.shape[0]):
        for a in range(3):
            first[a], pace[a] = to_index[a, 3], 0.0
            for b in range(3):
                first[a] += to_index[a, b] * (origins[n, b] + start_mm[n] * directions[n, b])
                pace[a] += to_index[a, b] * directions[n, b] * step_mm
        for q in range(n_samples):
            k = _within(first[0] + q * pace[0], volume.shape[0], 0.5)
            j = _within(first[1] + q * pace[1], volume.shape[1], 0.5)
            i = _within(first[2] + q * pace[2], volume.shape[2], 0.5)
            result[n, q] = np.nan if np.isnan(k + j + i) else _linear(volume, k, j, i)
    return result


@kernel
def _tent(at: float, half_width: float, count: int, weights: NDArray[np.float32]) -> tuple[int, int]:
    """Write the weights of the samples round an index; return the first sample of weight > 0 and how many follow."""
    first = max(int(np.floor(at - half_width)) + 1, 0)
    last = min(int(np.ceil(at + half_width)) - 1, count - 1)
    total = 0.0
    for n in range(first, last + 1):
        total += half_width - abs(n - at)
    for n in range(first, last + 1):
        weights[n - first] = (half_width - abs(n - at)) / total
    return first, last - first + 1


@kernel
def resample(
    volume: NDArray[np.float32],
    matrix: NDArray[np.float64],
    shape: tuple[int, int, int],
    half_widths: tuple[float, float, float],
    margin: float,
) -> NDArray[np.float32]:
    """Average round every point of another grid, with weights that fall linearly; NaN beyond the outermost centres.

    Half-widths of 1 are linear interpolation. Wider ones are for grids coarser than the volume: they hold no phase, so
    that a flipped volume gives the flipped result.

    Parameters
    ----------
    volume : ndarray of float32, shape (slices, rows, columns)
        NaN where unknown: so is every point it has a part in.
    matrix : ndarray of float64, shape (4, 4)
        (slice, row, column) of the other grid to those of `volume`.
    shape : tuple of int
        Of the other grid.
    half_widths : tuple of float
        In voxels of `volume` along its axes; >= 1.
    margin : float
        Share of a voxel by which a point may lie beyond the outermost centres and take their value.

    Returns
    -------
    ndarray of float32
    """
    result = np.empty(shape, np.float32)
    of_k, of_j, of_i = (
        np.empty(2 * int(np.ceil(half_widths[0])) + 1, np.float32),
        np.empty(2 * int(np.ceil(half_widths[1])) + 1, np.float32),
        np.empty(2 * int(np.ceil(half_widths[2])) + 1, np.float32),
    )
    for k in range(shape[0]):
        for j in range(shape[1]):
            for i in range(shape[2]):
                at_k = matrix[0, 0] * k + matrix[0, 1] * j + matrix[0, 2] * i + matrix[0, 3]
                at_j = matrix[1, 0] * k + matrix[1, 1] * j + matrix[1, 2] * i + matrix[1, 3]
                at_i = matrix[2, 0] * k + matrix[2, 1] * j + matrix[2, 2] * i + matrix[2, 3]
                at_k = _within(at_k, volume.shape[0], margin)
                at_j = _within(at_j, volume.shape[1], margin)
                at_i = _within(at_i, volume.shape[2], margin)
                if np.isnan(at_k + at_j + at_i):
                    result[k, j, i] = np.nan
                    continue
                k0, n_k = _tent(at_k, half_widths[0], volume.shape[0], of_k)
                j0, n_j = _tent(at_j, half_widths[1], volume.shape[1], of_j)
                i0, n_i = _tent(at_i, half_widths[2], volume.shape[2], of_i)
                value = np.float32(0.0)
                for a in range(n_k):
                    for b in range(n_j):
                        line = np.float32(0.0)
                        for c in range(n_i):
                            line += of_i[c] * volume[np.uintp(k0 + a), np.uintp(j0 + b), np.uintp(i0 + c)]
                        value += of_k[a] * of_j[b] * line
                result[k, j, i] = value
    return result
