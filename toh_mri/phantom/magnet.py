"""Imperfections of the magnet's field: fat that is not suppressed, and Dixon images that take fat for water.

All sizes are the author's estimates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from toh_mri.core.study import Contrast
from toh_mri.phantom.noise import Texture
from toh_mri.phantom.points import Field, Points
from toh_mri.phantom.protocol import Difficulty
from toh_mri.phantom.shapes import ramp

_LEAK = {Difficulty.EASY: 0.004, Difficulty.STANDARD: 0.012, Difficulty.HARD: 0.04}
_POOR_SHARE = {Difficulty.EASY: 0.0, Difficulty.STANDARD: 0.25, Difficulty.HARD: 0.5}
_POOR_LEAK = (0.06, 0.22)  # marrow then comes to the signal of muscle, as it does in real examinations
_UNEVEN_INVERSION = {Difficulty.EASY: 0.2, Difficulty.STANDARD: 0.5, Difficulty.HARD: 1.2}
_AIR_EFFECT = {Difficulty.EASY: 0.3, Difficulty.STANDARD: 0.6, Difficulty.HARD: 1.0}
_SWAP_SHARE = {Difficulty.EASY: 0.0, Difficulty.STANDARD: 0.0, Difficulty.HARD: 0.25}
_AIR_REACH_MM = 14.0
_AIR_STEP = 8  # samples of the fine raster for one of the map of air


@dataclass(frozen=True, eq=False)
class Swap:
    """Where a water-fat separation takes one for the other.

    Attributes
    ----------
    center_mm : ndarray of float64, shape (3,)
        LPS.
    radius_mm : float
    outline : Texture
        Makes the border uneven.
    """

    center_mm: NDArray[np.float64]
    radius_mm: float
    outline: Texture

    def __call__(self, p: Points) -> NDArray[np.bool_]:
        """Tell which LPS points are swapped."""
        away = p.minus(self.center_mm).norm() + np.float32(0.2 * self.radius_mm) * self.outline(p)
        return np.asarray(away < self.radius_mm)


@dataclass(frozen=True, eq=False)
class Magnet:
    """Where the suppression and separation of fat are imperfect.

    Attributes
    ----------
    leak : float
        Share of fat's main peak that spectral suppression leaves in the middle of the field.
    shim : Texture
        Slow error of the field, standard deviation 1.
    uneven_inversion : float
        By how much of itself the fat that inversion leaves varies with `shim`.
    air_effect : float
        How far air beside tissue spoils the spectral suppression: 0 not at all.
    swap : Swap or None
    """

    leak: float
    shim: Texture
    uneven_inversion: float = 0.0
    air_effect: float = 0.0
    swap: Swap | None = None

    @classmethod
    def draw(cls, difficulty: Difficulty, rng: np.random.Generator) -> Magnet:
        """Draw the imperfections of one examination."""
        leak = _LEAK[difficulty] * float(rng.uniform(0.8, 1.3))
        shim = Texture.draw(rng, 110.0)
        swap = _draw_swap(rng) if rng.random() < _SWAP_SHARE[difficulty] else None
        if rng.random() < _POOR_SHARE[difficulty]:
            leak += float(rng.uniform(*_POOR_LEAK))
        return cls(leak, shim, _UNEVEN_INVERSION[difficulty], _AIR_EFFECT[difficulty], swap)

    def fat_left(self, p: Points, contrast: Contrast, near_air: Field | None = None) -> Field | np.float32:
        """Share of the signal of fat's main peak that a sequence shows.

        Inversion recovery hardly depends on the field: what it leaves varies a little. Spectral suppression
        fails where the field is off: far from the middle and beside air.

        Parameters
        ----------
        p : Points
        contrast : Contrast
        near_air : ndarray of float32, optional
            What `air_around` gives at the points.
        """
        if contrast not in {Contrast.STIR, Contrast.T2FS, Contrast.PDFS}:
            return np.float32(1)
        uneven = self.shim(p)
        if contrast is Contrast.STIR:
            return np.asarray(1 + np.float32(self.uneven_inversion) * uneven)
        off = np.square(p.x / 230.0) + np.square(p.z / 190.0) + 0.15 * uneven
        if near_air is not None:
            off = off + np.float32(self.air_effect) * near_air
        failing = ramp(off, 0.55, 1.5)
        return np.asarray(np.float32(self.leak) * (1 + 0.4 * uneven) + 0.55 * failing)


def _draw_swap(rng: np.random.Generator) -> Swap:
    center = np.array([rng.choice([-1, 1]) * rng.uniform(60, 160), rng.uniform(-40, 60), rng.uniform(-110, 60)])
    return Swap(center, float(rng.uniform(22, 45)), Texture.draw(rng, 30.0))


def air_around(water: Field, fat: Field, sample_mm: float) -> Field:
    """Share of air in the neighbourhood of each sample of one slice, 0..1: 0.5 at a flat skin.

    Parameters
    ----------
    water, fat : ndarray of float32, shape (rows, columns)
        Signals: air is where both are 0.
    sample_mm : float
        Distance between samples.
    """
    small = ((water == 0) & (fat == 0))[::_AIR_STEP, ::_AIR_STEP].astype(np.float32)
    smooth = ndimage.gaussian_filter(small, _AIR_REACH_MM / (sample_mm * _AIR_STEP), mode="nearest")
    index = [np.arange(n, dtype=np.float32) / _AIR_STEP for n in water.shape]
    at = np.stack(np.meshgrid(*index, indexing="ij"))
    return np.asarray(ndimage.map_coordinates(smooth, at, order=1, mode="nearest", output=np.float32))
