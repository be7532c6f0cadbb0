"""Edge evidence along rays, and the smooth height field of least cost through it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from toh_mri.kernels._jit import kernel
from toh_mri.kernels.rim import rim_evidence

_FAR = np.float32(1e9)


@kernel
def edge_evidence(
    profiles: NDArray[np.float32],
    outer_share: NDArray[np.float32],
    n_offsets: int,
    half_width: int,
    gap_low: int,
    gap_high: int,
    contrast_cap: float,
    either_polarity: bool,
) -> NDArray[np.float32]:
    """Tell how well each sample of each ray agrees with a bone surface.

    Parameters
    ----------
    profiles : ndarray of float32, shape (rows, azimuths, samples)
        Normalised signal along rays; NaN outside the field of view. Sample q lies half a step inside offset
        q - half_width.
    outer_share : ndarray of float32, shape (rows, azimuths)
        Share of a second edge of opposite sign, `gap_low` to `gap_high` samples further out.
    n_offsets : int
        Number of surface positions per ray; samples = n_offsets + gap_high + 2 * half_width + 1.
    half_width : int
        Edges are differences of samples `2 * half_width + 1` apart.
    gap_low, gap_high : int
        Where the second edge is looked for, in samples.
    contrast_cap : float
        Height that counts as a full edge.
    either_polarity : bool
        Accept dark-to-bright first edges as well as bright-to-dark ones.

    Returns
    -------
    ndarray of float32, shape (rows, azimuths, n_offsets)
        0..1.
    """
    rows, azimuths, _ = profiles.shape
    n_edges = n_offsets + gap_high
    result = np.zeros((rows, azimuths, n_offsets), np.float32)
    edge = np.zeros(n_edges, np.float32)
    for j in range(rows):
        for i in range(azimuths):
            for q in range(n_edges):
                step = profiles[j, i, q + 2 * half_width + 1] - profiles[j, i, q]
                edge[q] = min(max(step / contrast_cap, -1.0), 1.0) if step == step else 0.0
            rim_evidence(edge, outer_share[j, i], gap_low, gap_high, either_polarity, result[j, i])
    return result


@kernel
def _relax(
    previous: NDArray[np.float32], cost: NDArray[np.float32], stiffness: float, reach: int
) -> NDArray[np.float32]:
    n = cost.size
    result = np.empty(n, np.float32)
    lowest = previous.min()
    for q in range(n):
        best = _FAR
        for p in range(max(0, q - reach), min(n, q + reach + 1)):
            value = previous[p] + np.float32(stiffness * (q - p) * (q - p))
            best = min(best, value)
        result[q] = cost[q] + best - lowest
    return result


@kernel
def height_field(cost: NDArray[np.float32], stiffness: float, reach: int) -> NDArray[np.float32]:
    """Find a smooth height field of low cost on a tube that is closed in azimuth and open in row.

    Costs are carried along rows and azimuths, in both directions, by dynamic programming and summed (semi-global
    matching: Hirschmueller 2008, 10.1109/TPAMI.2007.1166); each node takes its cheapest height, to a fraction of a
    step by a parabola.

    Parameters
    ----------
    cost : ndarray of float32, shape (rows, azimuths, heights)
    stiffness : float
        Cost of a step of k heights between neighbours is ``stiffness * k**2``.
    reach : int
        Largest step between neighbours.

    Returns
    -------
    ndarray of float32, shape (rows, azimuths)
        Height in steps, 0 .. heights - 1.
    """
    rows, azimuths, heights = cost.shape
    total = np.zeros((rows, azimuths, heights), np.float32)
    for i in range(azimuths):
        _along_column(cost, total, i, stiffness, reach)
    for j in range(rows):
        _round_row(cost, total, j, stiffness, reach)
    result = np.empty((rows, azimuths), np.float32)
    for j in range(rows):
        for i in range(azimuths):
            result[j, i] = _lowest(total[j, i])
    return result


@kernel
def _along_column(cost: NDArray[np.float32], total: NDArray[np.float32], i: int, stiffness: float, reach: int) -> None:
    rows = cost.shape[0]
    down = cost[0, i].copy()
    up = cost[rows - 1, i].copy()
    total[0, i] += down
    total[rows - 1, i] += up
    for j in range(1, rows):
        down = _relax(down, cost[j, i], stiffness, reach)
        up = _relax(up, cost[rows - 1 - j, i], stiffness, reach)
        total[j, i] += down
        total[rows - 1 - j, i] += up


@kernel
def _round_row(cost: NDArray[np.float32], total: NDArray[np.float32], j: int, stiffness: float, reach: int) -> None:
    azimuths = cost.shape[1]
    forward = cost[j, 0].copy()
    backward = cost[j, azimuths - 1].copy()
    for turn in range(2):  # the second turn knows what lies before its start
        for i in range(azimuths):
            forward = _relax(forward, cost[j, i], stiffness, reach)
            backward = _relax(backward, cost[j, azimuths - 1 - i], stiffness, reach)
            if turn == 1:
                total[j, i] += forward
                total[j, azimuths - 1 - i] += backward


@kernel
def _lowest(cost: NDArray[np.float32]) -> float:
    """Return the place of the lowest cost, to a fraction of a step."""
    q = int(np.argmin(cost))
    if 0 < q < cost.size - 1:
        bend = cost[q - 1] - 2 * cost[q] + cost[q + 1]
        if bend > 0:
            return float(q + 0.5 * (cost[q - 1] - cost[q + 1]) / bend)
    return float(q)
