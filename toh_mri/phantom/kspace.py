"""What is sampled: the lines of k-space, when each is acquired, and the way back to an image.

Fixed here: Cartesian sampling with one phase encoding in the plane; fat is shifted along the readout only; noise
is white in k-space, so that the magnitude image has Rician noise (Gudbjartsson and Patz 1995, Magn Reson Med
34:910, doi:10.1002/mrm.1910340618).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from toh_mri.phantom.points import Field
from toh_mri.phantom.protocol import SeriesPlan
from toh_mri.phantom.signal import fat_shift_hz

Spectrum = NDArray[np.complexfloating[Any, Any]]


class KSpace:
    """The sampled part of the k-space of one series' slices.

    Attributes
    ----------
    shape : tuple of int
        Acquired samples along the row and the column index, even.
    phase : int
        Index along which phase is encoded, 0 or 1.
    """

    def __init__(self, plan: SeriesPlan) -> None:
        self._plan = plan
        rows, columns = (2 * round(plan.matrix * share / 2) for share in plan.acquired)
        self.shape, self.phase = (rows, columns), 1 - plan.readout
        self._kept = np.ix_(*(self.frequencies(axis) for axis in (0, 1)))
        self._window = _window(rows)[:, None] * _window(columns)

    def frequencies(self, axis: int) -> NDArray[np.int_]:
        """Return the spatial frequencies of the samples along an index, in cycles per field of view."""
        n = self.shape[axis]
        return np.fft.fftfreq(n, 1 / n).astype(int)

    def shots(self) -> NDArray[np.int_]:
        """Return by which repetition each phase line is acquired, counted from 0.

        A train's echoes are spread over k-space: neighbouring lines belong to neighbouring repetitions, and the
        sequence of repetitions begins anew for every echo.
        """
        n = self.shape[self.phase]
        return np.asarray((self.frequencies(self.phase) + n // 2) % self.repetitions)

    @property
    def repetitions(self) -> int:
        """Number of repetitions in which a slice is acquired."""
        return -(-self.shape[self.phase] // self._plan.sequence.echo_train_length)

    def along_phase(self, line: NDArray[Any]) -> NDArray[Any]:
        """Give an array over phase lines the shape that broadcasts with a spectrum."""
        return line[:, None] if self.phase == 0 else line

    def spectrum(self, raster: Field, fine: int) -> Spectrum:
        """Return the samples of a raster with `fine` samples for each pixel."""
        return np.asarray(fft.fft2(raster.astype(np.float64))[self._kept] / fine**2)

    def pixels(self, hertz: float) -> float:
        """Return by how many pixels of the image an offset of the resonance shifts along the readout."""
        plan = self._plan
        return hertz / plan.sequence.bandwidth_hz * (plan.matrix / self.shape[plan.readout])

    def displaced_fat(self, fat: Field, fine: int) -> Field:
        """Move fat along the readout as far as its resonance is off."""
        shift = self.pixels(fat_shift_hz(self._plan.sequence.field_strength_t))
        return _moved(fat, shift * fine, self._plan.readout)

    def noise(self, size: float, rng: np.random.Generator) -> Spectrum:
        """Draw noise whose real part has the standard deviation `size` in the image, before the filter."""
        spread = size * self._plan.matrix**2 / np.sqrt(self.shape[0] * self.shape[1])
        return np.asarray(spread * (rng.standard_normal(self.shape) + 1j * rng.standard_normal(self.shape)))

    def image(self, spectrum: Spectrum, noise: Spectrum) -> Spectrum:
        """Return the complex image of the full matrix; the signal is filtered mildly against ringing."""
        full = np.zeros((self._plan.matrix, self._plan.matrix), dtype=np.complex128)
        full[self._kept] = spectrum * self._window + noise
        return np.asarray(fft.ifft2(full))


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
