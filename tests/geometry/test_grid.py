"""The grid: indices and patient space map onto each other, whatever the orientation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.geometry.grids import grids, rigid_transforms
from toh_mri.core.errors import GeometryError
from toh_mri.geometry import Grid

UNIT = st.floats(0, 1)
CORONAL = Grid((5, 8, 6), np.array([[0, 0, 0.5, -60], [4, 0, 0, 20], [0, -0.5, 0, 90], [0, 0, 0, 1.0]]))


def point_in(grid, fractions):
    """Return an LPS point and its index at three fractions of the field of view."""
    index = np.array(fractions) * grid.shape - 0.5
    return grid.to_world(index), index


@given(grid=grids(), fractions=st.tuples(UNIT, UNIT, UNIT))
def test_index_to_world_and_back_is_the_identity(grid, fractions):
    world, index = point_in(grid, fractions)
    np.testing.assert_allclose(grid.to_index(world), index, atol=1e-8)
    np.testing.assert_allclose(grid.to_world(grid.to_index(world)), world, atol=1e-8)


def test_world_coordinates_are_those_of_the_affine():
    np.testing.assert_allclose(CORONAL.to_world((1, 2, 3)), (-58.5, 24, 89))
    np.testing.assert_allclose(CORONAL.to_index((-58.5, 24, 89)), (1, 2, 3))
    assert CORONAL.spacing_mm == (4.0, 0.5, 0.5)
    assert CORONAL.extent_mm == (20.0, 4.0, 3.0)
    assert CORONAL.voxel_volume_ml == pytest.approx(0.001)
    np.testing.assert_allclose(CORONAL.directions, [[0, 0, 1], [1, 0, 0], [0, -1, 0]])
    np.testing.assert_allclose(CORONAL.centre, (-58.75, 28, 88.25))


@given(grid=grids())
def test_any_leading_shape_of_points_is_mapped_alike(grid):
    centres = grid.voxel_centres()
    assert centres.shape == (*grid.shape, 3)
    np.testing.assert_array_equal(centres[0, 0, 0], grid.affine[:3, 3])
    np.testing.assert_allclose(grid.to_index(centres)[-1, -1, -1], np.array(grid.shape) - 1, atol=1e-8)
    np.testing.assert_allclose(centres.mean(axis=(0, 1, 2)), grid.centre, atol=1e-8)


@given(grid=grids())
def test_directions_are_unit_vectors_at_right_angles(grid):
    np.testing.assert_allclose(grid.directions.T @ grid.directions, np.eye(3), atol=1e-9)
    np.testing.assert_allclose(grid.directions * grid.spacing_mm, grid.affine[:3, :3], atol=1e-9)


@given(grid=grids(), fractions=st.tuples(UNIT, UNIT, UNIT), data=st.data())
def test_a_crop_keeps_every_voxel_where_it_was(grid, fractions, data):
    start = tuple(data.draw(st.integers(0, n - 1)) for n in grid.shape)
    stop = tuple(data.draw(st.integers(a + 1, n)) for a, n in zip(start, grid.shape, strict=True))
    box = grid.crop(start, stop)
    assert box.shape == tuple(b - a for a, b in zip(start, stop, strict=True))
    np.testing.assert_allclose(box.spacing_mm, grid.spacing_mm)
    world, index = point_in(box, fractions)
    np.testing.assert_allclose(grid.to_index(world), index + start, atol=1e-8)


@pytest.mark.parametrize(
    ("start", "stop"),
    [((0, 0, 0), (0, 1, 1)), ((-3, 0, 0), (-1, 8, 6)), ((0, 0, 0), (6, 8, 6)), ((2, 0, 0), (1, 8, 6))],
)
def test_a_box_that_is_empty_or_leaves_the_grid_is_refused(start, stop):
    with pytest.raises(GeometryError) as caught:
        CORONAL.crop(start, stop)
    assert caught.value.code == "outside_grid"


@given(grid=grids(), fractions=st.tuples(UNIT, UNIT, UNIT), other=st.tuples(UNIT, UNIT, UNIT))
def test_the_box_around_a_ball_holds_all_of_it_that_is_in_view(grid, fractions, other):
    center, _ = point_in(grid, fractions)
    on_the_ball, index = point_in(grid, other)
    voxel = np.rint(index).clip(0, np.array(grid.shape) - 1)
    start, stop = grid.box_around(center, np.linalg.norm(on_the_ball - center) + 1e-6)
    assert (voxel >= start).all()
    assert (voxel < stop).all()


@given(grid=grids(), fractions=st.tuples(UNIT, UNIT, UNIT), radius_mm=st.floats(0.1, 40))
def test_the_box_around_a_ball_is_no_larger_than_needed(grid, fractions, radius_mm):
    center, index = point_in(grid, fractions)
    start, stop = np.array(grid.box_around(center, radius_mm))
    reach = radius_mm / np.array(grid.spacing_mm)
    assert (start >= np.floor(index - reach - 1e-6).clip(min=0)).all()
    assert (stop - 1 <= np.ceil(index + reach + 1e-6)).all()
    assert (stop > start).all()


def test_the_box_around_a_ball_out_of_view_is_empty():
    start, stop = CORONAL.box_around(np.add(CORONAL.centre, (0, 500, 0)), 20)
    assert start[0] == stop[0]
    with pytest.raises(GeometryError):
        CORONAL.crop(start, stop)


@given(grid=grids())
def test_the_field_of_view_ends_half_a_voxel_beyond_the_outer_centres(grid):
    low, high = np.full(3, -0.5), np.array(grid.shape) - 0.5
    for axis in range(3):
        step = np.eye(3)[axis] * 2e-3
        assert grid.contains(grid.to_world([low + 1e-6, high - 1e-6])).all()
        assert not grid.contains(grid.to_world([low - step, high + step])).any()


@given(grid=grids(), share=st.floats(0.01, 0.95))
def test_a_margin_takes_its_width_off_every_side(grid, share):
    half = np.array(grid.extent_mm) / 2
    margin_mm = share * half.min()
    for axis in range(3):
        edge = grid.centre + grid.directions[:, axis] * (half[axis] - margin_mm)
        step = grid.directions[:, axis] * 2e-3 * grid.spacing_mm[axis]
        assert grid.contains(edge - step, margin_mm)
        assert not grid.contains(edge + step, margin_mm)


@given(grid=grids(), rigid=rigid_transforms(), fractions=st.tuples(UNIT, UNIT, UNIT))
def test_a_moved_grid_moves_every_point_alike(grid, rigid, fractions):
    world, index = point_in(grid, fractions)
    moved = grid.transformed(rigid)
    np.testing.assert_allclose(moved.to_world(index), rigid[:3, :3] @ world + rigid[:3, 3], atol=1e-7)
    np.testing.assert_allclose(moved.spacing_mm, grid.spacing_mm)
    assert moved.transformed(np.linalg.inv(rigid)).matches(grid)


@pytest.mark.parametrize("matrix", [np.diag([1.01, 1, 1, 1]), np.diag([-1.0, 1, 1, 1]), np.full((4, 4), np.nan)])
def test_a_transform_that_would_change_volumes_or_sides_is_refused(matrix):
    with pytest.raises(GeometryError) as caught:
        CORONAL.transformed(matrix)
    assert caught.value.code == "invalid_transform"


@given(grid=grids(), shift=st.tuples(*[st.floats(-0.1, 0.1)] * 3))
def test_grids_match_up_to_the_tolerance(grid, shift):
    moved = np.eye(4)
    moved[:3, 3] = shift
    gap = np.linalg.norm(shift)
    assert grid.matches(grid)
    assert grid.transformed(moved).matches(grid, gap + 1e-6)
    assert not grid.transformed(moved).matches(grid, gap - 1e-6)


def test_grids_of_another_shape_do_not_match():
    assert not CORONAL.matches(CORONAL.crop((0, 0, 0), (5, 8, 5)))


def test_single_slices_of_different_distance_do_not_match():
    one = Grid((1, 8, 8), np.diag([4.0, 0.5, 0.5, 1]))
    other = Grid((1, 8, 8), np.diag([6.0, 0.5, 0.5, 1]))
    assert one.voxel_volume_ml != other.voxel_volume_ml
    assert not one.matches(other)


SHEARED = np.eye(4)
SHEARED[0, 1] = 0.01
TRANSPOSED = np.eye(4)
TRANSPOSED[:3, 3] = (10, 20, 30)
TRANSPOSED = TRANSPOSED.T


@pytest.mark.parametrize(
    ("shape", "affine"),
    [
        ((4, 4, 4), SHEARED),
        ((4, 4, 4), TRANSPOSED),
        ((4, 4, 4), np.diag([1.0, 0, 1, 1])),
        ((4, 4, 4), np.diag([1.0, np.nan, 1, 1])),
        ((4, 4, 4), np.eye(3)),
        ((4, 0, 4), np.eye(4)),
        ((4, 4), np.eye(4)),
        ((4, 4, 4, 1), np.eye(4)),
        ((), np.eye(4)),
    ],
)
def test_what_is_no_right_angled_lattice_is_refused(shape, affine):
    with pytest.raises(GeometryError) as caught:
        Grid(shape, affine)
    assert caught.value.code == "invalid_grid"


def test_rounding_as_in_headers_is_no_shear():
    affine = np.eye(4)
    affine[0, 1] = 5e-4
    assert Grid((4, 4, 4), affine).shape == (4, 4, 4)


@pytest.mark.parametrize("name", ["affine", "inverse", "directions", "centre"])
def test_nothing_of_a_grid_can_be_written_to(name):
    with pytest.raises(ValueError, match="read-only"):
        getattr(CORONAL, name)[0] = 7


def test_the_callers_affine_stays_the_callers():
    affine = np.eye(4)
    grid = Grid((2, 2, 2), affine)
    affine[0, 0] = 9
    assert grid.spacing_mm == (1.0, 1.0, 1.0)
