"""Finding, indexing and reading studies."""

import json
import os

import numpy as np
import pytest

from toh_mri.core.config import Config
from toh_mri.core.config.io import IoConfig
from toh_mri.core.errors import InputError
from toh_mri.core.study import StudyIdentity
from toh_mri.geometry import Grid, Image
from toh_mri.io import find_studies, index_study, load_study, pseudonyms, salt_of, write_nifti
from toh_mri.io.identifiers import safe_name

CONFIG = IoConfig(salt="fixed")


def volume(path, shape=(8, 80, 80), value=1, spacing=4.0):
    path.parent.mkdir(parents=True, exist_ok=True)
    affine = np.array([[0, 0, 1.0, -40], [spacing, 0, 0, 0], [0, -1.0, 0, 40], [0, 0, 0, 1]])
    write_nifti(path, Image(np.full(shape, value, np.int16), Grid(shape, affine)))
    return path


def test_one_study_for_each_folder_with_nifti_files(tmp_path):
    for case in ("b", "a"):
        volume(tmp_path / case / "nifti" / "COR_T1.nii.gz")
        volume(tmp_path / case / "nifti" / "COR_STIR.nii.gz")
        volume(tmp_path / case / "truth" / "COR_T1_labels.nii.gz")
    studies = find_studies(tmp_path, CONFIG)
    assert [s.identity.relative_path for s in studies] == ["a/nifti", "b/nifti"]
    assert [x.info.name for x in studies[0].sources] == ["COR_STIR", "COR_T1"]
    assert [(s.path.parent.name, s.path.name, s.reason.code) for s in studies[1].skipped] == [
        ("b", "truth", "label_folder")
    ]


def test_label_images_are_left_out_by_name_only_where_not_asked_for(tmp_path):
    volume(tmp_path / "COR_T1.nii.gz")
    for name in ("COR_T1_labels", "mask", "COR_T1-seg", "edema", "COR_STIR_line_neck"):
        volume(tmp_path / f"{name}.nii.gz")
    index = index_study(tmp_path, CONFIG)
    assert [s.info.name for s in index.sources] == ["COR_T1"]
    assert {s.reason.code for s in index.skipped} == {"label_image"}
    assert len(index.skipped) == 5
    assert len(index_study(tmp_path / "mask.nii.gz", CONFIG).sources) == 1


def test_a_single_file_is_a_study(tmp_path):
    path = volume(tmp_path / "some t1.nii.gz", shape=(1, 80, 80))
    volume(tmp_path / "other.nii.gz")
    study = load_study(path)
    assert [s.name for s in study.series] == ["COR_T1"]
    assert study.series[0].image.array.dtype == np.float32
    assert study.series[0].image.array.shape == (1, 80, 80)


def test_a_study_has_one_name_however_it_is_reached(tmp_path, monkeypatch):
    volume(tmp_path / "case-01" / "nifti" / "COR_T1.nii.gz")
    (found,) = find_studies(tmp_path, CONFIG)
    assert pseudonyms(found.identity, CONFIG).study_id == "case-01__nifti"
    assert load_study(tmp_path / "case-01").study_id == "case-01__nifti"
    monkeypatch.chdir(tmp_path / "case-01")
    assert load_study(".").study_id == "case-01__nifti"


def test_sidecar_decides_before_the_file_name(tmp_path):
    path = volume(tmp_path / "scan7.nii.gz")
    path.with_name("scan7.json").write_text(
        json.dumps({"RepetitionTime": 0.6, "EchoTime": 0.01, "ScanningSequence": "SE", "Modality": "MR"})
    )
    index = index_study(tmp_path, CONFIG)
    assert index.sources[0].info.name == "COR_T1"
    assert index.skipped == ()
    path.with_name("scan7.json").write_text('{"Modality": "CT"}')
    assert index_study(tmp_path, CONFIG).sources[0].info.excluded.code == "not_mr"


def test_patients_in_one_folder_are_told_apart_by_names_of_bids(tmp_path):
    names = ["sub-01_T1w", "sub-01_STIR", "sub-02_ses-1_T1w", "sub-02_ses-2_T1w", "COR_T1"]
    for name in names:
        volume(tmp_path / "flat" / f"{name}.nii.gz")
    (tmp_path / "flat" / "sub-03_T1w.nii.gz").write_bytes(b"nothing")
    studies = find_studies(tmp_path, CONFIG)
    found = {s.identity.relative_path: [source.description for source in s.sources] for s in studies}
    assert found == {
        "flat": ["COR_T1"],
        "flat/sub-01": ["sub-01_STIR", "sub-01_T1w"],
        "flat/sub-02/ses-1": ["sub-02_ses-1_T1w"],
        "flat/sub-02/ses-2": ["sub-02_ses-2_T1w"],
        "flat/sub-03": [],
    }
    patients = [pseudonyms(s.identity, CONFIG).patient_id for s in studies]
    assert len(set(patients)) == 4
    assert patients[2] == patients[3]
    assert [len(s.skipped) for s in studies] == [0, 0, 0, 0, 1]
    assert not any(s.warnings for s in studies)
    assert [s.identity.relative_path for s in find_studies(tmp_path / "flat", CONFIG)] == list(found)


def test_names_of_one_patient_do_not_divide_a_folder(tmp_path):
    for name in ("sub-01_T1w", "sub-01_run-2_T1w", "COR_STIR"):
        volume(tmp_path / "x" / f"{name}.nii.gz")
    (study,) = find_studies(tmp_path, CONFIG)
    assert study.identity.relative_path == "x"
    tree = tmp_path / "y" / "sub-7" / "anat"
    for name in ("sub-7_ses-1_T1w", "sub-7_ses-2_T1w"):
        volume(tree / f"{name}.nii.gz")
    (study,) = find_studies(tmp_path / "y", CONFIG)
    assert study.identity.relative_path == "sub-7"
    assert study.warnings == ()


def test_several_series_of_one_kind_may_be_of_several_patients(tmp_path):
    for name in ("P003_T1", "P004_T1", "P004_STIR", "P005_T1_mask"):
        volume(tmp_path / f"{name}.nii.gz")
    warning = (
        "Its folder holds several coronal T1 series (2 files): if they are of several patients, give each patient a "
        "folder."
    )
    assert index_study(tmp_path, CONFIG).warnings == (warning,)
    assert warning in load_study(tmp_path).warnings
    assert index_study(tmp_path, CONFIG, t1=tmp_path / "P003_T1.nii.gz").warnings == ()
    (tmp_path / "P003_T1.nii.gz").unlink()
    assert index_study(tmp_path, CONFIG).warnings == ()


@pytest.mark.parametrize(("distance", "code"), [(180.0, "too_sparse"), (12.1, "too_sparse"), (12.0, None)])
def test_slices_far_apart_are_no_stack(tmp_path, distance, code):
    volume(tmp_path / "COR_T1.nii.gz", shape=(3, 80, 80), spacing=distance)
    volume(tmp_path / "COR_STIR.nii.gz", shape=(1, 80, 80), spacing=distance)
    stir, t1 = (source.info.excluded for source in index_study(tmp_path, CONFIG).sources)
    assert stir is None
    assert (t1 and t1.code) == code
    wide = IoConfig(salt="fixed", maximum_slice_distance_mm=20)
    assert (index_study(tmp_path, wide).sources[1].info.excluded is None) == (distance < 20)


def test_names_number_duplicates_and_unknown_series_are_kept_with_a_reason(tmp_path):
    for name in ("a_T1", "b_T1", "c_T1", "d"):
        volume(tmp_path / f"{name}.nii.gz")
    index = index_study(tmp_path, CONFIG)
    assert [(s.info.name, s.description) for s in index.sources] == [
        ("COR_OTHER", "d"),
        ("COR_T1", "a_T1"),
        ("COR_T1_2", "b_T1"),
        ("COR_T1_3", "c_T1"),
    ]
    assert index.sources[0].info.excluded.code == "no_usable_contrast"
    forced = index_study(tmp_path, IoConfig(roles={"d": "STIR"}))
    assert "COR_STIR" in [s.info.name for s in forced.sources]


def test_paths_without_exactly_one_study(tmp_path):
    with pytest.raises(InputError, match="path_missing"):
        find_studies(tmp_path / "nowhere", CONFIG)
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "bad.nii.gz").write_bytes(b"nothing")
    # Broken images are a study that cannot be analysed, so that it is counted; files of another kind are none.
    (index,) = find_studies(tmp_path, CONFIG)
    assert index.sources == ()
    assert {item.reason.code for item in index.skipped} >= {"nifti_unreadable"}
    (tmp_path / "bad.nii.gz").unlink()
    assert find_studies(tmp_path, CONFIG) == ()
    with pytest.raises(InputError, match="no_study") as caught:
        index_study(tmp_path, CONFIG)
    assert "neither DICOM nor a volume" in caught.value.message
    volume(tmp_path / "x" / "T1.nii.gz")
    volume(tmp_path / "y" / "T1.nii.gz")
    with pytest.raises(InputError, match="several_studies") as caught:
        index_study(tmp_path, CONFIG)
    assert "batch" in caught.value.hint


def test_links_in_a_circle_and_odd_files_do_no_harm(tmp_path):
    volume(tmp_path / "a" / "COR_T1.nii.gz")
    (tmp_path / "a" / "up").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "a" / "dead").symlink_to(tmp_path / "nowhere")
    (tmp_path / "a" / "._COR_T1.nii.gz").write_bytes(b"resource fork")
    os.mkfifo(tmp_path / "a" / "pipe")
    (index,) = find_studies(tmp_path, CONFIG)
    assert len(index.sources) == 1
    codes = {s.path.name: s.reason.code for s in index.skipped}
    assert codes == {
        "up": "visited_before",
        "dead": "unreadable",
        "._COR_T1.nii.gz": "hidden",
        "pipe": "unreadable",
    }


def test_a_damaged_nifti_file_costs_one_series_only(tmp_path):
    volume(tmp_path / "COR_T1.nii.gz")
    path = volume(tmp_path / "COR_STIR.nii")
    path.write_bytes(path.read_bytes()[:-100])
    study = load_study(tmp_path)
    assert [s.name for s in study.series] == ["COR_T1"]
    assert study.excluded[0].excluded.code == "nifti_unreadable"
    assert any("COR_STIR" in warning for warning in study.warnings)


def test_content_hash_follows_pixels_and_geometry_only(tmp_path):
    a = load_study(volume(tmp_path / "a" / "T1.nii.gz"))
    b = load_study(volume(tmp_path / "b" / "my T1.nii.gz"))
    assert a.content_hash == b.content_hash
    assert load_study(volume(tmp_path / "c" / "T1.nii.gz", value=2)).content_hash != a.content_hash
    assert load_study(volume(tmp_path / "d" / "T1.nii.gz", spacing=4.5)).content_hash != a.content_hash


IDENTITY = StudyIdentity("MRN 1/2", "1.2.3", "2020-01-31", "x/y")


def test_pseudonyms_are_stable_salted_and_unlinkable():
    first = pseudonyms(IDENTITY, CONFIG)
    assert first == pseudonyms(IDENTITY, CONFIG)
    assert first.study_id[0] == "S"
    assert first.patient_id[0] == "P"
    assert len(first.study_id) == len(first.patient_id) == 13
    assert first.study_date is None
    assert pseudonyms(IDENTITY, IoConfig(salt="other")).study_id != first.study_id
    later = pseudonyms(StudyIdentity("MRN 1/2", "1.2.4", None, "x"), CONFIG)
    assert later.patient_id == first.patient_id
    assert later.study_id != first.study_id
    blank = [pseudonyms(StudyIdentity(None, uid, None, "x"), CONFIG) for uid in ("1.2.3", "1.2.4")]
    assert blank[0].patient_id != blank[1].patient_id
    assert "MRN" not in repr(IDENTITY)


def test_one_process_has_one_salt_where_none_is_given():
    assert pseudonyms(IDENTITY, IoConfig()) == pseudonyms(IDENTITY, Config().io)
    assert pseudonyms(IDENTITY, IoConfig()).study_id != pseudonyms(IDENTITY, CONFIG).study_id


def test_identifiers_are_kept_where_asked_for():
    kept = pseudonyms(IDENTITY, IoConfig(keep_identifiers=True))
    assert kept.study_id == "1.2.3"
    assert kept.patient_id.startswith("MRN-1")
    assert kept.study_date == "2020-01-31"


def test_safe_names_are_safe_and_different():
    assert safe_name("case-01/nifti") == "case-01__nifti"
    texts = [
        "a/b",
        "a__b",
        "a b",
        "a-b",
        "a:b",
        "../a",
        "a",
        "a.",
        "ä",
        "ö",
        "",
        "/",
        "x" * 300,
        "x" * 301,
        "a\\b",
    ]
    names = [safe_name(text) for text in texts]
    assert len({name.lower() for name in names}) == len(texts)
    for name in names:
        assert name
        assert len(name) < 120
        assert not set(name) & set('/\\:*?"<>| ')
        assert not name.startswith(".")


def test_salt_is_made_once_and_kept_private(tmp_path):
    salt = salt_of(tmp_path / "out")
    assert len(salt) == 32
    assert salt_of(tmp_path / "out") == salt
    assert (tmp_path / "out" / "salt.txt").stat().st_mode & 0o777 == 0o600
    assert salt_of(tmp_path / "else") != salt
    (tmp_path / "out" / "salt.txt").write_text("\n")
    with pytest.raises(InputError, match="salt_unreadable"):
        salt_of(tmp_path / "out")


def test_a_broken_volume_among_dicom_files_is_no_study(tmp_path, dicom_series, coronal_positions):
    """It would block 'analyze', and put the name of the folder, often the patient's, into results."""
    dicom_series(tmp_path / "DOE_JOHN", coronal_positions(9))
    (tmp_path / "DOE_JOHN" / "x.nii.gz").write_bytes(b"garbage")
    index = index_study(tmp_path, CONFIG)
    assert [source.info.name for source in index.sources] == ["COR_STIR"]
    assert ("x.nii.gz", "nifti_unreadable") in [(item.path.name, item.reason.code) for item in index.skipped]
