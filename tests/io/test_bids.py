"""BIDS trees: names, and which sidecars describe an image."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from toh_mri.core.config.io import IoConfig
from toh_mri.geometry import Grid, Image
from toh_mri.io import find_studies, write_nifti
from toh_mri.io.volumes import bids
from toh_mri.io.volumes.bids import bids_names, subject_in_name
from toh_mri.io.volumes.sidecar import read_sidecar


@pytest.mark.parametrize(
    ("path", "study"),
    [
        ("/d/sub-01/anat", "sub-01"),
        ("/d/sub-01/anat/sub-01_T1w.nii.gz", "sub-01"),
        ("/d/sub-01/ses-2/anat/x.nii", "sub-01/ses-2"),
        ("/d/sub-9/sub-01/ses-2/anat", "sub-01/ses-2"),
        ("/d/sub-01/ses-2/func/x.nii", None),
        ("/d/sub-01/ses-2", None),
        ("/d/sub-01/x.nii.gz", None),
        ("/d/anat/x.nii.gz", None),
        ("/d/substance-1/anat/x.nii.gz", None),
        ("/", None),
    ],
)
def test_subject_and_session(path, study):
    names = bids_names(Path(path))
    assert (None if names is None else names.study) == study
    if names is not None:
        assert names.subject == "sub-01"
        assert names.dataset.name in {"d", "sub-9"}


def test_a_relative_path_is_seen_in_its_whole(tmp_path, monkeypatch):
    folder = tmp_path / "sub-A1" / "ses-pre" / "anat"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    assert bids_names(Path()).study == "sub-A1/ses-pre"


@pytest.mark.parametrize(
    ("name", "study"),
    [
        ("sub-01_T1w.nii.gz", "sub-01"),
        ("sub-A1_ses-pre_acq-cor_T1w.nii", "sub-A1/ses-pre"),
        ("sub-01_ses-2.nii.gz", "sub-01"),
        ("sub-01.nii.gz", None),
        ("my sub-01_T1w.nii.gz", None),
        ("P01_T1.nii.gz", None),
    ],
)
def test_subject_and_session_of_a_file_name(name, study):
    names = subject_in_name(Path("x") / name)
    assert (None if names is None else names.study) == study


def tree(root, files):
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content) if isinstance(content, dict) else content)


IMAGE = "ds/sub-01/ses-2/anat/sub-01_ses-2_acq-cor_run-1_T1w.nii.gz"


def test_sidecars_are_inherited_the_nearer_ones_winning(tmp_path):
    tree(
        tmp_path,
        {
            "T1w.json": {"FlipAngle": 1},  # above the dataset
            "ds/T1w.json": {"EchoTime": 0.001, "RepetitionTime": 0.1, "FlipAngle": 90, "Modality": "MR"},
            "ds/acq-cor_T1w.json": {"EchoTime": 0.002},
            "ds/acq-ax_T1w.json": {"EchoTime": 0.009, "EchoTrainLength": 9},
            "ds/T2w.json": {"EchoTrainLength": 9},
            "ds/sub-01/sub-01_T1w.json": {"EchoTime": 0.003, "RepetitionTime": 0.3},
            "ds/sub-01/ses-2/sub-01_ses-2_acq-cor_T1w.json": {"EchoTime": 0.004},
            "ds/sub-01/ses-2/anat/sub-01_ses-2_run-1_T1w.json": {"EchoTime": 0.005, "SliceThickness": 5},
            "ds/sub-01/ses-2/anat/sub-01_ses-2_run-2_T1w.json": {"EchoTime": 0.009},
            IMAGE.replace(".nii.gz", ".json"): {"EchoTime": 0.006},
        },
    )
    found = read_sidecar(tmp_path / IMAGE).acquisition
    assert (found.echo_time_ms, found.repetition_time_ms, found.flip_angle_degree) == (6.0, 300.0, 90.0)
    assert (found.modality, found.slice_thickness_mm, found.echo_train_length) == ("MR", 5.0, None)
    (tmp_path / IMAGE.replace(".nii.gz", ".json")).unlink()
    assert read_sidecar(tmp_path / IMAGE).acquisition.echo_time_ms == 5.0


def test_sidecars_are_inherited_inside_an_archive(tmp_path):
    with zipfile.ZipFile(tmp_path / "s.zip", "w") as archive:
        archive.writestr(IMAGE, b"")
        archive.writestr("ds/T1w.json", '{"RepetitionTime": 0.6, "EchoTime": 0.02}')
        archive.writestr(IMAGE.replace(".nii.gz", ".json"), '{"EchoTime": 0.01}')
    found = read_sidecar(tmp_path / "s.zip" / IMAGE).acquisition
    assert (found.repetition_time_ms, found.echo_time_ms) == (600.0, 10.0)


def test_a_broken_inherited_sidecar_spoils_nothing_else(tmp_path):
    tree(tmp_path, {"ds/T1w.json": "{", IMAGE.replace(".nii.gz", ".json"): {"EchoTime": 0.01}})
    found = read_sidecar(tmp_path / IMAGE)
    assert found.acquisition.echo_time_ms == 10.0
    assert len(found.problems) == 1


def test_outside_a_tree_only_the_file_of_the_same_name_counts(tmp_path):
    tree(tmp_path, {"T1w.json": {"EchoTime": 0.01}, "x/sub-01_T1w.json": {"FlipAngle": 90}})
    found = read_sidecar(tmp_path / "x" / "sub-01_T1w.nii.gz").acquisition
    assert (found.echo_time_ms, found.flip_angle_degree) == (None, 90.0)


def test_a_scan_lists_every_folder_once(tmp_path, monkeypatch):
    listed = []
    names_in = bids.names_in
    monkeypatch.setattr(bids, "names_in", lambda folder: listed.append(folder) or names_in(folder))
    image = Image(np.zeros((2, 3, 4), np.uint8), Grid((2, 3, 4), np.eye(4)))
    for number in range(5):
        folder = tmp_path / f"sub-{number}" / "anat"
        folder.mkdir(parents=True)
        for suffix in ("T1w", "T2w"):
            write_nifti(folder / f"sub-{number}_{suffix}.nii", image)
    find_studies(tmp_path, IoConfig(salt="fixed"))
    assert sorted(listed) == sorted({tmp_path, *tmp_path.glob("sub-*"), *tmp_path.glob("sub-*/anat")})
