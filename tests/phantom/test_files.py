"""Cases on disk: what a reader finds is what was made."""

import hashlib
import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pydicom
import pytest

from toh_mri.io.volumes.nifti import read_nifti
from toh_mri.phantom import PhantomCase, write_dicom_case, write_nifti_case


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("write", [write_nifti_case, write_dicom_case])
def test_writing_twice_gives_the_same_bytes(write, on_right: PhantomCase, tmp_path: Path):
    write(on_right, tmp_path / "a")
    write(on_right, tmp_path / "b")
    assert digests(tmp_path / "a") == digests(tmp_path / "b")
    assert len(digests(tmp_path / "a")) > 10


def test_nifti_files_hold_image_masks_and_settings(toh_left: PhantomCase, tmp_path: Path):
    write_nifti_case(toh_left, tmp_path)
    for series in toh_left.series:
        image = read_nifti(tmp_path / "nifti" / f"{series.name}.nii.gz")
        assert image.grid.matches(series.image.grid, tolerance_mm=1e-2)
        assert np.array_equal(image.array, series.image.array)
        labels = read_nifti(tmp_path / "truth" / f"{series.name}_labels.nii.gz")
        assert np.array_equal(labels.array, series.masks["labels"].array)
    stir = json.loads((tmp_path / "nifti" / "COR_STIR.json").read_text())
    assert stir["ScanningSequence"] == "IR"
    assert 0.15 < stir["InversionTime"] < 0.26
    t1 = json.loads((tmp_path / "nifti" / "COR_T1.json").read_text())
    assert "InversionTime" not in t1
    assert t1["RepetitionTime"] < 1
    assert not (tmp_path / "truth" / "COR_T1_line_serpiginous.nii.gz").exists()
    assert (tmp_path / "truth" / "COR_T1_necrosis.nii.gz").exists()


def test_truth_file_reads_back(on_right: PhantomCase, tmp_path: Path):
    write_nifti_case(on_right, tmp_path)
    truth = json.loads((tmp_path / "truth" / "truth.json").read_text())
    assert truth["cls"] == "ON"
    assert truth["label_codes"]["R"] == {"femoral_head": 1, "femoral_neck": 2, "proximal_rest": 3, "acetabulum": 4}
    assert truth["hips"]["R"]["head_center_lps"][0] < 0
    assert set(truth["series"]) == {"COR_T1", "COR_STIR"}
    assert (tmp_path / "truth" / "COR_T1_line_serpiginous.nii.gz").exists()


@pytest.fixture(scope="module")
def dicom_folder(on_right: PhantomCase, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dicom")
    write_dicom_case(on_right, folder)
    return folder / "study"


def read_all(folder: Path) -> dict[str, list[pydicom.Dataset]]:
    series: dict[str, list[pydicom.Dataset]] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix != ".txt":
            dataset = pydicom.dcmread(path)
            series.setdefault(dataset.SeriesDescription, []).append(dataset)
    return series


def test_dicom_folder_is_mixed_and_holds_a_localizer_and_a_note(dicom_folder: Path):
    names = sorted(path.name for path in dicom_folder.iterdir())
    assert any("." not in name for name in names)
    assert any(name.endswith(".dcm") for name in names)
    assert "readme.txt" in names
    series = read_all(dicom_folder)
    assert {name: len(found) for name, found in series.items()} == {"localizer": 3, "t1_tse_cor": 14, "stir_cor": 14}
    in_order = [pydicom.dcmread(dicom_folder / n).SeriesDescription for n in names if n != "readme.txt"]
    assert sum(a != b for a, b in pairwise(in_order)) > 8  # series are interleaved
    uids = [dataset.SOPInstanceUID for found in series.values() for dataset in found]
    assert len(set(uids)) == len(uids) == len(names) - 1
    assert all(uid.is_valid for uid in uids)
    assert len({dataset.SeriesInstanceUID for found in series.values() for dataset in found}) == 3


def test_dicom_geometry_and_pixels_are_those_of_the_case(dicom_folder: Path, on_right: PhantomCase):
    by_name = {"COR_T1": "t1_tse_cor", "COR_STIR": "stir_cor"}
    found = read_all(dicom_folder)
    for series in on_right.series:
        grid = series.image.grid
        slices = sorted(found[by_name[series.name]], key=lambda dataset: dataset.InstanceNumber)
        for index, dataset in enumerate(slices):
            assert np.array_equal(dataset.pixel_array, series.image.array[index])
            across, down = np.array(dataset.ImageOrientationPatient, dtype=float).reshape(2, 3)
            row_mm, column_mm = map(float, dataset.PixelSpacing)
            place = np.array(dataset.ImagePositionPatient, dtype=float) + 10 * down * row_mm + 7 * across * column_mm
            assert place == pytest.approx(grid.to_world([index, 10, 7]), abs=1e-3)
            assert dataset.PatientPosition == "HFS"


def test_dicom_headers_say_how_it_was_acquired(dicom_folder: Path):
    series = read_all(dicom_folder)
    stir, t1 = series["stir_cor"][0], series["t1_tse_cor"][0]
    assert (stir.ScanningSequence, t1.ScanningSequence) == ("IR", "SE")
    assert 240 < stir.InversionTime < 260
    assert "InversionTime" not in t1
    assert stir.MagneticFieldStrength == t1.MagneticFieldStrength == 3.0
    assert str(t1.PatientName) == "PHANTOM^SAMPLE"
    assert t1.BodyPartExamined == "HIP"
    assert t1.Laterality == "R"
