"""Fractures, osteoarthritis and arthritis: their signs lie where they should and look as they should."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from tests.phantom.conftest import small_plans
from toh_mri.core.study import Contrast
from toh_mri.geometry import Side
from toh_mri.phantom import Disease, PhantomCase, make_case
from toh_mri.phantom.fracture import NeckLine, SubchondralLine
from toh_mri.phantom.painting import FINE, render
from toh_mri.phantom.person import Person
from toh_mri.phantom.points import Points, plane_distance
from toh_mri.phantom.protocol import SeriesPlan, place
from toh_mri.phantom.scene import Hip, Scene
from toh_mri.phantom.streams import stream
from toh_mri.phantom.truth import hip_truth, joint_params, masks_of

seeds = st.integers(0, 10_000)
HEAD, NECK, ACETABULUM = 11, 12, 14
SEED = 6
EDEMATOUS = [Disease.OA, Disease.ARTHRITIS]


def coarse_plans() -> tuple[SeriesPlan, ...]:
    return tuple(replace(plan, slices=11, thickness_mm=4.6, gap_mm=0.4) for plan in small_plans())


def hip_of(disease: Disease, seed: int) -> Hip:
    return Hip.draw(Person.draw(stream(seed, "person")), Side.LEFT, disease, seed)


def points_about(center: np.ndarray, reach_mm: float, count: int = 40_000) -> np.ndarray:
    return center + np.random.default_rng(0).uniform(-reach_mm, reach_mm, (count, 3))


def in_line(hip: Hip, points: np.ndarray, half_mm: float) -> np.ndarray:
    """Points of the femur's marrow within `half_mm` of the line's middle."""
    assert hip.lesions.line is not None
    p = Points.of(points)
    across, beyond = hip.lesions.line.sheet(p, hip.femur)
    marrow = hip.femur.distance(p) + hip.femur.cortex(p) < 0
    return points[marrow & (np.abs(across) < half_mm) & (beyond < 0)]


@pytest.fixture(scope="module", params=[Disease.SIF, Disease.NECKFX, Disease.OA, Disease.ARTHRITIS])
def case(request) -> PhantomCase:
    return make_case(SEED, request.param, side=Side.LEFT, plans=coarse_plans())


def arrays_of(case: PhantomCase, name: str) -> tuple[np.ndarray, dict[str, np.ndarray], float]:
    series = next(one for one in case.series if one.name == name)
    masks = {key: mask.array for key, mask in series.masks.items()}
    return series.image.array.astype(float), masks, series.image.grid.voxel_volume_ml


@settings(max_examples=6, deadline=None)
@given(seeds)
def test_subchondral_line_runs_2_to_6_mm_under_the_top_of_the_head(seed: int) -> None:
    hip = hip_of(Disease.SIF, seed)
    line, r = hip.lesions.line, hip.femur.radius_mm
    assert isinstance(line, SubchondralLine)
    assert 10 <= line.length_mm <= 30
    middle = in_line(hip, points_about(r * line.middle, 15.0), 0.15)
    assert len(middle) > 20
    # depth by walking outwards along the ray until the femur ends
    rays = middle / np.linalg.norm(middle, axis=1, keepdims=True)
    steps = np.arange(0.0, 8.0, 0.05)
    walked = middle[:, None, :] + steps[:, None] * rays[:, None, :]
    depth = steps[np.argmax(hip.femur.distance(Points.of(walked)) > 0, axis=1)]
    assert depth.min() > 1.8
    assert depth.max() < 6.2
    assert (middle[:, 2] > 0.4 * r).all()
    assert (plane_distance(hip.landmarks.head_neck_plane, Points.of(middle)) < 0).all()
    assert line.half_mm * 2 < 2.0


@settings(max_examples=6, deadline=None)
@given(seeds)
def test_subchondral_line_is_as_long_as_the_truth_says(seed: int) -> None:
    hip = hip_of(Disease.SIF, seed)
    line = hip.lesions.line
    assert isinstance(line, SubchondralLine)
    whole = replace(line, gap_level=99.0)  # without gaps
    r = hip.femur.radius_mm - line.depth_mm
    angle = np.linspace(-1.2, 1.2, 4001)
    arc = r * (np.cos(angle)[:, None] * line.middle + np.sin(angle)[:, None] * line.along)
    _, beyond = whole.sheet(Points.of(arc), hip.femur)
    assert r * np.ptp(angle[beyond < 0]) == pytest.approx(line.length_mm, abs=0.1)
    _, broken = line.sheet(Points.of(arc), hip.femur)
    assert (broken < 0).any()
    assert (broken >= beyond).all()


@settings(max_examples=6, deadline=None)
@given(seeds)
def test_neck_line_starts_at_one_wall_and_crosses_part_of_the_neck(seed: int) -> None:
    hip = hip_of(Disease.NECKFX, seed)
    line, axis, up = hip.lesions.line, hip.femur.neck.axis, hip.femur.neck.up
    assert isinstance(line, NeckLine)
    assert line.normal @ axis > 0.9  # across the neck
    tip = line.start + line.length_mm * line.inward
    inside = in_line(hip, points_about((line.start + tip) / 2, 13.0), line.half_mm)
    assert len(inside) > 20
    from_wall = (inside - line.start) @ line.inward
    assert from_wall.min() < 2.0
    assert from_wall.max() == pytest.approx(line.length_mm, abs=2.0)
    p = Points.of([line.start - line.inward, line.start + line.inward])
    outer, inner = hip.femur.distance(p) + hip.femur.cortex(p)
    assert outer > 0 > inner
    assert (line.start @ up > 0) == line.lateral
    p = Points.of(inside)
    in_neck = plane_distance(hip.landmarks.head_neck_plane, p) > 0
    in_neck &= plane_distance(hip.landmarks.intertrochanteric, p) < 0
    assert in_neck.mean() > 0.75


def test_line_is_dark_on_t1_and_on_fluid_sensitive_images(case: PhantomCase) -> None:
    name = {"SIF": "line_subchondral", "NECKFX": "line_neck"}.get(case.truth["cls"])
    for series in ("COR_T1", "COR_STIR"):
        image, masks, _ = arrays_of(case, series)
        drawn = {key for key in masks if key in {"line_subchondral", "line_neck"}}
        assert drawn == ({name} if name else set())
        assert not masks["line_serpiginous"].any()
        assert not masks["necrosis"].any()
        if name is None:
            continue
        line = masks[name] > 0
        assert line.any()
        assert np.isin(masks["labels"][line], [HEAD] if case.truth["cls"] == "SIF" else [HEAD, NECK, 13]).all()
        # the line's core, against edema around it: the fat's share of both is shifted along rows alike
        beside = ndimage.binary_dilation(line, np.ones((1, 9, 9))) & ~ndimage.binary_dilation(line, np.ones((1, 5, 5)))
        beside &= ndimage.binary_erosion(masks["edema"] > 0, np.ones((1, 3, 3)))
        assert np.median(image[line]) < 0.85 * np.median(image[beside])


@pytest.mark.parametrize("disease", [Disease.SIF, Disease.NECKFX])
@pytest.mark.parametrize("plan", small_plans(), ids=lambda plan: plan.name)
def test_line_takes_signal_before_the_scanner_blurs_it(disease: Disease, plan: SeriesPlan) -> None:
    scene = Scene.draw(SEED, {Side.LEFT: disease})
    hip = scene.hips[Side.LEFT]
    line = hip.lesions.line
    assert line is not None
    at = hip.femur.radius_mm * line.middle if isinstance(line, SubchondralLine) else line.start
    thin = replace(plan, fov_mm=50.0, matrix=64, slices=1, thickness_mm=2.0)
    grid = place(thin, hip.to_world(at), np.eye(3))
    without = replace(scene, hips={Side.LEFT: replace(hip, lesions=replace(hip.lesions, line=None))})
    with_line, healed = (render(one, grid, thin.thickness_mm, thin.sequence) for one in (scene, without))
    share = with_line.truth[Side.LEFT][f"line_{line.name}"]
    core = share > 0.85
    assert core.sum() > 8
    suppressed = 0.0 if plan.sequence.contrast is not Contrast.T1 else 1.0
    signal, before = (
        (np.abs(one.water) + suppressed * one.fat)[:, ::FINE, ::FINE][core].mean() for one in (with_line, healed)
    )
    assert signal < 0.4 * before
    changed = np.abs(with_line.water - healed.water)[:, ::FINE, ::FINE] > 1e-6
    assert share[changed].min() > 0  # nothing else changes


def test_edema_keeps_to_its_side_of_the_joint(case: PhantomCase) -> None:
    hip = case.truth["hips"]["L"]
    for series in ("COR_T1", "COR_STIR"):
        _, masks, voxel = arrays_of(case, series)
        ml = {code: np.count_nonzero((masks["edema"] > 0) & (masks["labels"] == code)) * voxel for code in (11, 12, 14)}
        assert ml[HEAD] == pytest.approx(hip["edema_head_ml"], rel=0.15, abs=0.7)
        assert ml[ACETABULUM] == pytest.approx(hip["edema_acetabulum_ml"], rel=0.2, abs=0.7)
        if case.truth["cls"] in EDEMATOUS:
            assert min(ml[HEAD], ml[ACETABULUM]) > 0.8
        else:
            assert ml[ACETABULUM] == 0
    if case.truth["cls"] == "SIF":
        assert hip["edema_percent_of_head"] > 60
    assert ("cyst" in hip["volumes_ml"]) == (case.truth["cls"] == "OA")
    assert hip["volumes_ml"].get("cyst", 1.0) > 0.05
    if case.truth["cls"] == "NECKFX":
        assert hip["edema_neck_ml"] > hip["edema_head_ml"]
    regions = hip["edema_head_ml"] + hip["edema_neck_ml"] + hip["edema_acetabulum_ml"]
    assert regions <= hip["edema_ml"] + 1e-9


def test_edema_is_bright_where_the_mask_says(case: PhantomCase) -> None:
    image, masks, _ = arrays_of(case, "COR_STIR")
    head = ndimage.binary_erosion(np.isin(masks["labels"], [HEAD, NECK]), np.ones((1, 7, 7)))
    free = head & (masks["edema_fraction_x255"] == 0) & (masks.get("cyst", masks["necrosis"]) == 0)
    edema = masks["edema_fraction_x255"] > 150
    if free.sum() > 50 and edema.any():
        assert np.median(image[edema]) > 2 * np.median(image[free])
    if "cyst" in masks:
        assert np.median(image[masks["cyst"] > 0]) > 1.5 * np.median(image[edema])
        assert not (masks["cyst"] & masks["edema"]).any()


@settings(max_examples=5, deadline=None)
@given(seeds)
def test_osteoarthritis_has_cysts_on_both_sides_and_a_narrow_joint(seed: int) -> None:
    hip, sound = hip_of(Disease.OA, seed), hip_of(Disease.NORMAL, seed)
    p = Points.of(points_about(np.array([0.0, 0.0, hip.femur.radius_mm]), 25.0, 60_000))
    femur, pelvis = hip.femur.distance(p), hip.pelvis.distance(p)
    in_head, in_roof = hip.lesions.cysts(p, hip.femur) < 0, hip.lesions.acetabular_cysts(p, hip.pelvis) < 0
    assert in_head.any()
    assert (femur[in_head] < -0.2).all()
    assert (femur[in_head] > -0.5 * hip.femur.radius_mm).all()
    assert in_roof.any()
    assert (pelvis[in_roof] < 0).mean() > 0.4  # one beside rim or fossa may be cut
    lost = sound.pelvis.socket_mm - hip.pelvis.socket_mm
    assert 0.2 < lost / (sound.joint.femoral_cartilage_mm / 0.47) < 0.55
    assert hip.pelvis.socket_mm > hip.femur.radius_mm + 0.95  # the narrowest joint that is drawn loses half of 2 mm


def test_effusion_is_large_in_arthritis_and_small_or_middling_elsewhere() -> None:
    ranges = {Disease.NORMAL: (0.5, 5), Disease.SIF: (2, 11), Disease.NECKFX: (2, 8), Disease.OA: (3, 10)}
    for disease, (low, high) in ranges.items():
        assert low < hip_truth(hip_of(disease, 4))["effusion_ml"] < high
    for seed in (4, 11):
        hip = hip_of(Disease.ARTHRITIS, seed)
        assert 8 < hip_truth(hip)["effusion_ml"] < 30
        assert hip.lesions.joint is not None
        synovium = hip.lesions.joint.synovium(Points.of(points_about(np.zeros(3), 40.0)))
        assert synovium.min() >= 0
        assert 0.4 < synovium.mean() < 1.8


def test_truth_of_lines_is_where_evaluation_looks_for_it() -> None:
    hips = {Side.LEFT: hip_of(Disease.SIF, 3), Side.RIGHT: hip_of(Disease.NECKFX, 3)}
    joint = joint_params(hips)["joint"]
    assert joint["L"]["cls"] == "SIF"
    assert joint["L"]["subchondral"]["length"] == hips[Side.LEFT].lesions.line.length_mm
    assert joint["R"]["neck"]["length"] == hips[Side.RIGHT].lesions.line.length_mm
    assert joint["R"]["neck"]["lateral"] is hips[Side.RIGHT].lesions.line.lateral
    assert joint_params({Side.LEFT: hip_of(Disease.TOH, 3)}) == {}
    volumes = hip_truth(hips[Side.LEFT])["volumes_ml"]
    assert volumes["line_subchondral"] > 0
    assert "line_neck" not in volumes


def test_a_line_of_one_hip_is_masked_beside_a_hip_without_one() -> None:
    shape = (2, 3, 4)
    line = np.zeros(shape, dtype=np.float32)
    line[1, 2, 3] = 0.4
    head = np.ones(shape, dtype=np.float32)
    both = {Side.RIGHT: {"femoral_head": head, "line_neck": line}, Side.LEFT: {"femoral_neck": head}}
    masks = masks_of(both, shape)
    assert np.argwhere(masks["line_neck"]).tolist() == [[1, 2, 3]]
    assert "line_subchondral" not in masks
    assert "cyst" not in masks


@pytest.mark.parametrize("case", [Disease.OA], indirect=True)
def test_the_same_arguments_give_the_same_case(case: PhantomCase) -> None:
    again = make_case(SEED, Disease(case.truth["cls"]), side=Side.LEFT, plans=coarse_plans()[:1])
    assert np.array_equal(again.series[0].image.array, case.series[0].image.array)
    assert again.truth["hips"] == case.truth["hips"]
    for name, mask in case.series[0].masks.items():
        assert np.array_equal(again.series[0].masks[name].array, mask.array)
