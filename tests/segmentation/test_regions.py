import numpy as np
import pytest

from toh_mri.core.hip import Anatomy
from toh_mri.geometry import Grid, Image, Plane, Side, Sphere
from toh_mri.segmentation.regions import (
    Pillar,
    Quadrant,
    depth_below_surface_mm,
    in_medial_quarter,
    in_weight_bearing_zone,
    pillar,
    quadrant,
    shell,
)

CENTRE, RADIUS = np.array([80.0, -5.0, 30.0]), 24.0


def ball(side=Side.LEFT, dimensionality=3):
    """A head that is a ball of a quarter million points, cut 20 mm down its neck."""
    centre, axis = side.mirrored(CENTRE), side.usual_neck_axis
    rng = np.random.default_rng(1)
    points = rng.normal(size=(120, 500, 3))
    points *= RADIUS / np.linalg.norm(points, axis=-1, keepdims=True)
    empty = Image(np.zeros((2, 2, 2), np.uint8), Grid((2, 2, 2), np.eye(4)))
    volume = dimensionality == 3
    return Anatomy(
        side=side,
        dimensionality=dimensionality,
        labels=empty,
        marrow=Image(empty.array.astype(bool), empty.grid),
        head=Sphere(tuple(centre), RADIUS),
        neck_axis=tuple(axis) if volume else None,
        head_neck_plane=Plane.through(centre + 20 * axis, axis) if volume else None,
        intertrochanteric_plane=None,
        surface=points + centre,
        confidence=1.0,
        checks=(),
    )


def inside(anatomy, count=200_000):
    points = np.random.default_rng(2).uniform(-RADIUS, RADIUS, (count, 3))
    return points[np.linalg.norm(points, axis=1) < RADIUS] + anatomy.head.center


@pytest.mark.parametrize("side", list(Side))
def test_every_quadrant_holds_a_quarter_of_a_ball_and_is_where_its_name_says(side):
    anatomy = ball(side)
    found = quadrant(anatomy, inside(anatomy))
    np.testing.assert_allclose(np.bincount(found) / len(found), 0.25, atol=0.01)
    for name, front, up in (
        (Quadrant.UPPER_FRONT, 1, 1),
        (Quadrant.UPPER_BACK, -1, 1),
        (Quadrant.LOWER_FRONT, 1, -1),
        (Quadrant.LOWER_BACK, -1, -1),
    ):
        point = np.add(anatomy.head.center, [0.0, -5.0 * front, 5.0 * up])
        assert list(Quadrant)[quadrant(anatomy, point)] is name


def cap_share(height):
    """Share of a ball's volume in a cap of the given height in radii."""
    return height**2 * (3 - height) / 4


@pytest.mark.parametrize("side", list(Side))
def test_pillars_and_medial_quarter_are_caps_of_the_ball_on_the_right_side(side):
    anatomy = ball(side)
    points = inside(anatomy)
    share = np.bincount(pillar(anatomy, points)) / len(points)
    np.testing.assert_allclose(share, [cap_share(0.6), 1 - 2 * cap_share(0.6), cap_share(0.6)], atol=0.005)
    medial = in_medial_quarter(anatomy, points)
    assert medial.mean() == pytest.approx(cap_share(0.5), abs=0.005)
    towards_midline = np.array(anatomy.head.center) * [0.8, 1, 1]
    assert in_medial_quarter(anatomy, towards_midline)
    assert list(Pillar)[pillar(anatomy, towards_midline)] is Pillar.MEDIAL
    assert list(Pillar)[pillar(anatomy, np.array(anatomy.head.center) * [1.2, 1, 1])] is Pillar.LATERAL


def test_the_weight_bearing_zone_is_a_cone_straight_up():
    anatomy = ball()
    found = in_weight_bearing_zone(anatomy, inside(anatomy))
    assert found.mean() == pytest.approx((1 - np.cos(np.radians(32.5))) / 2, abs=0.003)
    for degree, expected in ((0, True), (32, True), (33, False), (180, False)):
        for lean in ([1, 0], [-1, 0], [0, 1], [0, -1]):
            tilt = np.radians(degree)
            ray = np.array([*(np.sin(tilt) * np.array(lean)), np.cos(tilt)])
            assert in_weight_bearing_zone(anatomy, anatomy.head.center + 7 * ray) == expected


def test_shells_are_counted_from_the_articular_surface_inwards():
    anatomy = ball()
    ray = np.array([-0.6, 0.0, 0.8])
    points = anatomy.head.center + np.array([23.0, 20.5, 16.0, 1.0])[:, None] * ray
    np.testing.assert_allclose(depth_below_surface_mm(anatomy, points), [1, 3.5, 8, 23], atol=0.05)
    np.testing.assert_array_equal(shell(anatomy, points, 3.0), [0, 1, 2, 7])
    assert shell(anatomy, points.reshape(2, 2, 3), 3.0).shape == (2, 2)


def test_the_neck_has_no_articular_surface_but_a_slice_is_its_whole_contour():
    volume, flat = ball(), ball(dimensionality=2)
    point = CENTRE + 23.0 * Side.LEFT.usual_neck_axis
    rim = np.hypot(np.sqrt(RADIUS**2 - 20.0**2), 3.0)  # to the edge where the head is cut
    assert depth_below_surface_mm(volume, point) == pytest.approx(rim, abs=0.1)
    assert depth_below_surface_mm(flat, point) == pytest.approx(1.0, abs=0.05)
