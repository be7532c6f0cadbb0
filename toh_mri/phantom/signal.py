"""Signal of a tissue in a sequence: spin echo, inversion recovery and spoiled gradient echo.

Two pools, monoexponential: no J-coupling (which makes fat brighter in long echo trains), no magnetisation
transfer, no blurring by the decay along an echo train.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import cos, exp, log, radians, sin

from toh_mri.core.study import Contrast
from toh_mri.phantom.tissues import EXTRA_DECAY_PER_S, FAT_T1_MS, FAT_T2_MS, Tissue

_FAT_SHIFT_PPM = 3.5  # resonance of fat's main peak below water
_MHZ_PER_T = 42.58


class Technique(StrEnum):
    """How echoes are made. Spin echo: slice by slice; gradient echo: a volume, its slices without gaps."""

    SPIN_ECHO = "SE"
    SPOILED_GRADIENT_ECHO = "GR"


@dataclass(frozen=True)
class Sequence:
    """A turbo spin-echo sequence, with an inversion pulse where it has an inversion time, or a spoiled gradient echo.

    Attributes
    ----------
    contrast : Contrast
        Any but OTHER. DIXON_WATER and DIXON_FAT are the two images of one acquisition.
    field_strength_t : float
        1.5 or 3.0.
    repetition_time_ms, echo_time_ms : float
    inversion_time_ms : float or None
    echo_train_length : int
    bandwidth_hz : float
        Receiver bandwidth per acquired pixel along the readout.
    technique : Technique
    flip_angle_degree : float
        Of the excitation; 90 in every spin echo.
    """

    contrast: Contrast
    field_strength_t: float
    repetition_time_ms: float
    echo_time_ms: float
    inversion_time_ms: float | None
    echo_train_length: int
    bandwidth_hz: float
    technique: Technique = Technique.SPIN_ECHO
    flip_angle_degree: float = 90.0

    @property
    def spectral_fat_suppression(self) -> bool:
        """Tell whether fat is suppressed by its resonance (T2FS, PDFS)."""
        return self.contrast in {Contrast.T2FS, Contrast.PDFS}

    @property
    def is_dixon(self) -> bool:
        """Tell whether it is one of the images of a water-fat separation."""
        return self.contrast in {Contrast.DIXON_WATER, Contrast.DIXON_FAT}

    @property
    def is_volume(self) -> bool:
        """Tell whether phase is encoded across the slices too."""
        return self.technique is Technique.SPOILED_GRADIENT_ECHO


def hertz_per_ppm(field_strength_t: float) -> float:
    """Return the resonance of water in MHz: how many Hz one part per million is."""
    return _MHZ_PER_T * field_strength_t


def fat_shift_hz(field_strength_t: float) -> float:
    """Return how far fat's main peak resonates below water, in Hz."""
    return _FAT_SHIFT_PPM * hertz_per_ppm(field_strength_t)


def in_phase_echo_ms(field_strength_t: float) -> float:
    """Return the first echo time of a gradient echo at which fat and water point the same way, in ms."""
    return 1000.0 / fat_shift_hz(field_strength_t)


def nulling_time_ms(field_strength_t: float, repetition_time_ms: float) -> float:
    """Return the inversion time at which the phantom's fat gives no signal, in ms.

    ``TI = T1 ln(2 / (1 + exp(-TR / T1)))``, from ``1 - 2 exp(-TI/T1) + exp(-TR/T1) = 0``. With the fat T1
    used here this is 200 ms at 1.5 T and 255 ms at 3 T, longer than the 140-160 and 200-230 ms set on
    clinical scanners.
    """
    t1 = FAT_T1_MS[field_strength_t]
    return t1 * log(2 / (1 + exp(-repetition_time_ms / t1)))


def water_signal(tissue: Tissue, sequence: Sequence) -> float:
    """Return the signed signal of a tissue's water; negative where the inversion has not recovered."""
    pick = 0 if sequence.field_strength_t < 2 else 1
    made_of = tissue.value
    return made_of.water * _pool(made_of.t1_ms[pick], made_of.t2_ms[pick], sequence)


def fat_signal(tissue: Tissue, sequence: Sequence) -> float:
    """Return the signed signal of a tissue's fat, as if its resonance were not suppressed."""
    b0 = sequence.field_strength_t
    return tissue.value.fat * _pool(FAT_T1_MS[b0], FAT_T2_MS[b0], sequence)


def _pool(t1: float, t2: float, sequence: Sequence) -> float:
    if sequence.technique is Technique.SPOILED_GRADIENT_ECHO:
        return _spoiled_gradient_echo(t1, t2, sequence)
    return _spin_echo(t1, t2, sequence)


def _spin_echo(t1: float, t2: float, sequence: Sequence) -> float:
    tr, ti = sequence.repetition_time_ms, sequence.inversion_time_ms
    recovered = 1 - exp(-tr / t1) if ti is None else 1 - 2 * exp(-ti / t1) + exp(-tr / t1)
    return recovered * exp(-sequence.echo_time_ms / t2)


def _spoiled_gradient_echo(t1: float, t2: float, sequence: Sequence) -> float:
    """Steady state of Ernst and Anderson 1966, Rev Sci Instrum 37:93, doi:10.1063/1.1719961."""
    recovery, flip = exp(-sequence.repetition_time_ms / t1), radians(sequence.flip_angle_degree)
    decay_per_ms = 1 / t2 + EXTRA_DECAY_PER_S[sequence.field_strength_t] / 1000
    steady = sin(flip) * (1 - recovery) / (1 - cos(flip) * recovery)
    return steady * exp(-sequence.echo_time_ms * decay_per_ms)
