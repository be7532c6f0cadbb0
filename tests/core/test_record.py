"""The record: the same after a trip through JSON, without NaN, described by its schema."""

import json

import numpy as np
import pytest
from pydantic import ValidationError

from toh_mri.core.config import Config
from toh_mri.core.errors import GeometryError, SegmentationError
from toh_mri.core.hip import (
    Check,
    Classification,
    Evidence,
    Finding,
    Label,
    Measurements,
    Pattern,
    Status,
    Structure,
)
from toh_mri.core.record import (
    NOTICE,
    SCHEMA_VERSION,
    Failure,
    HipRecord,
    Provenance,
    SeriesRecord,
    StudyRecord,
)
from toh_mri.core.study import Acquisition, Alignment, Contrast, SeriesInfo, SeriesRole, SlicePlane
from toh_mri.geometry import Side


def hip_record(side=Side.LEFT):
    """Return a hip in which every kind of value occurs."""
    finding = Finding(
        id=f"{side}-band-1",
        structure=Structure.BAND,
        confidence=0.75,
        series=("COR_STIR",),
        slices=(4, 5),
        polylines_lps_mm=(((1.0, 2.0, 3.0), (1.1, 2.2, 3.3)),),
        measures={"length_mm": 31.4},
    )
    return HipRecord(
        side=side,
        status=Status.REVIEW,
        reason="low_confidence",
        failure=None,
        dimensionality=3,
        reference_series="COR_STIR",
        reference_reasons=("covers the head",),
        slice_spacing_mm=4.4,
        field_strength_t=None,
        location_score=0.8,
        checks=(Check(code="head_size", status=Status.OK, value=24.1, message="Usual for an adult."),),
        segmentation_confidence=0.6,
        findings=(finding,),
        measurements=Measurements(
            values={"edema_volume_ml": 12.5, "slices": 7, "band_present": True, "rule": "robust"},
            absent={"cyst_volume_ml": "not_looked_for"},
            flags=("degraded",),
        ),
        classification=Classification(
            pattern=Pattern.ON_LIKE,
            probability_on=0.9,
            evidence=(Evidence(name="band", points=3.0, statement="A band.", findings=(finding.id,)),),
            model="rules",
        ),
        notes=("Reference marrow: the other hip.",),
    )


def study_record(**changes):
    """Return a record of two hips."""
    info = SeriesInfo(
        name="COR_STIR",
        role=SeriesRole(contrast=Contrast.STIR, plane=SlicePlane.CORONAL, score=0.9, reasons=("TI 160 ms",)),
        acquisition=Acquisition(inversion_time_ms=160.0, image_type=("ORIGINAL", "PRIMARY")),
        shape=(24, 320, 320),
        spacing_mm=(4.4, 0.5, 0.5),
        files=24,
    )
    alignment = Alignment(
        anchor="COR_STIR",
        method="none",
        applied=False,
        shift_mm=0.0,
        rotation_degree=0.0,
        similarity_before=None,
        similarity_after=None,
        reason="This is the anchor.",
    )
    values = {
        "study_id": "s-1",
        "patient_id": "p-1",
        "study_date": None,
        "status": Status.REVIEW,
        "failure": None,
        "series": (SeriesRecord(info=info, alignment=alignment),),
        "hips": {side: hip_record(side) for side in (Side.RIGHT, Side.LEFT)},
        "warnings": (),
        "provenance": Provenance(
            version="0.1.0",
            config_hash=Config().fingerprint(),
            config=Config().effective(),
            content_hash="00",
            libraries={"numpy": "2"},
        ),
    }
    return StudyRecord(**(values | changes))


def test_a_record_is_the_same_after_a_trip_through_json():
    record = study_record()
    text = record.to_json()
    assert text.endswith("}\n")
    other = StudyRecord.model_validate_json(text)
    assert other == record
    assert other.to_json() == text


def test_kinds_of_measured_values_survive_json():
    values = StudyRecord.model_validate_json(study_record().to_json()).hips[Side.LEFT].measurements.values
    assert {key: type(value) for key, value in values.items()} == {
        "edema_volume_ml": float,
        "slices": int,
        "band_present": bool,
        "rule": str,
    }


def test_hips_are_written_under_the_name_of_their_side():
    written = json.loads(study_record().to_json())["hips"]
    assert {side: hip["side"] for side, hip in written.items()} == {"left": "left", "right": "right"}
    assert study_record().hips["left"].side is Side.LEFT


def test_version_and_notice_are_in_every_record():
    written = json.loads(study_record().to_json())
    assert written["schema_version"] == SCHEMA_VERSION
    assert written["notice"] == NOTICE
    assert "research use only" in NOTICE


def test_a_failed_study_is_a_record_too():
    error = GeometryError("missing_slices", "Slice 7 is missing.", "Export the series again.")
    record = study_record(status=Status.FAILED, failure=Failure.of(error), hips={}, series=())
    other = StudyRecord.model_validate_json(record.to_json())
    assert other.failure == Failure(
        stage="geometry",
        code="missing_slices",
        message="Slice 7 is missing.",
        hint="Export the series again.",
    )
    assert other.hips == {}


def test_the_stage_of_a_failure_is_the_stage_of_its_error():
    assert Failure.of(SegmentationError("no_hip", "No hip was found.")).stage == "segmentation"


@pytest.mark.parametrize("value", [np.nan, np.inf, np.float32("nan")])
def test_no_value_that_is_no_number_enters_a_record(value):
    with pytest.raises(ValidationError):
        Measurements(values={"edema_volume_ml": value}, absent={}, flags=())
    with pytest.raises(ValidationError):
        Check(code="head_size", status=Status.OK, value=value, message="")


def test_json_never_holds_nan():
    provenance = study_record().provenance.model_copy(update={"config": {"a": float("nan"), "b": [float("inf")]}})
    text = study_record(provenance=provenance).to_json()
    assert "NaN" not in text
    assert "Infinity" not in text
    assert json.loads(text)["provenance"]["config"] == {"a": None, "b": [None]}


@pytest.mark.parametrize(
    ("given", "kind"),
    [(np.float32(2.5), float), (np.int64(3), int), (np.True_, bool), (np.float64(1), float)],
)
def test_numpy_scalars_become_plain_values_of_the_same_kind(given, kind):
    value = Measurements(values={"a": given}, absent={}, flags=()).values["a"]
    assert type(value) is kind
    assert value == given


def test_the_schema_describes_every_part():
    schema = StudyRecord.model_json_schema()
    assert set(schema["properties"]) == set(StudyRecord.model_fields)
    assert {"HipRecord", "Finding", "Measurements", "Classification"} <= set(schema["$defs"])
    assert schema["additionalProperties"] is False


def test_a_record_with_an_unknown_key_is_refused():
    written = json.loads(study_record().to_json())
    written["colour"] = "red"
    with pytest.raises(ValidationError, match="colour"):
        StudyRecord.model_validate(written)


def test_label_codes_are_those_of_the_label_image():
    assert {label.value: label.code for label in Label} == {
        "femoral_head": 1,
        "femoral_neck": 2,
        "proximal_femur": 3,
        "acetabulum": 4,
    }


@pytest.mark.parametrize("contrast", Contrast)
def test_no_contrast_is_both_fluid_sensitive_and_t1_like(contrast):
    assert not (contrast.is_fluid_sensitive and contrast.is_t1_like)
