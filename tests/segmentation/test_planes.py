import numpy as np
import pytest

from toh_mri.geometry import Grid, Side, Sphere
from toh_mri.segmentation.acetabulum import Acetabulum, acetabular_surface, inside_acetabulum
from toh_mri.segmentation.lollipop import Lollipop
from toh_mri.segmentation.planes import fallback_checks, head_neck_plane, intertrochanteric_plane
from toh_mri.segmentation.surface import FemoralSurface

CENTRE, RADIUS = np.array([85.0, -10.0, 20.0]), 24.0


def femur(flare_from=1.35, neck=0.65, side=Side.LEFT, support=1.0):
    """A ball on a round neck whose wall flares from a given place, all in head radii."""
    frame = Lollipop.around(side.mirrored(CENTRE), RADIUS, side.usual_neck_axis)
    along = ((frame.origins[frame.head_rows :, 0] - frame.centre) @ frame.axis) / RADIUS
    chord = np.sqrt(np.maximum(1 - along**2, 0))
    wall = np.maximum(neck + 1.0 * np.maximum(along - flare_from, 0), chord)
    bone = np.full(frame.prior_mm.shape, RADIUS)
    bone[frame.head_rows :] = RADIUS * wall[:, None]
    return FemoralSurface(frame, bone, np.full(bone.shape, support), Sphere(tuple(frame.centre), RADIUS), 0.0)


@pytest.mark.parametrize("neck", [0.5, 0.6, 0.7])
def test_the_head_ends_where_the_surface_leaves_the_sphere_by_a_millimetre(neck):
    plane, distance = head_neck_plane(femur(neck=neck))
    # On a cylinder of radius n the distance from the centre is R + 1 mm.
    expected = np.sqrt((RADIUS + 1) ** 2 - (neck * RADIUS) ** 2)
    assert distance == pytest.approx(expected, abs=0.35)
    assert plane.signed_distance(CENTRE) == pytest.approx(-distance)


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("flare_from", [1.2, 1.35, 1.5])
def test_the_neck_ends_at_the_notch_where_the_upper_wall_shows_it(flare_from, side):
    surface = femur(flare_from, side=side)
    plane, reason = intertrochanteric_plane(surface)
    assert reason is None
    frame = surface.frame
    notch = frame.centre + RADIUS * ((flare_from + 0.1) * frame.axis + 0.75 * frame.up)
    assert plane.signed_distance(notch) == pytest.approx(0, abs=1.5)
    femoral_front = np.cos(np.radians(13)) * frame.front - np.sin(np.radians(13)) * frame.axis
    assert np.dot(plane.normal, femoral_front) == pytest.approx(0, abs=1e-9)
    assert np.dot(plane.normal, frame.axis) > 0.9


@pytest.mark.parametrize(
    ("surface", "reason"),
    [(femur(flare_from=9.0), "no_notch"), (femur(support=0.1), "upper_wall_unsupported")],
)
def test_without_a_notch_the_neck_has_its_usual_length_and_says_so(surface, reason):
    plane, found = intertrochanteric_plane(surface)
    assert found == reason
    assert plane.signed_distance(CENTRE + 1.52 * RADIUS * surface.frame.axis) == pytest.approx(0, abs=1e-6)
    (check,) = fallback_checks(found, None)
    assert check.code == "neck_end_by_proportion"
    assert reason in check.message
    assert fallback_checks(None, None) == ()


def test_the_acetabulum_is_the_shell_between_wall_and_table_on_the_rays_that_face_it():
    surface = femur()
    frame = surface.frame
    shape = (frame.head_rows, surface.bone_mm.shape[1])
    facing = frame.directions[: frame.head_rows, :, 2] > np.cos(np.radians(40))
    found = Acetabulum(np.full(shape, 28.0), np.full(shape, 40.0), facing)
    affine = np.array([[0, 0, 1.0, 0], [0, 1.0, 0, 0], [1.0, 0, 0, 0], [0, 0, 0, 1]])
    affine[:3, 3] = CENTRE - 50
    grid = Grid((101, 101, 101), affine)
    share = 2 * np.pi * (1 - np.cos(np.radians(40))) / 3
    assert inside_acetabulum(found, surface, grid).sum() == pytest.approx(share * (40**3 - 28**3), rel=0.05)
    points = acetabular_surface(found, surface)
    np.testing.assert_array_equal(np.isfinite(points).all(axis=-1), facing)
    np.testing.assert_allclose(np.linalg.norm(points[facing] - CENTRE, axis=-1), 28.0)
