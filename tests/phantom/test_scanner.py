"""The scanner on pictures simple enough to predict."""

from dataclasses import replace

import numpy as np
import pytest

from toh_mri.core.study import Contrast
from toh_mri.geometry import Grid
from toh_mri.phantom.noise import Texture
from toh_mri.phantom.painting import FINE, Rendering
from toh_mri.phantom.points import Points
from toh_mri.phantom.protocol import Difficulty, SeriesPlan, default_plans, place
from toh_mri.phantom.scanner import Coil, Magnet, acquire, draw_movement
from toh_mri.phantom.signal import water_signal
from toh_mri.phantom.streams import stream
from toh_mri.phantom.tissues import Tissue

SIZE = 64
EVEN = Coil(np.zeros(3), 100.0, 0.0, Texture(np.zeros((2, 2, 2), dtype=np.float32), np.ones(3)))
MAGNET = Magnet.draw(Difficulty.STANDARD, stream(0, "magnet"))


def plan_of(**changes: object) -> SeriesPlan:
    plan = default_plans(1.5, bilateral=False)[0]
    return replace(plan, fov_mm=64.0, matrix=SIZE, slices=2, **changes)


def grid_of(plan: SeriesPlan) -> Grid:
    return place(plan, np.zeros(3), np.eye(3))


def scan(plan: SeriesPlan, water: np.ndarray, fat: np.ndarray, *, seed: int = 1) -> np.ndarray:
    layers = (np.broadcast_to(layer, (2, SIZE * FINE, SIZE * FINE)).astype(np.float32) for layer in (water, fat))
    rng = np.random.default_rng(seed)
    return acquire(Rendering(*layers, {}), plan, grid_of(plan), EVEN, MAGNET, Difficulty.STANDARD, rng)


@pytest.mark.parametrize("acquired", [(1.0, 1.0), (0.75, 0.5)])
def test_empty_image_is_rayleigh_noise_of_the_promised_size(acquired: tuple[float, float]):
    image = scan(plan_of(acquired=acquired), np.zeros(1), np.zeros(1)).astype(float)
    assert image.mean() == pytest.approx(4 * np.sqrt(np.pi / 2), rel=0.05)
    assert image.std() == pytest.approx(4 * np.sqrt(2 - np.pi / 2), rel=0.08)


def test_muscle_has_the_signal_to_noise_of_the_plan():
    plan = plan_of(acquired=(1.0, 1.0), snr=30.0)
    muscle = np.full(1, water_signal(Tissue.MUSCLE, plan.sequence))
    image = scan(plan, muscle, np.zeros(1)).astype(float)
    assert image.mean() / image.std() == pytest.approx(30.0, rel=0.06)


def centre_of_mass(image: np.ndarray) -> np.ndarray:
    weights = np.clip(image.astype(float).mean(axis=0) - 20, 0, None)
    return np.array([(weights * axis).sum() / weights.sum() for axis in np.indices(weights.shape)])


@pytest.mark.parametrize("readout", [0, 1])
def test_fat_moves_along_the_readout_by_its_resonance_over_the_bandwidth(readout: int):
    plan = plan_of(acquired=(1.0, 1.0), readout=readout, snr=200.0)
    square = np.zeros((SIZE * FINE, SIZE * FINE))
    square[40:80, 50:90] = 1.0
    nothing = np.zeros(1)
    shift = centre_of_mass(scan(plan, nothing, square)) - centre_of_mass(scan(plan, square, nothing))
    expected = 3.5 * 42.58 * 1.5 / plan.sequence.bandwidth_hz
    assert shift[readout] == pytest.approx(expected, abs=0.05)
    assert shift[1 - readout] == pytest.approx(0, abs=0.05)


def test_water_stays_where_the_grid_says():
    plan = plan_of(acquired=(1.0, 1.0), snr=200.0)
    point = np.zeros((SIZE * FINE, SIZE * FINE))
    point[2 * 20 - 1 : 2 * 20 + 2, 2 * 33 - 1 : 2 * 33 + 2] = 1.0  # around the samples of pixel (20, 33)
    image = scan(plan, point, np.zeros(1)).mean(axis=0)
    assert np.unravel_index(image.argmax(), image.shape) == (20, 33)


def test_fewer_phase_steps_blur_and_ring_along_that_axis_only():
    edge = np.zeros((SIZE * FINE, SIZE * FINE))
    edge[SIZE // 2 : 3 * SIZE // 2, SIZE // 2 : 3 * SIZE // 2] = 0.4
    image = scan(plan_of(acquired=(0.4, 1.0), snr=400.0), edge, np.zeros(1)).astype(float).mean(axis=0)
    down, across = image[:, SIZE // 2], image[SIZE // 2]
    assert np.abs(np.diff(across)).max() > 1.5 * np.abs(np.diff(down)).max()
    assert down.max() > 1.03 * np.median(across[22:42])  # the overshoot of a cut spectrum


def test_negative_and_positive_signal_cancel_in_one_voxel():
    plan = plan_of(acquired=(1.0, 1.0), snr=100.0)
    still = replace(plan, sequence=replace(plan.sequence, bandwidth_hz=1e9))
    cancelled = scan(still, np.full(1, -0.3), np.full(1, 0.3)).astype(float)
    assert cancelled.mean() < 0.05 * scan(still, np.full(1, -0.3), np.zeros(1)).mean()


def test_suppression_leaves_little_fat_in_the_middle_and_more_far_away():
    middle, far = Points.of([[0.0, 0.0, 0.0]]), Points.of([[220.0, 0.0, 150.0]])
    assert MAGNET.fat_left(middle, Contrast.T1) == 1
    for contrast in (Contrast.STIR, Contrast.T2FS, Contrast.PDFS):
        assert 0 < MAGNET.fat_left(middle, contrast)[0] < 0.15
    assert MAGNET.fat_left(far, Contrast.T2FS)[0] > 0.3 > MAGNET.fat_left(far, Contrast.STIR)[0]


def test_harder_means_noisier_and_more_movement():
    sizes = {
        difficulty: np.mean([np.linalg.norm(draw_movement(difficulty, stream(s, "m"))[:3, 3]) for s in range(100)])
        for difficulty in Difficulty
    }
    assert sizes[Difficulty.EASY] < sizes[Difficulty.STANDARD] < sizes[Difficulty.HARD]
