"""Two readers of one case against each other."""

from __future__ import annotations

from itertools import combinations

from toh_mri.evaluation.compare import Row
from toh_mri.evaluation.overlap import brought_to, dice
from toh_mri.evaluation.results import StudyOutcome
from toh_mri.evaluation.truth import REGIONS, Case, Reader, TruthHip
from toh_mri.geometry import Side

READER_COLUMNS = (
    *("case", "side", "series", "reader_a", "reader_b"),
    *("femoral_head_dice", "femoral_neck_dice", "edema_dice", "edema_a_ml", "edema_b_ml"),
)


def compare_readers(study: StudyOutcome, case: Case) -> list[Row]:
    """Return one row per hip and pair of readers who drew on the same series.

    Of several series they share, the reference series counts, else the first by name.
    """
    rows = []
    for a, b in combinations(sorted(case.readers, key=lambda reader: reader.name), 2):
        shared = sorted(set(a.files) & set(b.files))
        for side in a.sides or b.sides or tuple(study.hips):
            hip = study.hips.get(side)
            reference = None if hip is None else hip.text("reference_series")
            if shared:
                series = reference if reference in shared else shared[0]
                rows.append(_pair_row(study, case, a, b, str(series), side))
    return rows


def _pair_row(study: StudyOutcome, case: Case, a: Reader, b: Reader, series: str, side: Side) -> Row:
    centers = {own: hip.head_center for own, hip in study.hips.items() if hip.head_center is not None}
    of_a, of_b = a.hip(series, side, centers), b.hip(series, side, centers)
    return {
        "case": case.name,
        "side": str(side),
        "series": series,
        "reader_a": a.name,
        "reader_b": b.name,
        **_regions(of_a, of_b),
        **_edema(of_a, of_b),
    }


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
