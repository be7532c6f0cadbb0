"""Single slices: exact paths, the head's contour, the neck's walls, and what a slice does not show."""

import itertools
import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.io import imread

from tests.segmentation.hips import Hip, coronal_grid, grid_of, head_truth, picture
from tests.segmentation.studies import make_aligned
from toh_mri.core.config.preprocess import PreprocessConfig
from toh_mri.core.config.segmentation import SegmentationConfig
from toh_mri.core.hip import HipLocation, Label, Status
from toh_mri.geometry import Grid, Image, Side, Sphere
from toh_mri.kernels.paths import closed_path, open_path
from toh_mri.preprocess import crop_hip
from toh_mri.segmentation.contour import trace_contour
from toh_mri.segmentation.neck2d import is_coronal
from toh_mri.segmentation.segment import gather_evidence
from toh_mri.segmentation.slices import over_reference, slice_anatomy

CONFIG = SegmentationConfig()
LEFT = Hip()
COSTS = st.lists(st.integers(0, 40), min_size=24, max_size=24).map(lambda v: np.array(v, np.float32) / 10)


def _path_cost(cost, heights, layers, change):
    """Add up a closed path's cost, step by step; infinite where a step is too large."""
    total, count = 0.0, cost.shape[1]
    for i in range(count):
        j = (i + 1) % count
        step = abs(heights[i] - heights[j])
        total += cost[layers[i], i, heights[i]] + 0.15 * step**2 + change * (layers[i] != layers[j])
        total = np.inf if step > 1 else total
    return total


@settings(max_examples=15, deadline=None)
@given(COSTS, st.sampled_from([0.0, 0.5, 5.0]))
def test_no_closed_path_is_cheaper(values, change):
    cost = values.reshape(2, 4, 3)
    heights, layers, total = closed_path(cost, 0.15, 1, change)
    cheapest = min(
        _path_cost(cost, h, layer, change)
        for h in itertools.product(range(3), repeat=4)
        for layer in itertools.product(range(2), repeat=4)
    )
    assert total == pytest.approx(cheapest, abs=1e-4)
    assert _path_cost(cost, heights, layers, change) == pytest.approx(cheapest, abs=1e-4)


@settings(max_examples=15, deadline=None)
@given(COSTS)
def test_no_open_path_is_cheaper(values):
    cost = values.reshape(4, 6)
    heights, total = open_path(cost, 0.15, 2)

    def added(path):
        steps = np.abs(np.diff(path))
        return np.inf if steps.max() > 2 else cost[np.arange(4), path].sum() + 0.15 * (steps**2).sum()

    cheapest = min(added(path) for path in itertools.product(range(6), repeat=4))
    assert total == pytest.approx(cheapest, abs=1e-4)
    assert added(heights) == pytest.approx(cheapest, abs=1e-4)


@cache
def slice_of(hip, contrast, behind_mm=0.0, shift_mm=0.0, scale=1.0):
    """One slice so far behind the head's centre; shifted in the picture; its pixel size told wrong by `scale`."""
    image = picture([hip], grid_of(hip), contrast)
    k = round(image.grid.to_index(np.add(hip.center, [0, behind_mm, 0]))[0])
    single = image.crop((k, 0, 0), (k + 1, *image.grid.shape[1:]))
    affine = np.array(single.grid.affine)
    affine[0, 3] += shift_mm
    middle = np.array(hip.center)
    affine[:3, 1:3] *= scale
    affine[[0, 2], 3] = (affine[[0, 2], 3] - middle[[0, 2]]) * scale + middle[[0, 2]]
    return Image(single.array, Grid(single.grid.shape, affine))


def traced(hip, images, start=(2.0, 1.5), radius_mm=None):
    """Trace from a circle off the true one, as a search would leave it."""
    x, _, z = hip.center
    grid = next(iter(images.values())).grid
    y = grid.centre[1] if is_coronal(grid.directions[:, 0]) else hip.center[1]
    circle = Sphere((x + start[0], y, z + start[1]), hip.radius_mm - 1 if radius_mm is None else radius_mm)
    location = HipLocation(hip.side, circle, 0.8, 0.9, 2)
    hip_images = crop_hip(make_aligned(images), location, PreprocessConfig())
    return slice_anatomy(hip_images, gather_evidence(hip_images), CONFIG)[0]


def check(anatomy, code):
    return next(c for c in anatomy.checks if c.code == code)


def dice(a, b):
    return 2 * np.sum(a & b) / (np.sum(a) + np.sum(b))


@pytest.mark.parametrize("hip", [LEFT, LEFT.mirrored], ids=["left", "right"])
@pytest.mark.parametrize("contrasts", [("T1 normal",), ("STIR edema",), ("T1 edema", "STIR edema")], ids=" + ".join)
def test_head_and_neck_are_traced_in_a_slice_through_both(hip, contrasts):
    anatomy = traced(hip, {f"COR_{c.split()[0]}": slice_of(hip, c, 3.0) for c in contrasts})
    assert np.linalg.norm(np.subtract(anatomy.head.center, hip.center)[[0, 2]]) < 0.05 * 2 * hip.radius_mm
    assert anatomy.head.radius_mm == pytest.approx(hip.radius_mm, rel=0.07)
    assert dice(anatomy.mask(Label.FEMORAL_HEAD), head_truth(hip, anatomy.labels.grid)) > 0.9
    flat = hip.neck_axis * [1, 0, 1]
    assert np.degrees(np.arccos(anatomy.neck_axis @ flat / np.linalg.norm(flat))) < 12
    assert anatomy.mask(Label.FEMORAL_NECK).any()
    assert anatomy.mask(Label.PROXIMAL_FEMUR).any()
    assert np.all((anatomy.labels.array > 0)[anatomy.marrow.array])


def test_the_lines_in_the_slice_part_head_neck_and_femur():
    anatomy = traced(LEFT, {"COR_T1": slice_of(LEFT, "T1 normal", 3.0)})
    centres = anatomy.labels.grid.voxel_centres()
    head_end = anatomy.head_neck_plane.signed_distance(centres)
    neck_end = anatomy.intertrochanteric_plane.signed_distance(centres)
    assert np.all(head_end[anatomy.mask(Label.FEMORAL_HEAD)] <= 0)
    assert np.all(head_end[anatomy.mask(Label.FEMORAL_NECK)] >= 0)
    assert np.all(neck_end[anatomy.mask(Label.FEMORAL_NECK)] <= 0)
    assert np.all(neck_end[anatomy.mask(Label.PROXIMAL_FEMUR)] >= 0)
    assert 0.7 <= -anatomy.head_neck_plane.signed_distance(anatomy.head.center) / anatomy.head.radius_mm <= 0.95


def test_a_slice_before_the_neck_says_that_it_shows_none():
    # 15 mm before the centre the neck, which runs backwards, is gone: what is left is a round section.
    anatomy = traced(LEFT, {"COR_T1": slice_of(LEFT, "T1 normal", -14.0)}, radius_mm=17.5)
    assert anatomy.neck_axis is None
    assert anatomy.head_neck_plane is None
    assert anatomy.intertrochanteric_plane is None
    assert set(np.unique(anatomy.labels.array)) == {0, Label.FEMORAL_HEAD.code}
    assert "does not show the neck" in check(anatomy, "neck_in_slice").message


@pytest.mark.parametrize("scale", [0.9, 1.1])
def test_a_pixel_size_wrong_by_a_tenth_changes_only_the_scale(scale):
    anatomy = traced(LEFT, {"COR_T1": slice_of(LEFT, "T1 normal", 3.0, scale=scale)})
    assert np.linalg.norm(np.subtract(anatomy.head.center, LEFT.center)[[0, 2]]) < 0.06 * 2 * LEFT.radius_mm
    assert anatomy.head.radius_mm == pytest.approx(LEFT.radius_mm * scale, rel=0.07)
    assert anatomy.neck_axis is not None


def test_a_start_on_the_outside_of_the_joint_is_left():
    image = {"COR_STIR": slice_of(LEFT, "STIR edema", 3.0)}
    near, far = traced(LEFT, image), traced(LEFT, image, start=(-3.0, -3.0), radius_mm=LEFT.radius_mm + 2)
    np.testing.assert_allclose(near.head.center, far.head.center, atol=0.8)
    assert near.head.radius_mm == pytest.approx(far.head.radius_mm, abs=0.8)


@pytest.mark.parametrize(("shift_mm", "differs"), [(0.0, False), (4.0, True)])
def test_slices_of_different_places_are_laid_over_each_other_at_the_head(shift_mm, differs):
    images = {"COR_T1": slice_of(LEFT, "T1 normal", 3.0, shift_mm), "COR_STIR": slice_of(LEFT, "STIR edema", 3.0)}
    anatomy = traced(LEFT, images)
    assert (check(anatomy, "slices_differ").status is Status.REVIEW) is differs
    assert check(anatomy, "slices_differ").value == pytest.approx(shift_mm, abs=1.6)
    # The reference is the fluid-sensitive slice, which has not moved.
    assert np.linalg.norm(np.subtract(anatomy.head.center, LEFT.center)[[0, 2]]) < 2.0


def test_one_slice_has_nothing_to_be_laid_over():
    location = HipLocation(LEFT.side, Sphere(LEFT.center, 22.0), 0.8, 0.9, 2)
    images = crop_hip(make_aligned({"COR_T1": slice_of(LEFT, "T1 normal")}), location, PreprocessConfig())
    evidence = gather_evidence(images)
    assert over_reference(evidence, images.reference, location.sphere, Side.LEFT) == (evidence, 0.0)


def test_a_mirrored_slice_gives_the_mirrored_contour():
    image = slice_of(LEFT, "T1 normal", 3.0)
    affine = np.diag([-1.0, 1.0, 1.0, 1.0]) @ image.grid.affine
    left = traced(LEFT, {"COR_T1": image})
    right = traced(LEFT.mirrored, {"COR_T1": Image(image.array, Grid(image.grid.shape, affine))}, start=(-2.0, 1.5))
    np.testing.assert_allclose(np.multiply(right.head.center, [-1, 1, 1]), left.head.center, atol=0.3)
    assert dice(left.labels.array == 2, right.labels.array == 2) > 0.97


def test_only_a_coronal_slice_shows_the_neck_along_its_length():
    assert is_coronal(np.array([0.0, -1.0, 0.0]))
    assert not is_coronal(np.array([0.0, 0.0, 1.0]))
    axial = Grid((1, 150, 150), np.array([[0, 0, 0.9, 33.0], [0, 0.9, 0, -77.0], [4, 0, 0, 15.0], [0, 0, 0, 1.0]]))
    anatomy = traced(LEFT, {"AX_STIR": picture([LEFT], axial, "STIR edema")}, start=(0.0, 0.0))
    assert "not coronal" in check(anatomy, "neck_in_slice").message
    assert not anatomy.mask(Label.FEMORAL_NECK).any()


def test_outside_the_picture_there_is_no_edge():
    # Half of the head lies outside: what is there is traced, and the check says how much.
    grid = coronal_grid(np.add(LEFT.center, [62.0, 0.0, 0.0]), (130, 4, 130))
    anatomy = traced(LEFT, {"COR_T1": picture([LEFT], grid, "T1 normal")})
    assert check(anatomy, "head_coverage").status is Status.REVIEW
    assert np.isfinite(anatomy.surface).all()


def test_support_is_what_the_evidence_gives():
    location = HipLocation(LEFT.side, Sphere(LEFT.center, 22.0), 0.8, 0.9, 2)
    images = crop_hip(make_aligned({"COR_T1": slice_of(LEFT, "T1 normal")}), location, PreprocessConfig())
    (item,) = gather_evidence(images)
    clear = trace_contour((item,), location.sphere, Side.LEFT, 1.5)
    flat = replace(item, image=Image(np.zeros(item.image.grid.shape, np.float32), item.image.grid))
    empty = trace_contour((flat,), location.sphere, Side.LEFT, 1.5)
    assert clear.support.mean() > 0.5
    assert empty.support.max() == 0
    np.testing.assert_allclose(clear.points[:, 1], LEFT.center[1], atol=1e-6)


@pytest.mark.shared
@pytest.mark.parametrize("name", ["MPX1559_synpic34910", "MPX2008_synpic27563", "MPX2008_synpic27564"])
def test_the_heads_of_real_slices_are_traced_from_a_start_that_is_off(shared_data, name):
    told = json.loads((shared_data / "hips-2d" / f"{name}.json").read_text())
    pixels = np.atleast_3d(imread(shared_data / "hips-2d" / f"{name}.png"))[..., 0].astype(np.float32)
    pixel = told["pixel_mm_estimate"]
    affine = np.array([[0, 0, pixel, -pixel * 256], [4, 0, 0, 0], [0, -pixel, 0, pixel * 256], [0, 0, 0, 1]])
    image = Image(pixels[None], Grid((1, *pixels.shape), affine))
    for side, letter in ((Side.RIGHT, "R"), (Side.LEFT, "L")):
        circle = told["hips"][letter]["head_circle"]
        x, y, z = image.grid.to_world([0, circle["cy"], circle["cx"]])
        radius = circle["r"] * pixel
        drawn = Hip(side, (x, y, z), radius)
        anatomy = traced(drawn, {f"COR_{told['weighting']}": image}, start=(3.0, -2.0), radius_mm=radius + 1)
        assert np.linalg.norm(np.subtract(anatomy.head.center, drawn.center)) < 0.1 * 2 * radius
        assert anatomy.head.radius_mm == pytest.approx(radius, rel=0.1)
