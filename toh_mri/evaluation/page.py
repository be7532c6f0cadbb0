"""The page of an evaluation: self-contained, opens offline."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from toh_mri.core.record import NOTICE
from toh_mri.evaluation.agreement import Interval, IntraclassCorrelation, LimitsOfAgreement
from toh_mri.evaluation.compare import PARTS
from toh_mri.evaluation.evaluate import Evaluation
from toh_mri.evaluation.gallery import Plate, gallery
from toh_mri.evaluation.plots import bland_altman, reliability, roc
from toh_mri.evaluation.rates import FEW, Auc, Proportion
from toh_mri.evaluation.summary import (
    CONFIDENT,
    GOOD_DICE,
    MEASURES,
    NEAR_MM,
    NOT_CLASSIFIED,
    POOR_DICE,
    Figures,
    Spread,
    scores,
)

DASH = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
PATTERNS = ("toh_like", "on_like", "indeterminate", "no_finding", NOT_CLASSIFIED)


@dataclass(frozen=True)
class ReaderView:
    """What the page shows of one reader's truth: figures, groups, and plots with their titles."""

    name: str
    figures: Figures
    groups: dict[str, dict[str, Figures]]
    plots: tuple[tuple[str, str], ...]

    def not_measured(self, measure: str) -> int:
        """Return in how many hips the truth has edema and a measure of edema has no value; 0 for other measures."""
        by_column = {"edema_dice": "total"} | {f"edema_{part}_dice": part for part in PARTS[1:]}
        missed = {item.part: item.not_measured for item in self.figures.edema}
        return missed.get(by_column.get(measure, ""), 0)


def page(made: Evaluation) -> str:
    """Write an evaluation as HTML with all pictures inside."""
    partners = {study.study_id: (study, case) for study, case in made.pairing.pairs}
    plates: dict[str, list[Plate]] = {}
    for plate in gallery(made.hips, partners):
        plates.setdefault(plate.title, []).append(plate)
    return (
        _environment()
        .get_template("evaluation.html.j2")
        .render(
            made=made,
            readers=[_view(made, name) for name in made.by_reader],
            plates=plates,
            lost=[row for row in made.hips if row["status"] == "failed"],
            not_accepted=[row for row in made.hips if row.get("pattern_accepted") is False],
        )
    )


def _view(made: Evaluation, name: str) -> ReaderView:
    rows = [row for row in made.hips if row["reader"] == name]
    drawn = (
        ("Edema volume: Bland and Altman", bland_altman(rows)),
        ("TOH against ON: ROC", roc(*scores(rows))),
        (
            "Calibration (number of hips at each point)",
            reliability(made.by_reader[name].calibration, "probability of ON given", "share that was ON"),
        ),
        (
            "Confidence of the segmentation (number of hips at each point)",
            reliability(
                made.by_reader[name].confidence, "confidence given", f"share with head Dice above {GOOD_DICE:g}"
            ),
        ),
    )
    plots = tuple((title, picture) for title, picture in drawn if picture is not None)
    return ReaderView(name, made.by_reader[name], made.by_group[name], plots)


def number(value: object) -> str:
    """Write a number with three digits, anything else as it is, and a dash where there is nothing."""
    if value is None:
        return DASH
    if isinstance(value, float):
        text = f"{value:.3g}" if abs(value) >= 1e-3 else "0"
        return text.replace("-", MINUS)
    return str(value)


def spread(value: Spread | None, not_measured: int = 0) -> str:
    """Write median, range and number, and how many hips lack a value that they should have."""
    if value is None:
        return DASH
    n = f"n = {value.n}{_missed(not_measured)}"
    return f"{number(value.median)} ({number(value.low)} to {number(value.high)}; {n})"


def share(value: Proportion) -> str:
    """Write a count; with its rate and interval where there are enough hips for one; a dash where there is none."""
    if value.n == 0:
        return DASH
    if value.rate is None or value.interval is None:
        return f"{value.count} of {value.n}"
    low, high = value.interval
    return f"{value.count} of {value.n}: {100 * value.rate:.0f} % ({100 * low:.0f} to {100 * high:.0f})"


def estimate(value: Auc | IntraclassCorrelation | None) -> str:
    """Write an estimate with its interval, and say so where it is of few hips."""
    if value is None:
        return DASH
    few = value.n < FEW if isinstance(value, IntraclassCorrelation) else min(value.positives, value.negatives) < FEW
    return f"{_two_digits(value.value)}{_interval(value.interval)}{'; few hips' if few else ''}"


def limits(value: LimitsOfAgreement | None, not_measured: int = 0) -> str:
    """Write bias and limits of agreement; say so where they are of few hips, and how many hips lack a volume."""
    if value is None:
        return f"{DASH}{_missed(not_measured)}"
    n = f"n = {value.n}{_missed(not_measured)}"
    few = "; few hips" if value.n < FEW else ""
    return f"{number(value.bias)} ({number(value.low)} to {number(value.high)}; {n}){few}"


def words(name: str) -> str:
    """Write a stable name for people."""
    return name.replace("_", " ")


def _missed(count: int) -> str:
    return f", {count} not measured" if count else ""


def _two_digits(value: float) -> str:
    return f"{round(value, 2) + 0.0:.2f}".replace("-", MINUS)


def _interval(value: Interval | None) -> str:
    return " (no interval: no spread)" if value is None else f" ({_two_digits(value.low)} to {_two_digits(value.high)})"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("toh_mri.evaluation"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(number=number, spread=spread, share=share, estimate=estimate, limits=limits, words=words)
    environment.globals.update(NOTICE=NOTICE, DASH=DASH, FEW=FEW, PATTERNS=PATTERNS, MEASURES=MEASURES)
    environment.globals.update(NEAR_MM=NEAR_MM, CONFIDENT=CONFIDENT, POOR_DICE=POOR_DICE, GOOD_DICE=GOOD_DICE)
    return environment
