"""One hip of the results against one reader's truth: a row of figures."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from toh_mri.evaluation.axis import angle_degree
from toh_mri.evaluation.lines import SHORT_MM, centreline, shares
from toh_mri.evaluation.overlap import bounding_box, brought_to, dice, surface_distance
from toh_mri.evaluation.patterns import accepted
from toh_mri.evaluation.results import HipOutcome, StudyOutcome
from toh_mri.evaluation.truth import LINES, REGIONS, Case, Reader, TruthHip
from toh_mri.geometry import Image, Side

Row = dict[str, object]
"""Figures by column; an absent value is None or has no key."""

PARTS = ("total", *REGIONS)
"""Parts of a hip in which edema is compared."""

STRUCTURES = ("necrosis", "effusion", "cyst")
"""Further structures, compared where both the reader and the program have a mask: names of both."""

_PRESENT, _ABSENT, _SHORT = "present", "absent", "short"


def compare_case(study: StudyOutcome | None, case: Case, reader: Reader) -> list[Row]:
    """Return one row per hip of the truth; a hip without a result has a row with the reason.

    Where the truth does not tell sides apart (an edema mask alone), every hip of the results is compared with it.
    """
    patient = case.name if study is None else study.patient_id
    return [{**row, "patient": patient} for row in _rows(study, case, reader)]


def _rows(study: StudyOutcome | None, case: Case, reader: Reader) -> list[Row]:
    if study is None:
        return [_failure(case, reader, side, "no_study") for side in reader.sides or (None,)]
    sides = reader.sides or tuple(study.hips)
    if not sides:
        return [{**_failure(case, reader, None, study.reason or "failed"), "study_id": study.study_id}]
    return [{**_hip_row(study, case, reader, side), "study_id": study.study_id} for side in sides]


def series_for(hip: HipOutcome, study: StudyOutcome, reader: Reader, anatomy: Image) -> str:
    """Choose the truth's series: the reference series by its name or the source's name of it, else the most parallel.

    Parallel is told by the direction of the slices; of equals the first by name.
    """
    name = hip.text("reference_series") or ""
    for wanted in (name, study.descriptions.get(name, "")):
        if wanted in reader.files:
            return wanted
    normal = anatomy.grid.directions[:, 0]
    slopes = {series: reader.slice_normal(series) @ normal for series in reader.files}
    return min(sorted(slopes), key=lambda series: -round(abs(float(slopes[series])), 3))


def _failure(case: Case, reader: Reader, side: Side | None, reason: str) -> Row:
    facts = {} if side is None else reader.hip_facts(side)
    return {
        "case": case.name,
        "reader": reader.name,
        "side": None if side is None else str(side),
        "class": facts.get("cls"),
        "difficulty": reader.difficulty,
        "status": "failed",
        "reason": reason,
        "pattern_accepted": accepted(str(facts.get("cls")), None, frozenset()),
        **({} if side is None else _expected_lines(reader, side)),
        **_edema_not_measured(reader, side, None, {}),
    }


def _hip_row(study: StudyOutcome, case: Case, reader: Reader, side: Side) -> Row:
    hip = study.hips.get(side)
    if hip is None:
        return _failure(case, reader, side, study.reason or "no_hip_on_this_side")
    anatomy = hip.mask("anatomy")
    facts = reader.hip_facts(side)
    reference = hip.text("reference_series")
    row: Row = {
        "case": case.name,
        "reader": reader.name,
        "side": str(side),
        "class": facts.get("cls"),
        "difficulty": reader.difficulty,
        "reference_series": reference,
        "contrast": study.contrasts.get(reference or ""),
        "slice_spacing_mm": hip.number("slice_spacing_mm"),
        "status": hip.text("status"),
        "reason": hip.text("reason"),
        "segmentation_confidence": hip.number("segmentation_confidence"),
    }
    if facts.get("cls") is not None:
        row |= _pattern(hip, str(facts["cls"]))
    centers = {own: outcome.head_center for own, outcome in study.hips.items() if outcome.head_center is not None}
    if anatomy is None:
        expected = _expected_lines(reader, side) | _edema_not_measured(reader, side, reference, centers)
        return {**row, "status": "failed", "reason": row["reason"] or "no_mask", **expected}
    series = series_for(hip, study, reader, anatomy)
    truth = reader.hip(series, side, centers)
    return {
        **row,
        "truth_series": series,
        **_shapes(anatomy, truth),
        **_head(hip, reader, series),
        **_edema(hip, anatomy, truth),
        **{key: value for name in STRUCTURES for key, value in _structure(name, hip, truth).items()},
        **{key: value for line in LINES for key, value in _line(line, hip, reader, truth, anatomy).items()},
    }


def _pattern(hip: HipOutcome, truth_class: str) -> Row:
    pattern = hip.text("pattern")
    return {
        "pattern": pattern,
        "flags": ";".join(sorted(hip.flags)) or None,
        "pattern_accepted": accepted(truth_class, pattern, hip.flags),
        "probability_on": hip.number("probability_on"),
    }


def _shapes(anatomy: Image, truth: TruthHip) -> Row:
    if truth.regions is None:
        return {}
    regions = brought_to(truth.regions, truth.grid, anatomy.grid)
    row: Row = {}
    for code, name in enumerate(REGIONS[:2], start=1):
        found, drawn = np.asarray(anatomy.array == code), np.asarray(regions == code)
        distance = surface_distance(found, drawn, anatomy.grid.spacing_mm)
        row[f"{name}_dice"] = dice(found, drawn)
        row[f"{name}_surface_distance_mm"] = None if distance is None else distance.mean_mm
        row[f"{name}_hausdorff95_mm"] = None if distance is None else distance.hausdorff95_mm
    truth_ml = float((truth.regions == 1).sum()) * truth.grid.voxel_volume_ml
    if truth_ml > 0:
        found_ml = float((anatomy.array == 1).sum()) * anatomy.grid.voxel_volume_ml
        row["head_volume_error_percent"] = 100 * (found_ml - truth_ml) / truth_ml
    return row


def _head(hip: HipOutcome, reader: Reader, series: str) -> Row:
    center, diameter = reader.head_center(hip.side, series), hip.number("head_diameter_mm")
    radius = reader.hip_facts(hip.side).get("head_radius_mm")
    row: Row = {}
    if center is not None and hip.head_center is not None:
        row["head_center_error_mm"] = float(np.linalg.norm(np.subtract(hip.head_center, center)))
    if radius is not None and diameter is not None:
        row["head_diameter_error_mm"] = diameter - 2 * float(radius)
    axis = reader.neck_axis(hip.side, series)
    if axis is not None and hip.neck_axis is not None:
        row["neck_axis_error_degree"] = angle_degree(hip.neck_axis, axis)
    return row


def _edema(hip: HipOutcome, anatomy: Image, truth: TruthHip) -> Row:
    drawn, found = truth.masks.get("edema"), hip.mask("edema")
    if drawn is None:
        return {}
    truth_ml = _volumes(drawn, truth.regions, truth.grid.voxel_volume_ml)
    row: Row = {f"edema_{part}_truth_ml": volume for part, volume in truth_ml.items()}
    if found is None:
        return row
    mask = np.asarray(found.array != 0)
    labels = np.asarray(anatomy.array, dtype=np.uint8)
    result_ml = _volumes(mask, labels, found.grid.voxel_volume_ml)
    for part, volume in result_ml.items():
        row[f"edema_{part}_ml"] = volume
        if part in truth_ml:
            row[f"edema_{part}_difference_ml"] = volume - truth_ml[part]
    there = brought_to(drawn, truth.grid, found.grid).astype(bool)
    row["edema_dice"] = dice(mask, there)
    if truth.regions is not None:
        regions = brought_to(truth.regions, truth.grid, found.grid)
        for code, part in enumerate(REGIONS, start=1):
            if f"edema_{part}_difference_ml" in row:
                row[f"edema_{part}_dice"] = dice(mask & (labels == code), there & (regions == code))
    return row


def _edema_not_measured(
    reader: Reader, side: Side | None, reference: str | None, centers: Mapping[Side, tuple[float, float, float]]
) -> Row:
    """Return the truth's edema in a hip without a result, ml; nothing where it cannot be told whose edema it is."""
    drawn = sorted(series for series, files in reader.files.items() if "edema" in files)
    if not drawn:
        return {}
    series = reference if reference in drawn else drawn[0]
    if "labels" not in reader.files[series] and len(reader.sides) > 1 and len(centers) < 2:
        return {}
    truth = reader.hip(series, side or Side.LEFT, centers)  # a truth without sides is one row: either side has it all
    volumes = _volumes(truth.masks["edema"], truth.regions, truth.grid.voxel_volume_ml)
    return {f"edema_{part}_truth_ml": volume for part, volume in volumes.items()}


def _structure(name: str, hip: HipOutcome, truth: TruthHip) -> Row:
    drawn, found = truth.masks.get(name), hip.mask(name)
    if drawn is None or found is None:
        return {}
    mask = np.asarray(found.array != 0)
    truth_ml = float(drawn.sum()) * truth.grid.voxel_volume_ml
    volume_ml = float(mask.sum()) * found.grid.voxel_volume_ml
    return {
        f"{name}_ml": volume_ml,
        f"{name}_truth_ml": truth_ml,
        f"{name}_difference_ml": volume_ml - truth_ml,
        f"{name}_dice": dice(mask, brought_to(drawn, truth.grid, found.grid).astype(bool)),
    }


def _volumes(mask: NDArray[np.bool_], regions: NDArray[np.uint8] | None, voxel_ml: float) -> dict[str, float]:
    """Return volumes in ml by part; a region that was not drawn has none."""
    volumes = {"total": float(mask.sum()) * voxel_ml}
    if regions is not None:
        inside = np.bincount(regions[mask], minlength=len(REGIONS) + 1)
        drawn = np.bincount(regions.ravel(), minlength=len(REGIONS) + 1)
        volumes |= {name: float(inside[k]) * voxel_ml for k, name in enumerate(REGIONS, start=1) if drawn[k]}
    return volumes


def _expected_lines(reader: Reader, side: Side) -> Row:
    """Say which lines a hip without a result should have shown, as far as ``truth.json`` tells."""
    volumes: Mapping[str, float] = reader.hip_facts(side).get("volumes_ml", {})
    row: Row = {}
    for line, name in LINES.items():
        if volumes:
            length = reader.drawn_line_mm(line, side)
            short = length is not None and length < SHORT_MM
            row[f"{line}_truth"] = _SHORT if short else _PRESENT if volumes.get(name, 0.0) > 0 else _ABSENT
    return row


def _line(line: str, hip: HipOutcome, reader: Reader, truth: TruthHip, anatomy: Image) -> Row:
    """Compare one kind of line. A mask that the reader did not draw counts as none where a truth.json lists the hip."""
    drawn = truth.masks.get(LINES[line])
    if drawn is None and not reader.hip_facts(hip.side):
        return {}
    spacing = anatomy.grid.spacing_mm
    stated = reader.drawn_line_mm(line, hip.side)
    seen = np.zeros(truth.grid.shape, dtype=bool) if drawn is None else drawn
    length = stated
    if stated is None and seen.any():
        length = centreline(seen[bounding_box(seen)], truth.grid.spacing_mm).longest_mm
    row: Row = {
        f"{line}_truth": _presence(length),
        f"{line}_present": hip.truth_value(f"{line}_present"),
        f"{line}_truth_length_mm": length,
        f"{line}_length_mm": hip.number(f"{line}_length_mm"),
    }
    found = hip.mask(line)
    if found is None or row[f"{line}_truth"] == _SHORT:
        return row
    of_truth, of_found = shares(
        np.asarray(found.array != 0), brought_to(seen, truth.grid, found.grid).astype(bool), spacing
    )
    return row | {f"{line}_truth_found_fraction": of_truth, f"{line}_found_true_fraction": of_found}


def _presence(length_mm: float | None) -> str:
    if length_mm is None:
        return _ABSENT
    return _SHORT if length_mm < SHORT_MM else _PRESENT
