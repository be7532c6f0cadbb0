"""Anatomy from a person's label image, on analytic hips."""

from dataclasses import replace

import numpy as np
import pytest

from tests.segmentation.hips import Hip, coronal_grid, femur_distance, grid_of
from tests.segmentation.studies import flipped, make_aligned, permuted
from toh_mri.core.config.preprocess import PreprocessConfig
from toh_mri.core.config.segmentation import SegmentationConfig
from toh_mri.core.errors import SegmentationError
from toh_mri.core.hip import Label
from toh_mri.geometry import Grid, Image, Side
from toh_mri.preprocess import crop_hip
from toh_mri.segmentation.manual import Manual

CONFIG = SegmentationConfig()
LEFT = Hip()
HEAD_ENDS, NECK_ENDS = 0.83, 1.55  # in head radii along the axis


def drawn(hips, grid):
    """Label every voxel centre inside the analytic femora, and a piece of acetabulum above each head."""
    labels = np.zeros(grid.shape, np.uint8)
    for hip in hips:
        p = (grid.voxel_centres() - hip.center) * [hip.side.lateral_x, 1, 1]
        axis = np.array(hip.axis) / np.linalg.norm(hip.axis)
        femur = femur_distance(p, hip.radius_mm, axis) <= 0
        along = p @ axis / hip.radius_mm
        labels[femur] = Label.PROXIMAL_FEMUR.code
        labels[femur & (along < NECK_ENDS)] = Label.FEMORAL_NECK.code
        labels[femur & (along < HEAD_ENDS)] = Label.FEMORAL_HEAD.code
        beyond = np.linalg.norm(p, axis=-1) - hip.radius_mm
        labels[(beyond > 4) & (beyond < 10) & (p[..., 2] > 0.7 * hip.radius_mm)] = Label.ACETABULUM.code
    return Image(labels, grid)


def study_on(grid):
    return make_aligned({"COR_STIR": Image(np.ones(grid.shape, np.float32), grid)})


def analysed(labels, study):
    manual = Manual()
    return [
        manual.segment(crop_hip(study, location, PreprocessConfig()), CONFIG, labels)
        for location in manual.locate(study, CONFIG, labels)
    ]


def refusal(labels, study):
    with pytest.raises(SegmentationError) as refused:
        analysed(labels, study)
    return refused.value


def degrees(a, b):
    return np.degrees(np.arccos(np.clip(np.dot(a, b), -1, 1)))


@pytest.mark.parametrize("hip", [LEFT, LEFT.mirrored], ids=lambda hip: hip.side)
def test_sphere_axis_and_planes_follow_from_the_drawing(hip):
    grid = grid_of(hip)
    (anatomy,) = analysed(drawn([hip], grid), study_on(grid))
    assert anatomy.side is hip.side
    assert np.linalg.norm(np.subtract(anatomy.head.center, hip.center)) < 0.7
    assert anatomy.head.radius_mm == pytest.approx(hip.radius_mm, abs=0.5)
    assert degrees(anatomy.neck_axis, hip.neck_axis) < 3
    assert anatomy.head_neck_plane.signed_distance(hip.center) == pytest.approx(-0.80 * hip.radius_mm, abs=2.5)
    assert anatomy.intertrochanteric_plane.signed_distance(hip.center) < -1.2 * hip.radius_mm
    assert anatomy.confidence == 1
    assert [check.code for check in anatomy.checks][-1] == "manual"


def test_the_labels_are_those_that_were_drawn_and_the_marrow_lies_inside_the_femur():
    grid = grid_of(LEFT)
    labels = drawn([LEFT], grid)
    (anatomy,) = analysed(labels, study_on(grid))
    start = grid.nearest(anatomy.labels.grid.to_world([0, 0, 0]))
    box = tuple(slice(a, a + n) for a, n in zip(start, anatomy.labels.grid.shape, strict=True))
    np.testing.assert_array_equal(anatomy.labels.array, np.asarray(labels.array)[box])
    femur = np.isin(anatomy.labels.array, [1, 2, 3])
    assert 0.4 < np.sum(anatomy.marrow.array) / np.sum(femur) < 0.9
    assert np.all(femur[anatomy.marrow.array])


@pytest.mark.parametrize(
    ("axes", "order"), [((0,), (1, 0, 2)), ((1, 2), (2, 1, 0)), ((), (1, 2, 0)), ((0, 1, 2), (0, 1, 2))]
)
def test_how_the_file_stores_its_axes_changes_nothing(axes, order):
    grid = coronal_grid(LEFT.center, (100, 72, 100), pixel_mm=2.0)
    labels, study = drawn([LEFT], grid), study_on(grid)
    (plain,), (other,) = analysed(labels, study), analysed(permuted(flipped(labels, axes), order), study)
    np.testing.assert_array_equal(plain.labels.array, other.labels.array)
    np.testing.assert_allclose(plain.head.center, other.head.center, atol=1e-6)


def test_a_drawing_on_another_grid_of_the_same_patient_is_taken():
    fine = grid_of(LEFT)
    coarse = coronal_grid(LEFT.center, (120, 70, 120), slice_mm=3.0, pixel_mm=1.1)
    (anatomy,) = analysed(drawn([LEFT], coarse), study_on(fine))
    assert anatomy.labels.grid.spacing_mm == pytest.approx(fine.spacing_mm)
    assert np.linalg.norm(np.subtract(anatomy.head.center, LEFT.center)) < 0.7


def test_both_heads_of_one_drawing_get_their_sides():
    grid = coronal_grid((0, -10, 5), (300, 72, 130), pixel_mm=1.4)
    found = analysed(drawn([LEFT, LEFT.mirrored], grid), study_on(grid))
    assert [anatomy.side for anatomy in found] == [Side.RIGHT, Side.LEFT]


def test_the_neck_tells_the_side_where_the_patient_lies_off_centre():
    hip = replace(LEFT, center=(-20.0, -10.0, 15.0))  # a left hip left of the scanner's middle
    grid = grid_of(hip)
    (anatomy,) = analysed(drawn([hip], grid), study_on(grid))
    assert anatomy.side is Side.LEFT


def test_a_single_slice_keeps_its_circle():
    grid = coronal_grid(LEFT.center, (130, 4, 130))
    (anatomy,) = analysed(drawn([LEFT], grid), study_on(grid))
    assert anatomy.dimensionality == 2
    assert anatomy.neck_axis is None
    assert anatomy.head.radius_mm == pytest.approx(LEFT.radius_mm, abs=0.5)
    distance = np.linalg.norm(anatomy.surface[0] - anatomy.head.center, axis=1)
    assert np.median(distance) == pytest.approx(LEFT.radius_mm, abs=0.5)


def _shifted(image, mm):
    affine = np.array(image.grid.affine)
    affine[:3, 3] += mm
    return Image(image.array, Grid(image.grid.shape, affine))


def _without_neck(image):
    return image.with_array(np.where(np.isin(image.array, [2, 3]), 0, image.array).astype(np.uint8))


def _twice(image):
    array = np.concatenate([image.array, image.array], axis=2)
    return Image(array, Grid(array.shape, image.grid.affine))


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda _: None, "anatomy_missing"),
        (lambda image: image.with_array(np.zeros(image.grid.shape, np.uint8)), "anatomy_empty"),
        (lambda image: image.with_array(np.asarray(image.array) * 9), "anatomy_labels"),
        (lambda image: image.with_array(np.asarray(image.array) * np.float32(0.5)), "anatomy_labels"),
        (lambda image: _shifted(image, (0, 0, 400)), "anatomy_elsewhere"),
        (lambda image: _shifted(image, (0, 0, 55)), "anatomy_elsewhere"),
        (_without_neck, "anatomy_no_axis"),
        (_twice, "anatomy_several_heads"),
    ],
    ids=["none", "empty", "other codes", "fractions", "another study", "cut", "no neck", "two of one side"],
)
def test_a_drawing_that_does_not_fit_is_refused_by_name(spoil, code):
    grid = grid_of(LEFT)
    error = refusal(spoil(drawn([LEFT], grid)), study_on(grid))
    assert error.code == code
    assert error.hint


def test_a_hip_that_was_not_drawn_is_refused():
    grid = coronal_grid((0, -10, 5), (300, 72, 130), pixel_mm=1.4)
    study, manual = study_on(grid), Manual()
    right, _ = manual.locate(study, CONFIG, drawn([LEFT, LEFT.mirrored], grid))
    images = crop_hip(study, right, PreprocessConfig())
    with pytest.raises(SegmentationError, match="no right head"):
        manual.segment(images, CONFIG, drawn([LEFT], grid))
