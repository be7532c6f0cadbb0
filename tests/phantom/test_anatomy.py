"""Properties of the drawn anatomy over many people."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toh_mri.geometry import Side
from toh_mri.phantom.anatomy.femur import Femur
from toh_mri.phantom.anatomy.landmarks import find_landmarks
from toh_mri.phantom.anatomy.pelvis import Pelvis
from toh_mri.phantom.disease import Disease, Lesions
from toh_mri.phantom.noise import Warp
from toh_mri.phantom.person import Person, Sex
from toh_mri.phantom.points import Points
from toh_mri.phantom.scene import Hip, Scene
from toh_mri.phantom.streams import stream

seeds = st.integers(0, 2**20)


def femur_of(seed: int) -> Femur:
    return Femur.draw(Person.draw(stream(seed, "person")), stream(seed, "femur"))


def still() -> Warp:
    return Warp(np.zeros((3, 1, 4)), 0.0)


def test_people_follow_the_published_distributions() -> None:
    people = [Person.draw(stream(seed, "person")) for seed in range(400)]
    for sex, mean in ((Sex.MALE, 48.5), (Sex.FEMALE, 43.0)):
        assert np.mean([p.head_diameter_mm for p in people if p.sex is sex]) == pytest.approx(mean, abs=0.6)
    assert np.mean([p.neck_shaft_angle_degree for p in people]) == pytest.approx(126, abs=1)
    assert all(25 <= p.centre_edge_angle_degree <= 40 for p in people)


@settings(max_examples=12, deadline=None)
@given(seeds)
def test_landmarks_are_those_of_a_hip(seed: int) -> None:
    femur = femur_of(seed)
    marks = find_landmarks(femur, still())
    radius = marks.head.radius_mm
    assert radius == pytest.approx(femur.radius_mm, abs=0.8)
    assert np.linalg.norm(marks.head.center) < 1.2
    assert np.degrees(np.arccos(marks.neck_axis @ femur.neck.axis)) < 6
    assert 0.68 < marks.head_neck_mm / radius < 0.9
    normal = np.array(marks.intertrochanteric.normal)
    reach = (marks.intertrochanteric.offset_mm - normal @ marks.head.center) / (normal @ marks.neck_axis)
    assert 1.1 < reach / radius < 2.2
    assert marks.head_neck_plane.signed_distance(marks.head.center) == pytest.approx(-marks.head_neck_mm)


@settings(max_examples=12, deadline=None)
@given(seeds)
def test_neck_is_waisted_and_deeper_than_wide(seed: int) -> None:
    femur = femur_of(seed)
    r = femur.radius_mm
    widths = {}
    for name, side in (("up", femur.neck.up), ("across", femur.neck.across)):
        s, u = np.meshgrid(np.arange(0.9, 1.9, 0.05) * r, np.arange(-1.3 * r, 1.3 * r, 0.1), indexing="ij")
        points = s[..., None] * femur.neck.axis + u[..., None] * side
        widths[name] = (femur.distance(Points.of(points)) < 0).sum(axis=1) * 0.1 / 2 / r
    assert 0.55 < widths["up"].min() < 0.75
    assert widths["up"].argmin() < len(widths["up"]) // 2
    assert widths["up"][-1] > 1.1 * widths["up"].min()  # it flares towards the trochanters
    assert widths["across"].min() < widths["up"].min()


@settings(max_examples=8, deadline=None)
@given(seeds)
def test_distance_is_a_distance_near_the_head_and_neck(seed: int) -> None:
    femur = femur_of(seed)
    rng = np.random.default_rng(seed)
    p = rng.uniform(-30, 45, (4000, 3))
    near = np.abs(femur.distance(Points.of(p))) < 2
    p = p[near]
    slope = np.stack(
        [(femur.distance(Points.of(p + step)) - femur.distance(Points.of(p - step))) / 0.2 for step in 0.1 * np.eye(3)],
        axis=1,
    )
    length = np.linalg.norm(slope, axis=1)
    assert np.percentile(length, 5) > 0.7
    assert np.percentile(length, 95) < 1.3


@settings(max_examples=8, deadline=None)
@given(seeds)
def test_bones_leave_a_joint_space(seed: int) -> None:
    person = Person.draw(stream(seed, "person"))
    femur = femur_of(seed)
    pelvis = Pelvis.draw(person, femur.radius_mm, stream(seed, "pelvis"))
    p = Points.of(np.random.default_rng(seed).uniform(-45, 45, (60000, 3)))
    in_head, in_pelvis = femur.head_distance(p) < 0, pelvis.distance(p) < 0
    assert not (in_head & in_pelvis).any()
    roof = Points.of([[-2.0, 0.0, pelvis.socket_mm + 3.0]])
    assert pelvis.distance(roof)[0] < 0
    opening = Points.of([pelvis.opening * (pelvis.socket_mm + 3.0)])
    assert pelvis.distance(opening)[0] > 0


@settings(max_examples=6, deadline=None)
@given(seeds)
def test_necrosis_lies_in_front_and_above_and_takes_its_share(seed: int) -> None:
    femur = femur_of(seed)
    lesions = Lesions.draw(Disease.ON, femur, stream(seed, "disease"))
    assert lesions.necrosis is not None
    r = femur.radius_mm
    p = np.random.default_rng(seed).uniform(-r, r, (40000, 3))
    p = p[(np.linalg.norm(p, axis=1) < r) & (p @ femur.neck.axis < 0.82 * r)]
    inside = lesions.necrosis.distance(Points.of(p)) < 0
    assert 0.12 < inside.mean() < 0.48
    _, y, z = p[inside].mean(axis=0)
    assert y < 0 < z
    assert z > 0.7 * abs(y)


def test_right_hip_is_the_mirror_image_of_a_left_one() -> None:
    scene = Scene.draw(9, {})
    local = np.random.default_rng(9).uniform(-60, 60, (50, 3))
    for side, hip in scene.hips.items():
        world = hip.to_world(local)
        assert np.stack(hip.to_local(Points.of(world)), axis=-1) == pytest.approx(local, abs=1e-4)
        assert np.sign(hip.to_world([0.0, 0.0, 0.0])[0]) == side.lateral_x
        assert hip.to_world_direction([1.0, 0.0, 0.0]).tolist() == [side.lateral_x, 0.0, 0.0]
    as_left = Hip.draw(scene.person, Side.LEFT, Disease.NORMAL, 9)
    assert as_left.femur.radius_mm == scene.hips[Side.LEFT].femur.radius_mm
    assert as_left.femur.radius_mm != scene.hips[Side.RIGHT].femur.radius_mm
