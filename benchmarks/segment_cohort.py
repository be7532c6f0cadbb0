"""How well and how fast heads and necks are found on a cohort with truth; nothing after the segmentation is run.

    python benchmarks/segment_cohort.py COHORT [--series both|fluid|t1] [--csv FILE] [--jobs 2]

COHORT is a folder of cases in the truth layout of docs/evaluate.md (``toh-mri phantom`` writes such folders). A hip
that is not found, or refused, counts as Dice 0. Seconds are processor time of one process, without reading files:
alignment and location shared between the hips of a study, plus the hip's own outline. On synthetic hips, figures are
figures on synthetic hips.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np

from toh_mri.core.config import Config
from toh_mri.core.errors import TohMriError
from toh_mri.core.hip import Anatomy, HipImages, Label
from toh_mri.core.study import Study
from toh_mri.evaluation.overlap import brought_to, dice, surface_distance
from toh_mri.geometry import Image, Side
from toh_mri.io import load_study, read_nifti
from toh_mri.preprocess import align_study, check_laterality, crop_hip
from toh_mri.segmentation import locate_hips, segment_hip

LETTER = {Side.RIGHT: "R", Side.LEFT: "L"}
FIRST_CODE = {Side.RIGHT: 1, Side.LEFT: 11}


@dataclass(frozen=True)
class Row:
    """Figures of one hip; nan where there is nothing to measure."""

    case: str
    side: str
    disease: str
    difficulty: str
    failure: str
    confidence: float
    head_dice: float
    neck_dice: float
    femur_dice: float
    acetabulum_dice: float
    head_distance_mm: float
    centre_mm: float
    diameter_mm: float
    head_volume_percent: float
    axis_degree: float
    seconds: float


def main() -> None:
    """Segment every case and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cohort", type=Path)
    parser.add_argument("--series", choices=("both", "fluid", "t1"), default="both")
    parser.add_argument("--csv", type=Path)
    parser.add_argument("--jobs", type=int, default=1)
    arguments = parser.parse_args()
    cases = sorted(path.parent.parent for path in arguments.cohort.glob("*/truth/truth.json"))
    rows: list[Row] = []
    with ProcessPoolExecutor(arguments.jobs, mp_context=get_context("spawn")) as pool:
        for found in pool.map(partial(rows_of, series=arguments.series), cases):
            rows += found
            print(f"{len(rows)} hips", end="\r", file=sys.stderr)
    if arguments.csv:
        with arguments.csv.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow([field.name for field in fields(Row)])
            writer.writerows([getattr(row, field.name) for field in fields(Row)] for row in rows)
    for difficulty in sorted({row.difficulty for row in rows}):
        print("\n".join(summary([row for row in rows if row.difficulty == difficulty], difficulty, arguments.series)))


def rows_of(case: Path, series: str) -> list[Row]:
    """Segment one case and compare every hip of its truth."""
    truth = json.loads((case / "truth" / "truth.json").read_text(encoding="utf-8"))
    folder = next(case / name for name in ("nifti", "study") if (case / name).is_dir())
    study = _with_series(load_study(folder, Config()), series)
    hips, reasons, seconds = segmented(study)
    rows = []
    for side in Side:
        facts = truth["hips"].get(LETTER[side])
        if facts is None:
            continue
        known: dict[str, Any] = {
            "case": case.name,
            "side": str(side),
            "disease": facts["cls"],
            "difficulty": truth.get("difficulty") or truth.get("params", {}).get("difficulty") or "unknown",
        }
        if side in hips:
            images, anatomy = hips[side]
            figures = compared(images, anatomy, case / "truth", truth, side)
            rows.append(Row(**known, failure="", confidence=anatomy.confidence, **figures, seconds=seconds))
        else:
            missing = dict.fromkeys((f.name for f in fields(Row) if f.name not in known), float("nan"))
            lost = {"failure": reasons.get(side, "not_found"), "confidence": 0.0, "head_dice": 0.0, "neck_dice": 0.0}
            rows.append(Row(**{**known, **missing, **lost}))
    return rows


def segmented(study: Study) -> tuple[dict[Side, tuple[HipImages, Anatomy]], dict[Side, str], float]:
    """Return the hips of a study, why others are missing, and processor seconds for each hip found."""
    config = Config()
    hips: dict[Side, tuple[HipImages, Anatomy]] = {}
    reasons: dict[Side, str] = {}
    start = process_time()
    try:
        aligned = align_study(study, config.preprocess)
        locations = check_laterality(aligned, locate_hips(aligned, config.segmentation))
    except TohMriError as error:
        return {}, dict.fromkeys(Side, error.code), float("nan")
    for location in locations:
        try:
            images = crop_hip(aligned, location, config.preprocess)
            hips[location.side] = (images, segment_hip(images, config.segmentation))
        except TohMriError as error:
            reasons[location.side] = error.code
    return hips, reasons, (process_time() - start) / max(1, len(locations))


def compared(images: HipImages, anatomy: Anatomy, folder: Path, truth: dict[str, Any], side: Side) -> dict[str, float]:
    """Compare one hip with its truth on the grid of its reference series."""
    name, labels = _truth_on_grid(images, folder)
    own = brought_to(np.asarray(anatomy.labels.array), anatomy.labels.grid, labels.grid)
    first, facts = FIRST_CODE[side], truth["hips"][LETTER[side]]
    movement = np.array(truth["series"].get(name, {}).get("movement_lps", np.eye(4)))
    centre = (movement @ np.append(facts["head_center_lps"], 1.0))[:3]
    masks = {label: (own == label.code, labels.array == first + label.code - 1) for label in Label}
    # The truth goes on down the shaft; what is segmented ends within two radii of the head's centre.
    near = np.linalg.norm(labels.grid.voxel_centres() - centre, axis=-1) < 2 * facts["head_radius_mm"]
    overlap = {label: dice(x, y) for label, (x, y) in masks.items() if label is not Label.PROXIMAL_FEMUR}
    overlap[Label.PROXIMAL_FEMUR] = dice(*(mask & near for mask in masks[Label.PROXIMAL_FEMUR]))
    a, b = masks[Label.FEMORAL_HEAD]
    distance = surface_distance(a, b, labels.grid.spacing_mm)
    axis = movement[:3, :3] @ np.array(facts["neck_axis_lps"])
    cosine = np.nan if anatomy.neck_axis is None else np.clip(np.dot(anatomy.neck_axis, axis), -1, 1)
    return {
        **{
            f"{part}_dice": _number(overlap[label])
            for part, label in zip(("head", "neck", "femur", "acetabulum"), Label, strict=True)
        },
        "head_distance_mm": _number(None if distance is None else distance.mean_mm),
        "centre_mm": float(np.linalg.norm(np.subtract(anatomy.head.center, centre))),
        "diameter_mm": 2 * (anatomy.head.radius_mm - facts["head_radius_mm"]),
        "head_volume_percent": 100 * (np.count_nonzero(a) / np.count_nonzero(b) - 1),
        "axis_degree": float(np.degrees(np.arccos(cosine))),
    }


def summary(rows: list[Row], difficulty: str, series: str) -> Iterator[str]:
    """Yield the lines of the table."""

    def column(name: str) -> np.ndarray:
        return np.array([getattr(row, name) for row in rows], dtype=float)

    head, confidence = column("head_dice"), column("confidence")
    centre = np.nan_to_num(column("centre_mm"), nan=np.inf)
    wrong = (confidence >= 0.8) & (head < 0.8)
    failed = sorted({row.failure for row in rows if row.failure})
    yield from (
        f"{difficulty}, {series}: {len(rows)} hips",
        f"  localised within 5 mm       {100 * np.mean(centre <= 5):.1f} %",
        f"  head Dice                   median {np.median(head):.3f}, 5th percentile {np.percentile(head, 5):.3f}",
        f"  head Dice at least 0.92     {100 * np.mean(head >= 0.92):.0f} %, none {100 * np.mean(head == 0):.1f} %",
        f"  mean surface distance       median {np.nanmedian(column('head_distance_mm')):.2f} mm",
        f"  neck Dice                   median {np.median(column('neck_dice')):.3f}",
        f"  neck axis                   median error {np.nanmedian(column('axis_degree')):.1f} degrees",
        f"  head centre                 median {np.median(centre):.2f} mm, 95th {np.percentile(centre, 95):.2f} mm",
        f"  head diameter               median error {np.nanmedian(np.abs(column('diameter_mm'))):.2f} mm",
        f"  head volume                 bias {np.nanmean(column('head_volume_percent')):+.1f} %",
        f"  rest of femur, in 2 radii   median Dice {np.nanmedian(column('femur_dice')):.3f}",
        f"  acetabulum                  median Dice {np.nanmedian(column('acetabulum_dice')):.3f}",
        f"  confident failures          {np.count_nonzero(wrong)} ({100 * np.mean(wrong):.1f} %)",
        f"  processor seconds a hip     median {np.nanmedian(column('seconds')):.2f}",
        "  failed                      "
        + (", ".join(f"{sum(row.failure == code for row in rows)} {code}" for code in failed) or "none"),
    )


def _with_series(study: Study, series: str) -> Study:
    if series == "both":
        return study
    t1 = series == "t1"
    kept = (s for s in study.series if (s.role.contrast.is_t1_like if t1 else s.role.contrast.is_fluid_sensitive))
    return replace(study, series=tuple(kept))


def _truth_on_grid(images: HipImages, folder: Path) -> tuple[str, Image]:
    """Return the truth's labels on the reference series' grid, found by name or, for DICOM, by its place."""
    named = folder / f"{images.reference}_labels.nii.gz"
    paths = [named] if named.exists() else sorted(folder.glob("*_labels.nii.gz"))
    own = images.reference_series.image.grid
    for path in paths:
        labels = read_nifti(path)
        start = labels.grid.to_world(images.crop_start)
        if labels.grid.shape == images.full_grid_shape and np.allclose(start, own.to_world([0, 0, 0]), atol=0.01):
            return path.name.removesuffix("_labels.nii.gz"), labels
    raise FileNotFoundError(f"{folder}: no labels on the grid of {images.reference}")


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


if __name__ == "__main__":
    main()
