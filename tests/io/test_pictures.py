"""Exported pictures: nothing is guessed, left is left, grey is grey."""

import io
import json
import zipfile
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow
from PIL import PngImagePlugin

from toh_mri.core.config.io import IoConfig
from toh_mri.core.errors import InputError
from toh_mri.core.study import Contrast, SlicePlane
from toh_mri.io.choice import Choice
from toh_mri.io.pictures.picture import picture_candidate
from toh_mri.io.roles.assign import plane_of
from toh_mri.io.series import index_series

DESCRIBED = IoConfig(
    picture_pixel_mm=0.7, picture_weighting="STIR", picture_plane="coronal", picture_patient_right="left"
)
CORONAL = {"pixel_spacing_mm": [0.5, 0.8], "weighting": "T1", "plane": "coronal", "patient_right": "left"}
GREY = (np.arange(60 * 80).reshape(60, 80) * 7 % 251).astype(np.uint8)


def saved(folder, pixels=GREY, name="a.png", fields=None, **options):
    path = folder / name
    picture = pixels if isinstance(pixels, Pillow.Image) else Pillow.fromarray(pixels)
    picture.save(path, **options)
    if fields is not None:
        path.with_suffix(".json").write_text(fields if isinstance(fields, str) else json.dumps(fields))
    return path


def world(candidate, row, column):
    return candidate.grid.to_world((0, row, column))


def test_a_described_picture_is_a_slice_in_its_place(tmp_path):
    candidate = picture_candidate(saved(tmp_path, fields=CORONAL), IoConfig())
    assert candidate.grid.shape == (1, 60, 80)
    assert candidate.grid.spacing_mm == pytest.approx((1.0, 0.5, 0.8))
    np.testing.assert_allclose(candidate.grid.centre, 0, atol=1e-9)
    np.testing.assert_allclose(world(candidate, 0, 0), (-39.5 * 0.8, 0, 29.5 * 0.5))  # LPS: right, head
    np.testing.assert_allclose(world(candidate, 59, 79), (39.5 * 0.8, 0, -29.5 * 0.5))
    loaded = candidate.load()
    assert loaded.image.array.dtype == np.float32
    np.testing.assert_array_equal(loaded.image.array[0], GREY)
    assert candidate.normal == pytest.approx((0, 1, 0))
    assert any("1 mm is assumed" in note for note in candidate.notes)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.integers(2, 40),
    columns=st.integers(2, 40),
    spacing=st.tuples(st.floats(0.1, 9), st.floats(0.1, 9)),
    plane=st.sampled_from(list(SlicePlane)),
    toward=st.sampled_from(["left", "right"]),
    side=st.sampled_from(["left", "right"]),
)
def test_left_is_left_in_every_plane(tmp_path, rows, columns, spacing, plane, toward, side):
    pixels = np.zeros((rows, columns), np.uint8)
    fields = {"pixel_spacing_mm": spacing, "weighting": "PDFS", "plane": plane.value, "side": side}
    fields["anterior" if plane is SlicePlane.SAGITTAL else "patient_right"] = toward
    candidate = picture_candidate(saved(tmp_path, pixels, fields=fields), IoConfig())
    grid = candidate.grid
    assert plane_of(candidate.normal) is plane
    assert grid.spacing_mm[1:] == pytest.approx(spacing)
    across = world(candidate, 0, columns - 1) - world(candidate, 0, 0)
    down = world(candidate, rows - 1, 0) - world(candidate, 0, 0)
    width, height = (columns - 1) * spacing[1], (rows - 1) * spacing[0]
    sign = 1 if toward == "left" else -1  # the right (or front) is at the left of the picture
    axis = 1 if plane is SlicePlane.SAGITTAL else 0  # LPS: x to the left, y to the back
    np.testing.assert_allclose(across, sign * width * np.eye(3)[axis], atol=1e-9)
    np.testing.assert_allclose(down, (0, height, 0) if plane is SlicePlane.AXIAL else (0, 0, -height), atol=1e-9)
    assert np.linalg.det(grid.directions) == pytest.approx(-1)  # slice, row, column as from DICOM
    assert np.sign(grid.centre[0]) == (1 if side == "left" else -1)
    assert candidate.acquisition.laterality == side[0].upper()
    assert any(f"the {side} hip" in note for note in candidate.notes)


@pytest.mark.parametrize("contrast", list(Contrast))
def test_the_weighting_is_taken_as_it_is_given(tmp_path, contrast):
    path = saved(tmp_path, name="T2 pd_stir flair.png", fields=CORONAL | {"weighting": contrast.value})
    candidate = picture_candidate(path, IoConfig())
    (source,) = index_series([candidate], IoConfig(), Choice())
    assert source.info.role.contrast is contrast


def test_settings_fill_what_the_json_file_lacks_and_no_more(tmp_path):
    bare = picture_candidate(saved(tmp_path), DESCRIBED)
    assert (bare.grid.spacing_mm[1], bare.contrast) == (pytest.approx(0.7), "STIR")
    mixed = picture_candidate(
        saved(tmp_path, fields={"plane": "axial", "weighting": "t2fs", "id": 7, "hips": {"R": {"side": "?"}}}),
        DESCRIBED,
    )
    assert plane_of(mixed.normal) is SlicePlane.AXIAL
    assert (mixed.grid.spacing_mm[1], mixed.contrast) == (pytest.approx(0.7), "T2FS")
    assert world(mixed, 0, 0)[0] < 0


@pytest.mark.parametrize("field", list(CORONAL))
def test_what_is_missing_is_named_with_the_way_to_give_it(tmp_path, field):
    fields = {name: value for name, value in CORONAL.items() if name != field}
    with pytest.raises(InputError, match="picture_not_described") as caught:
        picture_candidate(saved(tmp_path, fields=fields), IoConfig())
    assert f"'{field}'" in caught.value.message
    option = "picture_pixel_mm" if field == "pixel_spacing_mm" else f"picture_{field}"
    assert f"--set io.{option}=" in caught.value.message
    assert not any(f"'{name}'" in caught.value.message for name in fields)


def test_a_sagittal_picture_needs_front_and_side(tmp_path):
    path = saved(tmp_path, fields=CORONAL | {"plane": "sagittal"})
    with pytest.raises(InputError, match="picture_not_described") as caught:
        picture_candidate(path, DESCRIBED)
    assert "'anterior'" in caught.value.message
    assert "'side'" in caught.value.message
    assert "patient_right" not in caught.value.message


def test_a_bare_picture_lacks_everything(tmp_path):
    with pytest.raises(InputError, match="picture_not_described") as caught:
        picture_candidate(saved(tmp_path), IoConfig())
    assert caught.value.message.count("io.picture_") == 4


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("pixel_spacing_mm", 0),
        ("pixel_spacing_mm", -0.5),
        ("pixel_spacing_mm", "0.5"),
        ("pixel_spacing_mm", True),
        ("pixel_spacing_mm", [0.5]),
        ("pixel_spacing_mm", [0.5, 0.5, 0.5]),
        ("pixel_spacing_mm", [0.5, "x"]),
        ("pixel_spacing_mm", 500),
        ("weighting", "T3"),
        ("weighting", 1),
        ("plane", "oblique"),
        ("patient_right", "up"),
        ("patient_right", ["left"]),
        ("side", "both"),
    ],
)
def test_values_that_mean_nothing_are_refused(tmp_path, field, value):
    with pytest.raises(InputError, match=f"'{field}'.*picture_description_invalid"):
        picture_candidate(saved(tmp_path, fields=CORONAL | {field: value}), DESCRIBED)


def test_a_broken_json_file_is_not_passed_over(tmp_path):
    with pytest.raises(InputError, match="sidecar_unreadable"):
        picture_candidate(saved(tmp_path, fields="{"), DESCRIBED)


def load(path):
    return picture_candidate(path, DESCRIBED).load()


def coloured(*marks):
    pixels = np.repeat(GREY[..., None], 3, axis=2)
    for row, column, colour in marks:
        pixels[row, column] = colour
    return pixels


@pytest.mark.parametrize(
    ("pixels", "expected"),
    [
        (GREY.astype(np.uint16) * 200, GREY * 200.0),
        (coloured(), GREY),
        (np.dstack([GREY, np.full_like(GREY, 255)]), GREY),
        (np.dstack([coloured(), np.full_like(GREY, 255)]), GREY),
        (Pillow.fromarray(GREY).convert("P"), GREY),
        (Pillow.fromarray(coloured()).quantize(256), GREY),
        (GREY > 100, np.where(GREY > 100, 255.0, 0.0)),
    ],
)
def test_kinds_of_grey(tmp_path, pixels, expected):
    np.testing.assert_allclose(load(saved(tmp_path, pixels)).image.array[0], expected, atol=1e-3)


def test_jpeg_of_grey_in_colour_is_grey(tmp_path):
    smooth = np.add.outer(np.arange(60), np.arange(80)).astype(np.uint8)
    for pixels in (smooth, np.repeat(smooth[..., None], 3, axis=2)):
        array = load(saved(tmp_path, pixels, "a.jpg", quality=90)).image.array[0]
        assert np.abs(array - smooth).max() < 6
    assert load(saved(tmp_path, pixels, "b.JPEG", quality=90)).image.array.shape == (1, 60, 80)


@pytest.mark.parametrize(("tint", "refused"), [(10, False), (20, False), (30, True), (200, True)])
def test_marks_in_colour_are_refused_and_the_tint_of_jpeg_is_not(tmp_path, tint, refused):
    path = saved(tmp_path, coloured((3, 4, (50 + tint, 50, 50))))
    if refused:
        with pytest.raises(InputError, match="picture_coloured"):
            load(path)
    else:
        assert load(path).image.array[0, 3, 4] == pytest.approx(50 + tint / 3)


def test_marks_in_colour_are_counted(tmp_path):
    path = saved(tmp_path, coloured((3, 4, (255, 255, 0)), (3, 5, (250, 0, 0))))
    with pytest.raises(InputError, match=r"2 of its pixels.*picture_coloured"):
        load(path)


@pytest.mark.parametrize("base", [GREY, coloured()])
def test_transparent_pictures_are_refused(tmp_path, base):
    alpha = np.full_like(GREY, 255)
    alpha[0, 0] = 254
    with pytest.raises(InputError, match="picture_transparent"):
        load(saved(tmp_path, np.dstack([base, alpha])))
    key = int(GREY[0, 0]) if base.ndim == 2 else tuple(int(v) for v in base[0, 0])
    with pytest.raises(InputError, match="picture_transparent"):
        load(saved(tmp_path, base, transparency=key))


@pytest.mark.parametrize("suffix", ["png", "jpg"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_picture_is_read_as_it_is_shown(tmp_path, suffix, orientation):
    shown = np.zeros((48, 80), np.uint8 if suffix == "jpg" else np.uint16)
    shown[8:16, 56:72] = 200
    turns = {  # from what is shown to what is stored, EXIF 2.32, tag Orientation
        1: lambda a: a, 2: np.fliplr, 3: lambda a: np.rot90(a, 2), 4: np.flipud,
        5: np.transpose, 6: np.rot90, 7: lambda a: np.rot90(a, 2).T, 8: lambda a: np.rot90(a, -1),
    }  # fmt: skip
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    stored = np.ascontiguousarray(turns[orientation](shown))
    path = saved(tmp_path, stored, f"a.{suffix}", fields=CORONAL, exif=exif)
    candidate = picture_candidate(path, IoConfig())
    assert candidate.grid.shape == (1, 48, 80)
    assert candidate.grid.spacing_mm[1:] == pytest.approx((0.5, 0.8))
    bright = np.argwhere(candidate.load().image.array[0] > 100)
    assert bright.min(axis=0) == pytest.approx((8, 56), abs=1)
    assert bright.max(axis=0) == pytest.approx((15, 71), abs=1)


def test_clipped_grey_values_are_reported(tmp_path):
    pixels = np.minimum(GREY, 200)
    assert "largest value" in load(saved(tmp_path, pixels)).notes[0]
    assert load(saved(tmp_path)).notes == ()


def test_a_narrow_picture_asks_for_the_side(tmp_path):
    assert any("'side'" in note for note in picture_candidate(saved(tmp_path), DESCRIBED).notes)
    wide = picture_candidate(saved(tmp_path, np.zeros((300, 400), np.uint8)), DESCRIBED)
    assert not any("'side'" in note for note in wide.notes)


@pytest.mark.parametrize(("name", "kind"), [("a.png", "PNG"), ("a.jpg", "MPO")])
def test_several_pictures_in_a_file_are_refused(tmp_path, name, kind):
    frames = [Pillow.fromarray(GREY), Pillow.fromarray(255 - GREY)]
    path = saved(tmp_path, frames[0], name, format=kind, save_all=True, append_images=frames[1:])
    with pytest.raises(InputError, match="several_pictures"):
        picture_candidate(path, DESCRIBED)


def png_claiming(columns, rows):
    buffer = io.BytesIO()
    Pillow.fromarray(GREY).save(buffer, "PNG")
    content = bytearray(buffer.getvalue())
    content[16:24] = columns.to_bytes(4, "big") + rows.to_bytes(4, "big")
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    return bytes(content)


def test_bombs_take_no_memory(tmp_path):
    path = tmp_path / "a.png"
    for size in ((50_000, 50_000), (11_000, 11_000)):
        path.write_bytes(png_claiming(*size))
        with pytest.raises(InputError, match="too_large"):
            picture_candidate(path, DESCRIBED)
    path.write_bytes(png_claiming(9_000, 9_000))
    with pytest.raises(InputError, match="than it holds"):
        picture_candidate(path, DESCRIBED)
    text = PngImagePlugin.PngInfo()
    text.add_itxt("x", "a" * 70_000_000, zip=True)
    with pytest.raises(InputError, match="picture_unreadable"):
        load(saved(tmp_path, pnginfo=text))


def test_more_than_the_memory_holds_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("toh_mri.io.files.memory.available_bytes", lambda: GREY.size)
    with pytest.raises(InputError, match="too_large"):
        load(saved(tmp_path))


@pytest.mark.parametrize("name", ["a.png", "a.jpg"])
def test_broken_pictures_end_in_an_error(tmp_path, name):
    whole = saved(tmp_path, name=name).read_bytes()
    path = tmp_path / name
    for content in (b"", b"GIF89a", whole[:20], whole[: len(whole) // 2], whole[:-30], b"\0" * 1000):
        path.write_bytes(content)
        with pytest.raises(InputError, match="picture_unreadable"):
            load(path)


def test_a_member_of_an_archive_is_read_as_a_file_is(tmp_path):
    path = saved(tmp_path, fields=CORONAL)
    with zipfile.ZipFile(tmp_path / "s.zip", "w") as archive:
        for file in (path, path.with_suffix(".json")):
            archive.write(file, f"x/{file.name}")
    candidate = picture_candidate(tmp_path / "s.zip" / "x" / "a.png", IoConfig())
    assert candidate.contrast == "T1"
    np.testing.assert_array_equal(candidate.load().image.array[0], GREY)


@pytest.mark.shared
def test_real_exported_slices(shared_data):
    """The annotated heads lie on their side, a pelvis apart, whatever else the JSON files beside them say."""
    config = IoConfig(picture_pixel_mm=0.66, picture_patient_right="left")
    for path in sorted((shared_data / "hips-2d").glob("*.png")):
        candidate = picture_candidate(path, config)
        annotation = json.loads(path.with_suffix(".json").read_text())
        image = candidate.load().image
        assert candidate.contrast == annotation["weighting"]
        assert list(image.array.shape[:0:-1]) == annotation["clean_size_wh"]
        x = {}
        for side, hip in annotation["hips"].items():
            circle = hip["head_circle"]
            x[side] = image.grid.to_world((0, circle["cy"], circle["cx"]))[0]
        assert x["R"] < -60
        assert x["L"] > 60
