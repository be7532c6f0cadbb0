"""From rows to figures: medians, agreement, rates, and the same by group."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from toh_mri.evaluation.agreement import (
    IntraclassCorrelation,
    LimitsOfAgreement,
    intraclass_correlation,
    limits_of_agreement,
)
from toh_mri.evaluation.compare import PARTS, STRUCTURES, Row
from toh_mri.evaluation.patterns import is_scored
from toh_mri.evaluation.rates import Auc, Calibration, Proportion, area_under_curve, calibration, proportion
from toh_mri.evaluation.truth import LINES

_SHAPE_WORDS = {
    "dice": "Dice",
    "surface_distance_mm": "average surface distance, mm",
    "hausdorff95_mm": "95 % Hausdorff distance, mm",
}
MEASURES: Mapping[str, str] = {
    **{
        f"femoral_{part}_{end}": f"{part.title()}: {text}"
        for part in ("head", "neck")
        for end, text in _SHAPE_WORDS.items()
    },
    "head_center_error_mm": "Head: error of the centre, mm",
    "head_diameter_error_mm": "Head: error of the diameter, mm",
    "head_volume_error_percent": "Head: error of the volume, %",
    "neck_axis_error_degree": "Neck: error of the axis, degrees",
    "edema_dice": "Edema: Dice",
    **{f"edema_{part}_dice": f"Edema, {part.replace('_', ' ')}: Dice" for part in PARTS[1:]},
    **{f"{name}_dice": f"{name.capitalize()}: Dice" for name in STRUCTURES},
    **{
        f"{line}_truth_found_fraction": f"{line.replace('_', ' ').capitalize()}: share of the true length found"
        for line in LINES
    },
    **{
        f"{line}_found_true_fraction": f"{line.replace('_', ' ').capitalize()}: share of the found length true"
        for line in LINES
    },
}
"""Columns of which the page gives the median, and their names for people."""

SPACING_LIMITS_MM = (3.5, 4.5)
_SPACING_GROUPS = ("up to 3.5 mm", "over 3.5 to 4.5 mm", "over 4.5 mm")
NOT_KNOWN = "not known"
NOT_CLASSIFIED = "not classified"

NEAR_MM = 5.0
"""A head is localised where its centre is at most this far off."""

GOOD_DICE, POOR_DICE, CONFIDENT = 0.9, 0.8, 0.8
"""What the segmentation's confidence foretells; below what a confident result is a confident failure; confident."""

# Worse than any probability: a hip that is not classified is wrong, whichever its truth.
_WRONG_FOR_ON, _WRONG_FOR_TOH = -1.0, 2.0


@dataclass(frozen=True)
class Spread:
    """Median and range of what was measured, and of how many hips."""

    n: int
    median: float
    low: float
    high: float


@dataclass(frozen=True)
class VolumeAgreement:
    """Volume of the program against the truth, ml: of edema in a part of the hip, or of a structure.

    `not_measured`: hips in which the truth has some and the program gave no volume.
    """

    part: str
    not_measured: int
    limits: LimitsOfAgreement | None
    correlation: IntraclassCorrelation | None


@dataclass(frozen=True)
class LineDetection:
    """Hips with a line that was found, and without one where none was found. Failed hips are errors in both."""

    sensitivity: Proportion
    specificity: Proportion
    short_not_scored: int


@dataclass(frozen=True)
class Figures:
    """Everything that is said about one group of hips."""

    hips: int
    patients: int
    segmented: Proportion
    localised: Proportion
    confident_failures: Proportion
    failures: Mapping[str, int]
    measures: Mapping[str, Spread]
    edema: tuple[VolumeAgreement, ...]
    structures: tuple[VolumeAgreement, ...]
    lines: Mapping[str, LineDetection]
    accepted: Proportion
    not_scored: Mapping[str, int]
    patterns: Mapping[str, Mapping[str, int]]
    roc: Auc | None
    calibration: Calibration | None
    confidence: Calibration | None


@dataclass(frozen=True)
class ReaderAgreement:
    """Two readers against each other."""

    reader_a: str
    reader_b: str
    hips: int
    measures: Mapping[str, Spread]
    limits: LimitsOfAgreement | None
    correlation: IntraclassCorrelation | None


GROUPS: Mapping[str, Callable[[Row], str]] = {
    "difficulty": lambda row: str(row.get("difficulty") or NOT_KNOWN),
    "reference sequence": lambda row: str(row.get("contrast") or NOT_KNOWN),
    "slice spacing": lambda row: _spacing_group(row.get("slice_spacing_mm")),
}
"""What hips are grouped by, and the group of a row."""


def figures(rows: Sequence[Row]) -> Figures:
    """Sum up rows of one reader."""
    on, toh = scored(rows)
    return Figures(
        hips=len(rows),
        patients=len({row["patient"] for row in rows}),
        segmented=_share(rows, lambda row: row["status"] != "failed"),
        localised=_share([row for row in rows if _has_place(row, rows)], _is_near),
        confident_failures=_share([row for row in rows if _has_shape(row, rows)], _is_confident_failure),
        failures=dict(sorted(Counter(str(row["reason"]) for row in rows if _is_lost(row)).items())),
        measures={name: spread for name in MEASURES if (spread := _spread(numbers(rows, name)))},
        edema=_agreements(rows, {part: f"edema_{part}" for part in PARTS}),
        structures=_agreements(rows, {name: name for name in STRUCTURES}),
        lines={line: _detection(rows, line) for line in LINES if any(row.get(f"{line}_truth") for row in rows)},
        accepted=_share(
            [row for row in rows if row.get("pattern_accepted") is not None],
            lambda row: row["pattern_accepted"] is True,
        ),
        not_scored=dict(sorted(Counter(str(row["class"]) for row in rows if _is_unknown_class(row)).items())),
        patterns=_table(rows),
        roc=area_under_curve(*scores(rows), patients=(_patients(on), _patients(toh))),
        calibration=_calibration(rows),
        confidence=confidence_calibration(rows),
    )


def grouped(rows: Sequence[Row]) -> dict[str, dict[str, Figures]]:
    """Sum up rows of one reader by each of `GROUPS`."""
    return {
        title: {name: figures([row for row in rows if group(row) == name]) for name in _names(rows, group)}
        for title, group in GROUPS.items()
    }


def between_readers(rows: Sequence[Row]) -> tuple[ReaderAgreement, ...]:
    """Sum up rows of pairs of readers."""
    return tuple(
        _reader_pair(a, b, [row for row in rows if (row["reader_a"], row["reader_b"]) == (a, b)])
        for a, b in sorted({(str(row["reader_a"]), str(row["reader_b"])) for row in rows})
    )


def scores(rows: Sequence[Row]) -> tuple[list[float], list[float]]:
    """Return the probabilities of ON of the hips with ON and of those with TOH; a hip without one is wrong."""
    on, toh = scored(rows)
    return [_score(row, _WRONG_FOR_ON) for row in on], [_score(row, _WRONG_FOR_TOH) for row in toh]


def scored(rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Return the hips with ON and those with TOH."""
    return [row for row in rows if row.get("class") == "ON"], [row for row in rows if row.get("class") == "TOH"]


def confidence_calibration(rows: Sequence[Row]) -> Calibration | None:
    """Compare the segmentation's confidence with how often the head's Dice was above `GOOD_DICE`.

    Of hips that have both: a hip that was refused made no claim.
    """
    both = [row for row in rows if numbers([row], "segmentation_confidence") and numbers([row], "femoral_head_dice")]
    good = np.array(numbers(both, "femoral_head_dice")) > GOOD_DICE
    return calibration(np.clip(numbers(both, "segmentation_confidence"), 0.0, 1.0), good)


def numbers(rows: Sequence[Row], column: str) -> list[float]:
    """Return the numbers of a column that are there."""
    return [value for row in rows if isinstance(value := row.get(column), (int, float))]


def _names(rows: Sequence[Row], group: Callable[[Row], str]) -> list[str]:
    """Return the groups there are, by name; those of slice spacing from thin to thick, what is not known last."""
    found = {group(row) for row in rows}
    ordered = [name for name in _SPACING_GROUPS if name in found]
    return [*ordered, *sorted(found - {*ordered, NOT_KNOWN}), *({NOT_KNOWN} & found)]


def _score(row: Row, wrong: float) -> float:
    value = row.get("probability_on")
    return value if isinstance(value, float) else wrong


def _share(rows: Sequence[Row], happened: Callable[[Row], bool]) -> Proportion:
    return proportion((happened(row) for row in rows), _patients(rows))


def _patients(rows: Sequence[Row]) -> list[str]:
    return [str(row["patient"]) for row in rows]


def _has_place(row: Row, rows: Sequence[Row]) -> bool:
    """Tell whether it can be said how near a head was found; hips without a result count where any hip has a truth."""
    return bool(numbers([row], "head_center_error_mm")) or (
        _is_lost(row) and bool(numbers(rows, "head_center_error_mm"))
    )


def _is_near(row: Row) -> bool:
    return any(value <= NEAR_MM for value in numbers([row], "head_center_error_mm"))


def _has_shape(row: Row, rows: Sequence[Row]) -> bool:
    return bool(numbers([row], "femoral_head_dice")) or (_is_lost(row) and bool(numbers(rows, "femoral_head_dice")))


def _is_confident_failure(row: Row) -> bool:
    confidence, overlap = numbers([row], "segmentation_confidence"), numbers([row], "femoral_head_dice")
    return bool(confidence and overlap) and confidence[0] >= CONFIDENT and overlap[0] < POOR_DICE


def _is_unknown_class(row: Row) -> bool:
    return bool(row.get("class")) and not is_scored(str(row["class"]))


def _is_lost(row: Row) -> bool:
    return row["status"] == "failed"


def _spread(values: Sequence[float]) -> Spread | None:
    return Spread(len(values), float(np.median(values)), min(values), max(values)) if values else None


def _agreements(rows: Sequence[Row], columns: Mapping[str, str]) -> tuple[VolumeAgreement, ...]:
    """Sum up volumes by part; a part that no hip was measured in, and none should have been, is left out."""
    found = (_volumes(rows, part, column) for part, column in columns.items())
    return tuple(item for item, n in found if n or item.not_measured)


def _volumes(rows: Sequence[Row], part: str, column: str) -> tuple[VolumeAgreement, int]:
    """Return the agreement, and of how many hips it is."""
    both = [row for row in rows if row.get(f"{column}_difference_ml") is not None]
    measured, truth = numbers(both, f"{column}_ml"), numbers(both, f"{column}_truth_ml")
    lacking = numbers([row for row in rows if row.get(f"{column}_difference_ml") is None], f"{column}_truth_ml")
    made = VolumeAgreement(
        part=part,
        not_measured=sum(volume > 0 for volume in lacking),
        limits=limits_of_agreement(measured, truth),
        correlation=intraclass_correlation(np.column_stack([measured, truth])),
    )
    return made, len(both)


def _detection(rows: Sequence[Row], line: str) -> LineDetection:
    truth, found = f"{line}_truth", f"{line}_present"
    return LineDetection(
        sensitivity=_share([row for row in rows if row.get(truth) == "present"], lambda row: row.get(found) is True),
        specificity=_share([row for row in rows if row.get(truth) == "absent"], lambda row: row.get(found) is False),
        short_not_scored=sum(row.get(truth) == "short" for row in rows),
    )


def _table(rows: Sequence[Row]) -> dict[str, dict[str, int]]:
    counts: dict[str, Counter[str]] = {}
    for row in rows:
        if row.get("class"):
            pattern = str(row.get("pattern") or NOT_CLASSIFIED)
            counts.setdefault(str(row["class"]), Counter())[pattern] += 1
    return {name: dict(sorted(counts[name].items())) for name in sorted(counts)}


def _calibration(rows: Sequence[Row]) -> Calibration | None:
    on, toh = scores(rows)
    # A hip that is not classified counts as wrong with certainty.
    probability = np.clip(np.array([*on, *toh]), 0.0, 1.0)
    return calibration(probability, np.repeat([True, False], [len(on), len(toh)]))


def _reader_pair(a: str, b: str, rows: Sequence[Row]) -> ReaderAgreement:
    volumes = np.array([numbers(rows, "edema_a_ml"), numbers(rows, "edema_b_ml")])
    names = ("femoral_head_dice", "femoral_neck_dice", "edema_dice")
    return ReaderAgreement(
        reader_a=a,
        reader_b=b,
        hips=len(rows),
        measures={name: spread for name in names if (spread := _spread(numbers(rows, name)))},
        limits=limits_of_agreement(volumes[0], volumes[1]),
        correlation=intraclass_correlation(volumes.T),
    )


def _spacing_group(spacing_mm: object) -> str:
    if not isinstance(spacing_mm, float):
        return NOT_KNOWN
    return _SPACING_GROUPS[bisect_left(SPACING_LIMITS_MM, spacing_mm)]
