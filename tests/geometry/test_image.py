"""The image: samples stay where they lie, and interpolation is exact where the signal is linear."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.geometry.grids import grids
from toh_mri.core.errors import GeometryError
from toh_mri.geometry import Grid, Image

UNIT = st.floats(0, 1)
SLOPES = st.tuples(*[st.floats(-1, 1)] * 3)


def ramp(grid, slope, offset=3.0):
    """Return an image whose signal is linear in patient space, in units per mm."""
    signal = (grid.voxel_centres() - grid.centre) @ np.array(slope) + offset
    return Image(signal.astype(np.float32), grid)


@given(grid=grids(), slope=SLOPES, fractions=st.tuples(UNIT, UNIT, UNIT))
def test_linear_signal_is_sampled_exactly_between_voxel_centres(grid, slope, fractions):
    index = np.array(fractions) * (np.array(grid.shape) - 1)
    world = grid.to_world(index)
    expected = (world - grid.centre) @ np.array(slope) + 3.0
    assert ramp(grid, slope).sample(world) == pytest.approx(expected, abs=1e-3)


@given(grid=grids(), slope=SLOPES, fractions=st.tuples(UNIT, UNIT, UNIT))
def test_within_half_a_voxel_of_the_edge_the_nearest_value_is_taken(grid, slope, fractions):
    index = np.array(fractions) * (np.array(grid.shape) - 0.002) - 0.499
    held = np.clip(index, 0, np.array(grid.shape) - 1)
    image = ramp(grid, slope)
    sampled = image.sample(grid.to_world([index, held]))
    assert sampled[0] == pytest.approx(sampled[1], abs=1e-3)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_single_slice_is_sampled_within_its_thickness_and_not_beyond(axis):
    shape = [5, 5, 5]
    shape[axis] = 1
    grid = Grid(tuple(shape), np.diag([4.0, 4.0, 4.0, 1]))
    image = Image(np.full(shape, 7, dtype=np.float32), grid)
    through = np.eye(3)[axis]
    np.testing.assert_array_equal(image.sample([grid.centre + d * through for d in (-1.9, 0, 1.9)]), [7, 7, 7])
    assert np.isnan(image.sample([grid.centre + d * through for d in (-2.1, 2.1)])).all()


@given(grid=grids())
def test_voxel_centres_give_the_voxels(grid):
    array = np.arange(np.prod(grid.shape), dtype=np.float32).reshape(grid.shape)
    np.testing.assert_allclose(Image(array, grid).sample(grid.voxel_centres()), array, atol=1e-3)


@pytest.mark.parametrize("shape", [(3,), (0, 3), (2, 3), (4, 1, 2, 3)])
def test_points_of_any_leading_shape_are_sampled(shape):
    image = ramp(Grid((3, 4, 5), np.eye(4)), (1, 0, 0))
    assert image.sample(np.ones(shape)).shape == shape[:-1]


def test_points_out_of_view_and_points_nowhere_are_outside():
    image = ramp(Grid((3, 4, 5), np.eye(4)), (1, 0, 0))
    points = [[100.0, 0, 0], [np.nan, 0, 0], [0, -0.6, 0], [1, 1, 1]]
    sampled = image.sample(points, outside=-5)
    assert sampled.dtype == np.float32
    np.testing.assert_array_equal(sampled[:3], [-5, -5, -5])
    assert sampled[3] != -5
    assert np.isnan(image.sample(points)[:3]).all()


def test_a_mask_is_sampled_as_a_fraction():
    grid = Grid((1, 1, 2), np.eye(4))
    image = Image(np.array([[[False, True]]]), grid)
    assert image.sample(grid.to_world((0, 0, 0.25))) == pytest.approx(0.25)


@given(grid=grids(), data=st.data())
def test_a_crop_shows_the_same_signal_at_the_same_place(grid, data):
    array = np.arange(np.prod(grid.shape), dtype=np.float32).reshape(grid.shape)
    image = Image(array, grid)
    start = tuple(data.draw(st.integers(0, n - 1)) for n in grid.shape)
    stop = tuple(data.draw(st.integers(a + 1, n)) for a, n in zip(start, grid.shape, strict=True))
    box = image.crop(start, stop)
    np.testing.assert_allclose(image.sample(box.grid.voxel_centres()), box.array, atol=1e-3)


def test_a_crop_out_of_the_image_is_refused_and_not_wrapped_round():
    image = ramp(Grid((5, 5, 5), np.eye(4)), (1, 0, 0))
    with pytest.raises(GeometryError) as caught:
        image.crop((-3, 0, 0), (-1, 5, 5))
    assert caught.value.code == "outside_grid"


def test_samples_cannot_be_written_to_and_are_in_c_order():
    grid = Grid((2, 3, 4), np.eye(4))
    image = Image(np.zeros((4, 3, 2)).T, grid)
    assert image.array.flags.c_contiguous
    with pytest.raises(ValueError, match="read-only"):
        image.array[0, 0, 0] = 1


def test_samples_in_c_order_are_not_copied_and_the_callers_array_stays_writable():
    array = np.zeros((2, 3, 4), dtype=np.float32)
    image = Image(array, Grid((2, 3, 4), np.eye(4)))
    assert np.shares_memory(image.array, array)
    assert array.flags.writeable


def test_samples_of_another_shape_than_the_grid_are_refused():
    grid = Grid((2, 3, 4), np.eye(4))
    with pytest.raises(GeometryError) as caught:
        Image(np.zeros((4, 3, 2)), grid)
    assert caught.value.code == "shape_mismatch"
    with pytest.raises(GeometryError):
        Image(np.zeros((2, 3, 4)), grid).with_array(np.zeros((2, 3)))
