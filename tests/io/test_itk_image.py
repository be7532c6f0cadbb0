"""NRRD and MetaImage: the same volume as in NIfTI, and nothing assumed that the file does not say."""

import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from toh_mri.core.config.io import IoConfig
from toh_mri.core.errors import GeometryError, InputError, TohMriError
from toh_mri.geometry import Grid, Image
from toh_mri.io.volumes.index import folder_candidates
from toh_mri.io.volumes.itk_image import read_itk_header, read_itk_volume
from toh_mri.io.volumes.nifti import read_nifti_volume, write_nifti

SUFFIXES = (".nrrd", ".nhdr", ".mha", ".mhd")
STORED = np.arange(3 * 4 * 5, dtype=np.int16).reshape(3, 4, 5)
# Coronal, as scanners write it: columns to the patient's left, rows to the feet, slices to the back.
CORONAL = np.array([[1.0, 0, 0], [0, 0, 1.0], [0, -1.0, 0]])


def itk_image(stored=STORED, direction=CORONAL, spacing=(0.5, 0.6, 4.0), origin=(-20.0, 5.0, 30.0)):
    image = sitk.GetImageFromArray(stored)
    image.SetDirection(np.asarray(direction, dtype=float).ravel().tolist())
    image.SetSpacing(list(map(float, spacing)))
    image.SetOrigin(list(map(float, origin)))
    return image


def written(folder, suffix, image=None, *, compressed=False):
    path = Path(folder) / f"COR_T1{suffix}"
    sitk.WriteImage(itk_image() if image is None else image, str(path), compressed)
    return path


def edited(path, *changes):
    content = path.read_bytes()
    for old, new in changes:
        assert old in content
        content = content.replace(old, new)
    path.write_bytes(content)
    return path


def corners(grid: Grid) -> np.ndarray:
    unit = np.array([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)])
    return grid.to_world(unit * (np.array(grid.shape) - 1))


@st.composite
def itk_images(draw):
    turn = Rotation.from_euler("xyz", [draw(st.floats(-180, 180)) for _ in range(3)], degrees=True).as_matrix()
    shape = [draw(st.integers(1, 20)) for _ in range(3)]
    kind = draw(st.sampled_from(["uint8", "int16", "uint16", "int32", "float32", "float64"]))
    stored = np.random.default_rng(0).integers(0, 200, shape).astype(kind)
    return itk_image(
        stored,
        turn @ np.diag([draw(st.sampled_from([-1.0, 1.0])), 1.0, 1.0]),
        [draw(st.floats(0.3, 6.0)) for _ in range(3)],
        [draw(st.floats(-400, 400)) for _ in range(3)],
    )


@settings(max_examples=100, deadline=None)
@given(image=itk_images(), suffix=st.sampled_from(SUFFIXES), compressed=st.booleans())
def test_every_voxel_lies_where_itk_says_and_where_nifti_says(image, suffix, compressed):
    with tempfile.TemporaryDirectory() as folder:
        loaded = read_itk_volume(written(folder, suffix, image, compressed=compressed), 1.0)
        nifti = read_nifti_volume(written(folder, ".nii", image), 1.0)
    grid, array = loaded.image.grid, loaded.image.array
    assert array.dtype == np.float32
    for unit in np.ndindex(2, 2, 2):
        voxel = [int(a * (n - 1)) for a, n in zip(unit, image.GetSize(), strict=True)]
        place = image.TransformIndexToPhysicalPoint(voxel)
        index = np.rint(grid.to_index(place)).astype(int)
        assert np.abs(grid.to_world(index) - place).max() < 1e-4
        assert array[tuple(index)] == image[voxel]
    np.testing.assert_array_equal(array, nifti.image.array)
    assert np.abs(corners(grid) - corners(nifti.image.grid)).max() < 1e-3  # NIfTI's numbers are float32


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_left_is_left(tmp_path, suffix):
    stored = np.zeros((3, 40, 50), np.int16)
    stored[1, 10, 45] = 7  # the last columns are the patient's left
    loaded = read_itk_volume(written(tmp_path, suffix, itk_image(stored)), 1.0)
    place = loaded.image.grid.to_world(np.argwhere(loaded.image.array == 7)[0])
    np.testing.assert_allclose(place, (-20 + 45 * 0.5, 5 + 4.0, 30 - 10 * 0.6))
    assert loaded.image.array.shape == (3, 40, 50)


@pytest.mark.parametrize(("space", "flips"), [("RAS", (-1, -1, 1)), ("left-anterior-superior", (1, -1, 1))])
def test_other_spaces_of_nrrd_are_brought_to_lps(tmp_path, space, flips):
    expected = read_itk_volume(written(tmp_path, ".nrrd"), 1.0).image
    path = edited(tmp_path / "COR_T1.nrrd", (b"left-posterior-superior", space.encode()))
    image = read_itk_volume(path, 1.0).image
    np.testing.assert_allclose(corners(image.grid), corners(expected.grid) * flips, atol=1e-9)
    np.testing.assert_array_equal(image.array, expected.array)


@pytest.mark.parametrize(
    "changes",
    [
        [(b"space: left-posterior-superior\n", b""), (b"space directions", b"#"), (b"space origin", b"#")],
        [(b"space: left-posterior-superior", b"space dimension: 3")],
        [(b"left-posterior-superior", b"scanner-xyz")],
        [(b"space origin: (-20,5,30)\n", b"")],
        [(b"(0.5,0,0)", b"none")],
    ],
)
def test_nrrd_without_an_orientation_is_refused(tmp_path, changes):
    path = edited(written(tmp_path, ".nrrd"), *changes)
    with pytest.raises(GeometryError, match="no_orientation"):
        read_itk_header(path, 1.0)
    (candidate,), _ = folder_candidates([path], IoConfig())
    assert candidate.broken[0].code == "no_orientation"


@pytest.mark.parametrize("field", ["TransformMatrix", "Offset", "ElementSpacing"])
def test_metaimage_without_an_orientation_is_refused(tmp_path, field):
    path = edited(written(tmp_path, ".mha"), (field.encode(), b"Comment"))
    with pytest.raises(GeometryError, match=rf"{field}.*no_orientation"):
        read_itk_header(path, 1.0)


@pytest.mark.parametrize("suffix", [".nrrd", ".mha"])
def test_shear_is_straightened_within_bounds(tmp_path, suffix):
    for degree, verdict in ((0.5, None), (3.0, "sheared")):
        direction = np.eye(3)
        direction[:, 2] = [np.sin(np.radians(degree)), 0, np.cos(np.radians(degree))]
        path = written(tmp_path, suffix, itk_image(direction=direction))
        if verdict is None:
            assert "0.50 degrees" in read_itk_volume(path, 1.0).notes[0]
        else:
            with pytest.raises(GeometryError, match=verdict):
                read_itk_volume(path, 1.0)


@pytest.mark.parametrize("suffix", [".nrrd", ".mha"])
def test_vectors_and_time_are_refused_by_name(tmp_path, suffix):
    vectors = sitk.GetImageFromArray(np.zeros((3, 4, 5, 2), np.float32), isVector=True)
    with pytest.raises(InputError, match="not_three_dimensional" if suffix == ".nrrd" else "vectors"):
        read_itk_header(written(tmp_path, suffix, vectors), 1.0)
    series = sitk.GetImageFromArray(np.zeros((2, 3, 4, 5), np.float32), isVector=False)
    with pytest.raises(InputError, match="not_three_dimensional"):
        read_itk_header(written(tmp_path, suffix, series), 1.0)


@pytest.mark.parametrize(
    "target", ["/etc/passwd", "../secret.raw", "a/../../secret.raw", "LIST", "s%03d.raw 1 3 1", "C:\\x.raw"]
)
@pytest.mark.parametrize("suffix", [".nhdr", ".mhd"])
def test_data_files_elsewhere_are_never_opened(tmp_path, suffix, target):
    folder = tmp_path / "in"
    folder.mkdir()
    (tmp_path / "secret.raw").write_bytes(STORED.tobytes())
    path = edited(written(folder, suffix), (b"COR_T1.raw", target.encode()))
    with pytest.raises(InputError, match="unsafe_data_file"):
        read_itk_volume(path, 1.0)


@pytest.mark.parametrize("suffix", [".nhdr", ".mhd"])
def test_data_files_below_are_read_and_missing_ones_named(tmp_path, suffix):
    path = edited(written(tmp_path, suffix), (b"COR_T1.raw", b"raw/x.raw"))
    with pytest.raises(InputError, match="volume_unreadable"):
        read_itk_volume(path, 1.0)
    (tmp_path / "raw").mkdir()
    (tmp_path / "COR_T1.raw").rename(tmp_path / "raw" / "x.raw")
    np.testing.assert_array_equal(read_itk_volume(path, 1.0).image.array, STORED)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_members_of_an_archive_are_read_as_files_are(tmp_path, suffix):
    expected = read_itk_volume(written(tmp_path, suffix), 1.0).image
    with zipfile.ZipFile(tmp_path / "study.zip", "w") as archive:
        for file in tmp_path.glob("COR_T1*"):
            archive.write(file, f"a/{file.name}")
    path = tmp_path / "study.zip" / "a" / f"COR_T1{suffix}"
    image = read_itk_volume(path, 1.0).image
    np.testing.assert_array_equal(image.array, expected.array)
    assert image.grid.matches(expected.grid)
    assert read_itk_header(path, 1.0).layout.grid.matches(expected.grid)


@pytest.mark.parametrize("suffix", [".nrrd", ".mha"])
@pytest.mark.parametrize("compressed", [False, True])
def test_damaged_samples_are_not_read_as_if_they_were_whole(tmp_path, capfd, suffix, compressed):
    noise = np.random.default_rng(0).integers(0, 500, (9, 30, 40)).astype(np.int16)
    whole = written(tmp_path, suffix, itk_image(noise), compressed=compressed).read_bytes()
    contents = [whole[: len(whole) // 2], whole[:-20]]
    if compressed:
        flipped = bytearray(whole)
        flipped[len(whole) // 2] ^= 0x10
        contents.append(bytes(flipped))
    for content in contents:
        path = tmp_path / f"b{suffix}"
        path.write_bytes(content)
        with pytest.raises(InputError, match="volume_unreadable"):
            read_itk_volume(path, 1.0)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(("old", "new"), [(b"CompressedDataSize", b"Comment"), (b"DataSize = ", b"DataSize = 1")])
def test_a_wrong_length_of_compressed_samples_is_not_passed_over(tmp_path, capfd, old, new):
    noise = np.random.default_rng(0).integers(0, 500, (9, 30, 40)).astype(np.int16)
    path = edited(written(tmp_path, ".mha", itk_image(noise), compressed=True), (old, new))
    with pytest.raises(InputError, match="volume_unreadable"):
        read_itk_volume(path, 1.0)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("suffix", [".nrrd", ".mha"])
def test_an_absurd_header_takes_no_memory(tmp_path, suffix):
    path = edited(written(tmp_path, suffix, compressed=True), (b"5 4 3", b"30000 30000 30000"))
    with pytest.raises(InputError, match="other samples"):
        read_itk_volume(path, 1.0)


def test_more_than_the_memory_holds_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("toh_mri.io.files.memory.available_bytes", lambda: 6 * STORED.size)
    with pytest.raises(InputError, match="too_large"):
        read_itk_volume(written(tmp_path, ".nrrd"), 1.0)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_arbitrary_bytes_end_in_an_error(tmp_path, suffix):
    whole = written(tmp_path, suffix).read_bytes()
    rng = np.random.default_rng(0)
    path = tmp_path / f"b{suffix}"
    for content in (b"", b"\n", b"NRRD0004\n", b"ObjectType = Image\n", b"\xff" * 500, b"NRRD0004\n" + b"a" * 70000):
        path.write_bytes(content)
        with pytest.raises(InputError, match="volume_unreadable"):
            read_itk_header(path, 1.0)
    for _ in range(100):
        content = np.frombuffer(whole, np.uint8).copy()
        places = rng.integers(0, min(len(content), 350), 3)
        content[places] = rng.choice(np.frombuffer(b"0123456789.-e \n=:\xff", np.uint8), 3)
        path.write_bytes(content.tobytes())
        try:
            assert read_itk_volume(path, 1.0).image.array.size > 0
        except TohMriError as error:
            assert error.code  # noqa: PT017 -- either outcome is right, anything else is not


def test_a_sidecar_describes_these_formats_too(tmp_path):
    path = written(tmp_path, ".nrrd")
    (tmp_path / "COR_T1.json").write_text('{"RepetitionTime": 4, "InversionTime": 0.16, "Modality": "MR"}')
    (candidate,), skipped = folder_candidates([path], IoConfig())
    assert skipped == []
    assert candidate.acquisition.inversion_time_ms == pytest.approx(160)
    assert candidate.grid.spacing_mm == pytest.approx((4.0, 0.6, 0.5))


def test_metaimage_with_the_fields_of_another_format_reads_as_that(tmp_path):
    """SimpleITK copies what a NIfTI header holds into fields such as 'dim[0]' and 'ITK_sform_corrected'."""
    write_nifti(
        tmp_path / "a.nii.gz", Image(np.arange(60, dtype=np.int16).reshape(3, 4, 5), Grid((3, 4, 5), np.eye(4)))
    )
    sitk.WriteImage(sitk.ReadImage(str(tmp_path / "a.nii.gz")), str(tmp_path / "a.mha"))
    assert b"dim[0]" in (tmp_path / "a.mha").read_bytes()
    nifti, meta = (folder_candidates([tmp_path / name], IoConfig())[0][0] for name in ("a.nii.gz", "a.mha"))
    assert meta.broken == ()
    assert meta.grid.matches(nifti.grid, 1e-4)
