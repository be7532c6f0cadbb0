"""No word of the source reaches an output: every identifying or free-text tag carries a word that is looked for."""

import csv
import gzip
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pydicom
import pytest

_TEXT = (
    *("PatientName", "PatientID", "OtherPatientNames", "PatientBirthName", "PatientMotherBirthName", "PatientAddress"),
    *("PatientTelephoneNumbers", "PatientComments", "AdditionalPatientHistory", "MedicalAlerts", "Occupation"),
    *("EthnicGroup", "MilitaryRank", "BranchOfService", "CountryOfResidence", "ReferringPhysicianName"),
    *("ReferringPhysicianAddress", "RequestingPhysician", "PerformingPhysicianName", "PhysiciansOfRecord"),
    *("NameOfPhysiciansReadingStudy", "OperatorsName", "InstitutionName", "InstitutionAddress"),
    *("InstitutionalDepartmentName", "StationName", "DeviceSerialNumber", "ManufacturerModelName", "Manufacturer"),
    *("SoftwareVersions", "StudyDescription", "SeriesDescription", "ProtocolName", "SequenceName"),
    *("AccessionNumber", "StudyID", "ImageComments", "RequestedProcedureDescription", "ReasonForStudy"),
    *("PerformedProcedureStepDescription", "PerformedProcedureStepID", "AdmittingDiagnosesDescription"),
    *("DerivationDescription", "AcquisitionComments", "StudyComments", "ContrastBolusAgent", "ReceiveCoilName"),
)
_DATES = ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate", "PatientBirthDate", "InstanceCreationDate")
_DATE, _DATE_WRITTEN = "19770529", "1977-05-29"
_UID_ROOT = "1.2.826.0.7731991"
_FOLDER, _BROKEN, _FILE = "ZYGFOLDER", "ZYGBROKEN", "ZYGFILE"


def word(keyword):
    return f"ZYG{keyword[:9]}{_TEXT.index(keyword)}".upper()


WORDS = (
    *(word(keyword) for keyword in _TEXT),
    *("ZYGPRIVATE", "ZYGCREATOR", "ZYGNESTED", _FOLDER, _BROKEN, _FILE),
    *(_DATE, _DATE_WRITTEN, _UID_ROOT),
)


def mark(data, study):
    """Put a word of its own into every tag that may hold text, and tell patient and study by UIDs that can be found."""
    name = data.SeriesDescription
    for keyword in _TEXT:
        setattr(data, keyword, word(keyword))
    data.SeriesDescription += f" {name}"
    for keyword in _DATES:
        setattr(data, keyword, _DATE)
    data.StudyInstanceUID, data.PatientID = f"{_UID_ROOT}.{study}", f"{word('PatientID')}-{study}"
    data.SeriesInstanceUID = f"{_UID_ROOT}.{study}.1{data.SeriesInstanceUID[-9:]}"
    data.SOPInstanceUID = f"{_UID_ROOT}.{study}.1{data.SOPInstanceUID[-12:]}"
    data.FrameOfReferenceUID = f"{_UID_ROOT}.{study}.9"
    data.BurnedInAnnotation = "YES"
    data.private_block(0x0011, "ZYGCREATOR", create=True).add_new(0x01, "LT", "ZYGPRIVATE")
    nested = pydicom.Dataset()
    nested.RequestedProcedureDescription = nested.ReasonForTheRequestedProcedure = "ZYGNESTED"
    data.RequestAttributesSequence = [nested]
    return data


@pytest.fixture(scope="module")
def archive(sample_data, tmp_path_factory):
    """Two marked studies: a good series, one that lacks a slice, a broken file; and a series with broken pixels."""
    root = tmp_path_factory.mktemp("archive")
    one, two = root / f"{_FOLDER}^Anna" / "one", root / f"{_FOLDER}^Anna" / "two"
    for folder in (one, two):
        folder.mkdir(parents=True)
    for path in (sample_data / "on_left" / "study").iterdir():
        if path.suffix == ".txt":
            shutil.copy(path, one / f"{_FILE}.txt")
            continue
        data, again = pydicom.dcmread(path), pydicom.dcmread(path)
        number, is_t1 = data.InstanceNumber, "t1" in data.SeriesDescription.lower()
        name = f"{_FILE}-{data.SeriesNumber}-{number}"
        if not (is_t1 and number == 9):
            mark(data, 1).save_as(one / name)
        if is_t1:
            mark(again, 2).save_as(two / name)
            if number == 4:
                cut = (two / name).read_bytes()[:-5000]
                (two / name).write_bytes(cut)
                (one / _BROKEN).write_bytes(cut[:700])
    return root


def batch(archive, out, *options):
    command = ("batch", str(archive), "--out", str(out), "--set", "preprocess.align=false", *options)
    return subprocess.run(
        [sys.executable, "-m", "toh_mri.cli.main", *command],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        check=False,
    )


@pytest.fixture(scope="module")
def runs(archive, tmp_path_factory):
    """Say everything the first time; the second run keeps what is good and tries the failed one again."""
    out = tmp_path_factory.mktemp("results") / "out"
    return out, batch(archive, out, "--verbose"), batch(archive, out)


def found_in(content):
    text = content.upper()
    return [w for w in WORDS if w.upper().encode() in text or w.upper().encode("utf-16-le") in text]


def test_the_words_are_in_the_source_and_in_the_key(archive, runs):
    files = [path for path in archive.rglob("*") if path.is_file()]
    told = b"".join(path.read_bytes() + str(path).encode() for path in files)
    assert set(found_in(told)) == set(WORDS) - {_DATE_WRITTEN}
    key = found_in((runs[0] / "key.csv").read_bytes())
    assert {word("PatientID"), word("SeriesDescription"), _FOLDER, _DATE_WRITTEN, _UID_ROOT} <= set(key)


def test_no_word_reaches_any_other_file(runs):
    out = runs[0]
    leaks = {}
    for path in sorted(out.rglob("*")):
        if path.is_dir() or path == out / "key.csv":
            continue
        content = path.read_bytes()
        content = gzip.decompress(content) if path.suffix == ".gz" else content
        if found := found_in(content + path.relative_to(out).as_posix().encode()):
            leaks[path.relative_to(out).as_posix()] = found
    assert leaks == {}


def test_no_word_is_said(runs):
    for done in runs[1:]:
        assert done.returncode == 1, done.stderr.decode()
        assert b"failed" in done.stderr
        assert found_in(done.stdout + done.stderr) == []


def test_what_was_looked_at_is_what_can_leak(runs):
    """Both studies, the missing slice and the broken file are in the outputs: nothing was left out beforehand."""
    out = runs[0]
    with (out / "hips.csv").open(encoding="utf-8") as file:
        ids = {row["side"]: row["study_id"] for row in csv.DictReader(file)}
    assert ids.keys() == {"", "left"}
    good = (out / "studies" / ids["left"] / "study.json").read_text(encoding="utf-8")
    bad = (out / "studies" / ids[""] / "study.json").read_text(encoding="utf-8")
    assert '"code": "missing_slices"' in good
    assert '"code": "no_usable_series"' in bad
    assert '"code": "localizer"' in good
    assert (out / "studies" / ids["left"] / "hip-left" / "edema.nii.gz").exists()


def test_burned_in_text_is_a_warning_in_record_and_report(runs):
    for name in ("study.json", "report.html"):
        texts = [path.read_text(encoding="utf-8") for path in runs[0].glob(f"studies/*/{name}")]
        assert any("COR_STIR: Text is burned into its pixels (BurnedInAnnotation)" in text for text in texts)
