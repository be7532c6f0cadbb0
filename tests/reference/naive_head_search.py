"""The head search again: one centre and one radius at a time, sector means by NumPy."""

import numpy as np

from tests.reference.naive_rim import rim_evidence, signed_edges

SUPPORTED = 0.4


def sector_mean(samples, fair_share):
    """Mean of the samples of a sector's rays, shape (rays, k); NaN where not more than half a fair share is seen."""
    mean = np.full(samples.shape[1], np.nan)
    for q, column in enumerate(samples.T):
        seen = column[~np.isnan(column)]
        if len(seen) > fair_share / 2:
            mean[q] = seen.astype(float).mean()
    return mean


def score_centres(
    padded,
    centres,
    ray_offsets,
    sector_start,
    sector_weight,
    outer_share,
    half_width,
    gap_low,
    gap_high,
    tolerance,
    contrast_cap,
    either_polarity,
):
    n_rays, n_samples = ray_offsets.shape
    n_radii = n_samples - 2 * (half_width + 1) - gap_high - 2 * tolerance + 1
    score, coverage = np.zeros((2, len(centres), n_radii))
    for c, centre in enumerate(centres):
        samples = padded[centre + ray_offsets]
        evidence = []
        for s, share in enumerate(outer_share):
            mean = sector_mean(samples[sector_start[s] : sector_start[s + 1]], n_rays / len(outer_share))
            edge = signed_edges(mean, half_width, contrast_cap)
            evidence.append(rim_evidence(edge, share, gap_low, gap_high, either_polarity=either_polarity))
        for r in range(n_radii):
            best = np.array([sector[r : r + 2 * tolerance + 1].max() for sector in evidence])
            coverage[c, r] = sector_weight[best > SUPPORTED].sum()
            score[c, r] = (sector_weight * best).sum() * (0.5 + 0.5 * coverage[c, r])
    return score, coverage
