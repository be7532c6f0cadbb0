"""Distances, interpolation and noise against slow obvious twins."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toh_mri.geometry import Grid
from toh_mri.phantom.noise import Texture, Warp
from toh_mri.phantom.points import Block, Box, Lattice, Points, upsample
from toh_mri.phantom.shapes import Tube, chain, cut, ellipsoid, node, polygon, ramp, union
from toh_mri.phantom.streams import stream

coordinate = st.floats(-40, 40, width=32)


def some_points(seed: int = 0, count: int = 400) -> Points:
    return Points.of(np.random.default_rng(seed).uniform(-40, 40, (count, 3)))


@given(st.tuples(coordinate, coordinate, coordinate), st.floats(1, 20))
def test_chain_of_one_place_is_a_ball(at: tuple[float, float, float], radius: float) -> None:
    p = some_points()
    expected = p.minus(at).norm() - radius
    apart = np.add(at, [0.0, 0.0, 1e-3])
    assert chain(p, [node(at, radius), node(apart, radius)]) == pytest.approx(expected, abs=5e-3)


def test_chain_is_the_nearest_of_many_balls() -> None:
    a, b = np.array([-20.0, 5.0, 3.0]), np.array([15.0, -10.0, 8.0])
    p = some_points()
    steps = np.linspace(0, 1, 2001)
    balls = [p.minus(a + t * (b - a)).norm() - 4.0 for t in steps]
    assert chain(p, [node(a, 4.0), node(b, 4.0)]) == pytest.approx(np.minimum.reduce(balls), abs=2e-2)


def test_ellipsoid_is_zero_on_its_surface_and_has_unit_slope_there() -> None:
    direction = np.random.default_rng(1).standard_normal((200, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    surface = direction * [10.0, 15.0, 20.0]
    assert np.abs(ellipsoid(Points.of(surface), (0, 0, 0), (10.0, 15.0, 20.0))).max() < 1e-3
    normal = surface / np.square([10.0, 15.0, 20.0])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    out = ellipsoid(Points.of(surface + 0.1 * normal), (0, 0, 0), (10.0, 15.0, 20.0))
    assert out == pytest.approx(0.1, abs=5e-3)


def test_tube_of_circular_section_is_a_cylinder() -> None:
    knots = np.array([-50.0, 50.0])
    tube = Tube(np.zeros(3), *np.eye(3)[[2, 0, 1]], knots, np.full(2, 8.0), np.full(2, 8.0), np.zeros(2))
    p = Points.of(np.random.default_rng(2).uniform(-30, 30, (300, 3)))
    assert tube.distance(p) == pytest.approx(np.hypot(p.x, p.y) - 8.0, abs=1e-3)


@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=3, max_size=3, unique=True))
def test_polygon_sign_is_that_of_the_half_planes(corners: list[tuple[int, int]]) -> None:
    c = np.array(corners, dtype=float)
    area = np.linalg.det([c[1] - c[0], c[2] - c[0]])
    if abs(area) < 1e-6:
        return
    u, v = (axis.astype(np.float32) for axis in np.random.default_rng(3).uniform(-10, 10, (2, 300)))
    sides = [
        np.sign(area) * ((b[0] - a[0]) * (v - a[1]) - (b[1] - a[1]) * (u - a[0]))
        for a, b in zip(c, np.roll(c, -1, axis=0), strict=True)
    ]
    depth = np.minimum.reduce(sides)
    clear = np.abs(depth) > 1e-3
    assert ((polygon(u, v, c) < 0) == (depth > 0))[clear].all()


@given(st.floats(-5, 5, width=32), st.floats(-5, 5, width=32), st.floats(0.5, 6))
def test_smooth_union_holds_both_and_adds_at_most_a_quarter_of_the_blend(a: float, b: float, blend: float) -> None:
    x, y = np.array([a], dtype=np.float32), np.array([b], dtype=np.float32)
    joined = union(x, y, blend)[0]
    assert min(a, b) - blend / 4 - 1e-4 <= joined <= min(a, b) + 1e-4
    assert cut(x, y, blend)[0] == pytest.approx(-union(-x, -y, blend)[0])


def test_ramp_runs_either_way() -> None:
    x = np.linspace(0, 10, 11, dtype=np.float32)
    assert ramp(x, 2, 8) == pytest.approx(1 - ramp(x, 8, 2))


@settings(max_examples=20)
@given(st.integers(2, 5), st.integers(2, 6), st.integers(2, 6))
def test_upsample_is_linear_interpolation(up: int, rows: int, columns: int) -> None:
    field = np.random.default_rng(4).standard_normal((2, rows, columns)).astype(np.float32)
    fine_rows = np.arange((rows - 1) * up + 1) / up
    fine_columns = np.arange((columns - 1) * up + 1) / up
    by_row = np.stack([np.interp(fine_columns, np.arange(columns), row) for row in field.reshape(-1, columns)])
    by_row = by_row.reshape(2, rows, -1)
    twin = np.stack(
        [[np.interp(fine_rows, np.arange(rows), by_row[k, :, i]) for i in range(by_row.shape[2])] for k in range(2)]
    )
    assert upsample(field, up) == pytest.approx(twin.transpose(0, 2, 1), abs=1e-5)


def test_lattice_block_holds_every_point_of_its_box() -> None:
    affine = np.eye(4)
    turn = np.linalg.qr(np.random.default_rng(5).standard_normal((3, 3)))[0]
    affine[:3, :3] = turn * [3.0, 1.5, 1.5]
    affine[:3, 3] = turn @ [-45.0, -45.0, -45.0]
    lattice = Lattice(Grid((30, 60, 60), affine), np.arange(30) * 3.0, 2)
    box = Box((-6.0, -4.0, 2.0), (9.0, 5.0, 11.0))
    p = lattice.points(lattice.whole())
    inside = np.ones(lattice.shape, dtype=bool)
    for c, low, high in zip(p, box.low, box.high, strict=True):
        inside &= (c >= low) & (c <= high)
    block = lattice.block(box)
    assert inside[block.slices()].sum() == inside.sum() > 0
    centres = lattice.grid.voxel_centres()
    assert np.stack(p, axis=-1) == pytest.approx(centres, abs=1e-4)
    part = lattice.points(Block((1, 2, 3), (3, 5, 7)))
    assert part.x == pytest.approx(centres[1:3, 2:5, 3:7, 0], abs=1e-4)


def test_texture_has_unit_spread_and_repeats_without_a_seam() -> None:
    texture = Texture.draw(stream(1, "texture"), 4.0)
    period = texture.tile.shape[0] * texture.cell_mm[0]
    p = Points.of(np.random.default_rng(6).uniform(0, period, (20000, 3)))
    values = texture(p)
    assert abs(values.mean()) < 0.05
    assert 0.6 < values.std() < 1.05  # interpolation between cells takes some of it
    assert texture(p.minus((period, -period, 2 * period))) == pytest.approx(values, abs=2e-3)


def test_warp_moves_points_smoothly_and_about_as_far_as_asked() -> None:
    warp = Warp.draw(stream(1, "warp"), 2.0, 50.0, count=6)
    p = some_points(count=4000)
    moved = Points(*(a - b for a, b in zip(warp(p), p, strict=True)))
    assert 1.0 < moved.norm().std() + np.hypot.reduce([m.std() for m in moved]) / np.sqrt(3) < 4.0
    near = warp(p.minus((0.1, 0.0, 0.0)))
    stretch = Points(*(a - b for a, b in zip(warp(p), near, strict=True))).norm() / 0.1
    assert 0.3 < stretch.min() <= stretch.max() < 2.0


def test_streams_do_not_depend_on_each_other() -> None:
    assert stream(4, "a").random() == stream(4, "a").random()
    assert len({stream(4, "a").random(), stream(4, "b").random(), stream(5, "a").random()}) == 3
