"""Rim evidence again: windows of the outer edge, taken whole, and the formula written out."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

FAINT_EDGE = 0.12


def signed_edges(samples, half_width, contrast_cap):
    """Differences of samples `2 * half_width + 1` apart, as shares of a full edge; 0 where one is missing."""
    samples = np.asarray(samples, float)
    apart = 2 * half_width + 1
    return np.nan_to_num(np.clip((samples[apart:] - samples[:-apart]) / contrast_cap, -1, 1))


def rim_evidence(edge, outer_share, gap_low, gap_high, *, either_polarity):
    edge = np.asarray(edge, float)
    here = edge[: len(edge) - gap_high]
    outer = sliding_window_view(edge[gap_low:], gap_high - gap_low + 1)[: len(here)]

    def seen(first, second):
        return (1 - outer_share) * np.maximum(first, 0) + outer_share * np.maximum(second, 0).max(axis=1)

    bright_to_dark, dark_to_bright = seen(-here, outer), seen(here, -outer)
    if either_polarity:
        return np.maximum(bright_to_dark, dark_to_bright)
    return np.where(-here < FAINT_EDGE, 0.5, 1.0) * bright_to_dark
