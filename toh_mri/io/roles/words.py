"""What the words of a series say: its description, sequence name or file name, in the usual languages.

The words themselves are free text. Only what is recognised in them leaves this module.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple

from toh_mri.core.study import Contrast
from toh_mri.io.roles import vocabulary as known

_GE_PREFIX = re.compile(r"(?i)\b(?:water|fat|in ?phase|out ?phase)\s*:")
_WEIGHTINGS = {Contrast.T1: known.T1, Contrast.T2: known.T2, Contrast.PD: known.PROTON_DENSITY}


class DixonPart(StrEnum):
    """Which image of a water-fat separation a series is."""

    WATER = "water"
    FAT = "fat"
    IN_PHASE = "in phase"
    OPPOSED_PHASE = "opposed phase"
    UNNAMED = "not said"


_PARTS = {
    DixonPart.WATER: known.WATER,
    DixonPart.FAT: known.FAT,
    DixonPart.IN_PHASE: known.IN_PHASE,
    DixonPart.OPPOSED_PHASE: known.OPPOSED_PHASE,
}


class Description(NamedTuple):
    """What words say of a series.

    Attributes
    ----------
    no_contrast : str or None
        What else than a weighting of anatomy the series shows: ``"diffusion"``.
    weightings : frozenset of Contrast
        T1, PD, T2 as far as named; empty where T1 stands beside another one, which says nothing.
    short_inversion : bool
        STIR, or an inversion recovery that is not said to be T1-weighted.
    fat_suppression : bool or None
        None where it is not mentioned.
    part : DixonPart or None
        None where no water-fat separation is named.
    contrast_agent : bool
    """

    no_contrast: str | None
    weightings: frozenset[Contrast]
    short_inversion: bool
    fat_suppression: bool | None
    part: DixonPart | None
    contrast_agent: bool

    @property
    def says_nothing(self) -> bool:
        """No contrast can be told from the words."""
        return not (self.no_contrast or self.weightings or self.short_inversion or self.part)


def read_words(words: str) -> Description:
    """Read a series' free text."""
    line = known.plain(words)
    weightings = _weightings(line)
    part = _part(words, line)
    short = known.SHORT_INVERSION.search(line) is not None
    return Description(
        no_contrast=_no_contrast(line, weightings, inversion=short),
        weightings=weightings,
        short_inversion=short or (known.INVERSION.search(line) is not None and Contrast.T1 not in weightings),
        fat_suppression=False if part is DixonPart.IN_PHASE else _fat_suppression(line),
        part=part,
        contrast_agent=bool(known.CONTRAST_AGENT.search(line) and not known.NO_CONTRAST_AGENT.search(line)),
    )


def names_a_localizer(words: str) -> bool:
    """Tell whether the words name a localizer, a scout or a calibration scan."""
    line = known.plain(words)
    if known.LOCALIZER.search(line):
        return True
    return known.PERHAPS_LOCALIZER.search(line) is not None and read_words(words).says_nothing


def _weightings(line: str) -> frozenset[Contrast]:
    named = {contrast for contrast, pattern in _WEIGHTINGS.items() if pattern.search(line)}
    if not named and known.T1_VOLUME.search(line):
        return frozenset({Contrast.T1})
    return frozenset() if Contrast.T1 in named and len(named) > 1 else frozenset(named)


def _no_contrast(line: str, weightings: frozenset[Contrast], *, inversion: bool) -> str | None:
    for kind, pattern in known.NO_CONTRAST.items():
        if pattern.search(line):
            return kind
    if known.GRADIENT_ECHO.search(line) and Contrast.T1 not in weightings and not inversion:
        return "a gradient echo that is not said to be T1-weighted"
    return None


def _fat_suppression(line: str) -> bool | None:
    if known.NO_FAT_SUPPRESSION.search(line):
        return False
    if known.FAT_SUPPRESSION.search(line) or known.SUPPRESSED_T1_VOLUME.search(line):
        return True
    return None


def _part(words: str, line: str) -> DixonPart | None:
    named = [part for part, pattern in _PARTS.items() if pattern.search(line)]
    if _GE_PREFIX.search(words) or known.DIXON.search(line) or known.OPPOSED_BY_ITSELF.search(line):
        if not named and known.FAT_SUPPRESSION.search(line):
            return DixonPart.WATER
        return named[0] if len(named) == 1 else DixonPart.UNNAMED
    if known.DIXON_WHERE_A_PART_IS_NAMED.search(line) and len(named) == 1:
        return named[0]
    return None
