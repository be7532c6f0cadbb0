"""Fit the segmentation's confidence on synthetic cohorts with truth, and write the packaged table.

    python benchmarks/fit_confidence.py --work SCRATCH COHORT_A COHORT_B

Each cohort is a folder of ``case-*/nifti`` and ``case-*/truth`` as ``toh-mri phantom`` writes them. Every hip is traced
as it is and worsened in several ways, also from wrong places, so that there are failures to learn from. Each cohort is
judged by a model fitted on the other one, and by models fitted on other cases of both; the table is fitted on all.
What was traced is kept in SCRATCH, case by case: delete it after a change of the search or the surface.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from confidence_cases import traced_case
from scipy.optimize import minimize

SEED = 20250
GOOD_DICE, POOR_DICE, CONFIDENT = 0.9, 0.8, 0.8
FOLDS = 5
RIDGE = 0.2  # best Brier score across the cohorts, from 0.01 to 3; few hips, many features that say the same
LIMIT_PERCENTILE = 98.0
TABLE = Path(__file__).parent.parent / "toh_mri" / "segmentation" / "confidence_table.json"

Row = dict[str, Any]


def main() -> None:
    """Trace, fit, judge, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cohorts", nargs="+", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--date", required=True, help="of the fit, written into the table")
    given = parser.parse_args()
    rows = [row for number, root in enumerate(given.cohorts) for row in traced(root, number, given.work)]
    models = {}
    for dimensionality in ("3d", "2d"):
        chosen = [row for row in rows if row["dimensionality"] == dimensionality]
        models[dimensionality] = fit(chosen) | {"judged": judge(chosen, dimensionality)}
    cohorts = [f"{root.name}: {len(list(root.glob('case-*')))} cases" for root in given.cohorts]
    head = {"target": f"head Dice above {GOOD_DICE}", "date": given.date, "seed": SEED, "synthetic_cohorts": cohorts}
    TABLE.write_text(json.dumps(head | models, indent=2) + "\n", encoding="utf-8")


def traced(root: Path, cohort: int, work: Path) -> Iterator[Row]:
    """Yield one row per traced hip, from SCRATCH where it is there already."""
    work.mkdir(parents=True, exist_ok=True)
    for folder in sorted(root.glob("case-*")):
        kept = work / f"{cohort}-{folder.name}.json"
        if not kept.exists():
            content = json.dumps(list(traced_case(folder, SEED)))
            kept.write_text(content, encoding="utf-8")
        for row in json.loads(kept.read_text(encoding="utf-8")):
            yield row | {"cohort": cohort, "case": f"{cohort}-{folder.name}"}


def fit(rows: list[Row]) -> dict[str, Any]:
    """Fit a logistic model with coefficients >= 0 for doubt, each case weighing the same."""
    names = list(rows[0]["features"])
    values = np.array([[row["features"][name] for name in names] for row in rows])
    limits = np.maximum(np.percentile(values, LIMIT_PERCENTILE, axis=0), 1e-3)
    scaled = np.minimum(values, limits) / limits
    good = np.array([row["dice"] > GOOD_DICE for row in rows], dtype=float)
    count = {case: sum(row["case"] == case for row in rows) for case in {row["case"] for row in rows}}
    weight = np.array([1.0 / count[row["case"]] for row in rows])
    weight /= weight.sum()

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        logit = parameters[0] - scaled @ parameters[1:]
        error = weight * (1 / (1 + np.exp(-logit)) - good)
        value = float(weight @ (np.logaddexp(0, logit) - good * logit) + RIDGE / 100 * np.sum(parameters[1:] ** 2))
        return value, np.concatenate([[error.sum()], -scaled.T @ error + RIDGE / 50 * parameters[1:]])

    seen = np.percentile(values, LIMIT_PERCENTILE, axis=0) > 0  # what hardly any hip shows cannot be learned
    bounds = [(None, None)] + [(0.0, None if shown else 0.0) for shown in seen]
    found = minimize(loss, np.r_[2.0, seen.astype(float)], jac=True, bounds=bounds, method="L-BFGS-B").x
    terms = {
        name: {"coefficient": round(float(c / limit), 5), "limit": round(float(limit), 5)}
        for name, c, limit in zip(names, found[1:], limits, strict=True)
        if c > 1e-3
    }
    return {"intercept": round(float(found[0]), 5), "hips_traced": len(rows), "terms": terms}


def probability(model: dict[str, Any], row: Row) -> float:
    """Return what a model says of a row, written apart from the package's own."""
    doubt = sum(t["coefficient"] * min(row["features"][name], t["limit"]) for name, t in model["terms"].items())
    return float(1 / (1 + np.exp(doubt - model["intercept"])))


def judge(rows: list[Row], title: str) -> dict[str, Any]:
    """Judge by case and across cohorts, print the tables and return the figures."""
    draw = np.random.default_rng(SEED)
    cases = draw.permutation(sorted({row["case"] for row in rows}))
    fold = {case: n % FOLDS for n, case in enumerate(cases)}
    judged = {"by_case": _held_out(rows, lambda row: fold[row["case"]])}
    if len({row["cohort"] for row in rows}) > 1:
        judged["across_cohorts"] = _held_out(rows, lambda row: row["cohort"])
    return {name: _report(pairs, f"{title}, {name}") for name, pairs in judged.items()}


def _held_out(rows: list[Row], group: Any) -> list[tuple[Row, float]]:  # noqa: ANN401 - a function of a row
    pairs = []
    for left_out in sorted({group(row) for row in rows}):
        model = fit([row for row in rows if group(row) != left_out])
        pairs += [(row, probability(model, row)) for row in rows if group(row) == left_out]
    return pairs


def _report(pairs: list[tuple[Row, float]], title: str) -> dict[str, Any]:
    said = np.array([p for _, p in pairs])
    dice = np.array([row["dice"] for row, _ in pairs])
    good = dice > GOOD_DICE
    failures = (said >= CONFIDENT) & (dice < POOR_DICE)
    figures = {
        "brier": round(float(np.mean((said - good) ** 2)), 4),
        "brier_of_the_base_rate": round(float(good.mean() * (1 - good.mean())), 4),
        "confident_failures_fraction": round(float(failures.mean()), 4),
        "confident_fraction": round(float((said >= CONFIDENT).mean()), 4),
    }
    print(f"\n{title}: {len(pairs)} traces, {100 * good.mean():.0f} % good; {figures}")
    edges = np.array([0, 0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 1.0001])
    for low, high in pairwise(edges):
        here = (said >= low) & (said < high)
        if here.any():
            print(f"  said {low:.2f}-{min(high, 1):.2f}: n {here.sum():4d}, mean said {said[here].mean():.3f}, "
                  f"good {good[here].mean():.3f}, worst Dice {dice[here].min():.3f}")  # fmt: skip
    for variant in sorted({row["variant"] for row, _ in pairs}):
        here = np.array([row["variant"] == variant for row, _ in pairs])
        print(f"  {variant:14}: n {here.sum():4d}, said {said[here].mean():.3f}, good {good[here].mean():.3f}, "
              f"confident failures {failures[here].sum()}")  # fmt: skip
    return figures


if __name__ == "__main__":
    main()
