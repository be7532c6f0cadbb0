"""What a series shows, by scored rules: acquisition parameters first, its own words second.

Each rule that applies adds a weight to a contrast and a sentence to the reasons; weights add up to a score
between 0 and 1. The limits on TR, TE and TI are those of clinical hip protocols (T1 turbo spin echo: TR
450-700 ms, TE 8-20 ms; STIR: TI 140-160 ms at 1.5 T, 200-230 ms at 3 T; PD and T2: TR 2500-6000 ms), widened
to what turbo spin echo permits; the weights are a convention: parameters decide (0.5 to 0.8), words confirm
them (0.35), and decide where the parameters are silent (0.6).
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from toh_mri.core.config.io import IoConfig
from toh_mri.core.study import Acquisition, Contrast, SeriesRole, SlicePlane
from toh_mri.io.role_words import contrast_in

_WORDS_CONFIRM = 0.35
_WORDS_DECIDE = 0.6
_STIR_TI_MS = (80.0, 300.0)
_FLUID_NULL_TI_MS = 1500.0
_T1_TR_MS = 1000.0
_LONG_TR_MS = 1500.0
_T1_TE_MS = 30.0
_PD_TE_MS = 50.0
_T2_TE_MS = 55.0
_FLUID_ONLY_TE_MS = 250.0
_GRADIENT_T1_TE_MS = 8.0
_FAT_OPTIONS = frozenset({"FS", "FATSAT", "FAT SAT", "FAT_SAT", "SFS", "SPIR", "SPAIR", "WE", "FSS", "CHESS"})
_WATER = frozenset({"W", "WATER"})
_FAT = frozenset({"F", "FAT"})
_OPPOSED = frozenset({"OP", "OPP_PHASE", "OUT_PHASE", "OPPOSED", "OUT_OF_PHASE"})


class Evidence(NamedTuple):
    """What one rule found: so much weight for a contrast, and why."""

    contrast: Contrast
    weight: float
    reason: str

    def __str__(self) -> str:
        return f"{self.reason}: {self.contrast} ({self.weight:+.2g})"


def plane_of(normal: ArrayLike) -> SlicePlane:
    """Return the anatomical plane nearest to slices with this LPS normal, shape (3,)."""
    axis = int(np.argmax(np.abs(np.asarray(normal, dtype=np.float64))))
    return (SlicePlane.SAGITTAL, SlicePlane.CORONAL, SlicePlane.AXIAL)[axis]


def assign_role(acquisition: Acquisition, plane: SlicePlane, words: str, config: IoConfig) -> SeriesRole:
    """Decide what a series is taken for.

    Parameters
    ----------
    acquisition : Acquisition
    plane : SlicePlane
    words : str
        The source's free text: series description, sequence name, file name. Never repeated in the reasons.
    config : IoConfig
        `roles` overrides everything; `minimum_role_score` decides between a contrast and OTHER.
    """
    chosen = _override(words, config)
    if chosen is not None:
        return SeriesRole(contrast=chosen, plane=plane, score=1.0, reasons=("The configuration says so.",))
    evidence = list(_parameters(acquisition))
    named = contrast_in(words)
    if named is not None:
        weight = _WORDS_CONFIRM if evidence else _WORDS_DECIDE
        evidence.append(Evidence(named, weight, "Its description or file name"))
    if not evidence:
        reason = "Neither acquisition parameters nor the description say what it shows."
        return SeriesRole(contrast=Contrast.OTHER, plane=plane, score=0.0, reasons=(reason,))
    scores = {contrast: _total(evidence, contrast) for contrast in Contrast}
    best = max(Contrast, key=lambda contrast: scores[contrast])
    reasons = tuple(str(item) for item in evidence)
    if scores[best] < config.minimum_role_score:
        note = f"{best} scores {scores[best]:.2f}, less than the {config.minimum_role_score:g} asked for."
        return SeriesRole(contrast=Contrast.OTHER, plane=plane, score=0.0, reasons=(*reasons, note))
    return SeriesRole(contrast=best, plane=plane, score=scores[best], reasons=reasons)


def _override(words: str, config: IoConfig) -> Contrast | None:
    line = words.lower()
    for pattern, name in config.roles.items():
        if fnmatchcase(line, f"*{pattern.lower()}*"):
            return Contrast(name)
    return None


def _total(evidence: list[Evidence], contrast: Contrast) -> float:
    return round(min(max(sum(e.weight for e in evidence if e.contrast is contrast), 0.0), 1.0), 4)


def _parameters(a: Acquisition) -> Iterator[Evidence]:
    """Apply the rules on acquisition parameters, the specific ones first."""
    found = [*_inversion(a), *_dixon(a)]
    if not found:
        found = [*_gradient_echo(a)] if "GR" in a.scanning_sequence else [*_spin_echo(a)]
    yield from found
    if a.contrast_agent and any(e.contrast is Contrast.T1 for e in found):
        yield Evidence(Contrast.T1, -0.1, "After contrast agent")


def _inversion(a: Acquisition) -> Iterator[Evidence]:
    time, flagged = a.inversion_time_ms, "IR" in a.scanning_sequence
    how = "ScanningSequence IR" if flagged else "no other sequence given" if not a.scanning_sequence else "no IR flag"
    if time is None:
        if flagged and "GR" not in a.scanning_sequence:
            yield Evidence(Contrast.STIR, 0.4, "ScanningSequence IR without an inversion time")
    elif _STIR_TI_MS[0] <= time <= _STIR_TI_MS[1]:
        weight = 0.6 if flagged or not a.scanning_sequence else 0.4
        if not _is_fat_suppressed(a) or flagged:
            yield Evidence(Contrast.STIR, weight, f"TI {time:.0f} ms with {how}")
    elif flagged and time >= _FLUID_NULL_TI_MS:
        yield Evidence(Contrast.OTHER, 0.8, f"TI {time:.0f} ms with {how} nulls fluid (FLAIR)")
    elif flagged:
        yield Evidence(Contrast.T1, 0.5, f"TI {time:.0f} ms with {how}, T1-weighted inversion recovery")


def _dixon(a: Acquisition) -> Iterator[Evidence]:
    kinds = set(a.image_type[2:])
    if kinds & _OPPOSED:
        yield Evidence(Contrast.OTHER, 0.8, "ImageType says opposed phase")
    elif kinds & _WATER:
        if _is_t1_weighted(a):
            yield Evidence(Contrast.OTHER, 0.8, "Water image of a T1-weighted Dixon shows enhancement, not edema")
        else:
            yield Evidence(Contrast.DIXON_WATER, 0.8, "ImageType says water")
    elif kinds & _FAT:
        yield Evidence(Contrast.DIXON_FAT, 0.8, "ImageType says fat")


def _spin_echo(a: Acquisition) -> Iterator[Evidence]:
    repetition, echo = a.repetition_time_ms, a.echo_time_ms
    if repetition is None or echo is None:
        return
    times = f"TR {repetition:.0f} ms and TE {echo:.3g} ms"
    if echo > _FLUID_ONLY_TE_MS:
        yield Evidence(Contrast.OTHER, 0.6, f"TE {echo:.0f} ms leaves nothing but fluid visible")
    elif repetition < _LONG_TR_MS and echo <= _T1_TE_MS:
        yield from _t1(a, 0.6 if repetition <= _T1_TR_MS else 0.4, times)
    elif repetition >= _LONG_TR_MS:
        yield from _long_repetition(a, echo, times)


def _long_repetition(a: Acquisition, echo: float, times: str) -> Iterator[Evidence]:
    """PD or T2, with or without fat suppression; ScanOptions that do not mention it say little against it."""
    proton = min(max((_T2_TE_MS - echo) / (_T2_TE_MS - _PD_TE_MS), 0.0), 1.0)
    pairs = ((Contrast.PDFS, Contrast.PD, proton), (Contrast.T2FS, Contrast.T2, 1.0 - proton))
    for suppressed, plain, share in pairs:
        if share == 0.0:
            continue
        if _is_fat_suppressed(a):
            yield Evidence(suppressed, round(0.6 * share, 2), f"{times} with fat suppression in ScanOptions")
        else:
            yield Evidence(plain, round(0.5 * share, 2), f"{times}, no fat suppression in ScanOptions")
            yield Evidence(suppressed, round(0.25 * share, 2), f"{times}, should fat be suppressed all the same")


def _gradient_echo(a: Acquisition) -> Iterator[Evidence]:
    echo = a.echo_time_ms
    if echo is None:
        return
    if echo <= _GRADIENT_T1_TE_MS:
        yield from _t1(a, 0.5, f"Gradient echo with TE {echo:.3g} ms")
    else:
        yield Evidence(Contrast.OTHER, 0.6, f"Gradient echo with TE {echo:.3g} ms is T2*-weighted")


def _t1(a: Acquisition, weight: float, times: str) -> Iterator[Evidence]:
    if _is_fat_suppressed(a):
        yield Evidence(Contrast.OTHER, weight, f"{times} with fat suppression shows enhancement, not edema")
    else:
        yield Evidence(Contrast.T1, weight, times)


def _is_fat_suppressed(a: Acquisition) -> bool:
    return bool(_FAT_OPTIONS.intersection(a.scan_options))


def _is_t1_weighted(a: Acquisition) -> bool:
    if "GR" in a.scanning_sequence:
        return True
    return a.repetition_time_ms is not None and a.repetition_time_ms < _LONG_TR_MS
