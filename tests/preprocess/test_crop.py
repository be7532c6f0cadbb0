"""Choice of the reference series, and crops."""

import numpy as np
import pytest

from tests.segmentation.hips import Hip, coronal_grid
from tests.segmentation.studies import make_aligned
from toh_mri.core.config.preprocess import PreprocessConfig
from toh_mri.core.errors import SeriesSelectionError
from toh_mri.core.hip import HipLocation
from toh_mri.geometry import Image, Side, Sphere
from toh_mri.preprocess import crop_hip
from toh_mri.preprocess.crop import coverage

HIP = Hip()
CONFIG = PreprocessConfig()
FULL = coronal_grid(HIP.center, (200, 100, 200), pixel_mm=1.0)


def image(grid=FULL):
    return Image(np.random.default_rng(3).random(grid.shape).astype(np.float32), grid)


def crop(images, to_frame=None, center=HIP.center):
    location = HipLocation(Side.LEFT, Sphere(center, HIP.radius_mm), 0.8, 0.9, 3)
    return crop_hip(make_aligned(images, to_frame), location, CONFIG)


@pytest.mark.parametrize(
    ("names", "reference"),
    [
        (("COR_T1", "COR_PDFS", "COR_T2FS", "COR_STIR"), "COR_STIR"),
        (("COR_T1", "COR_PDFS", "COR_T2FS"), "COR_T2FS"),
        (("COR_T1", "COR_PDFS"), "COR_PDFS"),
        (("AX_STIR", "COR_STIR"), "COR_STIR"),
        (("COR_PDFS", "AX_STIR"), "AX_STIR"),
    ],
)
def test_the_reference_is_stir_before_t2fs_before_pdfs_then_coronal(names, reference):
    hip = crop({name: image() for name in names})
    assert hip.reference == reference
    assert hip.reference_series.info.name == reference
    assert {s.info.name for s in hip.series} == set(names)


def test_a_series_that_shows_more_of_the_hip_comes_first():
    part = coronal_grid(np.add(HIP.center, [0, 40, 0]), (200, 100, 200), pixel_mm=1.0)
    hip = crop({"COR_STIR": image(part), "COR_PDFS": image()})
    assert hip.reference == "COR_PDFS"
    assert any("100 % of the hip" in reason for reason in hip.reference_reasons)


def test_t1_alone_says_that_edema_cannot_be_measured():
    hip = crop({"COR_T1": image()})
    assert hip.reference == "COR_T1"
    assert any("edema cannot be measured" in reason for reason in hip.reference_reasons)


def test_crops_are_boxes_of_the_original_samples():
    stir = image()
    hip = crop({"COR_STIR": stir, "COR_T1": image()})
    cropped = hip.reference_series.image
    box = tuple(slice(a, a + n) for a, n in zip(hip.crop_start, cropped.grid.shape, strict=True))
    np.testing.assert_array_equal(cropped.array, stir.array[box])
    stop = tuple(a + n for a, n in zip(hip.crop_start, cropped.grid.shape, strict=True))
    assert cropped.grid.matches(stir.grid.crop(hip.crop_start, stop))
    assert hip.full_grid_shape == stir.grid.shape
    inside = cropped.grid.extent_mm
    assert inside[1] >= 2 * CONFIG.crop_radius_mm
    assert inside[2] >= 2 * CONFIG.crop_radius_mm


def test_a_box_stops_at_the_edge_of_the_field_of_view():
    near = coronal_grid(np.add(HIP.center, [30, 10, -20]), (90, 60, 100), pixel_mm=1.0)
    hip = crop({"COR_STIR": image(near)})
    assert hip.crop_start == (0, 0, 0)
    assert hip.reference_series.image.grid.matches(near)


def test_a_single_slice_shows_a_hip_as_far_as_the_disc_lies_in_it():
    slice_grid = coronal_grid(HIP.center, (120, 4, 120), pixel_mm=1.0)
    location = HipLocation(Side.LEFT, Sphere(HIP.center, HIP.radius_mm), 0.8, 0.9, 2)
    (whole,) = make_aligned({"COR_STIR": image(slice_grid)}).series
    assert coverage(whole, location) == 1
    beside = slice_grid.transformed([[1, 0, 0, 0], [0, 1, 0, 12.0], [0, 0, 1, 0], [0, 0, 0, 1]])
    (missing,) = make_aligned({"COR_STIR": image(beside)}).series
    assert coverage(missing, location) == 0


def test_everything_is_told_in_the_reference_series_space():
    shift = np.eye(4)
    shift[:3, 3] = [3.0, -2.0, 1.0]
    hip = crop({"COR_PDFS": image(), "COR_STIR": image()}, {"COR_STIR": shift})
    # The frame is that of PDFS; the reference, STIR, lies elsewhere in its own coordinates.
    assert hip.reference == "COR_STIR"
    np.testing.assert_allclose(hip.location.sphere.center, np.subtract(HIP.center, [3.0, -2.0, 1.0]))
    np.testing.assert_allclose(hip.series[0].to_reference, np.eye(4), atol=1e-12)
    np.testing.assert_allclose(hip.series[1].to_reference[:3, 3], [-3.0, 2.0, -1.0])


def test_series_that_do_not_show_the_hip_are_left_out():
    elsewhere = coronal_grid((-88, 0, 0), (80, 60, 80), pixel_mm=1.0)
    hip = crop({"COR_STIR": image(), "COR_T1": image(elsewhere)})
    assert [s.info.name for s in hip.series] == ["COR_STIR"]
    with pytest.raises(SeriesSelectionError) as caught:
        crop({"COR_T1": image(elsewhere)})
    assert caught.value.code == "hip_not_covered"
