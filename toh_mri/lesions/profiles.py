"""Contrast and thickness of a line, from the signal across it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

_REACH_MM = 4.0
_STEP_MM = 0.2
_CENTRE_MM = 0.6  # how far from the traced line its darkest point may lie
_FLANK_MM = (1.2, 3.0)  # where the ground beside the line is looked for


@dataclass(frozen=True)
class Profile:
    """What the median profile across a line says.

    Attributes
    ----------
    contrast : float
        How much darker (or brighter) the line is than the ground on the side where it differs less, as a
        fraction of that ground; an edge, with one side only, has none.
    thickness_mm : float
        Full width at half of that depth.
    """

    contrast: float
    thickness_mm: float


def across(
    pixels: NDArray[np.float32],
    line: NDArray[np.float64],
    spacing_mm: tuple[float, float],
    floor: float,
    *,
    dark: bool,
) -> Profile:
    """Measure the median profile across a centre-line.

    Parameters
    ----------
    pixels : ndarray of float32, shape (rows, columns)
        Signal.
    line : ndarray of float64, shape (n, 2)
        Rows and columns of its points.
    spacing_mm : tuple of 2 float
        Row and column spacing.
    floor : float
        Ground signal is taken to be at least this, so that noise in dark ground is no contrast.
    dark : bool
        Dark line, or bright one.
    """
    scale = np.asarray(spacing_mm)
    tangent = np.gradient(line * scale, axis=0)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-9)
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], axis=1)
    offset = np.arange(-_REACH_MM, _REACH_MM + _STEP_MM / 2, _STEP_MM)
    places = line[:, None] + offset[None, :, None] * normal[:, None] / scale
    values = ndimage.map_coordinates(pixels, np.moveaxis(places, -1, 0), order=1, mode="nearest")
    profile = np.median(values, axis=0) * (1.0 if dark else -1.0)
    return _measure(profile, offset, floor)


def _measure(profile: NDArray[np.floating], offset: NDArray[np.float64], floor: float) -> Profile:
    """Read contrast and width off a profile with a dip in its middle (inverted where the line is bright)."""
    middle = np.flatnonzero(np.abs(offset) <= _CENTRE_MM)
    centre = int(middle[np.argmin(profile[middle])])
    bottom = float(profile[centre])
    beside = np.abs(offset - offset[centre])
    flanks = (beside >= _FLANK_MM[0]) & (beside <= _FLANK_MM[1])
    left = float(profile[flanks & (offset < offset[centre])].max())
    right = float(profile[flanks & (offset > offset[centre])].max())
    ground = min(left, right)
    if ground <= bottom:
        return Profile(0.0, 0.0)
    half = 0.5 * (ground + bottom)
    above = np.flatnonzero(profile > half)
    low = above[above < centre].max(initial=0)
    high = above[above > centre].min(initial=len(profile) - 1)
    return Profile((ground - bottom) / max(abs(ground), floor), float(offset[high] - offset[low] - _STEP_MM))
