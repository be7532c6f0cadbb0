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
    sector_of_ray: NDArray[np.int32],
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
        Flat index offset of sample q of each ray; samples lie half a radial step off the tested radii.
    sector_of_ray : ndarray of int32, shape (m,)
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
    mean = np.empty((n_sectors, n_samples), np.float32)
    edge = np.empty(n_edges, np.float32)
    evidence = np.empty(n_first, np.float32)
    for c in range(centres.size):
        _sector_means(padded, centres[c], ray_offsets, sector_of_ray, mean)
        for s in range(n_sectors):
            for q in range(n_edges):
                step = mean[s, q + 2 * half_width + 1] - mean[s, q]
                edge[q] = min(max(step / contrast_cap, -1.0), 1.0) if step == step else 0.0
            rim_evidence(edge, outer_share[s], gap_low, gap_high, either_polarity, evidence)
            for r in range(n_radii):
                best = evidence[r : r + 2 * tolerance + 1].max()
                score[c, r] += sector_weight[s] * best
                if best > _SUPPORTED:
                    coverage[c, r] += sector_weight[s]
        for r in range(n_radii):
            score[c, r] *= np.float32(0.5) + np.float32(0.5) * coverage[c, r]
    return score, coverage


@kernel
def _sector_means(
    padded: NDArray[np.float32],
    centre: int,
    ray_offsets: NDArray[np.int32],
    sector_of_ray: NDArray[np.int32],
    mean: NDArray[np.float32],
) -> None:
    """Average the rays of each sector into `mean`; NaN where most of a sector lies outside the field of view."""
    n_rays, n_samples = ray_offsets.shape
    n_sectors = mean.shape[0]
    count = np.zeros(mean.shape, np.float32)
    mean[:] = 0.0
    for m in range(n_rays):
        s = sector_of_ray[m]
        for q in range(n_samples):
            value = padded[centre + ray_offsets[m, q]]
            if value == value:  # not NaN
                mean[s, q] += value
                count[s, q] += np.float32(1.0)
    most = np.float32(0.5) * n_rays / n_sectors
    for s in range(n_sectors):
        for q in range(n_samples):
            mean[s, q] = mean[s, q] / count[s, q] if count[s, q] > most else np.nan
