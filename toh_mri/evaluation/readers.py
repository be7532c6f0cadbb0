"""Two readers of one case against each other."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np

from toh_mri.evaluation.compare import Row
from toh_mri.evaluation.overlap import brought_to, dice
from toh_mri.evaluation.results import StudyOutcome
from toh_mri.evaluation.truth import REGIONS, Case, Reader, TruthHip
from toh_mri.geometry import Side

READER_COLUMNS = (
    *("case", "side", "reader_a", "reader_b", "series_a", "series_b", "reason"),
    *("femoral_head_dice", "femoral_neck_dice", "edema_dice", "edema_a_ml", "edema_b_ml"),
)


def compare_readers(study: StudyOutcome, case: Case) -> list[Row]:
    """Return one row per hip and pair of readers; where they cannot be compared, with the `reason` and no figures.

    Of several series both drew on, the reference series counts, else the first by name. Where there is none, their
    most parallel series are compared on the grid of the first reader.
    """
    rows: list[Row] = []
    for a, b in combinations(sorted(case.readers, key=lambda reader: reader.name), 2):
        sides = a.sides or b.sides or tuple(study.hips)
        known: Row = {"case": case.name, "reader_a": a.name, "reader_b": b.name}
        rows += [{**known, "side": str(side), **_compared(study, a, b, side)} for side in sides]
        if not sides:
            rows.append({**known, "side": None, "reason": "sides_not_told_apart"})
    return rows


def _compared(study: StudyOutcome, a: Reader, b: Reader, side: Side) -> Row:
    hip = study.hips.get(side)
    series = _series(a, b, None if hip is None else hip.text("reference_series"))
    centers = {own: hip.head_center for own, hip in study.hips.items() if hip.head_center is not None}
    of_a, of_b = a.hip(series[0], side, centers), b.hip(series[1], side, centers)
    row: Row = {"series_a": series[0], "series_b": series[1], "reason": None}
    if not brought_to(np.ones(of_b.grid.shape, dtype=bool), of_b.grid, of_a.grid).any():
        return row | {"reason": "fields_of_view_do_not_meet"}
    figures = _regions(of_a, of_b) | _edema(of_a, of_b)
    return row | (figures or {"reason": "no_structure_that_both_drew"})


def _series(a: Reader, b: Reader, reference: str | None) -> tuple[str, str]:
    """Choose the series to compare two readers on: one that both drew on, else the two most parallel ones."""
    shared = sorted(set(a.files) & set(b.files))
    if shared:
        one = reference if reference in shared else shared[0]
        return str(one), str(one)
    normals = [{series: reader.slice_normal(series) for series in reader.files} for reader in (a, b)]
    # Of equally parallel ones, the reference series, then the first by name.
    return min(
        product(sorted(a.files), sorted(b.files)),
        key=lambda two: (-round(abs(float(normals[0][two[0]] @ normals[1][two[1]])), 3), reference not in two, two),
    )


def _regions(a: TruthHip, b: TruthHip) -> Row:
    if a.regions is None or b.regions is None:
        return {}
    other = brought_to(b.regions, b.grid, a.grid)
    return {f"{name}_dice": dice(a.regions == code, other == code) for code, name in enumerate(REGIONS[:2], start=1)}


def _edema(a: TruthHip, b: TruthHip) -> Row:
    drawn_a, drawn_b = a.masks.get("edema"), b.masks.get("edema")
    if drawn_a is None or drawn_b is None:
        return {}
    return {
        "edema_dice": dice(drawn_a, brought_to(drawn_b, b.grid, a.grid).astype(bool)),
        "edema_a_ml": float(drawn_a.sum()) * a.grid.voxel_volume_ml,
        "edema_b_ml": float(drawn_b.sum()) * b.grid.voxel_volume_ml,
    }
