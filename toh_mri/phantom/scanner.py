"""The scanner: what the slices hold goes through coils, magnet, metal and k-space, and comes out as an image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toh_mri.core.study import Contrast
from toh_mri.geometry import Grid
from toh_mri.phantom.coil import Coil
from toh_mri.phantom.kspace import KSpace, Spectrum
from toh_mri.phantom.magnet import Magnet, air_around
from toh_mri.phantom.metal import Screw, displaced, unsuppressed
from toh_mri.phantom.motion import Jerk, Pulsation
from toh_mri.phantom.painting import FINE, Rendering
from toh_mri.phantom.points import Field, Points
from toh_mri.phantom.protocol import Difficulty, SeriesPlan
from toh_mri.phantom.signal import hertz_per_ppm, water_signal
from toh_mri.phantom.tissues import FAT_NEAR_WATER, Tissue

_STEPS_PER_NOISE = 4.0  # grey levels for one standard deviation of noise
_LARGEST = 4095
_NOISE = {Difficulty.EASY: 0.6, Difficulty.STANDARD: 1.0, Difficulty.HARD: 1.7}


@dataclass(frozen=True, eq=False)
class Disturbance:
    """What happens while one series is acquired.

    Attributes
    ----------
    jerk : Jerk or None
    pulsation : Pulsation or None
    vessels : ndarray of float32, shape (slices, rows, columns), or None
        Share of each pixel that pulsating vessels take.
    screw : Screw or None
        Where it lies in this series.
    """

    jerk: Jerk | None = None
    pulsation: Pulsation | None = None
    vessels: NDArray[np.float32] | None = None
    screw: Screw | None = None


CALM = Disturbance()
"""Nothing moves, no metal."""


def acquire(
    rendering: Rendering,
    plan: SeriesPlan,
    grid: Grid,
    coil: Coil,
    magnet: Magnet,
    difficulty: Difficulty,
    rng: np.random.Generator,
    disturbance: Disturbance = CALM,
) -> NDArray[np.int16]:
    """Turn what the slices hold into an image.

    The two images of a water-fat separation come from the same echoes: acquire both with generators in the same
    state.

    Returns
    -------
    ndarray of int16, shape of `grid`
        Magnitudes in arbitrary units, 4 for one standard deviation of noise (less in a Dixon image, the mean of
        two echoes), at most 4095.
    """
    muscle = abs(water_signal(Tissue.MUSCLE, plan.sequence))
    noise = muscle / plan.snr * _NOISE[difficulty]
    readout = _Readout(plan, KSpace(plan), noise, rng, disturbance)
    image = np.empty(grid.shape, dtype=np.int16)
    for index in range(grid.shape[0]):
        p = _raster_points(grid, index)
        gain = coil(p)
        water, fat = _resonances(rendering.water[index], rendering.fat[index], p, plan, magnet, disturbance.screw)
        blood = None if disturbance.vessels is None else disturbance.vessels[index] * np.float32(muscle)
        sent = _Sent(water * gain, fat * gain, None if blood is None else blood * gain[::FINE, ::FINE])
        signal = readout.magnitude(sent, p, magnet)
        image[index] = np.rint(np.minimum(signal * (_STEPS_PER_NOISE / noise), _LARGEST))
    return image


@dataclass(frozen=True, eq=False)
class _Sent:
    """What one slice sends: water and fat on the fine raster, pulsating blood on the pixels."""

    water: Field
    fat: Field
    vessels: Field | None


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


def _resonances(
    water: Field, fat: Field, p: Points, plan: SeriesPlan, magnet: Magnet, screw: Screw | None
) -> tuple[Field, Field]:
    """Suppress fat and let metal distort; return what resonates as water does, and what as fat's main peak."""
    sequence = plan.sequence
    spectral = sequence.spectral_fat_suppression
    near_air = air_around(water, fat, plan.fov_mm / plan.matrix / FINE) if spectral else None
    left = magnet.fat_left(p, sequence.contrast, near_air)
    off = None if screw is None else screw.field_ppm(p)
    if spectral and off is not None:
        left = np.maximum(left, unsuppressed(off))
    like_water, like_fat = water + np.float32(FAT_NEAR_WATER) * fat, np.float32(1 - FAT_NEAR_WATER) * fat * left
    if screw is None or off is None:
        return like_water, like_fat
    seen = screw.signal_left(p, off, gradient_echo=sequence.is_volume)
    samples = off * np.float32(KSpace(plan).pixels(hertz_per_ppm(sequence.field_strength_t)) * FINE)
    return displaced(like_water * seen, samples, plan.readout), displaced(like_fat * seen, samples, plan.readout)


@dataclass(frozen=True, eq=False)
class _Readout:
    """How the slices of one series are read out."""

    plan: SeriesPlan
    space: KSpace
    noise: float
    rng: np.random.Generator
    disturbance: Disturbance

    def magnitude(self, sent: _Sent, p: Points, magnet: Magnet) -> NDArray[np.float64]:
        """Return the image of one slice."""
        if not self.plan.sequence.is_dixon:
            return np.asarray(np.abs(self._echo(sent, 1)))
        wanted, other = self._separated(sent)
        if magnet.swap is None:
            return wanted
        return np.where(magnet.swap(Points(*(c[::FINE, ::FINE] for c in p))), other, wanted)

    def _echo(self, sent: _Sent, fat_sign: int) -> Spectrum:
        """Acquire one echo; return the complex image."""
        plan, space, events = self.plan, self.space, self.disturbance
        samples = space.spectrum(sent.water + fat_sign * space.displaced_fat(sent.fat, FINE), FINE)
        if events.jerk is not None:
            samples = events.jerk.apply(samples, space, plan.fov_mm)
        noise = space.noise(self.noise, self.rng)
        if events.pulsation is not None and sent.vessels is not None:
            repetition = plan.sequence.repetition_time_ms * (plan.slices if plan.sequence.is_volume else 1)
            samples = samples + events.pulsation.apply(sent.vessels, space, repetition, self.rng)
        return space.image(samples, noise)

    def _separated(self, sent: _Sent) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Separate water and fat from an echo in phase and one in opposed phase; return the wanted image first.

        The two-point method of Dixon 1984, Radiology 153:189, doi:10.1148/radiology.153.1.6089263, with the
        phase of the field known.
        """
        together, opposed = (self._echo(sent, sign) for sign in (1, -1))
        water, fat = np.abs(together + opposed) / 2, np.abs(together - opposed) / 2
        return (water, fat) if self.plan.sequence.contrast is Contrast.DIXON_WATER else (fat, water)
