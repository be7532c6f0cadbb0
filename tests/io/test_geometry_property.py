"""Random geometries, written as DICOM and as NIfTI: every voxel is where it was put, and left is left."""

import itertools
import math
import tempfile
from pathlib import Path

import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from tests.io.writers.classic import write_classic
from tests.io.writers.stored_volume import StoredVolume, index_coded
from toh_mri.core.config import Config
from toh_mri.core.config.io import IoConfig
from toh_mri.geometry import Image
from toh_mri.io import load_study, read_nifti

TINY = Config(io=IoConfig(salt="fixed", minimum_field_of_view_mm=0, minimum_coverage_mm=0, maximum_pixel_mm=5))
TOLERANCE_MM = 1e-4
RAS_FROM_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
PATIENT_POSITIONS = ("HFS", "HFP", "HFDR", "HFDL", "FFS", "FFP", "FFDR", "FFDL")
AXES = tuple(itertools.permutations(range(3)))

# Half the distance of float32 numbers just below 1, and the largest relative error of rounding to float32.
HALF_STEP = 2.0**-25
ROUNDING = 2.0**-24

rotations = st.one_of(
    st.tuples(*[st.floats(-180, 180)] * 3).map(lambda angles: Rotation.from_euler("xyz", angles, degrees=True)),
    # Whole and half turns, where the first component of the quaternion is 1 or 0.
    st.sampled_from(Rotation.create_group("O").as_quat().tolist()).map(Rotation.from_quat),
)


@st.composite
def volumes(draw):
    """Any shape, rotation, spacing, position and handedness; every voxel holds its own number."""
    shape = tuple(draw(st.integers(low, high)) for low, high in ((2, 5), (3, 6), (3, 7)))
    spacing = [draw(st.floats(low, high)) for low, high in ((0.8, 9.0), (0.3, 4.5), (0.3, 4.5))]
    mirror = np.diag([draw(st.sampled_from([-1.0, 1.0])), 1.0, 1.0])
    affine = np.eye(4)
    affine[:3, :3] = draw(rotations).as_matrix() @ mirror @ np.diag(spacing)
    affine[:3, 3] = [draw(st.floats(-400, 400)) for _ in range(3)]
    return StoredVolume(index_coded(shape), affine)


def largest_error_mm(image: Image, truth: StoredVolume) -> float:
    """Compare the place of every voxel with the place where its value was put."""
    numbers = np.rint(image.array).astype(int)
    np.testing.assert_array_equal(np.sort(numbers, axis=None), truth.stored.ravel())
    places = truth.to_world(np.stack(np.unravel_index(numbers, truth.stored.shape), axis=-1))
    return float(np.linalg.norm(image.grid.voxel_centres() - places, axis=-1).max())


def check_sides(image: Image, truth: StoredVolume, tolerance_mm: float) -> None:
    """The voxel furthest on the patient's left is the one that was put there, on the same side of the midline."""
    true_x = truth.to_world(np.moveaxis(np.indices(truth.stored.shape), 0, -1))[..., 0].ravel()
    x = image.grid.voxel_centres()[..., 0]
    most_left = int(image.array.flat[np.argmax(x)])
    assert true_x[most_left] >= true_x.max() - 2 * tolerance_mm
    if abs(true_x[most_left]) > tolerance_mm:
        assert (x.max() > 0) == (true_x[most_left] > 0)


def dicom_error_bound_mm(truth: StoredVolume) -> float:
    """Bound what is lost by writing 16 characters for each number.

    A number below 1 has at least 13 decimals, one below 1000 at least 11: half a unit of the last is lost. A voxel's
    place is position + column * spacing * cosine + row * spacing * cosine; the slices' places are positions.
    """
    position, below_one = 0.5e-11, 0.5e-13
    reach = sum((n - 1) * size for n, size in zip(truth.stored.shape[1:], truth.spacing_mm[1:], strict=True))
    steps = sum(truth.stored.shape[1:])
    # Spacing below 10 mm keeps 14 decimals. Cosines are made unit vectors again: twice their error at most.
    return math.sqrt(3) * (position + 2 * below_one * reach + below_one * steps)


def sform_error_bound_mm(truth: StoredVolume) -> float:
    """Bound what is lost by writing the affine in float32: each term is rounded by itself."""
    far = np.array([*truth.stored.shape, 1.0]) - [1, 1, 1, 0]
    return float(np.linalg.norm(ROUNDING * np.abs(truth.affine[:3]) @ far))


def qform_error_bound_mm(truth: StoredVolume, header: nibabel.Nifti1Header) -> float:
    """Bound what is lost by writing quaternion, spacing and offset in float32.

    b, c, d are rounded by at most e = 2**-25 each. The reader finds a from a**2 = 1 - b**2 - c**2 - d**2, which is
    off by h <= 2 e (|b| + |c| + |d|) + 3 e**2, so a is off by h / a at most, and by sqrt(h) where a is near 0 (a
    negative a**2 counts as 0, and is then within h of it). Two unit quaternions a chord q apart differ by a rotation of
    4 asin(q / 2) at most, which moves a point at distance r by 2 r sin(half of it). A quaternion that is h too long is
    made a unit again: no further turn. Spacing and offset are off by 2**-24 of themselves.
    """
    vector = np.array([float(header[f"quatern_{name}"]) for name in "bcd"])
    first = math.sqrt(max(0.0, 1.0 - float(vector @ vector)))
    squared = 2 * HALF_STEP * float(np.abs(vector).sum()) + 5 * HALF_STEP**2
    # `first` is itself the stored one, off by as much as is to be bounded.
    first = max(first - math.sqrt(squared), 0.0)
    first_error = min(math.sqrt(squared), squared / first) if first > 0 else math.sqrt(squared)
    chord = math.sqrt(3 * HALF_STEP**2 + first_error**2) + squared
    angle = 4 * math.asin(min(1.0, chord / 2))
    steps = (np.array(truth.stored.shape) - 1) * truth.spacing_mm
    reach = float(np.linalg.norm(steps))
    offset = float(np.linalg.norm(truth.affine[:3, 3])) + reach  # flipped axes start at another corner
    return 2 * reach * math.sin(angle / 2) + ROUNDING * (reach + offset) + 1e-9


def nifti_array_and_affine(truth, axes, flips):
    """Return the volume with its axes in another order and direction, and the RAS affine that says so."""
    array, affine = truth.stored.transpose(axes), truth.affine[:, [*axes, 3]].copy()
    for axis in np.flatnonzero(flips):
        affine[:, 3] += affine[:, axis] * (array.shape[axis] - 1)
        affine[:, axis] *= -1.0
        array = np.flip(array, axis)
    return array, RAS_FROM_LPS @ affine


def save_nifti(path, array, ras, form, slice_axis=None):
    source = nibabel.Nifti1Image(array, None)
    source.header.set_dim_info(slice=slice_axis)
    source.set_sform(ras if form == "sform" else None, code=int(form == "sform"))
    source.set_qform(ras if form == "qform" else None, code=int(form == "qform"))
    nibabel.save(source, path)
    return path


@settings(max_examples=500, deadline=None)
@given(
    truth=volumes(),
    patient_position=st.sampled_from(PATIENT_POSITIONS),
    order=st.randoms(use_true_random=False),
)
def test_dicom_voxels_are_where_they_were_put(truth, patient_position, order):
    numbers = list(range(len(truth.stored)))
    order.shuffle(numbers)
    with tempfile.TemporaryDirectory() as folder:
        paths = write_classic(Path(folder), truth, PatientPosition=patient_position)
        for position, number in enumerate(numbers):  # names sort in an order of their own
            paths[position].rename(paths[position].with_name(f"{number}"))
        (series,) = load_study(folder, TINY).series
    bound = dicom_error_bound_mm(truth)
    assert bound < TOLERANCE_MM / 1000
    assert largest_error_mm(series.image, truth) < bound + 1e-10  # double precision, within 1000 mm
    check_sides(series.image, truth, TOLERANCE_MM)
    assert series.image.grid.spacing_mm == pytest.approx(tuple(truth.spacing_mm), rel=1e-9)


@settings(max_examples=500, deadline=None)
@given(
    truth=volumes(),
    axes=st.sampled_from(AXES),
    flips=st.tuples(*[st.booleans()] * 3),
    slice_axis=st.sampled_from([None, 0, 1, 2]),
)
def test_nifti_voxels_are_where_they_were_put(truth, axes, flips, slice_axis):
    array, ras = nifti_array_and_affine(truth, axes, flips)
    with tempfile.TemporaryDirectory() as folder:
        sform = read_nifti(save_nifti(Path(folder) / "s.nii", array, ras, "sform", slice_axis))
        path = save_nifti(Path(folder) / "q.nii", array, ras, "qform", slice_axis)
        qform, header = read_nifti(path), nibabel.load(path).header
    assert sform_error_bound_mm(truth) < TOLERANCE_MM
    assert largest_error_mm(sform, truth) < TOLERANCE_MM
    check_sides(sform, truth, TOLERANCE_MM)
    bound = qform_error_bound_mm(truth, header)
    assert largest_error_mm(qform, truth) < bound
    check_sides(qform, truth, bound)
    if slice_axis is not None:
        assert sform.array.shape[0] == array.shape[slice_axis]


@settings(max_examples=250, deadline=None)
@given(truth=volumes(), patient_position=st.sampled_from(PATIENT_POSITIONS))
def test_dicom_and_nifti_of_one_series_give_one_answer(truth, patient_position):
    """The same volume through the public door in both formats: same grid, same order of slices up to direction."""
    array, ras = nifti_array_and_affine(truth, (2, 1, 0), (False, False, False))
    with tempfile.TemporaryDirectory() as folder:
        write_classic(Path(folder) / "dicom", truth, PatientPosition=patient_position)
        (Path(folder) / "nifti").mkdir()
        save_nifti(Path(folder) / "nifti" / "stir.nii", array.astype(np.int16), ras, "sform", 2)
        (dicom,) = load_study(Path(folder) / "dicom", TINY).series
        (nifti,) = load_study(Path(folder) / "nifti", TINY).series
    for series in (dicom, nifti):
        assert series.image.array.dtype == np.float32
        assert largest_error_mm(series.image, truth) < TOLERANCE_MM
        check_sides(series.image, truth, TOLERANCE_MM)
    assert (dicom.name, dicom.role.plane, dicom.role.contrast) == (nifti.name, nifti.role.plane, nifti.role.contrast)


@settings(max_examples=40, deadline=None)
@given(truth=volumes(), thickness=st.floats(1.0, 9.0))
def test_one_slice_is_where_it_was_put(truth, thickness):
    alone = StoredVolume(truth.stored[:1], truth.affine)
    with tempfile.TemporaryDirectory() as folder:
        write_classic(Path(folder), alone, SliceThickness=f"{thickness:.9f}")
        (series,) = load_study(folder, TINY).series
    assert largest_error_mm(series.image, alone) < dicom_error_bound_mm(alone) + 1e-10
    assert series.image.grid.spacing_mm[0] == pytest.approx(thickness, abs=1e-9)
