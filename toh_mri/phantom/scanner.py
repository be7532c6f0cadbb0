"""The scanner's imperfections: coils, fat suppression, chemical shift, limited k-space, noise.

Fixed here: Cartesian sampling with one phase encoding; fat moves along the readout only; noise is white in
k-space, so that the magnitude image has Rician noise (Gudbjartsson 1995, Magn Reson Med 34:910).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.spatial.transform import Rotation

from toh_mri.core.study import Contrast
from toh_mri.geometry import Grid
from toh_mri.phantom.noise import Texture
from toh_mri.phantom.painting import FINE, Rendering
from toh_mri.phantom.points import Field, Points
from toh_mri.phantom.protocol import Difficulty, SeriesPlan
from toh_mri.phantom.shapes import ramp
from toh_mri.phantom.signal import water_signal
from toh_mri.phantom.tissues import Tissue

_SHIFT_PPM = 3.5  # resonance of fat below water
_MHZ_PER_T = 42.58
_STEPS_PER_NOISE = 4.0  # grey levels for one standard deviation of noise

_NOISE = {Difficulty.EASY: 0.6, Difficulty.STANDARD: 1.0, Difficulty.HARD: 1.7}
_SHADING = {Difficulty.EASY: 0.15, Difficulty.STANDARD: 0.35, Difficulty.HARD: 0.6}
_LEAK = {Difficulty.EASY: 0.02, Difficulty.STANDARD: 0.04, Difficulty.HARD: 0.08}
_MOVEMENT_MM = {Difficulty.EASY: 0.2, Difficulty.STANDARD: 0.6, Difficulty.HARD: 1.2}


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
        return cls(rng.normal(0, 12.0, 3), 190.0, _SHADING[difficulty], Texture.draw(rng, 140.0))

    def __call__(self, p: Points) -> Field:
        """Sensitivity at LPS points."""
        near = np.exp(-np.square(p.minus(self.focus_mm).norm() / np.float32(self.reach_mm)) / 2)
        return np.asarray(1 - np.float32(self.depth) * (1 - near) + np.float32(0.04) * self.ripple(p))


@dataclass(frozen=True, eq=False)
class Magnet:
    """Where the suppression of fat is imperfect.

    Attributes
    ----------
    leak : float
        Share of fat's signal that suppression leaves in the middle of the field.
    shim : Texture
        Slow error of the field, standard deviation 1.
    """

    leak: float
    shim: Texture

    @classmethod
    def draw(cls, difficulty: Difficulty, rng: np.random.Generator) -> Magnet:
        """Draw the imperfections of one examination."""
        return cls(_LEAK[difficulty] * float(rng.uniform(0.8, 1.3)), Texture.draw(rng, 110.0))

    def fat_left(self, p: Points, contrast: Contrast) -> Field | np.float32:
        """Share of the unsuppressed fat signal that a sequence shows.

        Inversion recovery does not depend on the field and leaves little everywhere; spectral suppression
        fails where the field is off, which is far from the middle.
        """
        if contrast is Contrast.T1:
            return np.float32(1)
        uneven = self.shim(p)
        if contrast is Contrast.STIR:
            return np.asarray(np.float32(0.6 * self.leak) * (1 + 0.3 * uneven))
        far = np.square(p.x / 230.0) + np.square(p.z / 190.0)
        failing = ramp(far + 0.15 * uneven, 0.55, 1.5)
        return np.asarray(np.float32(self.leak) * (1 + 0.4 * uneven) + 0.55 * failing)


def draw_movement(difficulty: Difficulty, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw how the patient lies in one series against the first: a rigid transform, shape (4, 4), LPS mm."""
    size = _MOVEMENT_MM[difficulty]
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_rotvec(np.radians(rng.normal(0, 0.4 * size, 3))).as_matrix()
    matrix[:3, 3] = rng.normal(0, size, 3)
    return matrix


def acquire(
    rendering: Rendering,
    plan: SeriesPlan,
    grid: Grid,
    coil: Coil,
    magnet: Magnet,
    difficulty: Difficulty,
    rng: np.random.Generator,
) -> NDArray[np.int16]:
    """Turn what the slices hold into an image.

    Returns
    -------
    ndarray of int16, shape of `grid`
        Magnitudes in arbitrary units, 4 for one standard deviation of noise.
    """
    muscle = abs(water_signal(Tissue.MUSCLE, plan.sequence))
    noise = muscle / plan.snr * _NOISE[difficulty]
    image = np.empty(grid.shape, dtype=np.int16)
    for index in range(grid.shape[0]):
        p = _raster_points(grid, index)
        gain = coil(p)
        water = rendering.water[index] * gain
        fat = rendering.fat[index] * gain * magnet.fat_left(p, plan.sequence.contrast)
        signal = _sampled(water, fat, plan, noise, rng)
        image[index] = np.rint(np.minimum(signal * (_STEPS_PER_NOISE / noise), 4095))
    return image


def _raster_points(grid: Grid, index: int) -> Points:
    """Return the LPS points of one slice's raster."""
    rows, columns = (np.arange(n * FINE, dtype=np.float64) / FINE for n in grid.shape[1:])
    a = grid.affine
    return Points(
        *(
            (a[k, 3] + a[k, 0] * index + a[k, 1] * rows[:, None] + a[k, 2] * columns).astype(np.float32)
            for k in range(3)
        )
    )


def _sampled(water: Field, fat: Field, plan: SeriesPlan, noise: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Sample k-space as far as it is acquired, and return the magnitude image of the full matrix."""
    size = plan.matrix
    acquired = tuple(2 * round(size * share / 2) for share in plan.acquired)
    kept = np.ix_(*(np.fft.fftfreq(n, 1 / n).astype(int) for n in acquired))
    shift = _SHIFT_PPM * _MHZ_PER_T * plan.sequence.field_strength_t / plan.sequence.bandwidth_hz
    shifted = _moved(fat, shift * FINE * size / acquired[plan.readout], plan.readout)
    k = fft.fft2((water + shifted).astype(np.float64))[kept]
    k = k / FINE**2 * _window(acquired[0])[:, None] * _window(acquired[1])
    spread = noise * size * size / np.sqrt(acquired[0] * acquired[1])
    k += spread * (rng.standard_normal(acquired) + 1j * rng.standard_normal(acquired))
    full = np.zeros((size, size), dtype=np.complex128)
    full[kept] = k
    return np.abs(fft.ifft2(full))


def _moved(field: Field, samples: float, axis: int) -> Field:
    """Move a raster along an axis by a fraction of samples; the edge is repeated."""
    at = np.clip(np.arange(field.shape[axis]) - samples, 0, field.shape[axis] - 1)
    low = np.minimum(np.floor(at).astype(int), field.shape[axis] - 2)
    part = (at - low).astype(np.float32)
    part = part[:, None] if axis == 0 else part
    return np.asarray(np.take(field, low, axis) * (1 - part) + np.take(field, low + 1, axis) * part)


def _window(n: int) -> NDArray[np.float64]:
    """Return the mild filter that scanners lay over k-space against ringing."""
    return np.asarray(0.85 + 0.15 * np.cos(2 * np.pi * np.fft.fftfreq(n)))
