"""Local contrast: a volume against mean and deviation that vary slowly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from toh_mri.kernels._jit import kernel


@kernel
def _between_blocks(at: float, count: int) -> tuple[int, int, float]:
    """Return the blocks beside a place, in blocks, and how far (0..1) it lies towards the second."""
    at = min(max(at, 0.0), count - 1.0)
    before = min(int(at), max(count - 2, 0))
    return before, min(before + 1, count - 1), at - before


@kernel
def normalise(
    signal: NDArray[np.float32],
    mean: NDArray[np.float32],
    deviation: NDArray[np.float32],
    first: tuple[float, float, float],
    pace: tuple[float, float, float],
    floor: float,
) -> NDArray[np.float32]:
    """Return ``(signal - mean) / (deviation + floor)``, mean and deviation interpolated linearly between blocks.

    Beyond the outermost blocks' centres their values hold on.

    Parameters
    ----------
    signal : ndarray of float32, shape (slices, rows, columns)
        NaN outside the field of view; 0 is returned there.
    mean, deviation : ndarray of float32
        One value a block, along the same axes.
    first, pace : tuple of float
        Place of the first sample and distance between samples along each axis, in blocks.
    floor : float
        > 0.

    Returns
    -------
    ndarray of float32, shape of `signal`
    """
    count, rows, columns = signal.shape
    blocks_k, blocks_j, blocks_i = mean.shape
    result = np.empty(signal.shape, np.float32)
    line_mean, line_deviation = np.empty(blocks_i), np.empty(blocks_i)
    for k in range(count):
        k0, k1, wk = _between_blocks(first[0] + k * pace[0], blocks_k)
        for j in range(rows):
            j0, j1, wj = _between_blocks(first[1] + j * pace[1], blocks_j)
            for i in range(blocks_i):
                line_mean[i] = (1 - wk) * ((1 - wj) * mean[k0, j0, i] + wj * mean[k0, j1, i]) + wk * (
                    (1 - wj) * mean[k1, j0, i] + wj * mean[k1, j1, i]
                )
                line_deviation[i] = (1 - wk) * ((1 - wj) * deviation[k0, j0, i] + wj * deviation[k0, j1, i]) + wk * (
                    (1 - wj) * deviation[k1, j0, i] + wj * deviation[k1, j1, i]
                )
            for i in range(columns):
                value = signal[k, j, i]
                if np.isnan(value):
                    result[k, j, i] = 0.0
                    continue
                i0, i1, wi = _between_blocks(first[2] + i * pace[2], blocks_i)
                m = (1 - wi) * line_mean[i0] + wi * line_mean[i1]
                d = (1 - wi) * line_deviation[i0] + wi * line_deviation[i1]
                result[k, j, i] = (value - m) / (d + floor)
    return result
