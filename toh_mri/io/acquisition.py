"""How a series was acquired, from DICOM attributes or from a sidecar that uses their names.

Only numbers and coded values are kept. Free text (names, comments, descriptions) never passes here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable

from toh_mri.core.study import Acquisition
from toh_mri.io.roles.body_part import coded_body_part

Getter = Callable[[str], object]

_VENDORS = {
    "siemens": "Siemens",
    "philips": "Philips",
    "ge medical": "GE",
    "ge healthcare": "GE",
    "general electric": "GE",
    "ge": "GE",
    "toshiba": "Canon",
    "canon": "Canon",
    "united imaging": "UIH",
    "uih": "UIH",
    "hitachi": "Hitachi",
    "fujifilm": "Fujifilm",
    "esaote": "Esaote",
}
_GE_CODE = re.compile(r"(?:FS|FC|IR|MT|NPW|PFF|PFP|SP)(?=$|_(?!GEMS|SLICE_|FREQ_))|[A-Z0-9][A-Z0-9_]*?_GEMS")
_CODE = re.compile(r"[A-Z0-9 _+./-]{1,24}")
_NO_AGENT = frozenset(
    {"", "-", "0", "N", "NO", "NONE", "NOT", "NA", "N/A", "NIL", "FALSE", "WITHOUT", "NO CONTRAST", "NON CONTRAST",
     "OHNE", "KEIN", "KEINE", "NEIN", "SANS", "AUCUN", "NON", "SIN", "SENZA", "SEM", "GEEN", "YOK", "BRAK", "无"}
)  # fmt: skip
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
_GROUPED_BY_COMMA = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")  # 4,000: four, or four thousand?


def number(value: object) -> float | None:
    """Return a finite number, or the first of several; None for anything else.

    Text may have a decimal comma; where the comma could as well divide thousands, the number is not known.
    """
    if isinstance(value, (list, tuple)) or type(value).__name__ == "MultiValue":
        items = list(value)  # type: ignore[call-overload]
        return number(items[0]) if items else None
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, str) and _DECIMAL_COMMA.fullmatch(value.strip()):
        if _GROUPED_BY_COMMA.fullmatch(value.strip()):
            return None
        value = value.replace(",", ".")
    try:
        result = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    return result if math.isfinite(result) else None


def numbers(value: object, count: int) -> tuple[float, ...] | None:
    """Return exactly `count` finite numbers; None for anything else."""
    if value is None or isinstance(value, str) or not isinstance(value, Iterable):
        return None
    result = tuple(number(item) for item in value)
    if len(result) != count or None in result:
        return None
    return tuple(item for item in result if item is not None)


def text(value: object) -> str | None:
    """Return stripped text; None where there is none."""
    if value is None or isinstance(value, (dict, list, tuple)):
        return None
    result = str(value).replace("\0", "").strip()
    return result or None


def codes(value: object) -> tuple[str, ...]:
    r"""Return coded values in upper case; accepts a list or text divided by ``\``."""
    if value is None:
        return ()
    items = value.split("\\") if isinstance(value, str) else value
    if not isinstance(items, Iterable):
        return ()
    cleaned = (str(item).strip().upper() for item in items)
    return tuple(item for item in cleaned if _CODE.fullmatch(item))


def make_acquisition(get: Getter) -> Acquisition:
    """Collect the acquisition parameters.

    Parameters
    ----------
    get : callable
        Maps a DICOM keyword (``RepetitionTime``) to its value in DICOM's unit (ms), or None.
    """
    modality = codes(get("Modality"))
    return Acquisition(
        modality=modality[0] if modality else None,
        manufacturer=_manufacturer(get("Manufacturer")),
        field_strength_t=_field_strength(get("MagneticFieldStrength")),
        repetition_time_ms=_positive(get("RepetitionTime")),
        echo_time_ms=_positive(get("EchoTime")),
        inversion_time_ms=_positive(get("InversionTime")),
        flip_angle_degree=_positive(get("FlipAngle")),
        echo_train_length=_count(get("EchoTrainLength")),
        scanning_sequence=codes(get("ScanningSequence")),
        sequence_variant=codes(get("SequenceVariant")),
        scan_options=_scan_options(get("ScanOptions")),
        image_type=codes(get("ImageType")),
        acquisition_type=_one_of(get("MRAcquisitionType"), {"2D", "3D"}),
        contrast_agent=_agent(get("ContrastBolusAgent")),
        slice_thickness_mm=_positive(get("SliceThickness")),
        body_part=coded_body_part(text(get("BodyPartExamined"))),
        laterality=_one_of(get("Laterality"), {"L", "R", "B"}) or _one_of(get("ImageLaterality"), {"L", "R", "B"}),
    )


def _scan_options(value: object) -> tuple[str, ...]:
    """Return the codes; converters before 2020 joined them: ``FAST_GEMS_ACC_GEMS_FS``."""
    if isinstance(value, str) and "_GEMS_" in value:
        return codes(_GE_CODE.findall(value.upper()))
    return codes(value)


def _positive(value: object) -> float | None:
    result = number(value)
    return result if result is not None and result > 0 else None


def _count(value: object) -> int | None:
    result = _positive(value)
    return int(result) if result is not None else None


def _one_of(value: object, allowed: set[str]) -> str | None:
    found = codes(value)
    return found[0] if found and found[0] in allowed else None


def _field_strength(value: object) -> float | None:
    """Return tesla; some systems write gauss (15000 for 1.5 T)."""
    strength = _positive(value)
    if strength is None:
        return None
    return strength / 10_000.0 if strength > 100 else strength


def _manufacturer(value: object) -> str | None:
    words = (text(value) or "").lower()
    for prefix, vendor in _VENDORS.items():
        if words.startswith(prefix):
            return vendor
    return None


def _agent(value: object) -> bool | None:
    name = text(value)
    return None if name is None else name.upper() not in _NO_AGENT
