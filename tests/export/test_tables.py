import csv
import io

import pytest

from tests.export.handmade import failed_hip_record, failed_study_record, hip_record, lacking_series, study_record
from toh_mri.core.config import Config
from toh_mri.core.record import StudyRecord
from toh_mri.core.tables import csv_text
from toh_mri.export.tables import HIP_COLUMNS, columns_of, failure_rows, study_rows
from toh_mri.geometry import Side

# DESIGN section 4.3, by hand.
DESIGN_COLUMNS = [
    *("study_id", "patient_id", "study_date", "side"),
    *("status", "reason", "pattern", "probability_on"),
    *("edema_volume_ml", "head_edema_percent", "neck_edema_percent", "acetabulum_edema_ml"),
    *("head_volume_ml", "neck_volume_ml", "head_diameter_mm", "head_center_x_mm"),
    *("head_center_y_mm", "head_center_z_mm", "band_present", "band_length_mm"),
    *("subchondral_line_present", "subchondral_line_length_mm", "neck_line_present", "necrosis_volume_ml"),
    *("necrotic_percent", "effusion_volume_ml", "segmentation_confidence", "reference_series"),
    *("slice_spacing_mm", "field_strength_t", "dimensionality", "flags"),
    *("version", "config_hash"),
]


def test_columns_start_with_those_the_design_fixes_then_others_by_name():
    (row,) = study_rows(study_record())
    assert list(row) == [*DESIGN_COLUMNS, "contrast"]
    assert columns_of([row, {**row, "area_mm2": 1.0}]) == (*DESIGN_COLUMNS, "area_mm2", "contrast")


def test_a_hip_row_holds_what_the_record_says():
    (row,) = study_rows(study_record())
    assert row["side"] == "left"
    assert row["status"] == "review"
    assert row["reason"] == "border_contact"
    assert row["pattern"] == "on_like"
    assert row["edema_volume_ml"] == 3.05
    assert row["dimensionality"] == "3-D"
    assert row["flags"] == "degraded;large_effusion_both_sides"
    assert row["effusion_volume_ml"] is None


def test_rows_are_ordered_by_side_whatever_the_order_in_the_record():
    hips = {side: hip_record(side) for side in (Side.RIGHT, Side.LEFT)}
    assert [row["side"] for row in study_rows(study_record(hips=hips))] == ["left", "right"]


def test_a_study_that_failed_as_a_whole_has_one_row_without_a_side():
    (row,) = study_rows(failed_study_record())
    assert (row["side"], row["status"], row["reason"]) == (None, "failed", "no_usable_series")
    (failure,) = failure_rows(failed_study_record())
    assert (failure["code"], failure["side"], failure["hint"]) == ("no_usable_series", None, "See the plan.")


def test_a_hip_that_failed_is_in_both_tables():
    record = study_record(hips={Side.LEFT: hip_record(), Side.RIGHT: failed_hip_record(Side.RIGHT)})
    rows = study_rows(record)
    assert [(row["side"], row["status"], row["pattern"]) for row in rows] == [
        ("left", "review", "on_like"),
        ("right", "failed", None),
    ]
    assert [(row["side"], row["code"]) for row in failure_rows(record)] == [("right", "no_surface")]


def test_a_series_lost_to_its_files_is_a_failure_of_no_side_and_localizers_are_none():
    record = StudyRecord.model_validate_json(lacking_series(study_record()).to_json())
    (row,) = failure_rows(record)
    assert (row["study_id"], row["side"], row["status"], row["stage"]) == ("S1", None, "left_out", "geometry")
    assert row["code"] == "missing_slices"
    assert row["message"] == "AX_STIR_1 was left out. 1 slice is missing."
    assert "--allow-missing-slices" in row["hint"]
    codes = [row["code"] for row in failure_rows(lacking_series(failed_study_record(), 2))]
    assert codes == ["no_usable_series", "missing_slices", "missing_slices"]


@pytest.mark.parametrize("code", ["uneven_spacing", "duplicate_slices", "no_orientation", "frames_disagree"])
def test_other_faults_of_geometry_have_another_way_out(code):
    (row,) = failure_rows(lacking_series(study_record(), code=code))
    assert (row["code"], row["stage"]) == (code, "geometry")
    assert row["hint"]
    assert "--allow-missing-slices" not in row["hint"]


def test_series_that_cannot_be_read_are_failures_of_the_input():
    (row,) = failure_rows(lacking_series(study_record(), code="pixels_unreadable"))
    assert row["stage"] == "io"


def test_who_has_allowed_missing_slices_is_not_told_to():
    record = lacking_series(study_record())
    config = Config().with_overrides(["io.allow_missing_slices=true"]).effective()
    provenance = record.provenance.model_copy(update={"config": config})
    (row,) = failure_rows(record.model_copy(update={"provenance": provenance}))
    assert row["hint"]
    assert "--allow-missing-slices" not in row["hint"]


def test_cells_absent_values_are_empty_and_zero_is_not():
    row = {"a": None, "b": 0.0, "c": True, "d": 1 / 3, "e": 'x, "y"', "f": False}
    text = csv_text([row], tuple("abcdef"))
    assert list(csv.reader(io.StringIO(text)))[1] == ["", "0", "true", "0.333333", 'x, "y"', "false"]


def test_fixed_columns_are_written_even_where_no_row_has_them():
    assert csv_text([], columns_of([])) == ",".join(HIP_COLUMNS) + "\n"
