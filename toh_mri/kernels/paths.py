"""Paths of least cost, exactly: closed round a centre in one of several layers, or open along a line."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from toh_mri.kernels._jit import kernel

_FAR = np.float32(1e9)


@kernel
def closed_path(
    cost: NDArray[np.float32], stiffness: float, reach: int, change_cost: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], float]:
    """Find the cheapest closed path: one height and one layer an azimuth, the last next to the first.

    Dynamic programming from one start after another, so that the path closes and none is cheaper (Sun and Pallottino
    2003, 10.1016/S0031-3203(02)00102-5). No closed path costs less than the cheapest open one from its start: starts
    are tried in that order until the next cannot win.

    Parameters
    ----------
    cost : ndarray of float32, shape (layers, azimuths, heights)
    stiffness : float
        Cost of a step of k heights between neighbours is ``stiffness * k**2``.
    reach : int
        Largest step between neighbours.
    change_cost : float
        Cost of going on in another layer.

    Returns
    -------
    heights, layers : ndarray of int64, shape (azimuths,)
    total : float
    """
    layers, azimuths, heights = cost.shape
    came_from = np.empty((azimuths, layers * heights), np.int32)
    bound = cost[:, azimuths - 1].copy()
    for i in range(azimuths - 2, -1, -1):
        bound = _next(bound, cost[:, i], stiffness, reach, change_cost, came_from[i])
    least = bound.ravel()
    nothing = np.zeros((layers, heights), np.float32)
    best_total = _FAR
    best = np.zeros(azimuths, np.int64)
    for start in np.argsort(least):
        if least[start] >= best_total:
            break
        layer, height = start // heights, start % heights
        value = np.full((layers, heights), _FAR, np.float32)
        value[layer, height] = cost[layer, 0, height]
        for i in range(1, azimuths):
            value = _next(value, cost[:, i], stiffness, reach, change_cost, came_from[i])
        total = _next(value, nothing, stiffness, reach, change_cost, came_from[0])[layer, height]
        if total < best_total:
            best_total = total
            state = start
            for i in range(azimuths):
                state = came_from[(azimuths - i) % azimuths, state]
                best[azimuths - 1 - i] = state
    return best % heights, best // heights, float(best_total)


@kernel
def open_path(cost: NDArray[np.float32], stiffness: float, reach: int) -> tuple[NDArray[np.int64], float]:
    """Find the cheapest path along rows, one height a row.

    Parameters
    ----------
    cost : ndarray of float32, shape (rows, heights)
    stiffness, reach
        As of `closed_path`.

    Returns
    -------
    heights : ndarray of int64, shape (rows,)
    total : float
    """
    rows, heights = cost.shape
    came_from = np.empty((rows, heights), np.int32)
    value = cost[:1].copy()
    for j in range(1, rows):
        value = _next(value, cost[j : j + 1], stiffness, reach, 0.0, came_from[j])
    best = np.zeros(rows, np.int64)
    best[rows - 1] = value[0].argmin()
    for j in range(rows - 1, 0, -1):
        best[j - 1] = came_from[j, best[j]]
    return best, float(value.min())


@kernel
def _next(
    value: NDArray[np.float32],
    cost: NDArray[np.float32],
    stiffness: float,
    reach: int,
    change_cost: float,
    came_from: NDArray[np.int32],
) -> NDArray[np.float32]:
    """Carry the costs of all states to the next place; `came_from` takes the state each came from."""
    layers, heights = value.shape
    result = np.full((layers, heights), np.float32(4) * _FAR, np.float32)
    for layer in range(layers):
        for q in range(heights):
            best = np.float32(4) * _FAR
            origin = 0
            for p in range(max(0, q - reach), min(heights, q + reach + 1)):
                total = value[layer, p] + np.float32(stiffness * (q - p) * (q - p))
                if total < best:
                    best = total
                    origin = layer * heights + p
            for other in range(layers):
                changed = best if other == layer else best + np.float32(change_cost)
                if changed < result[other, q]:
                    result[other, q] = changed
                    came_from[other * heights + q] = origin
    result += cost
    return result
