"""Edema quantification: one pass over labelled marrow."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from toh_mri.kernels._jit import kernel

OUTSIDE, MARROW, EDEMA, FLUID, VETOED = 0, 1, 2, 3, 4
"""States of a voxel in the map that `quantify_marrow` returns."""

COUNT, FLUID_COUNT, VETOED_COUNT, SUM_Z, SUM_FRACTION, FIRST_THRESHOLD = 0, 1, 2, 3, 4, 5
"""Columns of its statistics; one column per threshold follows from `FIRST_THRESHOLD` on."""


@kernel
def _state_without_threshold(ratio: float, t1_ratio: float, limits: NDArray[np.float64]) -> int:
    """Say what a marrow voxel is before its signal is compared with reference marrow.

    `limits` holds the fluid cut, the T1 ratio below which fluid lies, the cut where T1 is unknown, and the T1
    ratio at and above which the voxel is fatty.
    """
    if np.isnan(ratio):
        return OUTSIDE
    unknown = np.isnan(t1_ratio)
    if (unknown and ratio > limits[2]) or (ratio > limits[0] and t1_ratio < limits[1]):
        return FLUID
    return VETOED if t1_ratio >= limits[3] else MARROW


@kernel
def quantify_marrow(
    ratio: NDArray[np.float32],
    t1_ratio: NDArray[np.float32],
    regions: NDArray[np.uint8],
    excluded: NDArray[np.bool_],
    reference: NDArray[np.float64],
    spread: NDArray[np.float64],
    contrast: float,
    minimum_fraction: float,
    thresholds: NDArray[np.float64],
    limits: NDArray[np.float64],
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Find edema in labelled marrow and count it by region.

    A voxel is above threshold m where ``z = (ratio - reference) / spread`` exceeds ``thresholds[m]`` and its
    edema fraction ``(ratio - reference) / contrast`` exceeds ``minimum_fraction * thresholds[m] /
    thresholds[0]``: both parts of the rule move together. It is edema where, besides,
    at least half of the voxel and its in-plane neighbours in the marrow are above the threshold: single noisy
    voxels and rims one voxel wide do not count.

    Parameters
    ----------
    ratio : ndarray of float32, shape (slices, rows, columns)
        Signal of the fluid-sensitive series over local muscle; NaN where not known.
    t1_ratio : ndarray of float32, same shape
        T1 signal over local muscle, NaN where not known.
    regions : ndarray of uint8, same shape
        0 outside the marrow, else a region number below ``len(reference)``.
    excluded : ndarray of bool, same shape
        Voxels vetoed by the caller.
    reference, spread : ndarray of float64, shape (regions,)
        Reference marrow's ratio and its robust standard deviation, by region number.
    contrast : float
        Ratio gained by wholly edematous marrow over normal marrow.
    minimum_fraction : float
        Smallest edema fraction.
    thresholds : ndarray of float64, shape (m,)
        In spreads. The first decides the map.
    limits : ndarray of float64, shape (4,)
        Fluid cut (ratio); T1 ratio below which fluid lies; fluid cut where T1 is unknown; T1 ratio at and
        above which a voxel is fatty and cannot be edema.

    Returns
    -------
    state : ndarray of uint8, shape (slices, rows, columns)
        `OUTSIDE`, `MARROW`, `EDEMA`, `FLUID` or `VETOED`.
    statistics : ndarray of float64, shape (regions, 5 + m)
        Voxel counts of marrow (fluid and vetoed included), fluid and vetoed; sums of z and of the edema
        fraction over edema; edema voxels by threshold.
    """
    slices, rows, columns = ratio.shape
    state = np.zeros(ratio.shape, np.uint8)
    statistics = np.zeros((len(reference), FIRST_THRESHOLD + len(thresholds)))
    for k in range(slices):
        for j in range(rows):
            for i in range(columns):
                region = regions[k, j, i]
                if region > 0:
                    state[k, j, i] = _state_without_threshold(ratio[k, j, i], t1_ratio[k, j, i], limits)
                    if excluded[k, j, i] and state[k, j, i] == MARROW:
                        state[k, j, i] = VETOED
        floor = minimum_fraction * contrast
        _count_slice(ratio[k], regions[k], state[k], reference, spread, contrast, floor, thresholds, statistics)
    return state, statistics


@kernel
def _count_slice(
    ratio: NDArray[np.float32],
    regions: NDArray[np.uint8],
    state: NDArray[np.uint8],
    reference: NDArray[np.float64],
    spread: NDArray[np.float64],
    contrast: float,
    floor: float,
    thresholds: NDArray[np.float64],
    statistics: NDArray[np.float64],
) -> None:
    """Mark edema in one slice and add it to the statistics; arrays as in `quantify_marrow`, less one axis.

    `floor` is the least rise of the ratio over reference marrow, whatever the threshold.
    """
    rows, columns = ratio.shape
    for j in range(rows):
        for i in range(columns):
            region = regions[j, i]
            if state[j, i] == OUTSIDE:
                continue
            statistics[region, COUNT] += 1.0
            if state[j, i] == FLUID:
                statistics[region, FLUID_COUNT] += 1.0
            elif state[j, i] == VETOED:
                statistics[region, VETOED_COUNT] += 1.0
            else:
                rise = ratio[j, i] - reference[region]
                for m in range(len(thresholds)):
                    cut = max(thresholds[m] * spread[region], floor)
                    if rise > cut and _is_supported(ratio, regions, state, reference, j, i, cut):
                        statistics[region, FIRST_THRESHOLD + m] += 1.0
                        if m == 0:
                            state[j, i] = EDEMA
                            statistics[region, SUM_Z] += rise / spread[region]
                            statistics[region, SUM_FRACTION] += rise / contrast


@kernel
def _is_supported(
    ratio: NDArray[np.float32],
    regions: NDArray[np.uint8],
    state: NDArray[np.uint8],
    reference: NDArray[np.float64],
    row: int,
    column: int,
    cut: float,
) -> bool:
    """Tell whether at least half of a voxel and its in-plane marrow neighbours rise above `cut`."""
    above, marrow = 0, 0
    for j in range(max(row - 1, 0), min(row + 2, ratio.shape[0])):
        for i in range(max(column - 1, 0), min(column + 2, ratio.shape[1])):
            if state[j, i] == MARROW or state[j, i] == EDEMA:
                marrow += 1
                if ratio[j, i] - reference[regions[j, i]] > cut:
                    above += 1
    return 2 * above >= marrow
