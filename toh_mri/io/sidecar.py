"""JSON sidecars of NIfTI files, as dcm2niix and BIDS write them: DICOM keywords, times in seconds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from toh_mri.core.study import Acquisition
from toh_mri.io.acquisition import make_acquisition, number, text

_LARGEST_BYTES = 16 * 2**20
_TIMES = frozenset({"RepetitionTime", "EchoTime", "InversionTime"})
_OTHER_NAMES = {"BodyPartExamined": "BodyPart", "ContrastBolusAgent": "ContrastBolusIngredient"}
_WORDS = ("SeriesDescription", "ProtocolName", "SequenceName", "PulseSequenceDetails")
# Seconds or milliseconds? No echo is later than 1.5 s and no repetition time longer than 60 s.
_LATEST_ECHO_S = 1.5
_LONGEST_REPETITION_S = 60.0


class Sidecar(NamedTuple):
    """What a sidecar says. `words` is the source's free text: to recognise the series, never for results."""

    acquisition: Acquisition
    words: str
    problem: str | None


def read_sidecar(path: Path) -> Sidecar:
    """Read a sidecar; a missing one is empty, a broken one is empty and says so in `problem`."""
    if not path.is_file():
        return Sidecar(Acquisition(), "", None)
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            return Sidecar(Acquisition(), "", "Its JSON sidecar is too large to be one and was ignored.")
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        return Sidecar(Acquisition(), "", f"Its JSON sidecar cannot be read and was ignored ({type(error).__name__}).")
    if not isinstance(content, dict):
        return Sidecar(Acquisition(), "", "Its JSON sidecar holds no fields and was ignored.")
    words = " ".join(word for word in (text(content.get(key)) for key in _WORDS) if word)
    return Sidecar(_acquisition(content), words, None)


def _acquisition(content: Mapping[str, object]) -> Acquisition:
    to_ms = 1.0 if _is_in_ms(content) else 1000.0

    def get(keyword: str) -> object:
        value = content.get(keyword, content.get(_OTHER_NAMES.get(keyword, "")))
        if keyword in _TIMES:
            time = number(value)
            return None if time is None else round(time * to_ms, 6)
        return value

    return make_acquisition(get)


def _is_in_ms(content: Mapping[str, object]) -> bool:
    echo, repetition = number(content.get("EchoTime")), number(content.get("RepetitionTime"))
    return (echo or 0.0) > _LATEST_ECHO_S or (repetition or 0.0) > _LONGEST_REPETITION_S
