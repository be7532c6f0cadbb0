"""``hips.csv`` and ``failures.csv``, made from records."""

from __future__ import annotations

from collections.abc import Iterable

from toh_mri.core.hip import Status
from toh_mri.core.record import Failure, HipRecord, StudyRecord
from toh_mri.export.left_out import series_left_out

Row = dict[str, object]
"""One row of a table by column; an absent value is None."""

MEASURED_COLUMNS = (
    "edema_volume_ml",
    "head_edema_percent",
    "neck_edema_percent",
    "acetabulum_edema_ml",
    "head_volume_ml",
    "neck_volume_ml",
    "head_diameter_mm",
    "head_center_x_mm",
    "head_center_y_mm",
    "head_center_z_mm",
    "band_present",
    "band_length_mm",
    "subchondral_line_present",
    "subchondral_line_length_mm",
    "neck_line_present",
    "necrosis_volume_ml",
    "necrotic_percent",
    "effusion_volume_ml",
)
HIP_COLUMNS = (
    *("study_id", "patient_id", "study_date", "side", "status", "reason", "pattern", "probability_on"),
    *MEASURED_COLUMNS,
    *(
        "segmentation_confidence",
        "reference_series",
        "slice_spacing_mm",
        "field_strength_t",
        "dimensionality",
    ),
    *("flags", "version", "config_hash"),
)
FAILURE_COLUMNS = ("study_id", "side", "status", "stage", "code", "message", "hint")
_LEFT_OUT = "left_out"


def study_rows(record: StudyRecord) -> list[Row]:
    """Return the rows of ``hips.csv`` for one study: a row per hip in view, left first.

    A study that failed as a whole has one row, its side empty. Columns are `HIP_COLUMNS`, then every other
    measured value by name.
    """
    study: Row = {
        "study_id": record.study_id,
        "patient_id": record.patient_id,
        "study_date": record.study_date,
        "version": record.provenance.version,
        "config_hash": record.provenance.config_hash,
    }
    if record.failure is not None:
        return [_ordered({**study, "status": str(record.status), "reason": record.failure.code})]
    return [_ordered({**study, **_hip_cells(record.hips[side])}) for side in sorted(record.hips)]


def _hip_cells(hip: HipRecord) -> Row:
    cells: Row = {
        "side": str(hip.side),
        "status": str(hip.status),
        "reason": hip.reason,
        "segmentation_confidence": hip.segmentation_confidence,
        "reference_series": hip.reference_series,
        "slice_spacing_mm": hip.slice_spacing_mm,
        "field_strength_t": hip.field_strength_t,
        "dimensionality": f"{hip.dimensionality}-D",
    }
    if hip.measurements is not None:
        cells |= dict.fromkeys(hip.measurements.absent)  # columns do not depend on what was found
        cells |= {"flags": ";".join(hip.measurements.flags), **hip.measurements.values}
    if hip.classification is not None:
        pattern = hip.classification.pattern
        cells |= {
            "pattern": None if pattern is None else str(pattern),
            "probability_on": hip.classification.probability_on,
        }
    return cells


def _ordered(cells: Row) -> Row:
    others = sorted(set(cells) - set(HIP_COLUMNS))
    return {column: cells.get(column) for column in (*HIP_COLUMNS, *others)}


def failure_rows(record: StudyRecord) -> list[Row]:
    """Return the rows of ``failures.csv`` for one study.

    The study's failure, or one per hip that failed; then one per series that could not be used although it might show
    a hip, its status ``left_out``.
    """
    rows = []
    if record.failure is not None:
        rows.append(_failure_row(record.study_id, None, record.failure))
    rows += [
        _failure_row(record.study_id, str(side), hip.failure)
        for side, hip in sorted(record.hips.items())
        if hip.failure is not None
    ]
    rows += [_failure_row(record.study_id, None, failure, _LEFT_OUT) for failure in series_left_out(record)]
    return rows


def _failure_row(study_id: str, side: str | None, failure: Failure, status: str = Status.FAILED) -> Row:
    return {"study_id": study_id, "side": side, "status": str(status), **failure.model_dump()}


def columns_of(rows: Iterable[Row]) -> tuple[str, ...]:
    """Return `HIP_COLUMNS`, then every other column any row has, by name."""
    return (*HIP_COLUMNS, *sorted({column for row in rows for column in row} - set(HIP_COLUMNS)))
