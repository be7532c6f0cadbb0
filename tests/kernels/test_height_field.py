import numpy as np
import pytest

from tests.reference import naive_height_field
from toh_mri.geometry import Grid, Side
from toh_mri.segmentation.lollipop import Lollipop

CENTRE, RADIUS = np.array([85.0, -10.0, 20.0]), 24.0


def frame(side=Side.LEFT):
    return Lollipop.around(side.mirrored(CENTRE), RADIUS, side.usual_neck_axis)


def bumpy(around):
    row, azimuth = np.indices(around.prior_mm.shape)
    fade = np.minimum(row / 8, 1)  # the first row is one point, the pole
    return around.prior_mm * (1 + 0.1 * fade * np.sin(4 * np.pi * azimuth / around.prior_mm.shape[1]) * np.cos(row / 9))


def box(around, step=(5.0, 3.1, 2.9), tilt=0.2, size=130.0):
    """Thick slices, tilted, round the whole femur."""
    turn = np.array([[np.cos(tilt), -np.sin(tilt), 0], [np.sin(tilt), np.cos(tilt), 0], [0, 0, 1]])
    directions = turn @ np.array([[0.0, 0, 1], [1, 0, 0], [0, -1, 0]])
    shape = tuple(int(size / s) for s in step)
    affine = np.eye(4)
    affine[:3, :3] = directions * step
    affine[:3, 3] = around.centre + 15 * around.axis - affine[:3, :3] @ (np.array(shape) - 1) / 2
    return Grid(shape, affine)


@pytest.mark.parametrize("sub_slices", [1, 3, 4])
@pytest.mark.parametrize("side", list(Side))
def test_agrees_with_the_naive_twin(side, sub_slices):
    around = frame(side)
    grid, distance = box(around), bumpy(around)
    found = around.inside_share(distance, grid, sub_slices)
    twin = naive_height_field.inside_share(around, distance, grid, sub_slices)
    np.testing.assert_allclose(found, twin, atol=1e-6)
    assert 0.02 < (twin > 0.5).mean() < 0.5
    assert ((twin > 0.01) & (twin < 0.99)).any() == (sub_slices > 1)


def test_the_volume_of_a_ball():
    around = frame()
    distance = np.full(around.prior_mm.shape, 20.0)
    distance[around.head_rows :] = 0.0
    grid = Grid(
        (60, 60, 60), np.array([[0, 0, 1.0, 0], [0, 1.0, 0, 0], [1.0, 0, 0, 0], [0, 0, 0, 1]]) + around_corner()
    )
    share = around.inside_share(distance, grid, 2)
    # Nothing of the ball lies beyond where the tube begins, inside the cone.
    ball = 4 / 3 * np.pi * 20**3
    cut = 0.72 * RADIUS
    beyond = np.pi * (20 - cut) ** 2 * (2 * 20 + cut) / 3
    assert share.sum() == pytest.approx(ball - beyond, rel=0.01)


def around_corner():
    offset = np.zeros((4, 4))
    offset[:3, 3] = CENTRE - 29.5
    return offset


def test_nothing_is_inside_far_away():
    around = frame()
    grid = box(around)
    far = Grid(grid.shape, grid.affine + np.array([[0, 0, 0, 500.0], [0] * 4, [0] * 4, [0] * 4]))
    assert not around.inside_share(around.prior_mm, far, 3).any()
