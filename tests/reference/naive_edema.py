"""The edema kernel again: slow and obvious."""

import numpy as np

OUTSIDE, MARROW, EDEMA, FLUID, VETOED = range(5)


def quantify_marrow(
    ratio, t1_ratio, regions, excluded, reference, spread, contrast, minimum_fraction, thresholds, limits
):
    fluid_cut, t1_fluid, fluid_cut_alone, t1_fatty = limits
    known = (regions > 0) & ~np.isnan(ratio)
    fluid = known & ((np.isnan(t1_ratio) & (ratio > fluid_cut_alone)) | ((ratio > fluid_cut) & (t1_ratio < t1_fluid)))
    vetoed = known & ~fluid & ((t1_ratio >= t1_fatty) | excluded)
    marrow = known & ~fluid & ~vetoed
    rise = ratio.astype(float) - np.asarray(reference)[regions]
    table = np.zeros((len(reference), 5 + len(thresholds)))
    maps = []
    for threshold in thresholds:
        cut = np.maximum(threshold * np.asarray(spread)[regions], minimum_fraction * contrast)
        edema = np.zeros(ratio.shape, bool)
        for k, j, i in np.argwhere(marrow):
            box = (k, slice(max(j - 1, 0), j + 2), slice(max(i - 1, 0), i + 2))
            above = marrow[box] & (rise[box] > cut[k, j, i])
            edema[k, j, i] = rise[k, j, i] > cut[k, j, i] and 2 * above.sum() >= marrow[box].sum()
        maps.append(edema)
    state = np.select([maps[0], fluid, vetoed, marrow], [EDEMA, FLUID, VETOED, MARROW], OUTSIDE).astype(np.uint8)
    for region in range(len(reference)):
        here = regions == region
        table[region, 0] = (known & here).sum()
        table[region, 1] = (fluid & here).sum()
        table[region, 2] = (vetoed & here).sum()
        table[region, 3] = (rise / np.asarray(spread)[regions])[maps[0] & here].sum()
        table[region, 4] = (rise / contrast)[maps[0] & here].sum()
        table[region, 5:] = [(edema & here).sum() for edema in maps]
    return state, table
