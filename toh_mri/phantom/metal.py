"""A metal screw: no signal inside, none close by, and a field that displaces and piles up what is around it.

Fixed here: the screw lies along one straight line and is magnetised along the main field (the patient's z axis);
its field is that of dipoles on the line. Slices are not bent: only the readout is distorted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toh_mri.phantom.points import Field, Points
from toh_mri.phantom.shapes import chain, node, ramp

_TITANIUM_PPM = 182.0  # Schenck 1996, Med Phys 23:815, doi:10.1118/1.597854; tissue is near -9
_STEP_MM = 4.0
_DEPHASED_PPM = {False: (6.0, 16.0), True: (2.0, 6.0)}  # spin echo; gradient echo: the author's estimates
_UNSUPPRESSED_PPM = (0.8, 2.0)


@dataclass(frozen=True, eq=False)
class Screw:
    """A cylinder of titanium.

    Attributes
    ----------
    start_mm, end_mm : ndarray of float64, shape (3,)
        LPS.
    radius_mm : float
    """

    start_mm: NDArray[np.float64]
    end_mm: NDArray[np.float64]
    radius_mm: float

    def moved(self, movement: NDArray[np.float64]) -> Screw:
        """Return the screw after a rigid transform of LPS mm, shape (4, 4)."""
        start, end = (movement[:3, :3] @ at + movement[:3, 3] for at in (self.start_mm, self.end_mm))
        return Screw(start, end, self.radius_mm)

    def field_ppm(self, p: Points) -> Field:
        """Return how far the field is off at LPS points: a row of dipoles, ``chi V (3 cos^2 - 1) / (4 pi r^3)``."""
        length = float(np.linalg.norm(self.end_mm - self.start_mm))
        count = max(2, round(length / _STEP_MM))
        strength = _TITANIUM_PPM * np.pi * self.radius_mm**2 * (length / count) / (4 * np.pi)
        total = np.zeros(p.x.shape, dtype=np.float32)
        for part in (np.arange(count) + 0.5) / count:
            q = p.minus(self.start_mm + part * (self.end_mm - self.start_mm))
            r = np.maximum(q.norm(), np.float32(self.radius_mm))
            total += np.float32(strength) * (3 * np.square(q.z / r) - 1) / r**3
        return total

    def signal_left(self, p: Points, field_ppm: Field, *, gradient_echo: bool) -> Field:
        """Share of the signal that is not lost: none in the metal or where the field changes fast."""
        nodes = (node(self.start_mm, self.radius_mm), node(self.end_mm, self.radius_mm))
        outside = ramp(chain(p, nodes), -0.5, 0.5)
        first, last = _DEPHASED_PPM[gradient_echo]
        return np.asarray(outside * ramp(np.abs(field_ppm), last, first))


def unsuppressed(field_ppm: Field) -> Field:
    """Share of fat that spectral suppression misses because the field is off."""
    return ramp(np.abs(field_ppm), *_UNSUPPRESSED_PPM)


def displaced(signal: Field, samples: Field, axis: int) -> Field:
    """Move each sample's signal along an index by its own distance; what meets adds up.

    Parameters
    ----------
    signal, samples : ndarray of float32, shape (rows, columns)
        What is there, and how far it goes.
    axis : int
    """
    rows, columns = np.indices(signal.shape)
    along = (columns if axis else rows) + samples
    last = signal.shape[axis] - 1
    low = np.clip(np.floor(along), 0, last - 1).astype(int)
    part = np.clip(along - low, 0, 1)
    total = np.zeros(signal.size)
    for at, weight in ((low, 1 - part), (low + 1, part)):
        flat = rows * signal.shape[1] + at if axis else at * signal.shape[1] + columns
        total += np.bincount(flat.ravel(), (signal * weight).ravel(), signal.size)
    return total.reshape(signal.shape).astype(np.float32)
