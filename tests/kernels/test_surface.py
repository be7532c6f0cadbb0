import os
import subprocess
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from tests.reference import naive_surface
from toh_mri.kernels.surface import edge_evidence, height_field

HALF_WIDTH, GAP_LOW, GAP_HIGH, OFFSETS, CAP = 1, 2, 4, 12, 1.5
ROOT = Path(__file__).parents[2]
SAMPLES = OFFSETS + GAP_HIGH + 2 * HALF_WIDTH + 1


def profiles(kind, rows=4, azimuths=5):
    rng = np.random.default_rng(2)
    signal = rng.normal(0, 2, (rows, azimuths, SAMPLES)).astype(np.float32)
    if kind == "constant":
        signal[:] = 4
    elif kind == "holes":
        signal[rng.random(signal.shape) < 0.2] = np.nan
    return signal


def evidence(signal, share=0.3, *, either, kernel=edge_evidence):
    shares = np.broadcast_to(np.float32(share), signal.shape[:2]).copy()
    return kernel(signal, shares, OFFSETS, HALF_WIDTH, GAP_LOW, GAP_HIGH, CAP, either)


@pytest.mark.parametrize("either", [True, False])
@pytest.mark.parametrize(("rows", "azimuths"), [(4, 5), (1, 6), (3, 1)])
@pytest.mark.parametrize("kind", ["random", "holes", "constant"])
def test_evidence_agrees_with_the_naive_twin(kind, rows, azimuths, either):
    signal = profiles(kind, rows, azimuths)
    share = np.linspace(0, 0.5, rows * azimuths, dtype=np.float32).reshape(rows, azimuths)
    settings = (signal, share, OFFSETS, HALF_WIDTH, GAP_LOW, GAP_HIGH, CAP, either)
    found = edge_evidence(*settings)
    np.testing.assert_allclose(found, naive_surface.edge_evidence(*settings), atol=1e-6)
    assert (found.max() > 0) == (kind != "constant")


@pytest.mark.parametrize("place", [2, 5, 9])
def test_evidence_peaks_where_the_surface_is(place):
    offset = np.arange(SAMPLES) - HALF_WIDTH - 0.5
    dark = (offset > place) & (offset < place + 3)
    signal = np.where(dark, -1, 1).astype(np.float32)[None, None]
    found = evidence(signal, either=False)[0, 0]
    assert found[place] == pytest.approx(1)
    assert abs(np.flatnonzero(found == found.max()) - place).max() <= HALF_WIDTH
    np.testing.assert_allclose(evidence(-signal, either=True), evidence(signal, either=True))
    assert evidence(-signal, either=False)[0, 0, place] < 0.5


def test_outside_the_field_of_view_there_is_no_evidence():
    signal = profiles("random")
    signal[1, 2] = np.nan
    found = evidence(signal, either=True)
    assert not found[1, 2].any()
    assert np.isfinite(found).all()


def random_cost(shape, seed=1):
    return np.random.default_rng(seed).random(shape).astype(np.float32)


@pytest.mark.parametrize(("stiffness", "reach"), [(0.0, 2), (0.05, 2), (0.3, 1), (0.1, 20), (0.1, 0)])
@pytest.mark.parametrize("shape", [(4, 6, 9), (1, 7, 8), (5, 1, 8), (1, 1, 6), (3, 4, 1), (2, 3, 2)])
def test_height_field_agrees_with_the_naive_twin(shape, stiffness, reach):
    cost = random_cost(shape)
    twin = naive_surface.height_field(cost, stiffness, reach)
    np.testing.assert_allclose(height_field(cost, stiffness, reach), twin, atol=2e-3)


def test_a_constant_cost_gives_a_flat_field():
    cost = np.full((3, 5, 7), 0.5, np.float32)
    found = height_field(cost, 0.1, 2)
    assert np.ptp(found) == 0
    np.testing.assert_array_equal(found, naive_surface.height_field(cost, 0.1, 2))


@pytest.mark.parametrize("shape", [(1, 9, 11), (4, 5, 11)])
def test_without_stiffness_every_ray_takes_its_own_best(shape):
    cost = random_cost(shape)
    found = height_field(cost, 0.0, shape[2])
    assert np.abs(found - cost.argmin(axis=2)).max() <= 0.5


def price(cost, field, stiffness, reach):
    """What a field of whole steps costs: its nodes, and its steps to the next row and azimuth."""
    steps = np.concatenate([np.diff(field, axis=0).ravel(), (field - np.roll(field, 1, axis=1)).ravel()])
    if np.abs(steps).max() > reach:
        return np.inf
    return np.take_along_axis(cost, field[..., None], axis=2).sum() + stiffness * (steps**2).sum()


def test_is_close_to_the_best_of_all_fields_and_better_than_each_ray_alone():
    # Semi-global matching is no exact search: it has to come more than half the way from greedy to best.
    every = np.array(list(product(range(3), repeat=6))).reshape(-1, 2, 3)
    greedy_excess, excess = [], []
    for seed in range(12):
        cost, stiffness = random_cost((2, 3, 3), seed), 0.15
        best = min(price(cost, field, stiffness, 2) for field in every)
        found = np.rint(height_field(cost, stiffness, 2)).astype(int)
        excess.append(price(cost, found, stiffness, 2) - best)
        greedy_excess.append(price(cost, cost.argmin(axis=2), stiffness, 2) - best)
    assert min(excess) > -1e-5
    assert np.mean(excess) < 0.5 * np.mean(greedy_excess)


_UNCOMPILED = """
import sys
import numpy as np
from toh_mri.kernels.surface import edge_evidence, height_field
profiles = np.random.default_rng(2).normal(0, 2, (3, 4, 20)).astype(np.float32)
found = edge_evidence(profiles, np.full((3, 4), 0.3, np.float32), 12, 1, 2, 5, 1.5, True)
assert not hasattr(height_field, "py_func")
sys.stdout.buffer.write(found.tobytes() + height_field(-found, 0.1, 2).tobytes())
"""


def test_uncompiled_code_gives_the_same_numbers():
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    run = subprocess.run(
        [sys.executable, "-c", _UNCOMPILED], env=environment, cwd=ROOT, capture_output=True, check=True
    )
    plain = np.frombuffer(run.stdout, np.float32)
    signal = np.random.default_rng(2).normal(0, 2, (3, 4, 20)).astype(np.float32)
    found = edge_evidence(signal, np.full((3, 4), 0.3, np.float32), 12, 1, 2, 5, 1.5, True)
    compiled = np.concatenate([found.ravel(), height_field(-found, 0.1, 2).ravel()])
    np.testing.assert_allclose(plain, compiled, atol=1e-4)


def smooth_surface(rows=6, azimuths=24):
    row, azimuth = np.indices((rows, azimuths))
    return 8 + 3 * np.cos(2 * np.pi * azimuth / azimuths + 0.4) + 0.5 * row


def rewarded(surface, heights=20, seed=4):
    noise = random_cost((*surface.shape, heights), seed)
    bump = np.exp(-0.5 * (np.arange(heights) - surface[..., None]) ** 2)
    return (0.15 * noise - bump).astype(np.float32)


@pytest.mark.parametrize("rows", [1, 6])
def test_recovers_a_smooth_surface_within_half_a_step(rows):
    surface = smooth_surface(rows)
    assert np.abs(height_field(rewarded(surface), 0.02, 2) - surface).max() < 0.5


@pytest.mark.parametrize("shift", [1, 7, 12, 23])
@pytest.mark.parametrize("rows", [1, 6])
def test_is_closed_in_azimuth(rows, shift):
    cost = rewarded(smooth_surface(rows))
    rolled = height_field(np.roll(cost, shift, axis=1), 0.05, 2)
    np.testing.assert_allclose(rolled, np.roll(height_field(cost, 0.05, 2), shift, axis=1), atol=1e-3)


@pytest.mark.parametrize("axis", [0, 1])
def test_knows_no_direction(axis):
    cost = random_cost((5, 8, 9))
    turned = height_field(np.flip(cost, axis).copy(), 0.1, 2)
    np.testing.assert_allclose(np.flip(turned, axis), height_field(cost, 0.1, 2), atol=1e-3)


@pytest.mark.parametrize("ray", [(0, 0), (2, 0), (3, 23), (5, 11)])
def test_one_tempting_ray_does_not_pull_the_field_away(ray):
    surface = np.full((6, 24), 12.0)
    cost = rewarded(surface)
    cost[ray] = 0
    cost[(*ray, 3)] = -1
    assert height_field(cost, 0.0, 20)[ray] == pytest.approx(3, abs=0.5)
    assert np.abs(height_field(cost, 0.2, 2) - surface).max() < 0.5


def test_does_not_write_to_its_input():
    cost = random_cost((3, 4, 6))
    before = cost.copy()
    height_field(cost, 0.1, 2)
    np.testing.assert_array_equal(cost, before)
