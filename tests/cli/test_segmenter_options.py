"""Which back end the command line chooses, and a person's drawing from file to record."""

import json

import numpy as np
import pytest

import toh_mri.batch
import toh_mri.io
from tests.export.handmade import study_index, study_record
from toh_mri.batch import Outcome, Summary
from toh_mri.batch.runner import Counter
from toh_mri.core.hip import Label
from toh_mri.io import read_nifti, write_nifti


@pytest.fixture
def used(monkeypatch):
    """Find one study without looking, run nothing, and note the configuration."""
    used = {}

    def run_studies(_indices, out, config, *, on_done, **_):
        used.update(config=config)
        record = study_record()
        on_done(Outcome(record, kept=False, seconds=1.0))
        return Summary(Counter([record.status]), 0, out / "index.html", (out / "page.html",))

    monkeypatch.setattr(toh_mri.io, "index_study", lambda *_, **__: study_index())
    monkeypatch.setattr(toh_mri.io, "find_studies", lambda *_: (study_index(),))
    monkeypatch.setattr(toh_mri.batch, "run_studies", run_studies)
    return used


@pytest.mark.parametrize("command", ["analyze", "batch"])
def test_the_back_end_is_chosen_by_name(cli, used, tmp_path, command):
    assert cli(command, tmp_path, "--out", tmp_path / "o")[0] == 0
    assert used["config"].segmentation.segmenter == "classical"
    assert cli(command, tmp_path, "--out", tmp_path / "o", "--segmenter", "no: [yaml]")[0] == 0
    assert used["config"].segmentation.segmenter == "no: [yaml]"


def test_an_unknown_back_end_is_wrong_usage_and_the_known_ones_are_named(cli, sample_data, tmp_path):
    status, _, err = cli("analyze", sample_data / "toh_right", "--out", tmp_path / "o", "--segmenter", "clasical")
    assert status == 2
    assert "segmenter_unknown" in err
    assert "classical, manual" in " ".join(err.split())


def test_a_drawing_is_used_as_it_is(cli, sample_data, tmp_path):
    truth = read_nifti(sample_data / "toh_right" / "truth" / "COR_STIR_labels.nii.gz")
    labels = np.where(np.asarray(truth.array) <= len(Label), truth.array, 0).astype(np.uint8)
    write_nifti(tmp_path / "drawn.nii.gz", truth.with_array(labels))
    status, out, _ = cli(
        "analyze", sample_data / "toh_right", "--out", tmp_path / "o", "--anatomy", tmp_path / "drawn.nii.gz"
    )
    assert status == 0
    assert "report.html" in out
    (record,) = (tmp_path / "o" / "studies").glob("*/study.json")
    hip = json.loads(record.read_text())["hips"]["right"]
    assert hip["segmentation_confidence"] == 1
    assert "manual" in [check["code"] for check in hip["checks"]]
    written = read_nifti(record.parent / "hip-right" / "anatomy.nii.gz")
    assert np.sum(written.array == Label.FEMORAL_HEAD.code) == np.sum(labels == Label.FEMORAL_HEAD.code)


def test_a_drawing_that_is_no_image_is_refused(cli, sample_data, tmp_path):
    (tmp_path / "drawn.nii").write_text("not an image")
    status, _, err = cli(
        "analyze", sample_data / "toh_right", "--out", tmp_path / "o", "--anatomy", tmp_path / "drawn.nii"
    )
    assert status == 2
    assert "nifti_unreadable" in err
    assert not (tmp_path / "o").exists()


def test_a_drawing_that_is_not_there_is_wrong_usage(cli, tmp_path):
    assert cli("analyze", tmp_path, "--out", tmp_path / "o", "--anatomy", tmp_path / "nowhere.nii")[0] == 2
