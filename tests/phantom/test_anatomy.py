"""Properties of the drawn anatomy over many people."""

from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toh_mri.geometry import Side
from toh_mri.phantom.anatomy.body import Body
from toh_mri.phantom.anatomy.femur import Depression, Femur, osteophyte_nodes
from toh_mri.phantom.anatomy.landmarks import Landmarks, find_landmarks
from toh_mri.phantom.anatomy.pelvis import Pelvis
from toh_mri.phantom.disease import Disease
from toh_mri.phantom.noise import Warp
from toh_mri.phantom.person import Person, Sex, Shape
from toh_mri.phantom.points import Points, plane_distance
from toh_mri.phantom.scene import Hip, Scene
from toh_mri.phantom.streams import stream

seeds = st.integers(0, 2**20)


def femur_of(seed: int) -> Femur:
    return Femur.draw(Person.draw(stream(seed, "person")), stream(seed, "femur"))


def still() -> Warp:
    return Warp(np.zeros((3, 1, 4)), 0.0)


def person_with(shape: Shape, seed: int) -> Person:
    """The first of this person's possible shapes that is the one asked for."""
    person = Person.draw(stream(seed, "person"))
    for attempt in range(2000):
        shaped = person.shaped(stream(seed, f"attempt {attempt}"))
        if shaped.shape is shape:
            return shaped
    raise AssertionError(shape)


def bones_of(person: Person, seed: int) -> tuple[Femur, Pelvis]:
    femur = Femur.draw(person, stream(seed, "femur"))
    return femur, Pelvis.draw(person, femur.radius_mm, stream(seed, "pelvis"))


def surface_radius(femur: Femur, directions: np.ndarray) -> np.ndarray:
    """Distance from the head's centre to the last bone met along each direction, to 0.05 mm."""
    reach = np.arange(0.7 * femur.radius_mm, 1.4 * femur.radius_mm, 0.05)
    inside = femur.distance(Points.of(directions[:, None, :] * reach[:, None])) < 0
    return reach[len(reach) - 1 - np.argmax(inside[:, ::-1], axis=1)]


def alpha_angle(femur: Femur) -> float:
    """Largest angle, from the upper wall to the front, at which bone leaves the head's sphere by 1 mm."""
    angles = np.radians(np.arange(110.0, 20.0, -0.5))
    largest = 0.0
    for turn in np.radians(np.arange(0.0, 91.0, 15.0)):
        side = np.cos(turn) * femur.neck.up - np.sin(turn) * femur.neck.across
        rays = np.cos(angles)[:, None] * femur.neck.axis + np.sin(angles)[:, None] * side
        leaves = femur.distance(Points.of((femur.radius_mm + 1.0) * rays)) < 0
        largest = max(largest, float(np.degrees(angles[np.argmax(leaves)])))
    return largest


def centre_edge_angle(pelvis: Pelvis) -> float:
    """Angle from the vertical, in the coronal plane through the centre, at which the bony roof ends."""
    angles = np.radians(np.arange(0.0, 60.0, 0.25))
    roof = (pelvis.socket_mm + 1.0) * np.stack([np.sin(angles), 0 * angles, np.cos(angles)], axis=1)
    return float(np.degrees(angles[np.argmax(pelvis.distance(Points.of(roof)) > 0)]))


def test_people_follow_the_published_distributions() -> None:
    people = [Person.draw(stream(seed, "person")) for seed in range(400)]
    for sex, mean in ((Sex.MALE, 48.5), (Sex.FEMALE, 43.0)):
        assert np.mean([p.head_diameter_mm for p in people if p.sex is sex]) == pytest.approx(mean, abs=0.6)
    for value, mean, spread in (
        ([p.neck_shaft_angle_degree for p in people], 126.0, 6.0),
        ([p.version_degree for p in people], 13.3, 8.0),
        ([p.offset_mm for p in people], 42.9, 6.8),
        ([p.joint_space_mm for p in people], 4.2, 0.9),
    ):
        assert np.mean(value) == pytest.approx(mean, abs=spread / 5)
        assert np.std(value) == pytest.approx(spread, rel=0.12)
    assert all(25 <= p.centre_edge_angle_degree <= 40 for p in people)
    assert min(p.joint_space_mm for p in people) >= 2.0


def test_shapes_have_their_shares_and_leave_others_alone() -> None:
    before = [Person.draw(stream(seed, "person")) for seed in range(3000)]
    after = [person.shaped(stream(seed, "person/shape")) for seed, person in enumerate(before)]
    for sex, share in ((Sex.MALE, 0.15), (Sex.FEMALE, 0.05)):
        assert np.mean([p.shape is Shape.CAM for p in after if p.sex is sex]) == pytest.approx(share, abs=0.025)
    assert np.mean([p.shape is Shape.DYSPLASIA for p in after]) == pytest.approx(0.05, abs=0.012)
    assert np.mean([p.shape is Shape.COXA_VARA for p in after]) == pytest.approx(0.02, abs=0.008)
    for old, new in zip(before, after, strict=True):
        if new.shape is Shape.COMMON:
            assert new == old
        elif new.shape is Shape.CAM:
            assert replace(new, shape=Shape.COMMON, cam_mm=0.0) == old
    assert asdict(next(p for p in after if p.shape is Shape.CAM))["shape"] == "cam"


def test_neck_ends_where_anatomy_says() -> None:
    """About 35 mm from the head's centre, oblique; the ranges are those of femora, not of one generator."""
    reach, angle, volume, drop = [], [], [], []
    axes = (np.arange(low, high, 2.0, dtype=np.float32) for low, high in ((-30, 75), (-40, 45), (-70, 40)))
    grid = Points(*np.meshgrid(*axes, indexing="ij"))
    for seed in range(40):
        femur = femur_of(seed)
        marks = find_landmarks(femur, still())
        plane, centre, r = marks.intertrochanteric, np.array(marks.head.center), marks.head.radius_mm
        normal = np.array(plane.normal)
        assert abs(normal @ femur.front_back) < 1e-6
        reach.append((plane.offset_mm - normal @ centre) / (normal @ marks.neck_axis))
        angle.append(np.degrees(np.arccos(normal @ marks.neck_axis)))
        neck = (femur.distance(grid) < 0) & (plane_distance(marks.head_neck_plane, grid) > 0)
        neck &= plane_distance(plane, grid) < 0
        volume.append(neck.sum() * 2.0**3 / 1000 * (25 / r) ** 3)
        drop.append(_drop_of_lower_end(femur, marks) / r)
    assert np.mean(reach) == pytest.approx(35.0, abs=1.5)
    assert min(reach) > 25
    assert max(reach) < 46
    assert np.mean(angle) == pytest.approx(16.0, abs=3.0)
    assert max(angle) < 38
    assert np.mean(volume) == pytest.approx(14.0, abs=1.5)  # ml, for a head of radius 25 mm
    assert np.mean(drop) == pytest.approx(1.8, abs=0.2)  # upper edge of the lesser trochanter
    assert min(drop) > 1.2
    assert max(drop) < 2.4


def _drop_of_lower_end(femur: Femur, marks: Landmarks) -> float:
    """How far below the head's centre the plane leaves the bone, in the plane of neck and shaft."""
    normal = np.array(marks.intertrochanteric.normal)
    along = np.cross(normal, femur.front_back)
    along *= -np.sign(along[2]) / np.linalg.norm(along)
    start = marks.head.center + marks.neck_axis * (
        (marks.intertrochanteric.offset_mm - normal @ marks.head.center) / (normal @ marks.neck_axis)
    )
    steps = np.arange(0.0, 70.0, 0.25)
    outside = femur.distance(Points.of(start + steps[:, None] * along)) > 0
    return -float((start + steps[np.argmax(outside)] * along)[2])


@pytest.mark.parametrize("seed", range(6))
def test_cam_raises_the_alpha_angle(seed: int) -> None:
    cam = person_with(Shape.CAM, seed)
    sound = replace(cam, shape=Shape.COMMON, cam_mm=0.0)
    assert 57 <= alpha_angle(bones_of(cam, seed)[0]) <= 80
    assert alpha_angle(bones_of(sound, seed)[0]) < 50
    marks = [find_landmarks(bones_of(person, seed)[0], still()) for person in (cam, sound)]
    assert marks[0].head.radius_mm == pytest.approx(marks[1].head.radius_mm, abs=0.15)


@pytest.mark.parametrize("seed", range(6))
def test_dysplasia_uncovers_the_head(seed: int) -> None:
    dysplastic = person_with(Shape.DYSPLASIA, seed)
    common = replace(dysplastic, shape=Shape.COMMON, centre_edge_angle_degree=32.0)
    covered = []
    for person in (common, dysplastic):
        femur, pelvis = bones_of(person, seed)
        angle = centre_edge_angle(pelvis)
        assert angle == pytest.approx(person.centre_edge_angle_degree, abs=4.0)
        rays = np.random.default_rng(seed).standard_normal((4000, 3))
        rays *= (femur.radius_mm / np.linalg.norm(rays, axis=1))[:, None]
        covered.append((pelvis.beyond_rim(Points.of(rays)) < 0).mean())
    assert 10 <= angle <= 25
    assert covered[1] < covered[0] - 0.03
    assert dysplastic.neck_shaft_angle_degree >= 135
    assert dysplastic.version_degree > Person.draw(stream(seed, "person")).version_degree


def test_bodies_of_many_people_are_possible() -> None:
    """Head and pelvis stay apart, in worn joints and with cams too; the greater trochanter stays under the skin."""
    rays = np.random.default_rng(0).standard_normal((6000, 3))
    rays /= np.linalg.norm(rays, axis=1)[:, None]
    p = Points.of(rays * np.random.default_rng(1).uniform(15.0, 40.0, (6000, 1)))
    for seed in range(300):
        person = Person.draw(stream(seed, "person")).shaped(stream(seed, "person/shape"))
        worn = replace(person, joint_space_mm=0.3 * person.joint_space_mm)
        femur, pelvis = bones_of(worn, seed)
        femur = femur.with_osteophytes(osteophyte_nodes(femur, 6.0, stream(seed, "spurs")))
        apart = np.maximum(femur.distance(p), pelvis.distance(p))
        assert apart.min() > 0
        body = Body.draw(person, stream(seed, "body"))
        lateral = person.hip_distance_mm / 2 + max(x + r for x, _, _, r in femur.greater_trochanter)
        assert lateral < body.half_width_mm - person.fat_mm


@settings(max_examples=12, deadline=None)
@given(seeds)
def test_landmarks_are_those_of_a_hip(seed: int) -> None:
    femur = femur_of(seed)
    marks = find_landmarks(femur, still())
    radius = marks.head.radius_mm
    assert radius == pytest.approx(femur.radius_mm, abs=0.8)
    assert np.linalg.norm(marks.head.center) < 1.2
    assert np.degrees(np.arccos(marks.neck_axis @ femur.neck.axis)) < 10
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


@settings(max_examples=10, deadline=None)
@given(seeds, st.floats(6.0, 16.0), st.floats(0.5, 5.0))
def test_collapsed_segment_has_a_step_and_a_flat_floor(seed: int, radius_mm: float, depth_mm: float) -> None:
    femur = femur_of(seed)
    direction = np.array([0.15, -0.4, 0.9]) / np.linalg.norm([0.15, -0.4, 0.9])
    collapsed = femur.depressed(Depression(direction, radius_mm, depth_mm))
    side = np.cross(direction, [0.2, 1.0, 0.3])
    side /= np.linalg.norm(side)
    arc = np.array([0.0, 0.3, 0.6, -0.5, 0.8]) * radius_mm
    beyond = np.array([radius_mm + 1.5, radius_mm + 6.0, -radius_mm - 1.5])

    def lost(along: np.ndarray) -> np.ndarray:
        angle = along / femur.radius_mm
        rays = np.cos(angle)[:, None] * direction + np.sin(angle)[:, None] * side
        return surface_radius(femur, rays) - surface_radius(collapsed, rays)

    assert lost(arc) == pytest.approx(depth_mm, abs=0.15)
    assert lost(beyond) == pytest.approx(0.0, abs=0.06)
    assert find_landmarks(collapsed, still()).head == find_landmarks(femur, still()).head


@settings(max_examples=8, deadline=None)
@given(seeds, st.floats(2.0, 6.0))
def test_osteophytes_stand_out_of_the_sphere_at_its_margin(seed: int, size_mm: float) -> None:
    femur = femur_of(seed)
    nodes = osteophyte_nodes(femur, size_mm, stream(seed, "spurs"))
    assert nodes == osteophyte_nodes(femur, size_mm, stream(seed, "spurs"))
    grown = femur.with_osteophytes(nodes)
    places = np.array(nodes)[:, :3]
    rays = places / np.linalg.norm(places, axis=1)[:, None]
    stands_out = surface_radius(grown, rays) - femur.radius_mm
    assert stands_out.min() > 0.1 * size_mm
    assert 0.7 * size_mm < stands_out.max() < size_mm + 1.0
    polar = np.degrees(np.arccos(rays @ femur.neck.axis))
    assert ((polar > 40) & (polar < 70)).all()
    largest = places[np.argmax(stands_out)]
    assert largest @ femur.neck.up < 0  # below and medially
    assert find_landmarks(grown, still()).head == find_landmarks(femur, still()).head
    p = Points.of(np.random.default_rng(seed).uniform(-30, 45, (4000, 3)))
    assert (grown.distance(p) <= femur.distance(p) + 1e-4).all()  # bone is added, none is lost


def test_landmarks_of_a_hip_are_those_before_its_disease() -> None:
    person = Person.draw(stream(5, "person"))
    hip = Hip.draw(person, Side.LEFT, Disease.OA, 5)
    sound = Hip.draw(person, Side.LEFT, Disease.NORMAL, 5)
    assert hip.femur.osteophytes
    assert hip.landmarks.head == sound.landmarks.head
    assert hip.landmarks.intertrochanteric == sound.landmarks.intertrochanteric
