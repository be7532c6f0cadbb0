"""The NIfTI door: right places, right sides, right numbers, and clear errors."""

import gzip
import tempfile
import tracemalloc
from pathlib import Path

import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from toh_mri.core.config.io import IoConfig
from toh_mri.core.errors import ExportError, GeometryError, InputError
from toh_mri.geometry import Grid, Image
from toh_mri.io import read_nifti, write_nifti
from toh_mri.io.volumes.index import folder_candidates
from toh_mri.io.volumes.nifti import read_nifti_header, read_nifti_volume

RAS_FROM_LPS = np.diag([-1.0, -1.0, 1.0])


@st.composite
def rigid_affines(draw):
    turn = Rotation.from_euler("xyz", [draw(st.floats(-180, 180)) for _ in range(3)], degrees=True).as_matrix()
    flip = np.diag([draw(st.sampled_from([-1.0, 1.0])), 1.0, 1.0])
    spacing = [draw(st.floats(0.3, 6.0)) for _ in range(3)]
    affine = np.eye(4)
    affine[:3, :3] = turn @ flip @ np.diag(spacing)
    affine[:3, 3] = [draw(st.floats(-400, 400)) for _ in range(3)]
    return affine


shapes = st.tuples(st.integers(1, 40), st.integers(1, 60), st.integers(1, 60))


def corners(grid: Grid) -> np.ndarray:
    unit = np.array([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)])
    return grid.to_world(unit * (np.array(grid.shape) - 1))


def qform_in_double(header) -> np.ndarray:
    """The affine of the stored quaternion, b, c, d, spacing and offset, in double precision."""
    stored = np.array([header[f"quatern_{name}"] for name in "bcd"], dtype=np.float64)
    real = np.sqrt(max(0.0, 1.0 - stored @ stored))
    turn = nibabel.quaternions.quat2mat([real, *stored])
    spacing = np.array(header["pixdim"][1:4], dtype=np.float64)
    spacing[2] *= -1.0 if header["pixdim"][0] < 0 else 1.0
    affine = np.eye(4)
    affine[:3, :3] = turn * spacing
    affine[:3, 3] = [header[f"qoffset_{name}"] for name in "xyz"]
    return affine


def qform_bound_mm(grid: Grid) -> float:
    """How far float32 numbers of a quaternion may move a corner.

    b, c and d are off by up to 2**-25, so a**2 = 1 - b**2 - c**2 - d**2 by 6 * 2**-25, a by the root of that
    near a = 0, and the angle by twice the error of a. (Readers that sum in float32 or take a small a for 0 add
    errors of their own.)
    """
    reach = np.linalg.norm(corners(grid)[-1] - corners(grid)[0])
    return 2e-4 + 2 * np.sqrt(6 * 2.0**-25) * reach


@settings(max_examples=120, deadline=None)
@given(affine=rigid_affines(), shape=shapes, kind=st.sampled_from(["uint8", "int16", "float32"]))
def test_what_is_written_is_read_back(affine, shape, kind):
    array = np.random.default_rng(1).integers(0, 200, shape).astype(kind)
    image = Image(array, Grid(shape, affine))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.nii"
        write_nifti(path, image)
        back = read_nifti(path)
        qform = qform_in_double(nibabel.load(path).header)
    assert back.array.dtype == array.dtype
    np.testing.assert_array_equal(back.array, array)
    assert np.abs(corners(back.grid) - corners(image.grid)).max() < 1e-4
    # The qform tells the same story to programs that prefer it.
    far = np.array([shape[2] - 1, shape[1] - 1, shape[0] - 1, 1.0])
    gap = (qform @ far)[:3] - RAS_FROM_LPS @ image.grid.to_world(np.array(shape) - 1)
    assert np.linalg.norm(gap) < qform_bound_mm(image.grid)


@settings(max_examples=120, deadline=None)
@given(affine=rigid_affines(), shape=shapes)
def test_a_file_with_a_qform_only_lies_where_its_quaternion_can_say(affine, shape):
    grid = Grid(shape, affine)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.nii"
        write_nifti(path, Image(np.zeros(shape, np.uint8), grid))
        content = bytearray(path.read_bytes())
        content[254:256] = b"\0\0"  # sform_code
        path.write_bytes(content)
        back = read_nifti(path).grid
        qform = qform_in_double(nibabel.load(path).header)
    assert np.linalg.norm(corners(back) - corners(grid), axis=1).max() < qform_bound_mm(grid)
    # Nothing is lost beyond what the stored numbers have lost.
    ijk = corners(Grid(shape, np.eye(4)))[:, ::-1]
    stored = (np.column_stack([ijk, np.ones(8)]) @ qform.T)[:, :3] @ RAS_FROM_LPS
    assert np.abs(corners(back) - stored).max() < 1e-6
    assert np.sign(np.linalg.det(back.directions)) == np.sign(np.linalg.det(grid.directions))


@settings(max_examples=80, deadline=None)
@given(affine=rigid_affines(), shape=shapes, where=st.tuples(*[st.floats(0, 0.999)] * 3))
def test_every_voxel_of_a_foreign_file_lies_where_the_file_says(affine, shape, where):
    array = np.arange(np.prod(shape), dtype=np.int32).reshape(shape)
    voxel = tuple(int(n * share) for n, share in zip(shape, where, strict=True))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.nii"
        nibabel.save(nibabel.Nifti1Image(array, affine), path)
        image = read_nifti(path)
    ras = affine @ [*voxel, 1.0]
    index = image.grid.to_index([-ras[0], -ras[1], ras[2]])
    assert np.abs(index - np.rint(index)).max() < 1e-3
    assert image.array[tuple(np.rint(index).astype(int))] == array[voxel]


def test_left_is_left(tmp_path):
    """A bright voxel on the patient's left: RAS x is negative there, LPS x positive."""
    array = np.zeros((40, 30, 5), np.int16)
    array[3, 10, 2] = 1
    affine = np.diag([2.0, 2.0, 5.0, 1.0])
    affine[0, 3] = -40.0
    nibabel.save(nibabel.Nifti1Image(array, affine), tmp_path / "a.nii.gz")
    image = read_nifti(tmp_path / "a.nii.gz")
    place = image.grid.to_world(np.argwhere(image.array == 1)[0])
    assert place[0] == pytest.approx(34.0)


@pytest.mark.parametrize(
    ("shape", "spacing", "named", "expected"),
    [
        ((30, 32, 12), (0.5, 0.5, 4.0), None, 2),
        ((12, 30, 32), (4.0, 0.5, 0.5), None, 0),
        ((30, 12, 32), (0.5, 4.0, 0.5), None, 1),
        ((30, 1, 32), (0.5, 0.5, 4.0), None, 1),
        ((1, 1, 32), (1.0, 1.0, 1.0), None, 1),
        ((12, 30, 30), (1.0, 1.0, 1.0), None, 0),
        ((10, 20, 30), (1.0, 1.0, 1.0), None, 2),
        ((12, 30, 32), (4.0, 0.5, 0.5), 1, 1),
    ],
)
def test_slice_axis(tmp_path, shape, spacing, named, expected):
    source = nibabel.Nifti1Image(np.zeros(shape, np.int16), np.diag([*spacing, 1.0]))
    source.header.set_dim_info(slice=named)
    nibabel.save(source, tmp_path / "a.nii")
    image = read_nifti(tmp_path / "a.nii")
    assert image.array.shape[0] == shape[expected]
    assert image.grid.spacing_mm[0] == pytest.approx(spacing[expected])


def test_same_image_same_bytes_and_nothing_left_behind(tmp_path):
    image = Image(np.arange(24, dtype=np.uint8).reshape(2, 3, 4), Grid((2, 3, 4), np.eye(4)))
    for name in ("a.nii.gz", "b.nii.gz"):
        write_nifti(tmp_path / name, image)
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.nii.gz", "b.nii.gz"]


def test_masks_become_uint8_and_wide_integers_are_refused(tmp_path):
    grid = Grid((2, 3, 4), np.eye(4))
    mask = np.arange(24).reshape(2, 3, 4) % 2 == 0
    write_nifti(tmp_path / "m.nii.gz", Image(mask, grid))
    back = read_nifti(tmp_path / "m.nii.gz")
    assert back.array.dtype == np.uint8
    np.testing.assert_array_equal(back.array.astype(bool), mask)
    with pytest.raises(ExportError, match="unsupported_type"):
        write_nifti(tmp_path / "w.nii.gz", Image(np.zeros((2, 3, 4), np.int64), grid))
    with pytest.raises(ExportError, match="unsupported_type"):
        write_nifti(tmp_path / "w.png", Image(mask, grid))
    with pytest.raises(ExportError, match="write_failed"):
        write_nifti(tmp_path / "nowhere" / "w.nii", Image(mask, grid))


def saved(path, array, sform=None, qform=None, slope=None):
    source = nibabel.Nifti1Image(array, None)
    source.set_sform(sform, code=1 if sform is not None else 0)
    source.set_qform(qform, code=1 if qform is not None else 0)
    if slope:
        source.header.set_slope_inter(*slope)
    nibabel.save(source, path)
    return path


A = np.diag([2.0, 2.0, 4.0, 1.0])
B = A + np.array([[0, 0, 0, 50.0], [0] * 4, [0] * 4, [0] * 4])
CUBE = np.arange(5 * 6 * 7, dtype=np.int16).reshape(5, 6, 7)


def test_sform_counts_before_qform_and_a_contradiction_is_reported(tmp_path):
    image, notes, _ = read_nifti_volume(saved(tmp_path / "a.nii", CUBE, sform=A, qform=B), 1.0)
    assert image.grid.to_world((0, 0, 0))[0] == 0.0
    assert "50.0 mm apart" in notes[0]
    only_qform = read_nifti(saved(tmp_path / "b.nii", CUBE, qform=B))
    assert only_qform.grid.to_world((0, 0, 0))[0] == -50.0
    singular = read_nifti(saved(tmp_path / "c.nii", CUBE, sform=np.diag([0, 2.0, 4.0, 1.0]), qform=B))
    assert singular.grid.to_world((0, 0, 0))[0] == -50.0


def test_a_broken_quaternion_is_no_qform(tmp_path):
    path = saved(tmp_path / "a.nii", CUBE, sform=A, qform=B)
    content = bytearray(path.read_bytes())
    content[256:268] = np.array([0.9, 0.9, 0.9], "<f4").tobytes()
    path.write_bytes(content)
    assert read_nifti(path).grid.to_world((0, 0, 0))[0] == 0.0
    content[254:256] = b"\0\0"  # no sform either
    path.write_bytes(content)
    with pytest.raises(GeometryError, match="no_orientation"):
        read_nifti(path)


def test_unknown_orientation_is_refused(tmp_path):
    with pytest.raises(GeometryError, match="no_orientation"):
        read_nifti(saved(tmp_path / "a.nii", CUBE))


def test_slight_shear_is_straightened_about_the_middle_and_strong_shear_refused(tmp_path):
    sheared = A.copy()
    sheared[0, 2] = 4.0 * np.tan(np.radians(0.5))
    image, notes, _ = read_nifti_volume(saved(tmp_path / "a.nii", CUBE, sform=sheared), 1.0)
    assert "0.50 degrees" in notes[0]
    assert image.grid.spacing_mm == pytest.approx((np.linalg.norm(sheared[:3, 2]), 2.0, 2.0), abs=1e-5)
    middle = (sheared @ [2.0, 2.5, 3.0, 1.0])[:3]
    np.testing.assert_allclose(image.grid.centre, RAS_FROM_LPS @ middle, atol=1e-4)
    sheared[0, 2] = 4.0 * np.tan(np.radians(3.0))
    with pytest.raises(GeometryError, match="sheared"):
        read_nifti(saved(tmp_path / "b.nii", CUBE, sform=sheared))


def test_scaling_and_samples_that_are_not_finite(tmp_path):
    path = saved(tmp_path / "a.nii", CUBE, sform=A, slope=(0.5, 10.0))
    raw = nibabel.load(path).dataobj.get_unscaled()
    image = read_nifti(path)
    assert image.array.dtype == np.float32
    np.testing.assert_allclose(image.array, (raw * 0.5 + 10.0).transpose(2, 1, 0))
    loaded = read_nifti_volume(path, 1.0)
    np.testing.assert_array_equal(loaded.image.array, image.array)
    assert loaded.rescale == "slope 0.5, intercept 10"

    holes = CUBE.astype(np.float32) + 3
    holes[0, 0, 0], holes[1, 1, 1] = np.nan, np.inf
    image, notes, _ = read_nifti_volume(saved(tmp_path / "b.nii", holes, sform=A), 1.0)
    assert np.isfinite(image.array).all()
    assert image.array[0, 0, 0] == image.array[1, 1, 1] == 4.0
    assert notes[0].startswith("2 samples")
    with pytest.raises(InputError, match="no_samples"):
        read_nifti(saved(tmp_path / "c.nii", np.full((2, 3, 4), np.nan, np.float32), sform=A))


def test_files_that_are_no_volume(tmp_path):
    with pytest.raises(InputError, match="not_three_dimensional"):
        read_nifti(saved(tmp_path / "t.nii", np.zeros((4, 4, 4, 3), np.int16), sform=A))
    colour = np.zeros((4, 4, 4), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    with pytest.raises(InputError, match="nifti_unreadable"):
        read_nifti(saved(tmp_path / "c.nii", colour, sform=A))
    for name, content in {
        "g.nii": b"\x00" * 400,
        "e.nii.gz": b"",
        "h.nii.gz": gzip.compress(b"hello"),
        "x.nii.gz": b"hello" * 100,
    }.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match="nifti_unreadable"):
            read_nifti(tmp_path / name)
    whole = saved(tmp_path / "w.nii", CUBE, sform=A).read_bytes()
    (tmp_path / "w.nii").write_bytes(whole[:-40])
    with pytest.raises(InputError, match="nifti_unreadable"):
        read_nifti(tmp_path / "w.nii")


def test_an_absurd_header_takes_no_memory(tmp_path):
    path = saved(tmp_path / "a.nii", CUBE, sform=A)
    content = bytearray(path.read_bytes())
    content[42:48] = np.array([32000] * 3, "<i2").tobytes()
    (tmp_path / "b.nii").write_bytes(content)
    (tmp_path / "c.nii.gz").write_bytes(gzip.compress(bytes(content)))
    tracemalloc.start()
    try:
        for name in ("b.nii", "c.nii.gz"):
            with pytest.raises(InputError, match="nifti_unreadable") as caught:
                read_nifti(tmp_path / name)
            assert "more samples" in caught.value.message
        assert tracemalloc.get_traced_memory()[1] < 10e6
    finally:
        tracemalloc.stop()


def test_more_than_the_memory_holds_is_refused(tmp_path, monkeypatch):
    path = saved(tmp_path / "a.nii", CUBE, sform=A)
    monkeypatch.setattr("toh_mri.io.files.memory.available_bytes", lambda: 4 * CUBE.size - 1)
    read_nifti(path)  # as stored: two bytes a sample
    with pytest.raises(InputError, match="too_large"):
        read_nifti_volume(path, 1.0)


def test_reading_takes_little_more_memory_than_the_volume(tmp_path):
    stored = np.random.default_rng(0).integers(0, 500, (256, 256, 30)).astype(np.int16)
    path = saved(tmp_path / "a.nii.gz", stored, sform=A)
    read_nifti_volume(path, 1.0)
    tracemalloc.start()
    try:
        image = read_nifti_volume(path, 1.0).image
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert image.array.dtype == np.float32
    np.testing.assert_array_equal(image.array, stored.transpose(2, 1, 0))
    assert peak < 1.8 * image.array.nbytes


def test_two_dimensional_file_is_one_slice(tmp_path):
    image = read_nifti(saved(tmp_path / "a.nii", CUBE[:, :, 0], sform=A))
    assert image.array.shape == (1, 6, 5)


def test_compressed_files_are_told_by_their_bytes_not_their_name(tmp_path):
    plain = saved(tmp_path / "a.nii", CUBE, sform=A).read_bytes()
    (tmp_path / "unpacked.nii.gz").write_bytes(plain)
    (tmp_path / "packed.nii").write_bytes(gzip.compress(plain))
    for name in ("unpacked.nii.gz", "packed.nii"):
        np.testing.assert_array_equal(read_nifti(tmp_path / name).array, CUBE.transpose(2, 1, 0))
        assert read_nifti_header(tmp_path / name, 1.0).layout.grid.shape == (7, 6, 5)


def test_a_damaged_compressed_file_is_not_read_as_if_it_were_whole(tmp_path):
    noise = np.random.default_rng(0).integers(0, 500, (30, 40, 9)).astype(np.int16)
    whole = saved(tmp_path / "a.nii.gz", noise, sform=A).read_bytes()
    flipped = bytearray(whole)
    flipped[-5] ^= 1  # of the checksum
    for content in (whole[: len(whole) // 2], whole[:-4], bytes(flipped)):
        (tmp_path / "b.nii.gz").write_bytes(content)
        with pytest.raises(InputError, match="nifti_unreadable"):
            read_nifti(tmp_path / "b.nii.gz")


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
@pytest.mark.parametrize("stored", ["u1", "i2", "i4", "f4", "f8"])
def test_versions_and_byte_orders(tmp_path, kind, order, stored):
    header = kind.header_class(endianness=order)
    header.set_data_dtype(stored)
    nibabel.save(kind(CUBE.astype(stored), A, header), tmp_path / "a.nii.gz")
    image = read_nifti(tmp_path / "a.nii.gz")
    np.testing.assert_array_equal(image.array, CUBE.astype(stored).transpose(2, 1, 0))
    assert image.array.dtype.isnative
    assert image.grid.matches(read_nifti(saved(tmp_path / "b.nii", CUBE, sform=A)).grid)


def test_every_volume_of_a_short_series_is_a_candidate(tmp_path):
    stored = np.random.default_rng(0).integers(0, 500, (30, 40, 9, 3)).astype(np.int16)
    for name in ("a.nii", "a.nii.gz"):
        path = saved(tmp_path / name, stored, sform=A)
        candidates, skipped = folder_candidates([path], IoConfig())
        assert skipped == []
        assert len({candidate.order for candidate in candidates}) == 3
        for number, candidate in enumerate(candidates):
            assert f"Volume {number + 1} of 3 of a 4-D file." in candidate.notes
            np.testing.assert_array_equal(candidate.load().image.array, stored[..., number].transpose(2, 1, 0))
        with pytest.raises(InputError, match="not_three_dimensional"):
            read_nifti(path)


def test_a_time_series_is_left_out_whole(tmp_path):
    path = saved(tmp_path / "a.nii", np.zeros((4, 4, 4, 17), np.int16), sform=A)
    (candidate,), _ = folder_candidates([path], IoConfig())
    assert candidate.unfit[0].code == "time_series"
    assert "17 volumes" in candidate.unfit[0].message
    assert candidate.load is None
    _, (skipped,) = folder_candidates([saved(tmp_path / "v.nii", np.zeros((4, 4, 4, 1, 3)), sform=A)], IoConfig())
    assert skipped.reason.code == "not_three_dimensional"
    (candidate,), _ = folder_candidates([saved(tmp_path / "o.nii", CUBE)], IoConfig())
    assert candidate.broken[0].code == "no_orientation"
    assert candidate.load is None
