"""What a user made is not lost, and what failed is not silent."""

import csv
import shutil

import pytest

from toh_mri.batch import run_studies
from toh_mri.core.config import Config
from toh_mri.core.errors import ExportError
from toh_mri.core.hip import Status
from toh_mri.io import find_studies


def rows(path):
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def run(root, out, **options):
    config = Config().with_overrides(["preprocess.align=false"])
    return run_studies(find_studies(root, config.io), out, config, command="batch", **options)


@pytest.fixture(scope="module")
def fluid_only(sample_data, tmp_path_factory):
    """One series of a sample study, quick to analyse."""
    folder = tmp_path_factory.mktemp("one") / "nifti"
    folder.mkdir()
    for name in ("COR_STIR.nii.gz", "COR_STIR.json"):
        shutil.copy(sample_data / "toh_right" / "nifti" / name, folder)
    return folder


def test_another_study_of_the_same_name_is_refused_and_the_first_one_kept(fluid_only, sample_data, tmp_path):
    run(fluid_only, tmp_path / "out")
    before = (tmp_path / "out" / "hips.csv").read_bytes()
    other = tmp_path / "other" / "nifti"
    other.mkdir(parents=True)
    shutil.copy(sample_data / "normal_both" / "nifti" / "COR_STIR.nii.gz", other)
    with pytest.raises(ExportError) as caught:
        run(other, tmp_path / "out", force=True)
    assert caught.value.code == "study_id_taken"
    assert (tmp_path / "out" / "hips.csv").read_bytes() == before


def test_the_same_study_in_another_place_is_kept(fluid_only, tmp_path):
    run(fluid_only, tmp_path / "out")
    moved = tmp_path / "moved" / "nifti"
    shutil.copytree(fluid_only, moved)
    assert run(moved, tmp_path / "out").kept == 1


def test_a_folder_of_broken_images_is_a_row_with_a_reason(fluid_only, tmp_path):
    broken = tmp_path / "in" / "broken"
    broken.mkdir(parents=True)
    (broken / "COR_STIR.nii.gz").write_bytes(b"no image")
    summary = run(tmp_path / "in", tmp_path / "out")
    assert summary.statuses == {Status.FAILED: 1}
    (row,) = rows(tmp_path / "out" / "failures.csv")
    assert (row["study_id"], row["code"]) == ("broken", "no_usable_series")
    assert "nifti_unreadable" in row["message"]


def test_a_series_that_cannot_be_read_asks_for_a_look(fluid_only, sample_data, tmp_path):
    study = tmp_path / "in" / "nifti"
    shutil.copytree(fluid_only, study)
    whole = (sample_data / "toh_right" / "nifti" / "COR_T1.nii.gz").read_bytes()
    (study / "COR_T1.nii.gz").write_bytes(whole[: len(whole) // 2])
    run(tmp_path / "in", tmp_path / "out")
    (row,) = rows(tmp_path / "out" / "hips.csv")
    assert (row["status"], row["reason"]) == ("review", "series_unreadable")


def test_columns_do_not_depend_on_what_was_found(fluid_only, sample_data, tmp_path):
    run(fluid_only, tmp_path / "one")
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(sample_data / "normal_both" / "nifti" / "COR_STIR.nii.gz", other)
    run(other, tmp_path / "two")
    assert rows(tmp_path / "one" / "hips.csv")[0].keys() == rows(tmp_path / "two" / "hips.csv")[0].keys()
