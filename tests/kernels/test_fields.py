import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from tests.reference import fields as naive
from toh_mri.kernels import fields, raster

ROOT = Path(__file__).parents[2]
CELL = np.array([3.0, 4.5, 2.0], np.float32)
CHAINS = (
    ((0, 0, 0, 3), (10, 2, -4, 5), (14, 14, 2, 1)),
    ((-8, 6, 3, 2), (-8, -6, 3, 2)),
    ((20, -5, 0, 8), (5, -5, 12, 0.5), (5, 9, 12, 4), (0, 9, 0, 2)),
)
STAR = np.array([(0, 9), (2, 2), (9, 0), (2, -3), (4, -9), (-1, -4), (-8, -6), (-3, 1)], float)


def draw(seed=0):
    return np.random.default_rng(seed)


def points(n, reach=30.0, seed=0):
    """More points than one turn of the kernels holds, where n says so."""
    return draw(seed).uniform(-reach, reach, (n, 3)).astype(np.float32)


def columns(p):
    return tuple(np.ascontiguousarray(axis) for axis in p.T)


def cones(chain):
    a, b = np.array(chain[:-1], float), np.array(chain[1:], float)
    axis = (b - a)[:, :3]
    slope = axis / (axis**2).sum(axis=1)[:, None]
    return np.column_stack([a[:, :3], axis, slope, a[:, 3], b[:, 3] - a[:, 3]]).astype(np.float32)


def bodies(chains):
    parts = [cones(chain) for chain in chains]
    return np.vstack(parts), np.cumsum([len(part) for part in parts])


def edges(corners):
    c = np.asarray(corners, np.float32)
    return np.hstack([c, np.roll(c, -1, axis=0)])


def tile(seed=1, shape=(6, 4, 5)):
    return draw(seed).standard_normal(shape).astype(np.float32)


# noise


def test_tile_agrees_with_the_naive_twin_and_with_scipy():
    x, y, z = columns(points(300, 60.0))
    found = fields.sample_tile(tile(), x, y, z, CELL)
    np.testing.assert_allclose(found, naive.sample_tile(tile(), x, y, z, CELL), atol=1e-5)
    index = np.stack([x / CELL[0], y / CELL[1], z / CELL[2]])
    np.testing.assert_allclose(found, ndimage.map_coordinates(tile(), index, order=1, mode="grid-wrap"), atol=1e-5)


@pytest.mark.parametrize("turns", [-7, -1, 0, 1, 12])
def test_tile_is_itself_at_its_samples_and_repeats(turns):
    whole = tile()
    at = (np.indices(whole.shape).reshape(3, -1).T + turns * np.array(whole.shape)).astype(np.float32)
    found = fields.sample_tile(whole, *columns(at), np.ones(3, np.float32))
    np.testing.assert_array_equal(found.reshape(whole.shape), whole)


@pytest.mark.parametrize("place", [-1e-9, np.float32(18) - np.float32(2e-6), 1e9, -1e9])
def test_tile_knows_no_seam_and_no_place_too_far(place):
    at = np.array([place], np.float32)
    found = fields.sample_tile(tile(), at, at, at, CELL)
    assert tile().min() <= found[0] <= tile().max()


def test_tile_is_unknown_where_the_point_is():
    x, y, z = columns(points(4))
    y[2] = np.nan
    assert np.isnan(fields.sample_tile(tile(), x, y, z, CELL)).tolist() == [False, False, True, False]


def waves(count, seed=8):
    return draw(seed).uniform(-0.05, 0.05, (count, 4)).astype(np.float32)


@pytest.mark.parametrize("count", [0, 1, 5])
def test_waves_agree_with_the_naive_twin(count):
    p, start = points(700, 200.0), points(700)[:, 0].copy()
    found = fields.add_waves(*columns(p), start, waves(count), np.float32(2.5))
    np.testing.assert_allclose(found, naive.add_waves(p, start, waves(count), 2.5), atol=1e-4)


def test_the_sine_of_waves_is_right_to_single_precision():
    turns = np.linspace(-1, 1, 4001, dtype=np.float32)
    nothing = np.zeros_like(turns)
    found = fields.add_waves(turns, nothing, nothing, nothing, np.array([[1, 0, 0, 0]], np.float32), np.float32(1))
    np.testing.assert_allclose(found, np.sin(2 * np.pi * turns.astype(float)), atol=4e-7)


# distances


@pytest.mark.parametrize("chain", CHAINS)
def test_cones_agree_with_the_naive_twin(chain):
    p = points(700)
    np.testing.assert_allclose(
        fields.cone_distance(*columns(p), cones(chain)), naive.cone_distance(p, chain), atol=2e-5
    )


@settings(deadline=None)
@given(st.lists(st.integers(-9, 9), min_size=6, max_size=6), st.floats(0.1, 5))
def test_a_cone_of_even_radius_is_a_segment_with_a_radius(ends, radius):
    a, b = np.reshape(ends, (2, 3)).astype(float)
    if (a == b).all():
        return
    p = points(12, 15.0)
    along = a + np.linspace(0, 1, 2001)[:, None] * (b - a)
    nearest = np.linalg.norm(p[:, None] - along, axis=2).min(axis=1)
    found = fields.cone_distance(*columns(p), cones([(*a, radius), (*b, radius)]))
    np.testing.assert_allclose(found, nearest - radius, atol=2e-2)


def test_no_cone_is_infinitely_far():
    assert (fields.cone_distance(*columns(points(3)), np.empty((0, 11), np.float32)) == np.inf).all()


@pytest.mark.parametrize("count", [1, 2, 3])
def test_two_nearest_agree_with_the_naive_twin(count):
    p = points(600)
    found = fields.two_nearest(*columns(p), *bodies(CHAINS[:count]))
    for own, twin in zip(found, naive.two_nearest(p, CHAINS[:count]), strict=True):
        np.testing.assert_allclose(own, twin, atol=2e-5)


def test_two_nearest_do_not_depend_on_the_order_of_bodies():
    p = columns(points(200))
    np.testing.assert_array_equal(
        fields.two_nearest(*p, *bodies(CHAINS)), fields.two_nearest(*p, *bodies(CHAINS[::-1]))
    )


@pytest.mark.parametrize("corners", [STAR, STAR[::-1], [(0, 0), (8, 0), (8, 5), (0, 5)]])
def test_polygon_agrees_with_the_naive_twin(corners):
    u, v, _ = columns(points(600, 12.0))
    np.testing.assert_allclose(
        fields.polygon_distance(u, v, edges(corners)), naive.polygon_distance(u, v, corners), atol=2e-5
    )


def test_sums_and_lengths_are_numpys_bit_by_bit():
    x, y, z = columns(points(90))
    a, b, c = np.array([0.3, -1.7, 11.0], np.float32)
    np.testing.assert_array_equal(fields.weighted_sum(x, y, z, a, b, c), x * a + y * b + z * c)
    np.testing.assert_array_equal(fields.length(x, y, z), np.sqrt(x * x + y * y + z * z))


# raster


@pytest.mark.parametrize(("shape", "up"), [((2, 3, 4), 3), ((1, 2, 2), 5), ((3, 5, 2), 1), ((2, 2, 7), 2)])
def test_upsampling_agrees_with_the_naive_twin(shape, up):
    field = tile(2, shape)
    found = raster.upsample_planes(field, up)
    np.testing.assert_allclose(found, naive.upsample_planes(field, up), atol=1e-6)
    np.testing.assert_array_equal(found[:, ::up, ::up], field)


def test_cover_agrees_with_the_naive_twin():
    distance = tile(3, (4, 9, 11))
    found = raster.cover_planes(distance, np.float32(0.4))
    np.testing.assert_allclose(found, naive.cover_planes(distance, 0.4), atol=1e-6)
    assert {0.0, 1.0} < set(found.ravel().tolist())


def test_cover_is_half_on_the_surface_and_falls_with_distance():
    distance = np.tile(np.linspace(-2, 2, 41, dtype=np.float32), (4, 1, 1))
    share = raster.cover_planes(distance, np.float32(0.4))[0, 0]
    assert share[20] == 0.5
    assert (np.diff(share) <= 0).all()
    np.testing.assert_allclose(share + share[::-1], 1, atol=1e-6)


def patchy_share(shape, seed=4):
    """0 in whole runs, 1 in places, between them elsewhere."""
    share = np.clip(draw(seed).uniform(-1, 2, shape), 0, 1).astype(np.float32)
    share[:, : shape[1] // 2, : shape[2] // 2] = 0
    share[:, -1] = 0
    return share


@pytest.mark.parametrize("shape", [(2, 4, 5), (1, 3, 530)])
def test_painting_agrees_with_the_naive_twin(shape):
    share, row, column = patchy_share(shape), 2, 3
    before = tile(5, (2, shape[0], shape[1] + 4, shape[2] + 5))
    new = tile(6, (2, *shape))
    evenly, each = before.copy(), before.copy()
    raster.lay_evenly(*evenly, share, row, column, np.float32(0.7), np.float32(-0.2))
    raster.lay(*each, share, row, column, *new)
    for k, value in enumerate((0.7, -0.2)):
        np.testing.assert_allclose(evenly[k], naive.lay(before[k], share, row, column, value), atol=1e-6)
        np.testing.assert_allclose(each[k], naive.lay(before[k], share, row, column, new[k]), atol=1e-6)
    untouched = np.ones(before.shape, bool)
    untouched[:, :, row : row + shape[1], column : column + shape[2]] = share == 0
    np.testing.assert_array_equal(evenly[untouched], before[untouched])
    np.testing.assert_array_equal(each[untouched], before[untouched])


def everything():
    """All kernels on small input."""
    x, y, z = columns(points(40))
    field = raster.upsample_planes(tile(7, (3, 4, 5)), 3)
    share, layers = raster.cover_planes(field, np.float32(0.4)), np.zeros((2, *field.shape), np.float32)
    raster.lay_evenly(*layers, share, 0, 0, np.float32(0.7), np.float32(0.3))
    raster.lay(*layers, share[:, 1:, 2:].copy(), 1, 2, *np.stack([field, 1 - field])[:, :, 1:, 2:].copy())
    return [
        fields.sample_tile(tile(), x, y, z, CELL),
        fields.add_waves(x, y, z, x, waves(3), np.float32(0.5)),
        fields.cone_distance(x, y, z, cones(CHAINS[0])),
        *fields.two_nearest(x, y, z, *bodies(CHAINS)),
        fields.polygon_distance(x, y, edges(STAR)),
        fields.weighted_sum(x, y, z, *CELL),
        fields.length(x, y, z),
        field,
        share,
        layers,
    ]


_UNCOMPILED = """
import sys
from tests.kernels import test_fields
assert not hasattr(test_fields.raster.lay, "py_func")
sys.stdout.buffer.write(b"".join(array.tobytes() for array in test_fields.everything()))
"""


def test_uncompiled_code_gives_the_same_bits():
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    run = subprocess.run(
        [sys.executable, "-c", _UNCOMPILED], env=environment, cwd=ROOT, capture_output=True, check=True
    )
    assert run.stdout == b"".join(array.tobytes() for array in everything())
