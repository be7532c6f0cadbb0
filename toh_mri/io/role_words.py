"""What the words of a series say: its description, sequence name or file name, in the usual languages.

The words themselves are free text. Only what is recognised in them leaves this module.
"""

from __future__ import annotations

import re

from toh_mri.core.study import Contrast

_FAT_SUPPRESSED = re.compile(
    r"(?<![a-z])(?:fs(?![a-z])|fat[ ]?sat|fat[ ]?sup|fatsuppr|fet(?:t)?sat|fsat|sat[ ]?fat"
    r"|spair|spir|chess|aspir|pasta|we(?![a-z])|water[ ]?exc|sat[ ]?gra|sup[ ]?gra|grasa|graisse"
    r"|fettges|fettunter)"
    r"|(?:t[12]|pd|dp|w|tse|se)fs(?![a-z])"
)
_STIR = re.compile(
    r"(?<![a-z])(?:turbo)?"
    r"(?:stir(?![a-z])|tirm|fir(?![a-z])|ir[ ]?[ft]se|[ft]seir|fs[ ]?ir(?![a-z])|tir(?:2|3)d)"
)
_T1 = re.compile(r"(?<![a-z0-9])(?:se|tse|fse)?t1(?![0-9*])")
_T2 = re.compile(r"(?<![a-z0-9])(?:se|tse|fse)?t2(?![0-9*]|[ ]?star)|(?<=pd)t2")
_PD = re.compile(r"(?<![a-z])(?:pd(?![a-eg-rx-z])|dp(?![a-eg-z])|proton|prot[ ]?dens|densit|rho(?![a-z]))")
_DIXON = re.compile(r"dixon|(?<![a-z])(?:ideal|flex|wfs|dx)(?![a-z])")
_WATER = re.compile(r"(?<![a-z])(?:w|water|wasser|eau|agua|acqua|wat)(?![a-z])")
_FAT = re.compile(r"(?<![a-z])(?:f|fat|fett|graisse|grasa|grasso)(?![a-z])")
_OPPOSED = re.compile(r"(?<![a-z])(?:op|opp|opposed|out|outphase|oop)(?![a-z])")
_NO_USE = re.compile(
    r"flair|(?<![a-z])(?:dwi|dti|diff|adc|trace|swi|bold|epi|medic|merge|dess|ciss|trufi|fiesta|tof|mra|perf|map|mip|mpr"
    r"|cartigram|sub(?:traction)?|field[ ]?map|gre[ ]?field|b0|b1)(?![a-z])|t2[ ]?(?:\*|star)|t[12][ ]?map"
)
_LOCALIZER = re.compile(
    r"locali[sz]|(?<![a-z])(?:loc|scout|survey|pilot|plan[ ]?scan|scano|rep[eé]rage|topogram"
    r"|smartbrain|aahscout)(?![a-z])"
    r"|3[ ]?(?:plane|pl)(?![a-z])|calibration|(?<![a-z])(?:asset|ref[ ]?scan|shim|prescan)(?![a-z])"
)


def contrast_in(words: str) -> Contrast | None:
    """Return the contrast that the words name; None where they name none, or several."""
    line = _plain(words)
    if _NO_USE.search(line):
        return Contrast.OTHER
    if _STIR.search(line):
        return Contrast.STIR
    weightings = {Contrast.T1: _T1, Contrast.T2: _T2, Contrast.PD: _PD}
    found = [contrast for contrast, pattern in weightings.items() if pattern.search(line)]
    if _DIXON.search(line):
        return _dixon_in(line, found)
    if Contrast.PD in found and Contrast.T2 in found:  # "PD T2", intermediate weighting: read as PD
        found.remove(Contrast.T2)
    if len(found) != 1:
        return None
    return _fat_suppressed(found[0]) if _FAT_SUPPRESSED.search(line) else found[0]


def names_a_localizer(words: str) -> bool:
    """Tell whether the words name a localizer, a scout or a calibration scan."""
    return _LOCALIZER.search(_plain(words)) is not None


def names_fat_suppression(words: str) -> bool:
    """Tell whether the words say that fat is suppressed."""
    return _FAT_SUPPRESSED.search(_plain(words)) is not None


def _plain(words: str) -> str:
    return re.sub(r"[^a-z0-9*é]+", " ", words.lower())


def _fat_suppressed(contrast: Contrast) -> Contrast:
    """Return the fat-suppressed kind of a weighting; T1 with fat suppression shows enhancement, not edema."""
    return {Contrast.T2: Contrast.T2FS, Contrast.PD: Contrast.PDFS}.get(contrast, Contrast.OTHER)


def _dixon_in(line: str, weightings: list[Contrast]) -> Contrast | None:
    if _OPPOSED.search(line):
        return Contrast.OTHER
    if _WATER.search(line):
        return Contrast.OTHER if Contrast.T1 in weightings else Contrast.DIXON_WATER
    if _FAT.search(line):
        return Contrast.DIXON_FAT
    return weightings[0] if len(weightings) == 1 else None
