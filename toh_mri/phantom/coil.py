"""Receive coils: a signal that is not even."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toh_mri.phantom.noise import Texture
from toh_mri.phantom.points import Field, Points
from toh_mri.phantom.protocol import Difficulty

_SHADING = {Difficulty.EASY: 0.15, Difficulty.STANDARD: 0.35, Difficulty.HARD: 0.6}


@dataclass(frozen=True, eq=False)
class Coil:
    """Sensitivity of the receive coil: 1 at its focus, falling off, with a slow ripple.

    Attributes
    ----------
    focus_mm : ndarray of float64, shape (3,)
        LPS.
    reach_mm, depth : float
        Distance over which the sensitivity falls, and how far: 0 is an even coil.
    ripple : Texture
    """

    focus_mm: NDArray[np.float64]
    reach_mm: float
    depth: float
    ripple: Texture

    @classmethod
    def over_hip(cls, hip_center: NDArray[np.float64], difficulty: Difficulty, rng: np.random.Generator) -> Coil:
        """Draw a surface coil in front of one hip."""
        toward_skin = np.array([25.0 * np.sign(hip_center[0]), -40.0, 0.0])
        focus = hip_center + toward_skin + rng.normal(0, 12.0, 3)
        return cls(focus, 110.0, _SHADING[difficulty], Texture.draw(rng, 140.0))

    @classmethod
    def over_body(cls, difficulty: Difficulty, rng: np.random.Generator) -> Coil:
        """Draw a body array around both hips."""
        return cls(rng.normal(0, 12.0, 3), 150.0, _SHADING[difficulty], Texture.draw(rng, 140.0))

    def __call__(self, p: Points) -> Field:
        """Sensitivity at LPS points."""
        near = np.exp(-np.square(p.minus(self.focus_mm).norm() / np.float32(self.reach_mm)) / 2)
        return np.asarray(1 - np.float32(self.depth) * (1 - near) + np.float32(0.04) * self.ripple(p))
