"""Evidence of a bone surface along a ray: an edge, followed by the far wall of the joint."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from toh_mri.kernels._jit import kernel

_FAINT_EDGE = np.float32(0.12)


@kernel
def rim_evidence(
    edge: NDArray[np.float32],
    outer_share: float,
    gap_low: int,
    gap_high: int,
    either_polarity: bool,
    result: NDArray[np.float32],
) -> None:
    """Weigh the edge at each place with the strongest edge of opposite sign a joint's width further out.

    Parameters
    ----------
    edge : ndarray of float32, shape (n + gap_high,)
        Signed edges going outwards, -1 .. 1; bright to dark is negative.
    outer_share : float
        Share of the outer edge in the evidence, 0..1.
    gap_low, gap_high : int
        Where the outer edge is looked for, in samples beyond the first.
    either_polarity : bool
        Accept dark-to-bright first edges as well as bright-to-dark ones.
    result : ndarray of float32, shape (n,)
        Written: evidence, 0..1.
    """
    for q in range(result.size):
        rise, fall = np.float32(0.0), np.float32(0.0)
        for g in range(gap_low, gap_high + 1):
            rise = max(rise, edge[q + g])
            fall = max(fall, -edge[q + g])
        down, up = max(-edge[q], np.float32(0.0)), max(edge[q], np.float32(0.0))
        value = (1 - outer_share) * down + outer_share * rise
        if either_polarity:
            value = max(value, (1 - outer_share) * up + outer_share * fall)
        elif down < _FAINT_EDGE:  # a far wall alone is no head
            value *= np.float32(0.5)
        result[q] = value
