import csv
import os

import pytest

from tests.export.handmade import failed_study_record, hip_result, study_index, study_record
from toh_mri.core.config import Config
from toh_mri.core.errors import ExportError
from toh_mri.core.record import StudyRecord
from toh_mri.export import KeyEntry, OutputFolder, begin_run, finish_run, update_key
from toh_mri.export.files import replaced_folder, write_text
from toh_mri.geometry import Side


@pytest.fixture
def output(tmp_path):
    folder = OutputFolder(tmp_path / "out")
    begin_run(folder.path, "test", "0.0.0", Config())
    return folder


def write(output, record):
    hips = {side: hip_result(side) for side in record.hips}
    return output.write_study(record, hips, "<html></html>", dict.fromkeys(hips, "<svg/>"))


def read(path):
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def contents(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_a_study_is_written_and_its_record_comes_back(output):
    record = study_record()
    report = write(output, record)
    assert report.read_text() == "<html></html>"
    assert output.record("S1") == record
    assert {p.name for p in (report.parent / "hip-left").iterdir()} == {
        "anatomy.nii.gz",
        "band.nii.gz",
        "edema.nii.gz",
        "findings.json",
        "preview.svg",
    }


def test_writing_again_gives_the_same_bytes_and_leaves_nothing_behind(output):
    write(output, study_record())
    first = contents(output.path)
    write(output, study_record())
    assert contents(output.path) == first
    assert [p.name for p in (output.path / "studies").iterdir()] == ["S1"]


def test_a_result_that_is_gone_leaves_no_old_file_but_a_persons_file_stays(output):
    report = write(output, study_record())
    (report.parent / "hip-left" / "my_notes.txt").write_text("mine")
    write(output, failed_study_record("S1"))
    assert set(contents(report.parent)) == {"study.json", "report.html", "hip-left/my_notes.txt"}


def test_tables_hold_all_studies_in_the_folder_in_order(output):
    for name in ("S2", "S1"):
        write(output, study_record(name))
    write(output, failed_study_record("S3"))
    tables = output.write_tables()
    assert [(row["study_id"], row["side"]) for row in read(output.path / "hips.csv")] == [
        ("S1", "left"),
        ("S2", "left"),
        ("S3", ""),
    ]
    assert [row["code"] for row in read(output.path / "failures.csv")] == ["no_usable_series"]
    assert tables.pages["S2"] == "studies/S2/report.html"
    assert (output.path / tables.previews["S2", "left"]).is_file()


def test_a_damaged_record_is_named_and_does_not_stop_the_others(output):
    write(output, study_record("S1"))
    write(output, study_record("S2"))
    (output.path / "studies" / "S1" / "study.json").write_text("{")
    output.write_tables()
    assert [row["study_id"] for row in read(output.path / "hips.csv")] == ["S2"]
    assert [(r["study_id"], r["code"]) for r in read(output.path / "failures.csv")] == [("S1", "record_unreadable")]
    assert output.record("S1") is None


def test_a_folder_with_other_things_in_it_is_refused(tmp_path):
    (tmp_path / "thesis.docx").write_text("precious")
    with pytest.raises(ExportError) as caught:
        OutputFolder(tmp_path)
    assert caught.value.code == "not_our_folder"
    assert caught.value.hint
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.docx"]


def test_an_empty_folder_and_one_of_ours_are_taken(tmp_path, output):
    (tmp_path / "empty").mkdir()
    assert OutputFolder(tmp_path / "empty").path.is_dir()
    assert OutputFolder(output.path).path == output.path


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportError, match="is a file"):
        OutputFolder(tmp_path / "file")


@pytest.mark.parametrize("name", ["../S1", "a/b", ".hidden", ""])
def test_a_study_id_cannot_lead_out_of_the_folder(output, name):
    with pytest.raises(ExportError, match="cannot be the name"):
        output.study_folder(name)


def test_a_replacement_that_fails_leaves_the_old_folder_whole(tmp_path):
    final = tmp_path / "study"
    final.mkdir()
    (final / "a.txt").write_text("old")

    def replace_badly():
        with replaced_folder(final, {"a.txt"}) as folder:
            (folder / "a.txt").write_text("new")
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        replace_badly()
    assert contents(tmp_path) == {"study/a.txt": b"old"}


def test_an_interrupted_swap_is_mended(tmp_path):
    (tmp_path / ".study.old").mkdir()
    (tmp_path / ".study.old" / "a.txt").write_text("old")
    (tmp_path / ".study.part").mkdir()
    with replaced_folder(tmp_path / "study", set()) as folder:
        (folder / "b.txt").write_text("new")
    assert contents(tmp_path) == {"study/a.txt": b"old", "study/b.txt": b"new"}


def test_the_key_is_private_named_sensitive_and_keeps_other_studies(output):
    update_key(output.path, [KeyEntry("S1", "P1", study_index()), KeyEntry("S2", "P1", study_index(study="1.2.4"))])
    update_key(output.path, [KeyEntry("S1", "P1", study_index(patient="ROE"))])
    rows = read(output.path / "key.csv")
    assert [(row["study_id"], row["source_patient"], row["source_study"]) for row in rows] == [
        ("S1", "ROE", "1.2.3"),
        ("S2", "DOE^JANE", "1.2.4"),
    ]
    assert any("SENSITIVE" in path.name for path in output.path.iterdir())
    if os.name == "posix":
        assert (output.path / "key.csv").stat().st_mode & 0o077 == 0


def test_identifiers_are_in_the_key_and_nowhere_else(output):
    write(output, study_record())
    output.write_tables()
    update_key(output.path, [KeyEntry("S1", "P1", study_index())])
    finish_run(output.path, ())
    names = [name for name, text in contents(output.path).items() if b"DOE^JANE" in text or b"20240131" in text]
    assert names == ["key.csv"]


def test_records_come_back_as_they_were():
    record = study_record()
    assert StudyRecord.model_validate_json(record.to_json()) == record
    assert set(StudyRecord.model_validate_json(record.to_json()).hips) == {Side.LEFT}


def test_a_folder_that_cannot_be_written_says_so(tmp_path):
    with pytest.raises(ExportError) as caught:
        write_text(tmp_path / "missing" / "a.txt", "x")
    assert caught.value.code == "not_writable"
    assert str(tmp_path) not in caught.value.message
