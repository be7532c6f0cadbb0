"""From stored values to signal: which of the scalings that a DICOM file may give is applied.

In this order: the rescale (slope and intercept), else the real-world value map, else none. Philips systems also give
a private scale slope (SS) with which their signal is (stored * RS + RI) / (RS * SS) (Chenevert et al. 2014,
doi:10.1593/tlo.13811). Where RS * SS is one number for the whole stack it changes no ratio within it and is left
out; where it varies from slice to slice, slices are comparable only with it, and it is applied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from toh_mri.io.acquisition import Getter, number

if TYPE_CHECKING:
    from toh_mri.io.dicom.elements import Elements

PHILIPS_SCALE_SLOPE = "PhilipsScaleSlope"

_PHILIPS_CREATORS = tuple(0x20050000 + block for block in range(0x10, 0x20))
_PHILIPS_CREATOR = "Philips MR Imaging DD 001"
_PHILIPS_FRAME = 0x2005140F
_SCALE_SLOPE_ELEMENT = 0x0E
_ONE_SCALE = 1e-4  # relative; scale slopes are stored in single precision and rescale slopes in decimal


@dataclass(frozen=True)
class Scaling:
    """Signal = stored value * slope + intercept.

    Attributes
    ----------
    slope, intercept : float
    source : str
        ``rescale``, ``real-world value map`` or empty where the file gives none.
    philips_scale : float or None
        RS * SS of Philips.
    """

    slope: float = 1.0
    intercept: float = 0.0
    source: str = ""
    philips_scale: float | None = None


def scaling_of(get: Getter, scale_slope: float | None) -> Scaling:
    """Choose the scaling of one frame from its attributes and Philips' private scale slope."""
    for source, prefix in (("rescale", "Rescale"), ("real-world value map", "RealWorldValue")):
        slope = number(get(f"{prefix}Slope"))
        if slope:
            scale = abs(slope * scale_slope) if scale_slope and source == "rescale" else None
            return Scaling(slope, number(get(f"{prefix}Intercept")) or 0.0, source, scale)
    return Scaling(intercept=number(get("RescaleIntercept")) or 0.0)


def philips_scale_slope(elements: Elements) -> float | None:
    """Return the private scale slope of a Philips data set, or of the private item of one of its frames."""
    for holder in (elements, *elements.items_at(_PHILIPS_FRAME)):
        for creator in _PHILIPS_CREATORS:
            if holder.at(creator) == _PHILIPS_CREATOR:
                slope = number(holder.at(0x20050000 + ((creator & 0xFF) << 8) + _SCALE_SLOPE_ELEMENT))
                if slope is not None:
                    return slope
    return None


def stack_scalings(scalings: Sequence[Scaling]) -> tuple[tuple[Scaling, ...], str | None]:
    """Return the scalings to apply to the frames of one stack, and what a record says of them (None: nothing)."""
    scales = np.array([s.philips_scale or np.nan for s in scalings])
    if np.isfinite(scales).all() and np.ptp(scales) > _ONE_SCALE * scales.max():
        usual = float(np.median(scales))
        scalings = tuple(
            Scaling(s.slope * usual / scale, s.intercept * usual / scale, "Philips scale slope")
            for s, scale in zip(scalings, scales, strict=True)
        )
    return tuple(scalings), _in_words(scalings)


def _in_words(scalings: Sequence[Scaling]) -> str | None:
    different = sorted({(s.slope, s.intercept) for s in scalings})
    if different == [(1.0, 0.0)]:
        return None
    sources = " and ".join(sorted({s.source for s in scalings} - {""})) or "rescale"
    if len(different) == 1:
        return f"{sources}: slope {different[0][0]:.6g}, intercept {different[0][1]:.6g}"
    return f"{sources}, slice by slice: slopes from {different[0][0]:.6g} to {different[-1][0]:.6g}"
