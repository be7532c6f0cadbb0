"""From pictures to anatomy, on analytic hips."""

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from skimage.io import imread

from tests.segmentation.hips import Hip, coronal_grid, grid_of, head_truth, picture
from tests.segmentation.studies import make_aligned, make_study
from toh_mri.core.config import Config
from toh_mri.core.config.preprocess import PreprocessConfig
from toh_mri.core.config.segmentation import SegmentationConfig
from toh_mri.core.errors import SegmentationError
from toh_mri.core.hip import Label, Status
from toh_mri.core.study import AlignedStudy
from toh_mri.geometry import Grid, Image, Side, Sphere
from toh_mri.io import load_study, read_nifti
from toh_mri.preprocess import align_study, crop_hip
from toh_mri.segmentation import locate_hips, segment_hip
from toh_mri.segmentation.pair import mirror_likeness
from toh_mri.segmentation.search import Candidate

CONFIG = SegmentationConfig()
LEFT = Hip()
BOTH = ("T1 edema", "STIR edema")


def images_of(hips, contrasts, grid=None):
    grid = grid_of(hips[0]) if grid is None else grid
    return {f"COR_{contrast.split()[0]}": picture(hips, grid, contrast, seed=n) for n, contrast in enumerate(contrasts)}


def solve(images):
    study = make_aligned(images)
    return [
        segment_hip(crop_hip(study, location, PreprocessConfig()), CONFIG) for location in locate_hips(study, CONFIG)
    ]


@cache
def outlined(hip, contrasts):
    """The one hip of a small field of view; solved once for all tests that start from it."""
    (anatomy,) = solve(images_of([hip], contrasts))
    return anatomy


def gap(anatomy, hip):
    return np.linalg.norm(np.subtract(anatomy.head.center, hip.center))


def dice(a, b):
    return 2 * np.sum(a & b) / (np.sum(a) + np.sum(b))


@pytest.mark.parametrize(
    ("hip", "contrasts"),
    [
        (LEFT, ("T1 normal", "STIR normal")),
        (LEFT, BOTH),
        (LEFT.mirrored, BOTH),
        (LEFT.mirrored, ("T1 normal",)),
        (LEFT, ("T1 edema",)),
        (LEFT.mirrored, ("STIR normal",)),
    ],
    ids=lambda value: value.side if isinstance(value, Hip) else " + ".join(value),
)
def test_the_head_is_found_in_normal_and_edematous_marrow(hip, contrasts):
    anatomy = outlined(hip, contrasts)
    assert anatomy.side is hip.side
    assert gap(anatomy, hip) < 2.0
    assert abs(anatomy.head.radius_mm - hip.radius_mm) < 1.5
    assert dice(anatomy.mask(Label.FEMORAL_HEAD), head_truth(hip, anatomy.labels.grid)) > 0.92
    assert np.degrees(np.arccos(np.dot(anatomy.neck_axis, hip.neck_axis))) < 12
    assert anatomy.neck_axis[0] * hip.side.lateral_x > 0
    marrow, bone = anatomy.marrow.array, np.isin(anatomy.labels.array, (1, 2, 3))
    assert np.all(bone[marrow])
    assert 0.4 < np.sum(marrow) / np.sum(bone) < 0.95


def test_a_fluid_sensitive_series_that_shows_no_clear_joint_is_never_trusted():
    # Edema up to the plate and no cartilage in these painted hips: the trace slips by the width of the joint.
    anatomy = outlined(LEFT, ("STIR edema",))
    assert anatomy.side is LEFT.side
    assert {c.code: c.status for c in anatomy.checks}["joint_evidence"] is Status.REVIEW
    assert anatomy.confidence < CONFIG.review_confidence


def test_a_mirrored_patient_gives_the_mirrored_anatomy():
    # The same numbers, laid out from right to left: nothing but the affine says which side it is.
    images = images_of([LEFT], BOTH)
    mirror = np.diag([-1.0, 1.0, 1.0, 1.0])
    mirrored = {
        name: Image(image.array, Grid(image.grid.shape, mirror @ image.grid.affine)) for name, image in images.items()
    }
    left, (right,) = outlined(LEFT, BOTH), solve(mirrored)
    assert right.side is Side.RIGHT
    np.testing.assert_allclose(right.head.center, mirror[:3, :3] @ left.head.center, atol=0.3)
    assert dice(left.labels.array == 1, right.labels.array == 1) > 0.98


@pytest.mark.parametrize(
    ("order", "flipped"),
    [((0, 1, 2), (0,)), ((0, 2, 1), (1, 2)), ((1, 0, 2), ()), ((2, 1, 0), (2,)), ((1, 2, 0), (0, 1, 2))],
)
def test_the_order_of_the_array_does_not_matter(order, flipped):
    images = {}
    for name, image in images_of([LEFT], BOTH).items():
        index = np.eye(4)[:, [*order, 3]]
        array = image.array.transpose(order)
        for axis in flipped:
            index[:, 3] += index[:, axis] * (array.shape[axis] - 1)
            index[:, axis] *= -1
        array = np.flip(array, flipped)
        images[name] = Image(array, Grid(array.shape, image.grid.affine @ index))
    (location,) = locate_hips(make_aligned(images), CONFIG)
    assert location.side is Side.LEFT
    assert np.linalg.norm(np.subtract(location.sphere.center, LEFT.center)) < 2.5


def test_scale_and_shading_of_the_signal_change_little():
    images = images_of([LEFT], BOTH)
    shaded = {}
    for name, image in images.items():
        along = np.linspace(-0.5, 0.5, image.grid.shape[2])
        shaded[name] = Image((37 * image.array * np.exp(along)).astype(np.float32), image.grid)
    plain, (other,) = outlined(LEFT, BOTH), solve(shaded)
    assert dice(plain.labels.array == 1, other.labels.array == 1) > 0.96


def test_the_order_of_the_series_does_not_matter():
    study = make_aligned(images_of([LEFT], BOTH))
    turned = AlignedStudy(study.study, study.anchor, study.series[::-1])
    (one,), (other,) = locate_hips(study, CONFIG), locate_hips(turned, CONFIG)
    assert one.sphere.radius_mm == other.sphere.radius_mm
    np.testing.assert_allclose(one.sphere.center, other.sphere.center)
    assert one.score == pytest.approx(other.score, abs=1e-5)


@pytest.fixture(scope="module")
def pelvis():
    right = Hip(Side.RIGHT, (-92.0, -6.0, 12.0), 22.0)
    grid = coronal_grid((0, -8, 5), (360, 64, 150), pixel_mm=0.9)
    return right, images_of([right, LEFT], ("T1 normal", "STIR edema"), grid)


def test_both_hips_of_a_pelvis_are_found_on_their_sides(pelvis):
    right, images = pelvis
    found = locate_hips(make_aligned(images), CONFIG)
    assert [location.side for location in found] == [Side.RIGHT, Side.LEFT]
    for location, hip in zip(found, (right, LEFT), strict=True):
        assert np.linalg.norm(np.subtract(location.sphere.center, hip.center)) < 3


def test_both_heads_are_outlined_in_a_single_slice(pelvis):
    right, images = pelvis
    image = images["COR_T1"]
    middle = round(image.grid.to_index(LEFT.center)[0])
    single = image.crop((middle, 0, 0), (middle + 1, *image.grid.shape[1:]))
    anatomies = solve({"COR_T1": single})
    assert [(a.side, a.dimensionality) for a in anatomies] == [(Side.RIGHT, 2), (Side.LEFT, 2)]
    for anatomy, hip in zip(anatomies, (right, LEFT), strict=True):
        assert np.linalg.norm(np.subtract(anatomy.head.center, hip.center)[[0, 2]]) < 3  # in the slice
        assert anatomy.neck_axis is None
        assert not anatomy.mask(Label.FEMORAL_NECK).any()


def test_a_wide_field_with_one_hip_says_that_the_other_is_missing():
    grid = coronal_grid((0, -8, 5), (360, 48, 130), pixel_mm=1.2)
    (location,) = locate_hips(make_aligned(images_of([LEFT], BOTH, grid)), CONFIG)
    assert location.side is Side.LEFT
    assert {c.code: c.status for c in location.checks}["other_hip_not_found"] is Status.REVIEW


def _refused(images):
    with pytest.raises(SegmentationError) as caught:
        solve(images)
    return caught.value.code


def test_muscle_without_a_hip_is_refused():
    grid = grid_of(LEFT)
    far = Hip(center=(600.0, 0.0, 0.0))
    assert _refused(images_of([far], BOTH, grid)) == "no_hip_found"


@pytest.mark.parametrize("value", [0.0, 7.0, np.nan])
def test_an_empty_picture_is_refused(value):
    grid = grid_of(LEFT)
    assert _refused({"COR_T1": Image(np.full(grid.shape, value, np.float32), grid)}) == "no_hip_found"


def test_a_series_of_another_place_is_left_out_of_the_score():
    grid = grid_of(LEFT)
    away = grid.transformed([[1, 0, 0, 500], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    t1 = picture([LEFT], grid, "T1 normal")
    nothing = picture([Hip(center=(600.0, 0.0, 0.0))], grid, "STIR normal")
    (location,) = locate_hips(make_aligned({"COR_T1": t1, "COR_STIR": Image(nothing.array, away)}), CONFIG)
    assert np.linalg.norm(np.subtract(location.sphere.center, LEFT.center)) < 2.5


@pytest.mark.parametrize("box", [((0, 0, 0), (2, 40, 40)), ((8, 60, 60), (10, 75, 75))])
def test_a_scrap_of_a_picture_is_refused(box):
    image = picture([LEFT], grid_of(LEFT), "T1 normal").crop(*box)
    assert _refused({"COR_T1": image}) == "no_hip_found"


def _one_slice(image, point):
    k = round(image.grid.to_index(point)[0])
    return image.crop((k, 0, 0), (k + 1, *image.grid.shape[1:]))


AXIAL = Grid((20, 150, 150), np.array([[0, 0, 0.9, 33.0], [0, 0.9, 0, -77.0], [4, 0, 0, -25.0], [0, 0, 0, 1.0]]))


def test_a_single_slice_beside_a_stack_is_left_to_the_stack():
    images = images_of([LEFT], ("T1 normal", "STIR normal"))
    images["COR_STIR"] = _one_slice(images["COR_STIR"], LEFT.center)
    (anatomy,) = solve(images)
    assert anatomy.dimensionality == 3
    assert gap(anatomy, LEFT) < 2.0


def test_an_axial_stack_comes_before_a_coronal_slice():
    t1 = _one_slice(picture([LEFT], grid_of(LEFT), "T1 normal"), LEFT.center)
    (anatomy,) = solve({"COR_T1": t1, "AX_STIR": picture([LEFT], AXIAL, "STIR normal")})
    assert (anatomy.dimensionality, anatomy.labels.grid.shape[0]) == (3, AXIAL.shape[0])
    assert gap(anatomy, LEFT) < 2.5


def test_a_slice_is_outlined_in_its_own_plane():
    # Found in the coronal slice, outlined in the axial one: the fluid-sensitive series is the reference.
    t1 = _one_slice(picture([LEFT], grid_of(LEFT), "T1 normal"), LEFT.center)
    stir = _one_slice(picture([LEFT], AXIAL, "STIR normal"), LEFT.center)
    (anatomy,) = solve({"COR_T1": t1, "AX_STIR": stir})
    assert anatomy.labels.grid.matches(stir.grid)
    inside = np.linalg.norm(stir.grid.voxel_centres() - LEFT.center, axis=-1) < LEFT.radius_mm
    assert dice(anatomy.mask(Label.FEMORAL_HEAD), inside) > 0.85


def test_a_crop_that_shows_no_rim_cannot_be_outlined():
    study = make_aligned(images_of([LEFT], ("T1 normal",)))
    (location,) = locate_hips(study, CONFIG)
    other = make_study({"COR_OTHER": study.series[0].series.image}).series[0]
    images = crop_hip(study, location, PreprocessConfig())
    blind = replace(images, series=(replace(images.series[0], info=other.info),))
    with pytest.raises(SegmentationError) as caught:
        segment_hip(blind, CONFIG)
    assert caught.value.code == "no_usable_series"


def test_surroundings_without_contrast_resemble_nothing():
    grid = coronal_grid((0, 0, 0), (300, 100, 100), slice_mm=2.0, pixel_mm=2.0)
    right, left = (Candidate(Sphere((x, 0, 0), 22.0), 0.5, 0.5) for x in (-85.0, 85.0))
    x = np.abs(grid.voxel_centres()[..., 0]).astype(np.float32)
    assert mirror_likeness(right, left, (Image(np.zeros(grid.shape, np.float32), grid),)) == 0
    assert mirror_likeness(right, left, (Image(x, grid),)) == pytest.approx(1)


@pytest.mark.shared
def test_two_series_of_the_cohort_are_outlined(shared_data):
    for case, side in (("case-01", Side.LEFT), ("case-04", Side.RIGHT)):
        folder = shared_data / "cohort" / case
        study = align_study(load_study(folder, Config()), PreprocessConfig())
        (location,) = locate_hips(study, CONFIG)
        images = crop_hip(study, location, PreprocessConfig())
        anatomy = segment_hip(images, CONFIG)
        truth = read_nifti(folder / "truth" / f"{images.reference}_labels.nii.gz")
        start, size = images.crop_start, anatomy.labels.array.shape
        box = tuple(slice(a, a + n) for a, n in zip(start, size, strict=True))
        assert location.side is side
        code = Label.FEMORAL_HEAD.code + (10 if side is Side.LEFT else 0)
        assert dice(truth.array[box] == code, anatomy.mask(Label.FEMORAL_HEAD)) > 0.9


@pytest.mark.shared
@pytest.mark.parametrize("name", ["MPX1559_synpic34909", "MPX1559_synpic34910"])
def test_both_heads_of_a_real_slice_are_outlined(shared_data, name):
    told = json.loads((shared_data / "hips-2d" / f"{name}.json").read_text())
    pixels = np.atleast_3d(imread(shared_data / "hips-2d" / f"{name}.png"))[..., 0].astype(np.float32)
    pixel = told["pixel_mm_estimate"]
    affine = np.array([[0, 0, pixel, -pixel * 256], [4, 0, 0, 0], [0, -pixel, 0, pixel * 256], [0, 0, 0, 1]])
    image = Image(pixels[None], Grid((1, *pixels.shape), affine))
    anatomies = solve({f"COR_{told['weighting']}": image})
    assert [anatomy.side for anatomy in anatomies] == [Side.RIGHT, Side.LEFT]
    for anatomy, letter in zip(anatomies, "RL", strict=True):
        circle = told["hips"][letter]["head_circle"]
        drawn = image.grid.to_world([0, circle["cy"], circle["cx"]])
        assert np.linalg.norm(anatomy.head.center - drawn) < 8
        assert abs(anatomy.head.radius_mm - circle["r"] * pixel) < 3
