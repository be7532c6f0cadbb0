import csv
import json

import pytest

from tests.export.handmade import hip_result, study_index, study_record, study_value
from toh_mri.core.errors import ExportError
from toh_mri.geometry import Side
from toh_mri.pipeline.result import StudyResult


@pytest.fixture
def result():
    return StudyResult(study_record(), {Side.LEFT: hip_result()}, study_value(study_index()))


def test_saving_writes_the_files_of_the_design(result, tmp_path):
    report = result.save(tmp_path / "out")
    assert report == tmp_path / "out" / "studies" / "S1" / "report.html"
    files = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*")}
    assert {
        "hips.csv",
        "failures.csv",
        "index.html",
        "run.json",
        "key.csv",
        "studies/S1/study.json",
        "studies/S1/report.html",
        "studies/S1/hip-left/anatomy.nii.gz",
        "studies/S1/hip-left/edema.nii.gz",
        "studies/S1/hip-left/findings.json",
    } <= files
    assert json.loads((tmp_path / "out" / "run.json").read_text())["runs"][0]["finished"]


def test_rows_are_what_goes_into_the_table(result, tmp_path):
    result.save(tmp_path / "out")
    with (tmp_path / "out" / "hips.csv").open(newline="") as stream:
        (written,) = csv.DictReader(stream)
    (row,) = result.to_rows()
    assert list(written) == list(row)
    assert written["edema_volume_ml"] == str(row["edema_volume_ml"])
    assert result.hips["left"] is result.hips[Side.LEFT]


def test_saving_twice_keeps_one_row(result, tmp_path):
    result.save(tmp_path / "out")
    result.save(tmp_path / "out")
    assert len((tmp_path / "out" / "hips.csv").read_text().splitlines()) == 2


def test_saving_beside_someone_elses_files_is_refused(result, tmp_path):
    (tmp_path / "thesis.docx").write_text("precious")
    with pytest.raises(ExportError, match="not_our_folder"):
        result.save(tmp_path)
