"""What a series shows, by scored rules: acquisition parameters first, its own words second.

Every rule that applies adds weights to the possible readings of a series and a sentence to the reasons; the weights
add up to a score between 0 and 1. Parameters and words answer two questions, how the image is weighted and whether fat
is suppressed; `rules` holds the rules on parameters, `words` what words say. Words confirm the parameters,
settle what these leave open, and decide where they are silent; words that contradict them are not counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

import numpy as np
from numpy.typing import ArrayLike

from toh_mri.core.config.io import IoConfig
from toh_mri.core.study import Acquisition, Contrast, SeriesRole, SlicePlane
from toh_mri.io.roles.rules import (
    PLAIN,
    SUPPRESSED,
    Evidence,
    Reading,
    decided_by_parameters,
    dixon_part,
    evidence,
    has_stray_inversion_time,
    is_t1_weighted,
    suppresses_fat,
    weighting,
)
from toh_mri.io.roles.words import Description, DixonPart, read_words

_DESCRIPTION = "Its description or file name"
_READINGS = {
    Contrast.T1: (Reading.T1, Reading.T1FS),
    Contrast.PD: (Reading.PD, Reading.PDFS),
    Contrast.T2: (Reading.T2, Reading.T2FS),
}
_LONG_REPETITION = (*_READINGS[Contrast.PD], *_READINGS[Contrast.T2])  # each goes by the name of the other
_NO_WORDS = read_words("")
_AFTER_AGENT = (Reading.T1, Reading.STIR)  # enhancing tissue gains signal on the one and loses it on the other


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
    found = list(_evidence(acquisition, read_words(words)))
    if not any(item.weights for item in found):
        reason = "Neither acquisition parameters nor the description say what it shows."
        return SeriesRole(contrast=Contrast.OTHER, plane=plane, score=0.0, reasons=(reason,))
    best, score = _best(found)
    reasons = [str(item) for item in found]
    if score < config.minimum_role_score:
        reasons.append(f"{best.value} scores {score:.2f}, less than the {config.minimum_role_score:g} asked for.")
        return SeriesRole(contrast=Contrast.OTHER, plane=plane, score=0.0, reasons=tuple(reasons))
    if best is Reading.T1FS:
        reasons.append("T1-weighted images without fat show enhancement, not edema.")
    return SeriesRole(contrast=best.contrast, plane=plane, score=score, reasons=tuple(reasons))


def _override(words: str, config: IoConfig) -> Contrast | None:
    line = words.lower()
    for pattern, name in config.roles.items():
        if fnmatchcase(line, f"*{pattern.lower()}*"):
            return Contrast(name)
    return None


def _best(found: Sequence[Evidence]) -> tuple[Reading, float]:
    """Return the reading with the highest score; the first of `Reading` where several have it."""
    totals = {reading: sum(item.weights.get(reading, 0.0) for item in found) for reading in Reading}
    best = max(Reading, key=lambda reading: totals[reading])
    return best, round(min(max(totals[best], 0.0), 1.0), 4)


def _evidence(a: Acquisition, said: Description) -> Iterator[Evidence]:
    decided = list(decided_by_parameters(a))
    yield from decided
    if said.no_contrast:
        yield evidence(f"{_DESCRIPTION} says {said.no_contrast}", 0.9, Reading.OTHER)
    part = dixon_part(a) or said.part
    if part and part is not DixonPart.IN_PHASE:
        yield _dixon(part, a, said)
        return
    measured = [] if decided else list(weighting(a))
    yield from measured
    possible = {reading for item in (*decided, *measured) for reading in item.weights}
    if _contradicts(said, possible):
        yield evidence(f"{_DESCRIPTION} contradicts that and is not counted", -0.1, *sorted(possible))
        said = _NO_WORDS
    worded = list(_weighting_in_words(said, possible))
    yield from worded
    possible.update(reading for item in worded for reading in item.weights)
    if not decided:
        yield from _suppression(a, said, possible)
    if possible.intersection(_AFTER_AGENT) and (a.contrast_agent or said.contrast_agent):
        yield evidence("After contrast agent", -0.1, *(reading for reading in _AFTER_AGENT if reading in possible))


def _dixon(part: DixonPart, a: Acquisition, said: Description) -> Evidence:
    measured = dixon_part(a) is not None
    reason = f"{'ImageType' if measured else _DESCRIPTION} says water-fat separation, image: {part.value}"
    reading = {DixonPart.WATER: Reading.DIXON_WATER, DixonPart.FAT: Reading.DIXON_FAT}.get(part, Reading.OTHER)
    t1_by_words = a.repetition_time_ms is None and Contrast.T1 in said.weightings
    if part is DixonPart.WATER and (is_t1_weighted(a) or t1_by_words):
        reading = Reading.T1FS
    return evidence(reason, 0.8 if measured else 0.7, reading)


def _contradicts(said: Description, possible: set[Reading]) -> bool:
    """Tell whether words name a T1 where the parameters show anything but that, or the other way round."""
    t1 = set(_READINGS[Contrast.T1])
    if possible and possible <= t1:
        return said.short_inversion or bool(said.weightings and Contrast.T1 not in said.weightings)
    return Contrast.T1 in said.weightings and not possible & t1 and bool(possible - {Reading.OTHER})


def _weighting_in_words(said: Description, possible: set[Reading]) -> Iterator[Evidence]:
    if said.no_contrast:
        return
    if said.short_inversion:
        yield evidence(f"{_DESCRIPTION} names STIR", 0.35 if possible else 0.65, Reading.STIR)
    elif said.weightings:
        named = [reading for contrast in sorted(said.weightings) for reading in _READINGS[contrast]]
        if Contrast.T1 not in said.weightings and not possible.intersection(named):
            named = [reading for reading in _LONG_REPETITION if reading in possible] or named
        reason = f"{_DESCRIPTION} names {' and '.join(sorted(said.weightings))}"
        yield evidence(reason, 0.2 if possible else 0.5, *named)


def _suppression(a: Acquisition, said: Description, possible: set[Reading]) -> Iterator[Evidence]:
    plain = [reading for reading in PLAIN if reading in possible]
    suppressed = [reading for reading in SUPPRESSED if reading in possible]
    if not plain:
        return
    in_phase = dixon_part(a) is DixonPart.IN_PHASE
    named = suppresses_fat(a) and not in_phase
    if named:
        yield evidence("ScanOptions name fat suppression", 0.35, *suppressed)
    if in_phase or said.fat_suppression is False:
        yield evidence("It is in phase, or said to be without fat suppression", 0.2, *plain)
    elif said.fat_suppression:
        by_frequency = [reading for reading in suppressed if reading is not Reading.STIR]
        yield evidence(f"{_DESCRIPTION} names fat suppression", 0.1 if named else 0.25, *by_frequency)
    elif not (named or said.short_inversion or has_stray_inversion_time(a)):
        yield evidence("Nothing names fat suppression", 0.15, *plain)
