"""Reference marrow: what this patient's healthy marrow looks like on the fluid-sensitive series."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from toh_mri.core.errors import QuantificationError

_BIN = 0.01  # of muscle signal
_SMOOTHING = 0.06  # of muscle signal: an eighth of what separates healthy from edematous marrow
_WINDOW = 0.15  # of muscle signal: half width in which a mode must hold its share of the voxels
_MINIMUM_SHARE = 0.10
_MINIMUM_VOXELS = 200
_MINIMUM_SPREAD = 0.02  # of muscle signal: below it the spread says more of rounding than of marrow


@dataclass(frozen=True)
class ReferenceMarrow:
    """Healthy marrow: its signal over local muscle, its robust SD, and the voxels it rests on."""

    ratio: float
    spread: float
    voxels: int
    share: float


def lowest_mode(ratios: NDArray[np.floating], highest: float) -> ReferenceMarrow:
    """Find healthy marrow as the lowest-signal mode of the marrow in view.

    Edema, red marrow and partial volume with fluid only ever raise the signal, and the trochanter and shaft
    are usually spared; so healthy marrow is the lowest mode that holds a fair share of the voxels, also where
    edema fills head and neck. Its spread is 1.4826 x the median distance below the mode: the side that edema
    does not reach (half-normal median).

    Parameters
    ----------
    ratios : ndarray of float, shape (n,)
        Marrow signal over local muscle.
    highest : float
        A mode above this cannot be healthy marrow.

    Raises
    ------
    QuantificationError
        ``reference_marrow_too_small`` or ``reference_marrow_not_found``.
    """
    values = ratios[np.isfinite(ratios)]
    if len(values) < _MINIMUM_VOXELS:
        raise QuantificationError(
            "reference_marrow_too_small",
            f"Only {len(values)} marrow voxels are in view.",
            "Check the anatomy.",
        )
    top = max(float(np.percentile(values, 99.5)), highest) + 5 * _SMOOTHING
    counts, edges = np.histogram(values, bins=np.arange(-5 * _SMOOTHING, top + _BIN, _BIN))
    density = ndimage.gaussian_filter1d(counts.astype(np.float64), _SMOOTHING / _BIN)
    peaks = np.flatnonzero((density[1:-1] > density[:-2]) & (density[1:-1] >= density[2:])) + 1
    for peak in peaks:
        mode = float(0.5 * (edges[peak] + edges[peak + 1]))
        share = float(np.mean(np.abs(values - mode) < _WINDOW))
        if share >= _MINIMUM_SHARE:
            break
    else:
        mode, share = np.inf, 0.0
    if mode > highest:
        raise QuantificationError(
            "reference_marrow_not_found",
            f"The darkest marrow in view is not as dark as healthy marrow (at most {highest:.2f} of muscle).",
            "All marrow in view may be abnormal, or fat suppression may have failed; give a reference mask.",
        )
    below = mode - values[values < mode]
    spread = max(1.4826 * float(np.median(below)), _MINIMUM_SPREAD)
    return ReferenceMarrow(mode, spread, int(np.sum(np.abs(values - mode) < 2 * spread)), share)
