"""JSON sidecars of volume files, as dcm2niix and BIDS write them: DICOM keywords, times in seconds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from toh_mri.core.errors import InputError
from toh_mri.core.study import Acquisition
from toh_mri.io.acquisition import codes, make_acquisition, number, text
from toh_mri.io.files.opening import open_binary
from toh_mri.io.volumes.bids import Describing

_LARGEST_BYTES = 16 * 2**20
_TIMES = frozenset({"RepetitionTime", "EchoTime", "InversionTime"})
_OTHER_NAMES = {"BodyPartExamined": "BodyPart", "ContrastBolusAgent": "ContrastBolusIngredient"}
_WORDS = ("SeriesDescription", "ProtocolName", "SequenceName", "PulseSequenceName", "PulseSequenceDetails")
# Seconds or milliseconds? No echo is later than 1.5 s, no inversion than 15 s, no repetition than 60 s.
_LATEST_S = {"EchoTime": 1.5, "InversionTime": 15.0, "RepetitionTime": 60.0}
# Converters before 2020 wrote "_" where DICOM has "\". Split again where every part is a defined term (PS3.3 C.8.3.1).
_TERMS = {
    "ScanningSequence": frozenset({"SE", "IR", "GR", "EP", "RM"}),
    "SequenceVariant": frozenset({"SK", "MTC", "SS", "TRSS", "SP", "MP", "OSP", "NONE"}),
    "ScanOptions": frozenset(
        {"PER", "RG", "CG", "PPG", "FC", "PFF", "PFP", "SP", "FS", "CT", "IR", "WE", "SAT1", "SAT2"}
    ),
}


class Sidecar(NamedTuple):
    """What the sidecars of an image say. `words` is their free text: to recognise the series, never for results."""

    acquisition: Acquisition
    words: str
    problems: tuple[str, ...]


def read_sidecar(image: Path, describing: Describing | None = None) -> Sidecar:
    """Read the JSON files that describe a volume file, the nearer ones winning field by field.

    Give the same `describing` for all files of a scan: it lists every folder once.

    Without any the result is empty; a broken one is left out and named in `problems`.
    """
    content: dict[str, object] = {}
    problems = []
    for path in (describing or Describing()).files(image):
        try:
            content.update(read_fields(path) or {})
        except InputError as error:
            problems.append(f"{error.message} It was ignored.")
    words = " ".join(word for word in (text(content.get(key)) for key in _WORDS) if word)
    return Sidecar(_acquisition(content), words, tuple(problems))


def read_fields(path: Path) -> dict[str, object] | None:
    """Read the fields of a JSON file; None where there is no such file.

    Raises
    ------
    InputError
        ``sidecar_unreadable``.
    """
    try:
        with open_binary(path) as file:
            content = file.read(_LARGEST_BYTES + 1)
        fields = json.loads(content.decode("utf-8-sig")) if len(content) <= _LARGEST_BYTES else None
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, RecursionError) as error:
        problem = f"The JSON file {path.name} cannot be read ({type(error).__name__})."
        raise InputError("sidecar_unreadable", problem) from None
    if not isinstance(fields, dict):
        raise InputError("sidecar_unreadable", f"The JSON file {path.name} holds no fields, or too much.")
    return fields


def _acquisition(content: Mapping[str, object]) -> Acquisition:
    to_ms = 1.0 if _is_in_ms(content) else 1000.0

    def get(keyword: str) -> object:
        value = content.get(keyword, content.get(_OTHER_NAMES.get(keyword, "")))
        if keyword in _TIMES:
            time = number(value)
            return None if time is None else round(time * to_ms, 6)
        if keyword in _TERMS:
            return _divided(value, _TERMS[keyword])
        if keyword == "ImageType":
            return _image_type(value, content.get("ImageTypeText"))
        return value

    return make_acquisition(get)


def _is_in_ms(content: Mapping[str, object]) -> bool:
    return any((number(content.get(keyword)) or 0.0) > latest for keyword, latest in _LATEST_S.items())


def _divided(value: object, terms: frozenset[str]) -> object:
    if isinstance(value, str):
        parts = value.upper().split("_")
        if terms.issuperset(parts):
            return parts
    return value


def _image_type(value: object, detailed: object) -> list[str]:
    """Return ImageType, and after it what the enhanced objects' longer form adds (water and fat of a Dixon, say)."""
    return list(dict.fromkeys([*codes(value), *codes(detailed)]))
