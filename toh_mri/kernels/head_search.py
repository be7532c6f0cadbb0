"""How well concentric edges round many candidate centres agree with a femoral head."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from toh_mri.kernels._jit import kernel
from toh_mri.kernels.rim import rim_evidence

_SUPPORTED = np.float32(0.4)  # evidence above which a sector counts as covered


@kernel
def score_centres(
    padded: NDArray[np.float32],
    centres: NDArray[np.int64],
    ray_offsets: NDArray[np.int32],
    sector_start: NDArray[np.int64],
    sector_weight: NDArray[np.float32],
    outer_share: NDArray[np.float32],
    half_width: int,
    gap_low: int,
    gap_high: int,
    tolerance: int,
    contrast_cap: float,
    either_polarity: bool,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Score every radius round every centre.

    Signal is averaged over each sector of the sphere (circle) before it is differentiated along the radius, so that
    texture cancels and the rim remains. A rim is an edge, followed 2-7 mm further out by an edge of the opposite
    sign (the far wall of the joint).

    Parameters
    ----------
    padded : ndarray of float32, shape (n,)
        Local-contrast-normalised volume, flattened C-order, padded so that no ray leaves it; NaN outside the field
        of view.
    centres : ndarray of int64, shape (c,)
        Flat indices of the candidate centres.
    ray_offsets : ndarray of int32, shape (m, k)
        Flat index offset of sample q of each ray, sector by sector; samples lie half a radial step off the tested
        radii.
    sector_start : ndarray of int64, shape (s + 1,)
        The first ray of each sector, and m.
    sector_weight : ndarray of float32, shape (s,)
        Trust in each sector; sums to 1.
    outer_share : ndarray of float32, shape (s,)
        Share of the second, outer edge in a sector's evidence.
    half_width : int
        The edge at radius q is the difference of samples q + half_width and q - half_width - 1.
    gap_low, gap_high : int
        Where the second edge is looked for, in radial steps beyond the first.
    tolerance : int
        Radial steps by which a sector may deviate from the sphere.
    contrast_cap : float
        Height that counts as a full edge, in units of `padded`.
    either_polarity : bool
        Accept dark-to-bright first edges as well as bright-to-dark ones.

    Returns
    -------
    score, coverage : ndarray of float32, shape (c, r)
        For radii half_width + 1 + tolerance ... in radial steps, r = k - 2 * (half_width + 1) - gap_high -
        2 * tolerance + 1; both 0..1.
    """
    n_samples = ray_offsets.shape[1]
    n_sectors = sector_weight.size
    n_edges = n_samples - 2 * half_width - 1
    n_first = n_edges - gap_high
    n_radii = n_first - 2 * tolerance
    score = np.zeros((centres.size, n_radii), np.float32)
    coverage = np.zeros((centres.size, n_radii), np.float32)
    mean = np.empty(n_samples, np.float32)
    edge = np.empty(n_edges, np.float32)
    evidence = np.empty(n_first, np.float32)
    most = np.float32(0.5) * ray_offsets.shape[0] / n_sectors
    for c in range(centres.size):
        for s in range(n_sectors):
            _sector_mean(padded, centres[c], ray_offsets[sector_start[s] : sector_start[s + 1]], most, mean)
            for q in range(n_edges):
                step = mean[q + 2 * half_width + 1] - mean[q]
                edge[q] = min(max(step / contrast_cap, -1.0), 1.0) if step == step else 0.0
            rim_evidence(edge, outer_share[s], gap_low, gap_high, either_polarity, evidence)
            for r in range(n_radii):
                best = evidence[r]
                for t in range(1, 2 * tolerance + 1):
                    best = max(best, evidence[r + t])
                score[c, r] += sector_weight[s] * best
                if best > _SUPPORTED:
                    coverage[c, r] += sector_weight[s]
        for r in range(n_radii):
            score[c, r] *= np.float32(0.5) + np.float32(0.5) * coverage[c, r]
    return score, coverage


@kernel
def _sector_mean(
    padded: NDArray[np.float32], centre: int, ray_offsets: NDArray[np.int32], most: float, mean: NDArray[np.float32]
) -> None:
    """Average the rays of one sector into `mean`; NaN where not more than `most` rays lie in the field of view."""
    n_rays, n_samples = ray_offsets.shape
    mean[:] = np.float32(0.0)
    for m in range(n_rays):
        for q in range(n_samples):
            mean[q] += padded[np.uintp(centre + ray_offsets[m, q])]  # unsigned: no look for a negative index
    for q in range(n_samples):
        if mean[q] == mean[q]:  # no ray of the sector met a NaN here
            mean[q] = mean[q] / np.float32(n_rays) if n_rays > most else np.nan
        else:
            mean[q] = _mean_of_seen(padded, centre, ray_offsets, q, most)


@kernel
def _mean_of_seen(
    padded: NDArray[np.float32], centre: int, ray_offsets: NDArray[np.int32], q: int, most: float
) -> np.float32 | float:
    """Average sample `q` of those rays that have one."""
    total, count = np.float32(0.0), np.float32(0.0)
    for m in range(ray_offsets.shape[0]):
        value = padded[np.uintp(centre + ray_offsets[m, q])]
        if value == value:
            total += value
            count += np.float32(1.0)
    return total / count if count > most else np.nan
