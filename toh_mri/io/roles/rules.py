"""What the acquisition parameters say of a series: rules that add weights to its possible readings.

The limits on TR, TE and TI are those of clinical hip protocols (T1 turbo spin echo: TR 450-700 ms, TE 8-20 ms; STIR:
TI 140-160 ms at 1.5 T, 200-230 ms at 3 T; PD and T2: TR 2500-6000 ms), widened to what turbo spin echo, volume and
low-field imaging permit. The weights are a convention.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import NamedTuple

from toh_mri.core.study import Acquisition, Contrast
from toh_mri.io.roles.image_type import MAPS, PHASE, REFORMATTED, SUBTRACTIONS
from toh_mri.io.roles.words import DixonPart

_STIR_TI_MS = (60.0, 300.0)  # nulls fat from 0.2 T to 3 T
_FLUID_NULL_TI_MS = 1500.0
_FLAIR_TR_MS, _FLAIR_TE_MS = 8000.0, 80.0
_T1_TR_MS = 1000.0
_T1_OR_PD_TR_MS = 1500.0
_LONG_TR_MS = 2000.0
_SHORT_TE_MS = 30.0
_LEAST_TR_OF_A_LONG_TE_MS = 800.0
_PD_OR_T2_TE_MS = 52.5
_INTERMEDIATE_TE_MS = (35.0, 70.0)
_FLUID_ONLY_TE_MS = 250.0
_GRADIENT_T1_TE_MS = 8.0
_LEAST_SPIN_ECHO_TR_MS = 100.0
_LEAST_INVERSION_TR = 3.0  # in units of TI: with less, the next inversion meets no magnetisation
_MUSCLE_T1_MS = 1000.0
_ERNST_SHARE = 0.8

# Defined term FS (DICOM PS3.3 C.8.3.1) and what systems write in its place. GE's SAT_GEMS is spatial saturation, its
# FSA_GEMS, FSI_GEMS, FSL_GEMS, FSP_GEMS, FSR_GEMS and FSS_GEMS name a readout direction: none of them is about fat.
_FAT_OPTIONS = frozenset({"FS", "SFS", "FSAT", "FATSAT", "FAT SAT", "FAT_SAT", "SPIR", "SPAIR", "WE", "CHESS"})
_GRADIENT = frozenset({"GR", "GRE", "GE", "FE", "FE3D", "FFE"})
_PARTS = {
    DixonPart.WATER: frozenset({"W", "WATER", "DIXW"}),
    DixonPart.FAT: frozenset({"F", "FAT", "DIXF"}),
    DixonPart.OPPOSED_PHASE: frozenset({"OP", "OPP_PHASE", "OUT_PHASE", "OPPOSED", "OPPOSED_PHASE", "OUT_OF_PHASE"}),
    DixonPart.IN_PHASE: frozenset({"IP", "IN_PHASE"}),
}
# Values of ImageType after the first two; FLUID_ATTENUATED, T2_STAR and the like are those of enhanced objects.
_NO_CONTRAST = {
    "a parameter map": MAPS,
    "a subtraction": SUBTRACTIONS,
    "a reformatted or projected copy": REFORMATTED,
    "phase or field": PHASE,
    "fluid-attenuated inversion recovery": frozenset({"FLUID_ATTENUATED"}),
    "a T2*-weighted gradient echo": frozenset({"T2_STAR", "SWI", "SUSCEPTIBILITY"}),
    "diffusion, perfusion or angiography": frozenset({"DIFFUSION", "PERFUSION", "TOF"}),
}


class Reading(StrEnum):
    """What a series may be: the contrasts, and fat-suppressed T1, which counts as none of them."""

    T1 = "T1"
    PD = "PD"
    T2 = "T2"
    STIR = "STIR"
    PDFS = "PDFS"
    T2FS = "T2FS"
    T1FS = "fat-suppressed T1"
    DIXON_WATER = "DIXON_WATER"
    DIXON_FAT = "DIXON_FAT"
    OTHER = "OTHER"

    @property
    def contrast(self) -> Contrast:
        """The contrast it counts as."""
        return Contrast.OTHER if self is Reading.T1FS else Contrast(self.value)


PLAIN = (Reading.T1, Reading.PD, Reading.T2)
SUPPRESSED = (Reading.T1FS, Reading.PDFS, Reading.T2FS, Reading.STIR)
_PD = (Reading.PD, Reading.PDFS)
_T2 = (Reading.T2, Reading.T2FS)
_T1 = (Reading.T1, Reading.T1FS)


class Evidence(NamedTuple):
    """What one rule found: so much weight for these readings, and why."""

    reason: str
    weights: Mapping[Reading, float]

    def __str__(self) -> str:
        groups: dict[float, list[str]] = {}
        for reading, weight in self.weights.items():
            groups.setdefault(weight, []).append(reading.value)
        return f"{self.reason}: " + "; ".join(f"{', '.join(names)} ({w:+.2g})" for w, names in groups.items())


def evidence(reason: str, weight: float, *readings: Reading) -> Evidence:
    """Return the same weight for each of some readings."""
    return Evidence(reason, dict.fromkeys(readings, weight))


def suppresses_fat(a: Acquisition) -> bool:
    """Tell whether ScanOptions name fat suppression or water excitation; many systems leave that out."""
    return bool(_FAT_OPTIONS.intersection(a.scan_options))


def dixon_part(a: Acquisition) -> DixonPart | None:
    """Return which image of a water-fat separation ImageType or ScanOptions say it is."""
    kinds = {*a.image_type[2:], *a.scan_options}
    return next((part for part, values in _PARTS.items() if kinds & values), None)


def is_t1_weighted(a: Acquisition) -> bool:
    """Tell whether TR is too short for a fluid-sensitive image, spin or gradient echo."""
    return _is_gradient_echo(a) or (a.repetition_time_ms is not None and a.repetition_time_ms < _T1_OR_PD_TR_MS)


def decided_by_parameters(a: Acquisition) -> Iterator[Evidence]:
    """Apply the rules that leave nothing to decide: derived images, echo-planar, inversion recovery."""
    kinds = set(a.image_type[2:])
    for name, values in _NO_CONTRAST.items():
        if kinds & values:
            yield evidence(f"ImageType says {name}", 0.9, Reading.OTHER)
            return
    if "EP" in a.scanning_sequence:
        yield evidence("ScanningSequence says echo-planar", 0.9, Reading.OTHER)
    elif "T2FLAIR_GEMS" in a.scan_options:
        yield evidence("ScanOptions say FLAIR", 0.9, Reading.OTHER)
    elif _is_inversion(a):
        yield from _inversion(a)


def weighting(a: Acquisition) -> Iterator[Evidence]:
    """Apply the rules on TR, TE and flip angle, which leave fat suppression open."""
    if has_stray_inversion_time(a):
        reason = f"TI {a.inversion_time_ms:.0f} ms without an IR flag and without fat suppression in ScanOptions"
        yield evidence(reason, 0.6 if a.scanning_sequence else 0.7, Reading.STIR)
    yield from _gradient_echo(a) if _is_gradient_echo(a) else _spin_echo(a)


def has_stray_inversion_time(a: Acquisition) -> bool:
    """Tell whether there is an inversion time that nulls fat although nothing names an inversion.

    Spectral inversion (SPAIR) has such a time as well; ScanOptions name fat suppression then.
    """
    return not _is_inversion(a) and not suppresses_fat(a) and _nulls_fat(a)


def _is_inversion(a: Acquisition) -> bool:
    if any("IR" in code for code in a.scanning_sequence) or {"IR", "M_IR"} & set(a.image_type[2:]):
        return True
    return bool({"IR", "IR_GEMS"} & set(a.scan_options)) and not suppresses_fat(a)


def _nulls_fat(a: Acquisition) -> bool:
    time, repetition = a.inversion_time_ms, a.repetition_time_ms
    if time is None or not _STIR_TI_MS[0] <= time <= _STIR_TI_MS[1]:
        return False
    return repetition is None or repetition >= _LEAST_INVERSION_TR * time


def _inversion(a: Acquisition) -> Iterator[Evidence]:
    time = a.inversion_time_ms
    if time is None:
        yield from _untimed_inversion(a)
    elif _nulls_fat(a):
        yield evidence(f"Inversion recovery with TI {time:.0f} ms nulls fat", 0.8, Reading.STIR)
    elif time >= _FLUID_NULL_TI_MS:
        yield evidence(f"Inversion recovery with TI {time:.0f} ms nulls fluid (FLAIR)", 0.9, Reading.OTHER)
    elif time > _STIR_TI_MS[1]:
        yield evidence(f"Inversion recovery with TI {time:.0f} ms is T1-weighted", 0.5, Reading.T1)


def _untimed_inversion(a: Acquisition) -> Iterator[Evidence]:
    if _is_gradient_echo(a):
        return
    reason = "Inversion recovery without an inversion time"
    if (a.repetition_time_ms or 0.0) >= _FLAIR_TR_MS and (a.echo_time_ms or 0.0) >= _FLAIR_TE_MS:
        yield Evidence(f"{reason}, TR and TE as long as for FLAIR", {Reading.OTHER: 0.4, Reading.STIR: 0.3})
    else:
        yield evidence(reason, 0.5, Reading.STIR)


def _spin_echo(a: Acquisition) -> Iterator[Evidence]:
    repetition, echo = a.repetition_time_ms, a.echo_time_ms
    if repetition is None or echo is None:
        return
    times = f"TR {repetition:.0f} ms and TE {echo:.3g} ms"
    if echo > _FLUID_ONLY_TE_MS:
        yield evidence(f"TE {echo:.0f} ms leaves nothing but fluid visible", 0.9, Reading.OTHER)
    elif echo > _SHORT_TE_MS:
        if repetition >= _LEAST_TR_OF_A_LONG_TE_MS:
            yield Evidence(times, _long_echo(echo))
    elif repetition <= _T1_TR_MS:
        yield evidence(times, 0.5, *_T1)
    else:
        yield Evidence(times, _short_echo(repetition))


def _short_echo(repetition: float) -> dict[Reading, float]:
    """Weights between T1 and PD, by the repetition time; STIR at low field looks the same."""
    if repetition >= _LONG_TR_MS:
        weights = dict.fromkeys(_PD, 0.5)
    else:
        near, far = (_T1, _PD) if repetition < _T1_OR_PD_TR_MS else (_PD, _T1)
        weights = dict.fromkeys(near, 0.4) | dict.fromkeys(far, 0.3)
    return weights | {Reading.STIR: 0.25}


def _long_echo(echo: float) -> dict[Reading, float]:
    """Weights between PD and T2, by the echo time; intermediate echo times go by either name."""
    near, far = (_PD, _T2) if echo < _PD_OR_T2_TE_MS else (_T2, _PD)
    weights = dict.fromkeys(near, 0.5)
    if _INTERMEDIATE_TE_MS[0] <= echo <= _INTERMEDIATE_TE_MS[1]:
        weights |= dict.fromkeys(far, 0.4)
    return weights | {Reading.STIR: 0.25}


def _is_gradient_echo(a: Acquisition) -> bool:
    if _GRADIENT.intersection(a.scanning_sequence):
        return True
    if "SE" in a.scanning_sequence or a.repetition_time_ms is None:
        return False
    return a.repetition_time_ms < _LEAST_SPIN_ECHO_TR_MS


def _gradient_echo(a: Acquisition) -> Iterator[Evidence]:
    echo, variant = a.echo_time_ms, set(a.sequence_variant)
    if "TRSS" in variant or ("SS" in variant and "SP" not in variant):
        yield evidence("SequenceVariant says steady state", 0.7, Reading.OTHER)
    elif echo is None:
        return
    elif echo > _GRADIENT_T1_TE_MS:
        yield evidence(f"Gradient echo with TE {echo:.3g} ms is T2*-weighted", 0.8, Reading.OTHER)
    elif _is_below_ernst_angle(a):
        yield evidence(
            f"Gradient echo with flip angle {a.flip_angle_degree:.0f} degrees is not T1-weighted", 0.7, Reading.OTHER
        )
    else:
        yield evidence(f"Gradient echo with TE {echo:.3g} ms", 0.5, *_T1)


def _is_below_ernst_angle(a: Acquisition) -> bool:
    """Below the angle of most signal, spoiled echoes show proton density (Ernst 1966, doi:10.1063/1.1719961)."""
    if a.flip_angle_degree is None or a.repetition_time_ms is None:
        return False
    ernst = math.degrees(math.acos(math.exp(-a.repetition_time_ms / _MUSCLE_T1_MS)))
    return a.flip_angle_degree < _ERNST_SHARE * ernst
