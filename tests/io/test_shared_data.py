"""Against an independent converter's reading of real files, and against the truth of the synthetic cohort."""

import json
import shutil

import nibabel
import numpy as np
import pytest

from toh_mri.core.config.io import IoConfig
from toh_mri.io import find_studies, load_study, read_nifti
from toh_mri.io.dicom.index import scan_dicom, study_candidates
from toh_mri.io.files.find import find_files

pytestmark = pytest.mark.shared

CONFIG = IoConfig(salt="fixed")
LPS_FROM_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
FOLDERS = (
    "siemens_classic",
    "philips_enhanced",
    "philips_enhanced_small",
    "siemens_enhanced_xa30",
    "position_HFS",
    "position_HFP",
    "compressed_jpegls",
    "compressed_rle",
)


def difference(image, reference):
    """Largest distance of corners in mm, largest difference of scaled samples; None if not alike."""
    to_reference = np.linalg.inv(reference.affine) @ LPS_FROM_RAS @ image.grid.affine
    turn = np.rint(to_reference[:3, :3])
    if not np.allclose(np.abs(turn).sum(axis=0), 1) or not np.allclose(np.abs(turn).sum(axis=1), 1):
        return None
    axes = np.abs(turn).argmax(axis=0)
    samples = np.asarray(reference.dataobj, dtype=np.float64).transpose(axes)
    samples = np.flip(samples, [a for a in range(3) if turn[axes[a], a] < 0])
    if samples.shape != image.array.shape:
        return None
    corners = np.array([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)]) * (np.array(samples.shape) - 1)
    there = np.column_stack([corners, np.ones(8)]) @ to_reference.T
    gap = np.linalg.norm((there - np.rint(there)) @ reference.affine.T, axis=1).max()
    ours = image.array.astype(np.float64)
    scale = (ours * samples).sum() / (samples**2).sum()
    return gap, np.abs(ours - scale * samples).max() / np.abs(ours).max()


@pytest.mark.parametrize("folder", FOLDERS)
def test_real_dicom_agrees_with_an_independent_converter(shared_data, folder):
    references = [nibabel.load(path) for path in sorted((shared_data / "reference" / folder).glob("*.nii.gz"))]
    studies, _ = scan_dicom(find_files(shared_data / "dicom" / folder).dicom)
    candidates = [candidate for study in studies for candidate in study_candidates(study, CONFIG)]
    assert len(candidates) == len(references)
    for candidate in candidates:
        image = candidate.load().image
        found = [d for d in (difference(image, reference) for reference in references) if d is not None]
        gap, samples = min(found, key=lambda d: d[1])
        assert gap < 1e-3
        assert samples < 1e-4  # the converter's field map is in whole units of a private scaling


def test_every_real_series_that_is_no_hip_says_why(shared_data):
    studies = find_studies(shared_data / "dicom", CONFIG)
    verdicts = {s.identity.relative_path.split("/")[0]: [x.info.excluded.code for x in s.sources] for s in studies}
    assert set(verdicts["siemens_mosaic"]) == {"mosaic"}
    assert verdicts["position_HFS"] == verdicts["position_HFP"] == ["not_a_hip"]
    assert verdicts["siemens_classic"] == verdicts["compressed_jpegls"] == ["no_usable_contrast"]
    assert set(verdicts["philips_enhanced_small"]) == {"phase", "not_a_hip"}
    messages = {s.path.parts[-2:]: s.sources[0].info.excluded.message for s in studies}
    assert "FLAIR" in messages["siemens_classic", "001"]
    assert "CT" in messages["sliceincrement", "002"]
    assert "1 slice is missing: slices lie 0.75 mm apart, but 1.5 mm" in messages["sliceincrement", "002"]
    assert "2 slices cover 2 mm" in messages["slicecount", "001"]
    assert all(x.info.excluded is not None for s in studies for x in s.sources)


def cohort(shared_data):
    return sorted(path for path in (shared_data / "cohort").iterdir() if path.is_dir())


def test_cohort_roles_and_sides(shared_data):
    """Series get their true names, and the true head centre lies in the head's label of its own side."""
    for case in cohort(shared_data):
        truth = json.loads((case / "truth" / "truth.json").read_text())
        study = load_study(case)
        assert {series.name for series in study.series} == set(truth["series"])
        for series in study.series:
            grid = series.image.grid
            labels = read_nifti(case / "truth" / f"{series.name}_labels.nii.gz")
            for side, hip in truth["hips"].items():
                if not grid.contains(hip["head_center_lps"]):
                    continue
                index = tuple(np.rint(labels.grid.to_index(hip["head_center_lps"])).astype(int))
                assert labels.array[index] == {"R": 1, "L": 11}[side]
            # Same voxel lattice, be it counted from the other end.
            to_labels = np.linalg.inv(labels.grid.affine) @ grid.affine
            assert np.abs(to_labels[:3, :3] - np.rint(to_labels[:3, :3])).max() < 1e-4


def test_sidecars_alone_give_the_right_roles(shared_data, tmp_path):
    """With the file name and the description gone, acquisition parameters still tell the contrast."""
    count = 0
    for case in cohort(shared_data):
        for number, sidecar in enumerate(sorted((case / "nifti").glob("*.json"))):
            content = json.loads(sidecar.read_text())
            content.pop("SeriesDescription")
            shutil.copy(sidecar.with_suffix(".nii.gz"), tmp_path / "x.nii.gz")
            (tmp_path / "x.json").write_text(json.dumps(content))
            (index,) = find_studies(tmp_path, CONFIG)
            assert index.sources[0].info.name == sidecar.stem, f"{case.name} {number}"
            count += 1
    assert count > 20
