"""Smooth random fields in patient space."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from toh_mri.kernels import fields
from toh_mri.phantom.points import Field, Points

_CELLS = 48
_CELLS_PER_GRAIN = 2.0


@dataclass(frozen=True, eq=False)
class Texture:
    """Band-limited noise of mean 0 and standard deviation 1, tiled without seams.

    Attributes
    ----------
    tile : ndarray of float32, shape (n, n, n)
    cell_mm : ndarray of float64, shape (3,)
        Size of a cell of the tile along x, y and z.
    """

    tile: NDArray[np.float32]
    cell_mm: NDArray[np.float64]

    @classmethod
    def draw(cls, rng: np.random.Generator, grain_mm: float | tuple[float, float, float]) -> Texture:
        """Draw a texture whose grains have about the given size along x, y and z."""
        white = rng.standard_normal((_CELLS, _CELLS, _CELLS))
        smooth = ndimage.gaussian_filter(white, _CELLS_PER_GRAIN / 2, mode="wrap")
        smooth = (smooth - smooth.mean()) / smooth.std()
        return cls(smooth.astype(np.float32), np.broadcast_to(grain_mm, 3) / _CELLS_PER_GRAIN)

    def __call__(self, p: Points) -> Field:
        """Evaluate at points, any shape."""
        return fields.sample_tile(self.tile, *p.flat(), self.cell_mm.astype(np.float32)).reshape(p.shape)


@dataclass(frozen=True, eq=False)
class Warp:
    """A smooth displacement of points: a few plane waves per axis.

    Attributes
    ----------
    waves : ndarray of float64, shape (3, n, 4)
        Per axis and wave: wave vector (radians per mm) and phase.
    amplitude_mm : float
        Standard deviation of each component.
    """

    waves: NDArray[np.float64]
    amplitude_mm: float

    @classmethod
    def draw(cls, rng: np.random.Generator, amplitude_mm: float, wavelength_mm: float, count: int = 4) -> Warp:
        """Draw a warp; wavelengths spread from 0.7 to 1.6 of the one given."""
        direction = rng.standard_normal((3, count, 3))
        direction /= np.linalg.norm(direction, axis=-1, keepdims=True)
        length = wavelength_mm * rng.uniform(0.7, 1.6, (3, count, 1))
        phase = rng.uniform(0, 2 * np.pi, (3, count, 1))
        return cls(np.concatenate([direction * 2 * np.pi / length, phase], axis=-1), amplitude_mm)

    def __call__(self, p: Points) -> Points:
        """Return the displaced points."""
        gain = np.float32(self.amplitude_mm * np.sqrt(2.0 / self.waves.shape[1]))
        at, turns = p.flat(), (self.waves / (2 * np.pi)).astype(np.float32)
        moved = (fields.add_waves(*at, c, own, gain) for c, own in zip(at, turns, strict=True))
        return Points(*(c.reshape(p.shape) for c in moved))
