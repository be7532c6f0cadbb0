"""Edge evidence along rays, and the smooth height field of least cost through it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from toh_mri.kernels._jit import kernel
from toh_mri.kernels.rim import rim_evidence

_FAR = np.float32(1e9)
_TOO_LARGE = 10.0  # price of each height beyond the largest step
_SWEEPS = 4  # they leave the energy .8 % (median of 27 surfaces) above the exact minimum
_FALL_SHARE = np.float32(0.5)  # 0 and 1 are worse (development cohort: mean head Dice .931, .944, .936)


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
def outer_face_evidence(
    profiles: NDArray[np.float32],
    outer_share: NDArray[np.float32],
    cortex: NDArray[np.float32],
    n_offsets: int,
    lead: int,
    gap_low: int,
    gap_high: int,
    contrast_cap: float,
    fat_is_bright: bool,
) -> NDArray[np.float32]:
    """Tell how well each place on each ray agrees with the outer face of a bone.

    Two edges vote. A fall of signal one cortex further in: bright marrow against dark cortex. And, unless fat is
    bright, a rise at the face itself: dark cortex against what surrounds it. Where both may vote the fall counts half:
    joint fluid against the joint's far wall falls as marrow does, and further. A joint's width behind a rise it is
    almost surely that wall; there its vote shrinks by as much as the rise is clear.

    Parameters
    ----------
    profiles : ndarray of float32, shape (rows, azimuths, samples)
        Normalised signal along rays; NaN outside the field of view. Sample ``q + lead`` lies one and a half steps
        inside offset q.
    outer_share : ndarray of float32, shape (rows, azimuths)
        Share of a second edge of opposite sign, `gap_low` to `gap_high` samples further out.
    cortex : ndarray of float32, shape (rows, azimuths)
        Thickness of the cortex in samples; at most ``lead - gap_high``.
    n_offsets : int
        Number of surface positions per ray; samples = lead + n_offsets + gap_high + 3.
    lead : int
        Samples before the first position.
    gap_low, gap_high : int
        Where the other wall of a joint is looked for, in samples.
    contrast_cap : float
        Height that counts as a full edge.
    fat_is_bright : bool
        On T1-like series marrow is never darker than cortex: only the fall votes, and any fall.

    Returns
    -------
    ndarray of float32, shape (rows, azimuths, n_offsets)
        0..1.
    """
    rows, azimuths, _ = profiles.shape
    n_edges = lead + n_offsets + gap_high
    result = np.zeros((rows, azimuths, n_offsets), np.float32)
    edge = np.zeros(n_edges, np.float32)
    inner = np.zeros(n_offsets + gap_high, np.float32)
    fall = np.zeros(n_offsets, np.float32)
    rise = np.zeros(n_offsets, np.float32)
    for j in range(rows):
        for i in range(azimuths):
            for q in range(n_edges):
                step = profiles[j, i, q + 3] - profiles[j, i, q]
                edge[q] = min(max(step / contrast_cap, -1.0), 1.0) if step == step else 0.0
            before = int(np.ceil(cortex[j, i]))
            part = np.float32(before - cortex[j, i])
            for q in range(inner.size):
                at = lead + q - before
                inner[q] = (1 - part) * edge[at] + part * edge[at + 1]
            rim_evidence(inner, outer_share[j, i], gap_low, gap_high, False, fall)
            if fat_is_bright:
                result[j, i] = fall
                continue
            rim_evidence(-edge[lead:], outer_share[j, i], gap_low, gap_high, False, rise)
            for q in range(n_offsets):
                joint = np.float32(0.0)
                for g in range(gap_low, gap_high + 1):
                    joint = max(joint, edge[lead + q - before - g])
                result[j, i, q] = max(rise[q], _FALL_SHARE * fall[q] * (1 - joint))
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
    """Find a smooth height field of nearly least cost on a tube that is closed in azimuth and open in row.

    Costs are carried along rows and azimuths, in both directions, by dynamic programming and summed (semi-global
    matching: Hirschmueller 2008, 10.1109/TPAMI.2007.1166). From the cheapest height of each node, whole columns and
    rows are then replaced by the best ones given the rest, which never raises the cost. Last, a parabola gives the
    fraction of a step. Against the exact minimum (a minimum cut, as in the tests) the first step alone is about 10 %
    short on real problems and its steps can be too large; after the second the cost is within 1 % (median).

    Parameters
    ----------
    cost : ndarray of float32, shape (rows, azimuths, heights)
    stiffness : float
        Cost of a step of k heights between neighbours is ``stiffness * k**2``.
    reach : int
        Largest step between neighbours; a larger one costs 10 more for each height beyond.

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
    height = np.empty((rows, azimuths), np.int64)
    for j in range(rows):
        for i in range(azimuths):
            height[j, i] = np.argmin(total[j, i])
    for _ in range(_SWEEPS):
        _improve(cost, height, stiffness, reach)
    result = np.empty((rows, azimuths), np.float32)
    for j in range(rows):
        for i in range(azimuths):
            result[j, i] = _vertex(_given(cost, height, j, i, True, True, stiffness, reach), height[j, i])
    return result


@kernel
def _price(step: int, stiffness: float, reach: int) -> float:
    """Return the price of a step; one that is too large costs more than any evidence is worth."""
    return stiffness * step * step + _TOO_LARGE * max(0, abs(step) - reach)


@kernel
def _given(
    cost: NDArray[np.float32],
    height: NDArray[np.int64],
    j: int,
    i: int,
    beside: bool,
    along: bool,
    stiffness: float,
    reach: int,
) -> NDArray[np.float32]:
    """Return the cost of each height of one node, the heights of its neighbours beside or along being given."""
    rows, azimuths, heights = cost.shape
    result = np.empty(heights, np.float32)
    for q in range(heights):
        extra = 0.0
        if beside:
            extra += _price(q - height[j, (i + 1) % azimuths], stiffness, reach)
            extra += _price(q - height[j, (i - 1) % azimuths], stiffness, reach)
        if along and j > 0:
            extra += _price(q - height[j - 1, i], stiffness, reach)
        if along and j < rows - 1:
            extra += _price(q - height[j + 1, i], stiffness, reach)
        result[q] = cost[j, i, q] + np.float32(extra)
    return result


@kernel
def _improve(cost: NDArray[np.float32], height: NDArray[np.int64], stiffness: float, reach: int) -> None:
    """Replace column after column, then the open part of each row, by the best one given the rest."""
    rows, azimuths, heights = cost.shape
    column = np.empty((rows, heights), np.float32)
    for i in range(azimuths):
        for j in range(rows):
            column[j] = _given(cost, height, j, i, True, False, stiffness, reach)
        height[:, i] = _best_line(column, stiffness, reach)
    if azimuths == 1:
        return
    ring = np.empty((azimuths - 1, heights), np.float32)
    for j in range(rows):
        first = (j * 7) % azimuths  # the node that stays; another one in each row
        for n in range(azimuths - 1):
            ring[n] = _given(cost, height, j, (first + 1 + n) % azimuths, False, True, stiffness, reach)
        for q in range(heights):
            ring[0, q] += np.float32(_price(q - height[j, first], stiffness, reach))
            ring[azimuths - 2, q] += np.float32(_price(q - height[j, first], stiffness, reach))
        line = _best_line(ring, stiffness, reach)
        for n in range(azimuths - 1):
            height[j, (first + 1 + n) % azimuths] = line[n]


@kernel
def _best_line(cost: NDArray[np.float32], stiffness: float, reach: int) -> NDArray[np.int64]:
    """Return the heights of least cost along one open line, shape (nodes,)."""
    nodes, heights = cost.shape
    carried = cost[0].copy()
    came = np.zeros((nodes, heights), np.int64)
    for n in range(1, nodes):
        after = np.empty(heights, np.float32)
        for q in range(heights):
            best = _FAR
            for p in range(max(0, q - reach), min(heights, q + reach + 1)):
                value = carried[p] + np.float32(stiffness * (q - p) * (q - p))
                if value < best:
                    best = value
                    came[n, q] = p
            after[q] = cost[n, q] + best
        carried = after
    line = np.empty(nodes, np.int64)
    line[nodes - 1] = np.argmin(carried)
    for n in range(nodes - 1, 0, -1):
        line[n - 1] = came[n, line[n]]
    return line


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
def _vertex(cost: NDArray[np.float32], q: int) -> float:
    """Return the place of the lowest cost next to height q, to a fraction of a step."""
    if 0 < q < cost.size - 1:
        bend = cost[q - 1] - 2 * cost[q] + cost[q + 1]
        if bend > 0:
            shift = 0.5 * (cost[q - 1] - cost[q + 1]) / bend
            return float(q + min(max(shift, -0.5), 0.5))
    return float(q)
