"""Whole cases: the truth agrees with itself, and the images with the truth."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from tests.phantom.conftest import small_plans
from toh_mri.core.study import Contrast, SlicePlane
from toh_mri.geometry import Side, fit_sphere
from toh_mri.phantom import Disease, PhantomCase, PhantomSeries, make_case

CODES = {"L": (11, 12, 13, 14), "R": (1, 2, 3, 4)}


def series_of(case: PhantomCase, name: str) -> PhantomSeries:
    return next(series for series in case.series if series.name == name)


def hip_of(case: PhantomCase) -> dict:
    return case.truth["hips"][case.truth["side"]]


@pytest.fixture(params=["toh_left", "on_right"])
def case(request) -> PhantomCase:
    return request.getfixturevalue(request.param)


def test_the_same_arguments_give_the_same_case_and_another_seed_another(toh_left):
    plans = small_plans()[:1]
    first, again, other = (make_case(seed, Disease.TOH, side=Side.LEFT, plans=plans) for seed in (4, 4, 5))
    assert np.array_equal(first.series[0].image.array, again.series[0].image.array)
    assert first.truth == again.truth
    # one series more does not change the ones before it
    assert np.array_equal(first.series[0].image.array, toh_left.series[0].image.array)
    assert not np.array_equal(first.series[0].image.array, other.series[0].image.array)


def test_bad_requests_are_refused():
    with pytest.raises(ValueError, match="tesla"):
        make_case(1, Disease.TOH, side=Side.LEFT, field_strength_t=7.0)
    twice = ((SlicePlane.CORONAL, Contrast.T1),) * 2
    with pytest.raises(ValueError, match="of its own"):
        make_case(1, Disease.TOH, side=Side.LEFT, contrasts=twice)


def test_labels_lie_on_their_side_of_the_body(case):
    letter = case.truth["side"]
    for series in case.series:
        labels = series.masks["labels"].array
        assert set(CODES[letter]) <= set(np.unique(labels).tolist())
        x = series.image.grid.to_world(np.argwhere(np.isin(labels, CODES[letter])))[:, 0]
        assert (np.sign(x) == {"L": 1, "R": -1}[letter]).all()


def test_landmarks_fit_the_labels(case):
    hip = hip_of(case)
    centre, axis = np.array(hip["head_center_lps"]), np.array(hip["neck_axis_lps"])
    series = case.series[0]  # the patient had not moved yet
    labels = series.masks["labels"].array
    head = labels == CODES[case.truth["side"]][0]
    rim = series.image.grid.to_world(np.argwhere(head & ~ndimage.binary_erosion(head, np.ones((1, 3, 3)))))
    off = (rim - centre) @ series.image.grid.directions[:, 0]
    sphere = fit_sphere(rim[((rim - centre) @ axis < 0) & (np.abs(off) < 12)])  # in thick slices off the pole
    assert np.linalg.norm(np.subtract(sphere.center, centre)) < 1.5
    half_pixel = series.image.grid.spacing_mm[1] / 2  # the outermost voxels' centres lie inside the surface
    assert sphere.radius_mm + half_pixel == pytest.approx(hip["head_radius_mm"], abs=0.9)
    inside = series.image.grid.to_world(np.argwhere(head))
    assert ((inside - centre) @ axis).max() < hip["head_neck_plane_t_mm"] + 1.0
    plane = hip["intertrochanteric_plane"]
    neck = series.image.grid.to_world(np.argwhere(labels == CODES[case.truth["side"]][1]))
    assert (neck @ np.array(plane["normal_lps"])).max() < plane["offset_mm"] + 1.0


def test_volumes_on_the_grid_are_those_of_the_truth(case):
    hip = hip_of(case)
    for series in case.series:
        voxel = series.image.grid.voxel_volume_ml
        labels = series.masks["labels"].array
        head, neck = (np.count_nonzero(labels == code) * voxel for code in CODES[case.truth["side"]][:2])
        assert head == pytest.approx(hip["head_ml"], rel=0.04)
        assert neck == pytest.approx(hip["neck_ml"], rel=0.08)
        for name in ("edema", "necrosis"):
            measured = np.count_nonzero(series.masks[name].array) * voxel
            assert measured == pytest.approx(hip[f"{name}_ml"], rel=0.06, abs=1.0)


def test_head_volume_is_a_plausible_part_of_its_sphere(case):
    hip = hip_of(case)
    sphere = 4 / 3 * np.pi * hip["head_radius_mm"] ** 3 / 1000
    assert 0.85 < hip["head_ml"] / sphere < 1.0


def test_masks_keep_to_their_places(case):
    for series in case.series:
        masks = {name: mask.array for name, mask in series.masks.items()}
        femur = np.isin(masks["labels"], [code for codes in CODES.values() for code in codes[:3]])
        assert not (masks["edema"] & masks["necrosis"]).any()
        assert femur[masks["edema"] > 0].all()
        assert (masks["edema_fraction_x255"][masks["edema"] > 0] > 63).all()
        line = masks["line_serpiginous"] > 0
        near_lesion = ndimage.binary_dilation(masks["necrosis"], np.ones((3, 3, 3)))
        assert near_lesion[line].all()
        assert not femur[masks["effusion"] > 0].any()


def test_edema_fills_the_head_and_fades_in_the_neck(toh_left):
    hip = hip_of(toh_left)
    assert 60 < hip["edema_percent_of_head"] < 100
    assert 15 < 100 * hip["edema_neck_ml"] / hip["neck_ml"] < 90
    assert hip["necrosis_ml"] == 0
    assert hip["effusion_ml"] > 3


def mean_in(series: PhantomSeries, mask: np.ndarray) -> float:
    assert mask.sum() > 20
    return float(series.image.array[mask].mean())


def test_edema_is_bright_on_stir_and_dark_on_t1(toh_left):
    ratios = {}
    for name in ("COR_T1", "COR_STIR"):
        series = series_of(toh_left, name)
        labels, fraction = series.masks["labels"].array, series.masks["edema_fraction_x255"].array
        inside = ndimage.binary_erosion(np.isin(labels, (11, 12, 13)), np.ones((1, 9, 9)))
        z = series.image.grid.voxel_centres()[..., 2]
        inside &= z > hip_of(toh_left)["head_center_lps"][2] - 45  # above the shaft's thick cortex
        ratios[name] = mean_in(series, inside & (fraction > 180)) / mean_in(series, inside & (fraction < 10))
    assert ratios["COR_T1"] < 0.75
    assert ratios["COR_STIR"] > 2.0


def test_band_is_darker_than_both_sides_on_t1(on_right):
    series = series_of(on_right, "COR_T1")
    necrosis, line = (series.masks[name].array > 0 for name in ("necrosis", "line_serpiginous"))
    labels = series.masks["labels"].array
    inside_head = ndimage.binary_erosion(labels == 1, np.ones((1, 9, 9)))
    band = mean_in(series, line & inside_head)
    ring = np.ones((1, 9, 9))
    outside = (
        inside_head & ndimage.binary_dilation(necrosis, ring) & ~ndimage.binary_dilation(necrosis, np.ones((1, 3, 3)))
    )
    within = inside_head & necrosis & ~ndimage.binary_dilation(line, np.ones((1, 5, 5)))
    assert band < 0.8 * mean_in(series, outside)
    assert band < 0.9 * mean_in(series, within)


def test_double_line_on_stir_bright_inside_dark_outside(on_right):
    series = series_of(on_right, "COR_STIR")
    necrosis, line = (series.masks[name].array > 0 for name in ("necrosis", "line_serpiginous"))
    inside_head = ndimage.binary_erosion(series.masks["labels"].array == 1, np.ones((1, 9, 9)))
    beside = ndimage.binary_dilation(line, np.ones((1, 5, 5))) & ~line & necrosis & inside_head
    assert mean_in(series, beside) > 1.3 * mean_in(series, line & inside_head)


def test_patient_moves_a_little_between_series(case):
    first, second = case.series
    assert np.array_equal(first.movement, np.eye(4))
    shift = second.movement[:3, 3]
    assert 0.1 < np.linalg.norm(shift) < 3.0
    assert second.movement[:3, :3] @ second.movement[:3, :3].T == pytest.approx(np.eye(3), abs=1e-12)
    centres = []
    for series in case.series:
        head = series.masks["labels"].array == CODES[case.truth["side"]][0]
        centres.append(series.image.grid.to_world(np.argwhere(head)).mean(axis=0))
    assert centres[1] - centres[0] == pytest.approx(shift, abs=0.8)


def test_prescription_is_slightly_oblique_and_holds_the_head(case):
    for series in case.series:
        directions = series.image.grid.directions
        off = np.degrees(np.arccos(np.abs(directions).max(axis=0)))
        assert 0 < off.max() < 12
        assert series.image.grid.contains(hip_of(case)["head_center_lps"], 20.0)


def test_bilateral_case_has_both_hips_and_only_one_is_ill():
    case = make_case(8, Disease.ON, side=Side.LEFT, bilateral=True, plans=[bilateral_plan()])
    assert {letter: hip["cls"] for letter, hip in case.truth["hips"].items()} == {"L": "ON", "R": "normal"}
    assert case.truth["hips"]["L"]["necrosis_ml"] > 3 > case.truth["hips"]["R"]["necrosis_ml"] == 0
    series = case.series[0]
    assert {1, 2, 3, 4, 11, 12, 13, 14} <= set(np.unique(series.masks["labels"].array).tolist())
    x = series.image.grid.to_world(np.argwhere(series.masks["necrosis"].array))[:, 0]
    assert (x > 0).all()


def bilateral_plan():
    return replace(small_plans()[0], fov_mm=360.0, matrix=160, slices=8, thickness_mm=8.0)
