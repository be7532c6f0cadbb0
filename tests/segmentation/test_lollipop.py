import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reference.naive_height_field import contains, in_core
from toh_mri.geometry import Side
from toh_mri.segmentation.lollipop import Lollipop

CENTRE, RADIUS = np.array([85.0, -10.0, 20.0]), 24.0
MIRROR = np.array([-1.0, 1.0, 1.0])
SEAM = slice(32, 36)  # rows next to where the sphere's rays end and the tube's begin
AXES = st.tuples(st.floats(0.3, 1), st.floats(-0.6, 0.6), st.floats(-1, 0.1)).map(
    lambda v: np.array(v) / np.linalg.norm(v)
)


def frame(side=Side.LEFT):
    return Lollipop.around(side.mirrored(CENTRE), RADIUS, side.usual_neck_axis)


def cloud(around, count=20000, seed=3):
    return around.centre + np.random.default_rng(seed).uniform(-2.8, 2.8, (count, 3)) * RADIUS


def along_and_across(around, points):
    """Distances along the neck axis and from it, in head radii."""
    along = (points - around.centre) @ around.axis
    return along / RADIUS, np.linalg.norm(points - around.centre - along[:, None] * around.axis, axis=1) / RADIUS


def bumpy(around, seed=0):
    """A smooth height field up to a tenth off the expected one."""
    row, azimuth = np.indices(around.prior_mm.shape)
    phase = np.random.default_rng(seed).uniform(0, 2 * np.pi, 2)
    turn = 2 * np.pi * azimuth / around.prior_mm.shape[1]
    fade = np.minimum(row / 8, 1)  # the first row is one point, the pole
    return around.prior_mm * (1 + 0.1 * fade * np.sin(2 * turn + phase[0]) * np.cos(row / 9 + phase[1]))


@settings(deadline=None, max_examples=20)
@given(axis=AXES, seed=st.integers(0, 99))
def test_what_lies_within_the_surface_is_inside_what_lies_beyond_is_not(axis, seed):
    around = Lollipop.around(CENTRE, RADIUS, axis)
    distance = bumpy(around, seed)
    for share, expected in ((0.97, True), (1.03, False)):
        inside = contains(around, around.surface(distance * share).reshape(-1, 3), distance).reshape(distance.shape)
        wrong = inside != expected
        wrong[SEAM] = False
        assert not wrong[:-1].any()  # the last row is the open end


@pytest.mark.parametrize("tube", [0.75, 0.85])
def test_agrees_with_a_ball_and_a_cylinder(tube):
    around = frame()
    distance = np.full(around.prior_mm.shape, RADIUS)
    distance[around.head_rows :] = tube * RADIUS
    start, end = (((around.origins[row, 0] - CENTRE) @ around.axis) / RADIUS for row in (around.head_rows, -1))
    points = cloud(around, 60000)
    along, across = along_and_across(around, points)
    expected = (np.hypot(along, across) <= 1) & (along < start)
    expected |= (along >= start) & (along <= end) & (across <= tube)
    # Where ball and cylinder meet, ball rays of more than 48 degrees still count, to their own length.
    meeting = (along > 0.66) & (along < 0.77) & (across > 0.6)
    found = contains(around, points, distance)
    np.testing.assert_array_equal(found[~meeting], expected[~meeting])
    assert 1000 < expected.sum() < len(points) / 2
    assert found.mean() == pytest.approx(expected.mean(), rel=0.02)


def test_the_middle_is_inside_and_the_height_field_is_heeded_ray_by_ray():
    around = frame()
    assert contains(around, around.centre[None], around.prior_mm).all()
    dented = around.prior_mm.copy()
    dented[20, 10] *= 0.5
    point = around.surface(0.7 * around.prior_mm)
    assert contains(around, point[20, 10][None], around.prior_mm).all()
    assert not contains(around, point[20, 10][None], dented).any()
    assert contains(around, np.stack([point[18, 10], point[20, 13], point[22, 10]]), dented).all()


@pytest.mark.parametrize("offset", [-1e-9, 0.0, 1e-9, -0.01, 0.01])
def test_the_surface_is_closed_where_the_azimuths_begin(offset):
    around = frame()
    angle = np.radians(90)
    column = np.cos(offset) * around.up + np.sin(offset) * around.front
    ray = np.cos(angle) * around.axis + np.sin(angle) * column
    for share, expected in ((0.98, True), (1.02, False)):
        assert contains(around, (around.centre + share * RADIUS * ray)[None], around.prior_mm)[0] == expected


def test_between_the_last_azimuth_and_the_first_the_surface_runs_from_one_to_the_other():
    around = frame()
    distance = around.prior_mm.copy()
    distance[:, -1] = 0.5 * RADIUS
    angle = np.radians(-2.5)  # half-way
    ray = np.cos(angle) * around.up + np.sin(angle) * around.front
    points = around.centre + np.array([[0.73], [0.77]]) * RADIUS * ray
    assert contains(around, points, distance).tolist() == [True, False]


def test_a_mirrored_hip_gives_a_mirrored_answer():
    left, right = frame(Side.LEFT), frame(Side.RIGHT)
    distance = bumpy(left)
    np.testing.assert_allclose(right.surface(distance), left.surface(distance) * MIRROR, atol=1e-9)
    np.testing.assert_allclose(right.prior_mm, left.prior_mm)
    points = cloud(left)
    inside = contains(left, points, distance)
    assert 500 < inside.sum() < len(points) / 2
    np.testing.assert_array_equal(contains(right, points * MIRROR, distance), inside)
    assert in_core(left, points).any()
    np.testing.assert_array_equal(in_core(right, points * MIRROR), in_core(left, points))


@settings(deadline=None, max_examples=20)
@given(axis=AXES, radius=st.floats(18, 32))
def test_rays_are_unit_vectors_and_every_prior_is_a_bone_of_human_shape(axis, radius):
    around = Lollipop.around(CENTRE, radius, axis)
    np.testing.assert_allclose(np.linalg.norm(around.directions, axis=-1), 1)
    assert around.origins.shape == around.directions.shape == (*around.prior_mm.shape, 3)
    np.testing.assert_allclose(around.prior_mm[: around.head_rows], radius)
    np.testing.assert_array_equal(around.origins[: around.head_rows] - CENTRE, 0)
    tube = around.directions[around.head_rows :]
    np.testing.assert_allclose(tube @ axis, 0, atol=1e-9)
    assert 0.55 * radius < around.prior_mm[around.head_rows :].min()
    assert around.prior_mm.max() <= 1.3 * radius  # where the neck flares towards the greater trochanter
    np.testing.assert_allclose(around.directions[0], np.broadcast_to(-axis, (tube.shape[1], 3)), atol=1e-9)


def test_the_core_continues_the_tube_along_the_axis():
    around = frame()
    points = cloud(around)
    along, across = along_and_across(around, points)
    core = in_core(around, points)
    assert core.any()
    assert along[core].min() > 1.8  # where the tube ends; they overlap so that no gap is left
    assert along[core].max() <= 2.5
    assert across[core].max() <= 0.5
    np.testing.assert_array_equal(core, (along > 1.9) & (along <= 2.5) & (across <= 0.5))
    on_axis = around.centre + np.linspace(0, 2.5, 200)[:, None] * RADIUS * around.axis
    assert (contains(around, on_axis, around.prior_mm) | in_core(around, on_axis)).all()
    beyond = around.centre + np.array([[-2.2], [2.6]]) * RADIUS * around.axis
    assert not in_core(around, beyond).any()
