"""Cases on disk: what a reader finds is what was made."""

import hashlib
import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pydicom
import pytest

from toh_mri.core.config.io import IoConfig
from toh_mri.core.study import Contrast, SlicePlane
from toh_mri.geometry import Image, Side
from toh_mri.io.roles.assign import assign_role
from toh_mri.io.volumes.nifti import read_nifti
from toh_mri.io.volumes.sidecar import read_sidecar
from toh_mri.phantom import Disease, PhantomCase, PhantomSeries, make_case, write_dicom_case, write_nifti_case
from toh_mri.phantom.nifti import sidecar
from toh_mri.phantom.protocol import Dialect, SeriesPlan, default_plans, place, volume_plan


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


def small(plan: SeriesPlan, **changes: object) -> SeriesPlan:
    return replace(plan, fov_mm=150.0, matrix=96, slices=3, thickness_mm=4.0, gap_mm=1.0, **changes)


CONTRASTS = [contrast for contrast in Contrast if contrast is not Contrast.OTHER]


@pytest.mark.parametrize("field", [1.5, 3.0])
@pytest.mark.parametrize("dialect", list(Dialect))
def test_every_series_is_taken_for_what_it_is_from_its_sidecar(dialect: Dialect, field: float, tmp_path: Path):
    wanted = [(plane, contrast) for plane in SlicePlane for contrast in CONTRASTS]
    plans = [*default_plans(field, bilateral=False, contrasts=wanted), volume_plan(field, bilateral=False)]
    for plan in (replace(one, dialect=dialect) for one in plans):
        grid = place(plan, np.zeros(3), np.eye(3))
        image = Image(np.zeros(grid.shape, dtype=np.int16), grid)
        content = sidecar(PhantomSeries(plan, image, {}, np.eye(4)))
        (tmp_path / "any.json").write_text(json.dumps(content))
        found = read_sidecar(tmp_path / "any.nii.gz")
        role = assign_role(found.acquisition, plan.plane, found.words, IoConfig())
        assert role.contrast is plan.sequence.contrast, (plan.name, role.reasons)
        assert content["Manufacturer"] == "Phantom"
        assert found.acquisition.acquisition_type == ("3D" if plan.sequence.is_volume else "2D")


@pytest.fixture(scope="module")
def oblique() -> PhantomCase:
    """A water-fat separation turned out of its plane, and a volume."""
    parts = [(SlicePlane.CORONAL, Contrast.DIXON_WATER), (SlicePlane.CORONAL, Contrast.DIXON_FAT)]
    turned = [
        small(plan, tilt_degree=(0.0, 5.0, 22.0), dialect=Dialect.CAPITALS)
        for plan in default_plans(1.5, bilateral=False, contrasts=parts)
    ]
    volume = small(volume_plan(1.5, bilateral=False), dialect=Dialect.CAPITALS)
    return make_case(9, Disease.TOH, side=Side.LEFT, plans=[*turned, volume])


def test_oblique_series_lie_in_dicom_where_they_lie_in_nifti(oblique: PhantomCase, tmp_path: Path):
    write_nifti_case(oblique, tmp_path)
    write_dicom_case(oblique, tmp_path)
    names = {"COR_DIXON_WATER": "WATER: COR OBL T2 FLEX", "COR_DIXON_FAT": "FAT: COR OBL T2 FLEX"}
    files = read_all(tmp_path / "study")
    for name, description in names.items():
        image = read_nifti(tmp_path / "nifti" / f"{name}.nii.gz")
        assert abs(image.grid.directions[1, 0]) == pytest.approx(np.cos(np.radians(22)), abs=0.08)
        slices = sorted(files[description], key=lambda dataset: dataset.InstanceNumber)
        for index, dataset in enumerate(slices):
            across, down = np.array(dataset.ImageOrientationPatient, dtype=float).reshape(2, 3)
            row_mm, column_mm = map(float, dataset.PixelSpacing)
            place = np.array(dataset.ImagePositionPatient, dtype=float) + 20 * down * row_mm + 9 * across * column_mm
            assert place == pytest.approx(image.grid.to_world([index, 20, 9]), abs=2e-3)
            assert np.array_equal(dataset.pixel_array, image.array[index])


def test_separation_and_volume_say_what_they_are(oblique: PhantomCase, tmp_path: Path):
    write_dicom_case(oblique, tmp_path)
    files = read_all(tmp_path / "study")
    water, volume = files["WATER: COR OBL T2 FLEX"][0], files["COR 3D T1 SPGR"][0]
    assert list(water.ImageType) == ["DERIVED", "PRIMARY", "DIXON", "WATER"]
    assert (volume.ScanningSequence, volume.MRAcquisitionType) == ("GR", "3D")
    assert list(volume.SequenceVariant) == ["SS", "SP"]
    assert volume.EchoTime == pytest.approx(4.47)
    assert volume.FlipAngle < 20
    assert {dataset.Manufacturer for found in files.values() for dataset in found} == {"Phantom"}


def test_both_images_of_a_separation_show_the_same_moment(oblique: PhantomCase):
    water, fat, volume = oblique.series
    assert np.array_equal(water.movement, fat.movement)
    assert water.jerk == fat.jerk
    assert np.array_equal(water.masks["labels"].array, fat.masks["labels"].array)
    assert not np.array_equal(volume.movement, water.movement)
    muscle = water.image.array > 2 * fat.image.array
    assert muscle.mean() > 0.1
    assert (fat.image.array > 2 * water.image.array).mean() > 0.1
