import os
import subprocess
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from tests.reference import naive_min_cut, naive_surface
from toh_mri.kernels.surface import edge_evidence, height_field, outer_face_evidence

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


def test_the_minimum_cut_is_the_best_of_all_fields():
    every = np.array(list(product(range(4), repeat=6))).reshape(-1, 2, 3)
    for seed, reach in product(range(2), (1, 2, 3)):
        cost = random_cost((2, 3, 4), seed)
        best = min(price(cost, field, 0.15, reach) for field in every)
        assert price(cost, naive_min_cut.height_field(cost, 0.15, reach), 0.15, reach) == pytest.approx(best, abs=0.01)


@pytest.mark.parametrize("reach", [1, 2, 4])
@pytest.mark.parametrize("stiffness", [0.05, 0.15, 0.4])
@pytest.mark.parametrize("shape", [(8, 16, 11), (1, 40, 15), (30, 1, 9), (5, 2, 9)])
def test_costs_nearly_as_little_as_the_exact_minimum(shape, stiffness, reach):
    wave = 7 + 3 * np.sin(2 * np.pi * np.arange(shape[1]) / shape[1]) + 0.1 * np.arange(shape[0])[:, None]
    bump = np.exp(-0.5 * (np.arange(shape[2]) - wave[..., None]) ** 2)
    cost = (0.6 * random_cost(shape) - bump).astype(np.float32)
    exact = price(cost, naive_min_cut.height_field(cost, stiffness, reach), stiffness, reach)
    found = price(cost, whole_steps(cost, stiffness, reach), stiffness, reach)
    assert exact - 0.01 * cost[..., 0].size <= found <= exact + 0.03 * abs(exact)


def whole_steps(cost, stiffness, reach):
    """The field as it was before fractions of a step: those are at most half a step."""
    found = height_field(cost, stiffness, reach)
    low = np.floor(found).astype(int)
    high = np.minimum(low + 1, cost.shape[2] - 1)
    return np.where(found - low > 0.5, high, low)


def test_a_constant_cost_gives_a_flat_field():
    cost = np.full((3, 5, 7), 0.5, np.float32)
    found = height_field(cost, 0.1, 2)
    assert np.ptp(found) == 0


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
    cost = rewarded(smooth_surface())
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


def naive_outer_face(profile, share, cortex, fat_is_bright):
    """One ray: falls one cortex further in, rises at the face; a rise behind a fall speaks against it."""
    step = (profile[3:] - profile[:-3]) / CAP
    edge = np.clip(np.nan_to_num(step), -1, 1)
    place = np.arange(len(edge))

    def evidence(signed):  # bright to dark, then dark to bright within the gap
        down, outer = max(-signed[0], 0), max(0, *signed[GAP_LOW : GAP_HIGH + 1])
        return ((1 - share) * down + share * outer) * (0.5 if down < 0.12 else 1)

    result = []
    for q in range(LEAD, LEAD + OFFSETS):
        inner = np.interp(q - cortex + np.arange(GAP_HIGH + 1), place, edge)
        before = [edge[q - int(np.ceil(cortex)) - g] for g in range(GAP_LOW, GAP_HIGH + 1)]
        fall, rise = evidence(inner), evidence(-edge[q : q + GAP_HIGH + 1])
        result.append(fall if fat_is_bright else max(rise, 0.5 * fall * (1 - max(0, *before))))
    return result


LEAD = 8


@pytest.mark.parametrize("fat_is_bright", [True, False])
@pytest.mark.parametrize("holes", [0, 0.1])
def test_evidence_of_an_outer_face_agrees_with_its_naive_twin(fat_is_bright, holes):
    rng = np.random.default_rng(5)
    signal = rng.normal(0, 1, (3, 5, LEAD + OFFSETS + GAP_HIGH + 3)).astype(np.float32)
    signal[rng.random(signal.shape) < holes] = np.nan
    share = rng.uniform(0, 0.5, (3, 5)).astype(np.float32)
    cortex = rng.uniform(0, LEAD - GAP_HIGH, (3, 5)).astype(np.float32)
    cortex[0] = [0, 1, 2, 3, 4]
    found = outer_face_evidence(signal, share, cortex, OFFSETS, LEAD, GAP_LOW, GAP_HIGH, CAP, fat_is_bright)
    twin = [
        [naive_outer_face(signal[j, i], share[j, i], cortex[j, i], fat_is_bright) for i in range(5)] for j in range(3)
    ]
    np.testing.assert_allclose(found, twin, atol=1e-5)
    assert found.min() >= 0
    assert found.max() <= 1


def test_the_far_wall_of_a_bright_joint_is_no_bone_surface():
    # Dark marrow and cortex up to place 4, bright joint to place 8, dark beyond.
    offset = np.arange(LEAD + OFFSETS + GAP_HIGH + 3) - LEAD - 1.5
    signal = np.where((offset > 4) & (offset < 8), 2.0, 0.0).astype(np.float32)[None, None]
    none = np.zeros((1, 1), np.float32)
    found = outer_face_evidence(signal, none, none, OFFSETS, LEAD, GAP_LOW, GAP_HIGH, CAP, False)[0, 0]
    assert found[4] == pytest.approx(1)
    assert found[8] == pytest.approx(0)
