"""A series that lacks slices: how much it shows, when it is the reference, what a crop knows of it."""

from dataclasses import replace

import numpy as np
import pytest

from tests.preprocess.test_crop import CONFIG, HIP, image
from tests.segmentation.hips import coronal_grid
from tests.segmentation.studies import make_aligned
from toh_mri.core.hip import HipLocation, Status
from toh_mri.geometry import Image, Side, Sphere
from toh_mri.preprocess import crop_hip
from toh_mri.preprocess.crop import coverage

LOCATION = HipLocation(Side.LEFT, Sphere(HIP.center, HIP.radius_mm), 0.8, 0.9, 3)


def lacking(aligned, missing):
    """Let series lack slices; `missing` maps names to slices."""

    def changed(item):
        info = item.series.info.model_copy(update={"missing_slices": missing.get(item.series.name, ())})
        return replace(item, series=replace(item.series, info=info))

    return replace(aligned, series=tuple(changed(item) for item in aligned.series))


def crop(images, missing):
    return crop_hip(lacking(make_aligned(images), missing), LOCATION, CONFIG)


def middle(grid):
    return round(float(grid.to_index(HIP.center)[0]))


def missing_check(hip):
    (check,) = [check for check in hip.location.checks if check.code == "missing_slices"]
    return check


def test_missing_slices_are_told_within_the_crop():
    slab = image(coronal_grid(HIP.center, (200, 300, 200), pixel_mm=1.0))
    k = middle(slab.grid)
    hip = crop({"COR_STIR": slab}, {"COR_STIR": (1, k, k + 2)})
    start = hip.crop_start[0]
    assert start > 1, "the first of them lies outside the crop"
    series = hip.reference_series
    assert series.missing_slices == (k - start, k + 2 - start)
    assert series.info.missing_slices == (1, k, k + 2)
    assert np.flatnonzero(~series.has_slice).tolist() == [k - start, k + 2 - start]
    np.testing.assert_array_equal(
        series.image.array[k - start, 0],
        slab.array[k, hip.crop_start[1], hip.crop_start[2] :][: series.image.grid.shape[2]],
    )


def test_what_lies_in_missing_slices_is_not_covered():
    whole = make_aligned({"COR_STIR": image()})
    k = middle(whole.series[0].series.image.grid)
    full = coverage(whole.series[0], LOCATION)
    one, three = (
        coverage(lacking(whole, {"COR_STIR": gone}).series[0], LOCATION) for gone in ((k,), (k - 1, k, k + 1))
    )
    assert full > one > three > 0
    spacing, reach = whole.series[0].series.image.grid.spacing_mm[0], 2 * HIP.radius_mm
    assert full - one == pytest.approx(0.75 * spacing / reach, rel=0.5)  # a slab through the middle of a ball


@pytest.mark.parametrize(
    ("missing", "reference"),
    [
        ({}, "COR_STIR"),
        ({"COR_STIR": (0,)}, "COR_PDFS"),
        ({"COR_STIR": (0,), "COR_PDFS": (0,)}, "COR_STIR"),
        ({"COR_PDFS": (0,)}, "COR_STIR"),
    ],
)
def test_of_series_that_cover_the_hip_alike_a_complete_one_is_the_reference(missing, reference):
    hip = crop({"COR_STIR": image(), "COR_PDFS": image(), "COR_T1": image()}, missing)
    assert hip.reference == reference


def test_a_series_that_lacks_much_of_the_hip_is_not_the_reference_although_others_lack_slices_too():
    k = middle(image().grid)
    hip = crop({"COR_STIR": image(), "COR_PDFS": image()}, {"COR_STIR": (k - 2, k - 1, k, k + 1), "COR_PDFS": (0,)})
    assert hip.reference == "COR_PDFS"


def test_a_reference_that_lacks_slices_asks_for_a_look():
    complete = missing_check(crop({"COR_STIR": image()}, {}))
    assert (complete.status, complete.value) == (Status.OK, 0)
    check = missing_check(crop({"COR_STIR": image(), "COR_T1": image()}, {"COR_STIR": (3, 4)}))
    assert (check.status, check.value) == (Status.REVIEW, 2)
    assert "COR_STIR" in check.message
    assert "lacks 2 slices; edema there is not counted" in check.message
    assert missing_check(crop({"COR_STIR": image(), "COR_T1": image()}, {"COR_T1": (3,)})).status is Status.OK


def test_no_value_is_interpolated_from_a_missing_slice():
    grid = coronal_grid(HIP.center, (200, 100, 200), pixel_mm=1.0)
    ramp = np.broadcast_to(np.arange(grid.shape[0], dtype=np.float32)[:, None, None], grid.shape)
    hip = crop({"COR_STIR": Image(ramp, grid)}, {"COR_STIR": (5,)})
    series = hip.reference_series
    (gone,) = series.missing_slices
    along = gone + np.array([-2.0, -1.0, -0.5, 0.0, 0.9, 1.0, 1.5])
    points = series.image.grid.to_world(np.column_stack([along, np.full((7, 2), 20.0)]))
    values = series.sample_measured(points)
    np.testing.assert_allclose(values[[0, 1, 5, 6]], along[[0, 1, 5, 6]] + hip.crop_start[0], atol=1e-3)
    assert np.isnan(values[2:5]).all()
