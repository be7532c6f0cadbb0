"""What moves: the patient between and within series, and blood with every heart beat. Sizes: the author's estimates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from toh_mri.phantom.anatomy.body import ARTERY, VEIN
from toh_mri.phantom.kspace import KSpace, Spectrum
from toh_mri.phantom.points import Field, Points
from toh_mri.phantom.protocol import Difficulty
from toh_mri.phantom.scene import Scene
from toh_mri.phantom.shapes import chain, ramp

_MOVEMENT_MM = {Difficulty.EASY: 0.2, Difficulty.STANDARD: 0.6, Difficulty.HARD: 1.2}
_JERK_SHARE = {Difficulty.EASY: 0.0, Difficulty.STANDARD: 0.3, Difficulty.HARD: 0.4}
_JERK_MM = {Difficulty.EASY: 0.0, Difficulty.STANDARD: 0.2, Difficulty.HARD: 0.8}
_PULSATION = {Difficulty.EASY: 0.1, Difficulty.STANDARD: 0.3, Difficulty.HARD: 0.6}


def draw_movement(difficulty: Difficulty, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw how the patient lies in one series against the first: a rigid transform, shape (4, 4), LPS mm."""
    size = _MOVEMENT_MM[difficulty]
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_rotvec(np.radians(rng.normal(0, 0.4 * size, 3))).as_matrix()
    matrix[:3, 3] = rng.normal(0, size, 3)
    return matrix


@dataclass(frozen=True)
class Jerk:
    """A sudden shift in the plane of the slices while a series is acquired. Turns are left out.

    Attributes
    ----------
    after : float
        Share 0..1 of the repetitions that were acquired before.
    shift_mm : tuple of float
        Along the row and the column index.
    """

    after: float
    shift_mm: tuple[float, float]

    @classmethod
    def draw(cls, difficulty: Difficulty, rng: np.random.Generator) -> Jerk | None:
        """Draw one, or None."""
        if rng.random() >= _JERK_SHARE[difficulty]:
            return None
        down, across = rng.normal(0, _JERK_MM[difficulty], 2)
        return cls(float(rng.uniform(0.6, 0.95)), (float(down), float(across)))

    def apply(self, spectrum: Spectrum, space: KSpace, fov_mm: float) -> Spectrum:
        """Shift what was acquired on the other side of the jerk than the middle of k-space.

        Most of the signal is in the middle: the picture stays where the truth says, whenever the jerk comes.
        """
        rows, columns = (space.frequencies(axis) for axis in (0, 1))
        cycles = (rows[:, None] * self.shift_mm[0] + columns * self.shift_mm[1]) / fov_mm
        late = space.shots() >= self.after * space.repetitions
        middle_is_late = late[space.frequencies(space.phase) == 0].item()
        away = np.exp((2j if middle_is_late else -2j) * np.pi * cycles)
        return np.where(space.along_phase(late != middle_is_late), spectrum * away, spectrum)


@dataclass(frozen=True)
class Pulsation:
    """Blood whose signal comes and goes with the heart: ghosts of the femoral vessels along the phase encoding.

    Attributes
    ----------
    depth : float
        Amplitude over the signal of muscle.
    beat_ms : float
        Time between heart beats.
    """

    depth: float
    beat_ms: float

    @classmethod
    def draw(cls, difficulty: Difficulty, rng: np.random.Generator) -> Pulsation:
        """Draw a patient's."""
        return cls(_PULSATION[difficulty] * float(rng.uniform(0.6, 1.4)), float(rng.uniform(750, 1050)))

    def apply(self, vessels: Field, space: KSpace, repetition_ms: float, rng: np.random.Generator) -> Spectrum:
        """Return what a slice's vessels add to its spectrum.

        The first ghosts are ``TR / beat`` fields of view away (its fraction), where one line is acquired at a time.

        Parameters
        ----------
        vessels : ndarray of float32, shape (rows, columns)
            Signal that comes and goes, on the pixels.
        space : KSpace
        repetition_ms : float
            Time between the repetitions of a slice.
        rng : Generator
            For the moment of the heart beat at which the slice begins.
        """
        turns = space.shots() * (repetition_ms / self.beat_ms) + rng.random()
        return np.asarray(space.spectrum(vessels, 1) * space.along_phase(np.cos(2 * np.pi * turns)))


def vessel_share(scene: Scene, p: Points, pixel_mm: float) -> Field:
    """Share of each pixel that the large femoral vessels take, 0..1, at LPS points of any shape."""
    found = np.zeros(p.x.shape, dtype=np.float32)
    for hip in scene.hips.values():
        local = hip.to_local(p)
        distance = np.minimum(chain(local, ARTERY), chain(local, VEIN))
        found = np.maximum(found, ramp(distance, pixel_mm / 2, -pixel_mm / 2))
    return found
