"""The words, units and colours of the pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from toh_mri.core.hip import Pattern, Scalar, Status
from toh_mri.core.record import HipRecord

DASH = "—"

PATTERN_WORDS: Mapping[Pattern | None, str] = {
    Pattern.NO_FINDING: "no finding",
    Pattern.TOH_LIKE: "TOH-like",
    Pattern.ON_LIKE: "ON-like",
    Pattern.INDETERMINATE: "indeterminate",
    None: "not classified",
}

STATUS_WORDS: Mapping[Status, str] = {
    Status.OK: "ok",
    Status.REVIEW: "please review",
    Status.FAILED: "failed",
}


@dataclass(frozen=True)
class Legend:
    """How a structure is named and drawn on the pictures; `switch` is the group that shows and hides it."""

    name: str
    words: str
    colour: str
    switch: str
    filled: bool
    dashes: str = ""


# Colours of Okabe & Ito, "Color universal design" (2008), which people with any colour vision tell apart;
# form (filled, line, dashed) says the same once more.
LEGENDS = (
    Legend("femoral_head", "femoral head", "#56B4E9", "outlines", filled=False),
    Legend("femoral_neck", "femoral neck", "#F0E442", "outlines", filled=False),
    Legend("proximal_femur", "rest of the femur", "#FFFFFF", "outlines", filled=False, dashes="2 1.4"),
    Legend("acetabulum", "acetabulum", "#FFFFFF", "outlines", filled=False, dashes="0.6 1.1"),
    Legend("located_head", "head as located", "#56B4E9", "outlines", filled=False, dashes="2 1.4"),
    Legend("edema", "edema", "#E69F00", "edema", filled=True),
    Legend("necrosis", "necrosis", "#009E73", "lesions", filled=True),
    Legend("band", "band", "#CC79A7", "lesions", filled=True),
    Legend("subchondral_line", "subchondral line", "#D55E00", "lesions", filled=True),
    Legend("neck_line", "neck fracture line", "#D55E00", "lesions", filled=True, dashes="1.6 1"),
    Legend("effusion", "effusion", "#0072B2", "fluid", filled=True),
    Legend("cyst", "cyst", "#0072B2", "fluid", filled=True, dashes="0.6 1"),
)

SWITCHES: Mapping[str, str] = {
    "outlines": "Bone outlines",
    "edema": "Edema",
    "lesions": "Lines and necrosis",
    "fluid": "Fluid",
}

_UNITS = {
    "ml": "ml",
    "mm": "mm",
    "mm2": "mm²",
    "percent": "%",
    "degree": "°",
    "fraction": "",
    "t": "T",
    "ms": "ms",
    "sd": "SD",
}

KEY_VALUES: Mapping[int, tuple[tuple[str, str], ...]] = {
    3: (
        ("edema_volume_ml", "Edema"),
        ("head_edema_percent", "Edema, share of the head"),
        ("neck_edema_percent", "Edema, share of the neck"),
        ("acetabulum_edema_ml", "Edema, acetabulum"),
        ("band_present", "Band"),
        ("band_length_mm", "Band, length"),
        ("subchondral_line_present", "Subchondral line"),
        ("subchondral_line_length_mm", "Subchondral line, length"),
        ("neck_line_present", "Neck fracture line"),
        ("necrosis_volume_ml", "Necrosis"),
        ("necrotic_percent", "Necrosis, share of the head"),
        ("effusion_volume_ml", "Effusion"),
        ("head_diameter_mm", "Head, diameter"),
        ("head_volume_ml", "Head, volume"),
        ("neck_volume_ml", "Neck, volume"),
    ),
    2: (
        ("edema_area_mm2", "Edema"),
        ("head_edema_percent", "Edema, share of the head"),
        ("neck_edema_percent", "Edema, share of the neck"),
        ("band_present", "Band"),
        ("band_length_mm", "Band, length"),
        ("subchondral_line_present", "Subchondral line"),
        ("subchondral_line_length_mm", "Subchondral line, length"),
        ("neck_line_present", "Neck fracture line"),
        ("head_diameter_mm", "Head, diameter"),
        ("head_area_mm2", "Head, area"),
        ("neck_area_mm2", "Neck, area"),
    ),
}


@dataclass(frozen=True)
class Value:
    """One measured value as it stands on the page. `reason` is the code of an absent one."""

    name: str
    words: str
    text: str
    unit: str
    reason: str | None


def key_values(hip: HipRecord) -> tuple[Value, ...]:
    """Return the values a reader looks for first."""
    return tuple(_value(hip, name, words) for name, words in KEY_VALUES[hip.dimensionality])


def all_values(hip: HipRecord) -> tuple[Value, ...]:
    """Return every measured value and every absent one, by name."""
    if hip.measurements is None:
        return ()
    names = sorted({*hip.measurements.values, *hip.measurements.absent})
    return tuple(_value(hip, name, name) for name in names)


def _value(hip: HipRecord, name: str, words: str) -> Value:
    measured = hip.measurements
    if measured is not None and name in measured.values:
        return Value(name, words, number(measured.values[name]), unit_of(name), None)
    if measured is not None and name in measured.absent:
        return Value(name, words, DASH, "", measured.absent[name])
    return Value(name, words, DASH, "", hip.reason if measured is None else "not_measured")


def unit_of(name: str) -> str:
    """Return the unit a name ends with, as it is printed; empty where there is none."""
    return _UNITS.get(name.rpartition("_")[2], "")


def number(value: Scalar | None) -> str:
    """Print a value: three significant digits, yes or no, or a dash."""
    match value:
        case None:
            return DASH
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return str(value)
