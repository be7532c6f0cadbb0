"""Fields brought to a raster, turned into shares of its samples, and painted on it. One pass over memory each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from toh_mri.kernels._jit import kernel

_RUN = 512  # samples of one turn: they stay in the fastest cache
_NOTHING, _HALF, _ALL = np.float32(0), np.float32(0.5), np.float32(1)


@kernel
def _widen(samples: NDArray[np.float32], up: int, out: NDArray[np.float32]) -> None:
    """Interpolate one row."""
    share = _ALL / np.float32(up)
    for i in range(samples.size - 1):
        step = (samples[i + 1] - samples[i]) * share
        for part in range(up):
            out[i * up + part] = samples[i] + step * np.float32(part)
    out[-1] = samples[-1]


@kernel
def _fill(above: NDArray[np.float32], below: NDArray[np.float32], share: np.float32, out: NDArray[np.float32]) -> None:
    """Interpolate between two rows."""
    for i in range(out.size):
        out[i] = above[i] + (below[i] - above[i]) * share


@kernel
def upsample_planes(field: NDArray[np.float32], up: int) -> NDArray[np.float32]:
    """Interpolate linearly along rows and columns.

    Parameters
    ----------
    field : ndarray of float32, shape (planes, rows, columns)
    up : int
        Samples for each; the last row and column are kept as they are.

    Returns
    -------
    ndarray of float32, shape (planes, (rows - 1) * up + 1, (columns - 1) * up + 1)
    """
    planes, rows, columns = field.shape
    wide = (columns - 1) * up + 1
    out = np.empty((planes, (rows - 1) * up + 1, wide), dtype=np.float32)
    above, below = np.empty(wide, dtype=np.float32), np.empty(wide, dtype=np.float32)
    for k in range(planes):
        _widen(field[k, 0], up, above)
        for j in range(rows - 1):
            _widen(field[k, j + 1], up, below)
            for part in range(up):
                _fill(above, below, np.float32(part) / np.float32(up), out[k, j * up + part])
            above, below = below, above
        out[k, -1] = above
    return out


@kernel
def cover_planes(distance: NDArray[np.float32], edge_mm: np.float32) -> NDArray[np.float32]:
    """Return the share of each sample that lies inside a surface.

    The edge is as wide as the distance changes from plane to plane, and `edge_mm` more.

    Parameters
    ----------
    distance : ndarray of float32, shape (planes, rows, columns)
        Signed distance to the surface in mm, negative inside; 2 planes or more.
    edge_mm : float32

    Returns
    -------
    ndarray of float32, same shape, 0..1
    """
    planes, rows, columns = distance.shape
    out = np.empty(distance.shape, dtype=np.float32)
    slope = np.empty(columns, dtype=np.float32)
    per_plane = _ALL / np.float32(planes - 1)
    for j in range(rows):
        top, bottom = distance[0, j], distance[-1, j]
        for i in range(columns):
            slope[i] = -_ALL / (np.abs(bottom[i] - top[i]) * per_plane + edge_mm)
        for k in range(planes):
            row, share = distance[k, j], out[k, j]
            for i in range(columns):
                value = row[i] * slope[i] + _HALF
                share[i] = min(max(value, _NOTHING), _ALL)
    return out


@kernel
def _nothing(share: NDArray[np.int32]) -> bool:
    """Tell whether all shares, given as their bits, are 0."""
    bits = np.int32(0)
    for n in range(share.size):
        bits |= share[n]
    return bool(bits == 0)


@kernel
def lay_evenly(
    water: NDArray[np.float32],
    fat: NDArray[np.float32],
    share: NDArray[np.float32],
    row: int,
    column: int,
    new_water: np.float32,
    new_fat: np.float32,
) -> None:
    """Replace a share of two layers by one value each, in place.

    Parameters
    ----------
    water, fat : ndarray of float32, shape (planes, rows, columns)
    share : ndarray of float32, shape (planes, r, c)
        0..1.
    row, column : int
        Where the first row and column of `share` lie in the layers.
    new_water, new_fat : float32
    """
    planes, rows, columns = share.shape
    bits = share.view(np.int32)
    for k in range(planes):
        for j in range(rows):
            for start in range(0, columns, _RUN):
                stop = min(start + _RUN, columns)
                if _nothing(bits[k, j, start:stop]):
                    continue
                over = share[k, j, start:stop]
                own_water = water[k, row + j, column + start : column + stop]
                own_fat = fat[k, row + j, column + start : column + stop]
                for i in range(over.size):
                    own_water[i] += (new_water - own_water[i]) * over[i]
                for i in range(over.size):
                    own_fat[i] += (new_fat - own_fat[i]) * over[i]


@kernel
def lay(
    water: NDArray[np.float32],
    fat: NDArray[np.float32],
    share: NDArray[np.float32],
    row: int,
    column: int,
    new_water: NDArray[np.float32],
    new_fat: NDArray[np.float32],
) -> None:
    """Replace a share of two layers by other values, in place.

    Parameters
    ----------
    water, fat, share, row, column
        As for `lay_evenly`.
    new_water, new_fat : ndarray of float32, shape of `share`
    """
    planes, rows, columns = share.shape
    bits = share.view(np.int32)
    for k in range(planes):
        for j in range(rows):
            for start in range(0, columns, _RUN):
                stop = min(start + _RUN, columns)
                if _nothing(bits[k, j, start:stop]):
                    continue
                over = share[k, j, start:stop]
                own_water = water[k, row + j, column + start : column + stop]
                own_fat = fat[k, row + j, column + start : column + stop]
                to_water, to_fat = new_water[k, j, start:stop], new_fat[k, j, start:stop]
                for i in range(over.size):
                    own_water[i] += (to_water[i] - own_water[i]) * over[i]
                for i in range(over.size):
                    own_fat[i] += (to_fat[i] - own_fat[i]) * over[i]
