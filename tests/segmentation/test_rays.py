import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from toh_mri.geometry import Side
from toh_mri.segmentation.rays import (
    DOWN_THE_NECK,
    NECK_TRUST,
    SUPEROMEDIAL,
    circle_rays,
    looks_down_the_neck,
    outer_share,
    perpendicular,
    sphere_rays,
)

MIRROR = np.array([-1.0, 1.0, 1.0])
CORONAL = np.array([0.0, 1.0, 0.0])
UNIT = st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda v: np.linalg.norm(v) > 0.1).map(np.array)
UNIT = UNIT.map(lambda v: v / np.linalg.norm(v))


def bundles(side):
    yield sphere_rays(side)
    yield sphere_rays(side, sectors=12, rays=200)
    for normal in (CORONAL, np.array([0.2, 0.95, -0.1]), np.array([1.0, 0, 0]), np.array([0, 0, 1.0])):
        yield circle_rays(side, normal / np.linalg.norm(normal))


@pytest.mark.parametrize("side", Side)
def test_rays_are_unit_vectors_in_sectors_whose_trust_sums_to_one(side):
    for rays in bundles(side):
        np.testing.assert_allclose(np.linalg.norm(rays.directions, axis=1), 1)
        assert rays.weight.sum() == pytest.approx(1, abs=1e-6)
        assert rays.weight.min() > 0
        size = np.bincount(rays.sector, minlength=len(rays.weight))
        assert len(size) == len(rays.outer_share) == len(rays.weight)
        # The search takes a sector with less than half a fair share of rays for one outside the field of view.
        assert size.min() > 0.75 * len(rays.sector) / len(size)


@pytest.mark.parametrize("side", Side)
def test_rays_leave_no_direction_out(side):
    for rays in bundles(side):
        np.testing.assert_allclose(rays.directions.mean(axis=0), 0, atol=0.02)
    nearest = (sphere_rays(side).directions @ np.random.default_rng(1).normal(size=(3, 500))).max(axis=0)
    length = np.linalg.norm(np.random.default_rng(1).normal(size=(3, 500)), axis=0)
    assert (nearest / length).min() > np.cos(np.radians(9))


@pytest.mark.parametrize("side", Side)
def test_a_sector_holds_rays_of_one_region(side):
    for rays in (sphere_rays(side), circle_rays(side, CORONAL)):
        for sector in range(len(rays.weight)):
            members = rays.directions[rays.sector == sector]
            middle = members.mean(axis=0)
            assert (members @ middle / np.linalg.norm(middle)).min() > np.cos(np.radians(25))


def test_the_right_hips_sphere_is_the_left_ones_mirrored():
    left, right = sphere_rays(Side.LEFT), sphere_rays(Side.RIGHT)
    np.testing.assert_array_equal(right.directions, left.directions * MIRROR)
    np.testing.assert_array_equal(right.sector, left.sector)
    np.testing.assert_array_equal(right.weight, left.weight)
    np.testing.assert_array_equal(right.outer_share, left.outer_share)
    assert len(set(left.weight.tolist())) == 3
    assert len(set(left.outer_share.tolist())) == 2


@given(direction=UNIT)
def test_trust_is_mirrored(direction):
    for knows in (outer_share, looks_down_the_neck):
        assert knows(direction, Side.LEFT) == knows(direction * MIRROR, Side.RIGHT)


@pytest.mark.parametrize("side", Side)
def test_the_neck_is_lateral_and_below_the_acetabulum_medial_and_above(side):
    lateral_down = np.array([side.lateral_x, 0.0, -1.0]) / np.sqrt(2)
    assert looks_down_the_neck(lateral_down, side)
    assert looks_down_the_neck(side.usual_neck_axis, side)
    assert not looks_down_the_neck(lateral_down, side.other)
    assert not looks_down_the_neck(-lateral_down, side)
    assert outer_share(-lateral_down, side) > outer_share(lateral_down, side)
    assert np.linalg.norm([SUPEROMEDIAL, DOWN_THE_NECK], axis=1) == pytest.approx([1, 1])


@pytest.mark.parametrize("side", Side)
def test_sectors_down_the_neck_are_hardly_trusted(side):
    rays = sphere_rays(side)
    middle = np.array([rays.directions[rays.sector == s].mean(axis=0) for s in range(len(rays.weight))])
    middle /= np.linalg.norm(middle, axis=1)[:, None]
    down = middle @ side.mirrored(DOWN_THE_NECK)
    assert rays.weight[np.argmax(down)] / rays.weight[np.argmin(down)] == pytest.approx(NECK_TRUST)


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("normal", [CORONAL, [0.2, 0.95, -0.1], [1.0, 0, 0], [0, 0, 1.0], [0, -1.0, 0.3]])
def test_a_circle_lies_in_its_plane(side, normal):
    normal = np.array(normal) / np.linalg.norm(normal)
    rays = circle_rays(side, normal, sectors=6, rays=30)
    np.testing.assert_allclose(rays.directions @ normal, 0, atol=1e-12)
    turns = np.sum(rays.directions * np.roll(rays.directions, 1, axis=0), axis=1)
    np.testing.assert_allclose(turns, np.cos(2 * np.pi / 30))


def test_a_circle_of_either_side_trusts_the_same_parts():
    def trust(side):
        rays = circle_rays(side, CORONAL, sectors=360, rays=360)
        order = np.argsort(np.arctan2(rays.directions[:, 2], side.lateral_x * rays.directions[:, 0]))
        return rays.weight[order], rays.outer_share[order]

    for left, right in zip(trust(Side.LEFT), trust(Side.RIGHT), strict=True):
        np.testing.assert_allclose(left, right)


@given(axis=UNIT)
def test_perpendicular_gives_up_and_front_at_right_angles(axis):
    assume(abs(axis[2]) < 0.999)
    up, front = perpendicular(axis)
    frame = np.stack([axis, up, front])
    np.testing.assert_allclose(frame @ frame.T, np.eye(3), atol=1e-9)
    assert up[2] > 0
    assert front[1] <= 0


@pytest.mark.parametrize("side", Side)
def test_the_front_of_a_neck_is_the_patients_front(side):
    up, front = perpendicular(side.usual_neck_axis)
    assert front[1] < -0.9
    left_up, left_front = perpendicular(Side.LEFT.usual_neck_axis)
    np.testing.assert_allclose(up, side.mirrored(left_up), atol=1e-12)
    np.testing.assert_allclose(front, side.mirrored(left_front), atol=1e-12)
