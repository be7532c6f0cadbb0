"""The chain, on the packaged synthetic studies."""

from dataclasses import replace

import numpy as np
import pytest

import toh_mri as tm
from toh_mri.core.errors import InputError, SegmentationError
from toh_mri.core.hip import Label, Pattern, Status, Structure
from toh_mri.core.record import StudyRecord
from toh_mri.core.study import Contrast, Exclusion
from toh_mri.export import failure_rows
from toh_mri.geometry import Side
from toh_mri.io import index_study, read_nifti
from toh_mri.pipeline import failed_record
from toh_mri.segmentation import backends


@pytest.fixture(scope="module")
def studies(sample_data):
    config = tm.Config().with_overrides(["io.salt=test"])
    return {name: tm.load_study(sample_data / name, config) for name in ("toh_right", "on_left", "normal_both")}


@pytest.fixture(scope="module")
def results(studies):
    return {name: tm.analyze_study(study) for name, study in studies.items()}


@pytest.mark.parametrize(
    ("name", "patterns"),
    [
        ("toh_right", {Side.RIGHT: Pattern.TOH_LIKE}),
        ("on_left", {Side.LEFT: Pattern.ON_LIKE}),
        ("normal_both", {Side.LEFT: Pattern.NO_FINDING, Side.RIGHT: Pattern.NO_FINDING}),
    ],
)
def test_the_sample_studies_have_the_pattern_and_side_they_were_made_with(results, name, patterns):
    found = {side: hip.classification.pattern for side, hip in results[name].hips.items()}
    assert found == patterns
    for hip in results[name].hips.values():
        assert hip.classification.evidence, "a pattern is never without a reason"


@pytest.mark.parametrize("name", ["toh_right", "on_left", "normal_both"])
def test_the_outline_lies_on_the_femoral_head(results, sample_data, name):
    for side, hip in results[name].hips.items():
        truth = read_nifti(sample_data / name / "truth" / f"{hip.images.reference}_labels.nii.gz")
        code = Label.FEMORAL_HEAD.code + (10 if side is Side.LEFT else 0)
        centres = hip.anatomy.labels.grid.voxel_centres()
        index = np.rint(truth.grid.to_index(centres)).astype(int)
        expected = truth.array[tuple(np.moveaxis(index, -1, 0))] == code
        found = hip.anatomy.mask(Label.FEMORAL_HEAD)
        dice = 2 * np.sum(expected & found) / (np.sum(expected) + np.sum(found))
        assert dice > 0.9


def test_the_band_is_found_in_osteonecrosis_only(results):
    present = {
        (name, side): hip.measurements.values["band_present"]
        for name, result in results.items()
        for side, hip in result.hips.items()
    }
    assert [key for key, value in present.items() if value] == [("on_left", Side.LEFT)]


def test_the_same_input_gives_the_same_record_and_masks(studies, results):
    again = tm.analyze_study(studies["on_left"])
    assert again.record.to_json() == results["on_left"].record.to_json()
    before = results["on_left"].hips[Side.LEFT].findings.masks
    after = again.hips[Side.LEFT].findings.masks
    assert before.keys() == after.keys()
    assert all(np.array_equal(before[name].array, after[name].array) for name in before)


def test_the_record_reads_back_as_it_was_written(results):
    for result in results.values():
        assert StudyRecord.model_validate_json(result.record.to_json()) == result.record


def test_every_absent_value_has_a_reason(results):
    for result in results.values():
        for hip in result.hips.values():
            values, absent = hip.measurements.values, hip.measurements.absent
            assert not values.keys() & absent.keys()
            assert all(absent.values())
            for structure in Structure:
                assert (structure in hip.findings.masks) != (structure in hip.findings.absent)


def _only(study, keep):
    return replace(study, series=tuple(s for s in study.series if keep(s.role.contrast)))


def test_t1_alone_is_segmented_and_says_why_edema_is_absent(studies):
    result = tm.analyze_study(_only(studies["on_left"], lambda contrast: contrast is Contrast.T1))
    hip = result.hips[Side.LEFT]
    assert hip.measurements.values["head_volume_ml"] > 20
    assert "edema_volume_ml" not in hip.measurements.values
    assert hip.measurements.absent["edema_volume_ml"] == "no_fluid_sensitive_series"


def test_a_fluid_sensitive_series_alone_is_enough(studies):
    result = tm.analyze_study(_only(studies["toh_right"], lambda contrast: contrast.is_fluid_sensitive))
    assert result.hips[Side.RIGHT].measurements.values["head_edema_percent"] > 30


def test_a_study_without_usable_series_is_a_failed_record(studies):
    result = tm.analyze_study(replace(studies["on_left"], series=()))
    assert result.record.status is Status.FAILED
    assert result.record.failure.code == "no_usable_series"
    assert "--t1 FILE --fluid FILE" in result.record.failure.hint
    assert "--allow-missing-slices" not in result.record.failure.hint
    assert result.hips == {}


def test_a_study_whose_series_lack_slices_says_how_to_go_on(studies):
    reason = Exclusion(code="missing_slices", message="1 slice is missing.")
    lost = tuple(s.info.model_copy(update={"excluded": reason}) for s in studies["on_left"].series)
    result = tm.analyze_study(replace(studies["on_left"], series=(), excluded=lost))
    assert "1 slice is missing." in result.record.failure.message
    assert "--allow-missing-slices" in result.record.failure.hint
    assert [row["code"] for row in failure_rows(result.record)] == ["no_usable_series", *["missing_slices"] * len(lost)]


def test_a_tag_of_the_other_side_is_told_and_the_side_of_coordinates_stands(studies):
    def tagged(series):
        acquisition = series.info.acquisition.model_copy(update={"laterality": "L"})
        return replace(series, info=series.info.model_copy(update={"acquisition": acquisition}))

    (stir,) = (s for s in studies["toh_right"].series if s.role.contrast is Contrast.STIR)
    record = tm.analyze_study(replace(studies["toh_right"], series=(tagged(stir),))).record
    assert set(record.hips) == {Side.RIGHT}
    hip = record.hips[Side.RIGHT]
    assert (hip.status, hip.failure) == (Status.REVIEW, None)
    assert "laterality_disagrees" in [check.code for check in hip.checks if check.status is Status.REVIEW]
    (warning,) = [text for text in record.warnings if text.startswith("Right hip: ")]
    assert "the laterality tag of COR_STIR says left" in warning


def test_a_hip_that_fails_keeps_its_reason_and_does_not_stop_the_other(studies, monkeypatch):
    segment = backends.segment_hip

    def fails_on_the_right(images, config):
        if images.side is Side.RIGHT:
            raise SegmentationError("implausible_head", "No head.", "Look.")
        return segment(images, config)

    monkeypatch.setattr(backends, "segment_hip", fails_on_the_right)
    record = tm.analyze_study(studies["normal_both"]).record
    right, left = record.hips[Side.RIGHT], record.hips[Side.LEFT]
    assert (right.status, right.reason, right.measurements) == (Status.FAILED, "implausible_head", None)
    assert left.classification.pattern is Pattern.NO_FINDING
    assert record.status is Status.FAILED


def test_a_study_that_cannot_be_read_is_a_record_too(sample_data):
    config = tm.Config().with_overrides(["io.salt=test"])
    index = index_study(sample_data / "on_left", config.io)
    record = failed_record(index, InputError("broken", "Broken.", "Copy it again."), config)
    assert (record.status, record.failure.code) == (Status.FAILED, "broken")
    assert record.study_id == tm.load_study(sample_data / "on_left", config).study_id
    assert "PHANTOM" not in record.to_json()
