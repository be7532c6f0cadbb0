"""The scanner on pictures simple enough to predict."""

from dataclasses import replace

import numpy as np
import pytest

from toh_mri.core.study import Contrast
from toh_mri.geometry import Grid
from toh_mri.phantom.coil import Coil
from toh_mri.phantom.kspace import KSpace
from toh_mri.phantom.magnet import Magnet, Swap, air_around
from toh_mri.phantom.metal import Screw, displaced
from toh_mri.phantom.motion import Jerk, Pulsation, draw_movement
from toh_mri.phantom.noise import Texture
from toh_mri.phantom.painting import FINE, Rendering
from toh_mri.phantom.points import Points
from toh_mri.phantom.protocol import Difficulty, SeriesPlan, default_plans, place, sequence_of
from toh_mri.phantom.scanner import CALM, Disturbance, acquire
from toh_mri.phantom.signal import water_signal
from toh_mri.phantom.streams import stream
from toh_mri.phantom.tissues import FAT_NEAR_WATER, Tissue

SIZE = 64
FLAT = Texture(np.zeros((2, 2, 2), dtype=np.float32), np.ones(3))
EVEN = Coil(np.zeros(3), 100.0, 0.0, FLAT)
MAGNET = Magnet.draw(Difficulty.STANDARD, stream(0, "magnet"))


def plan_of(**changes: object) -> SeriesPlan:
    plan = default_plans(1.5, bilateral=False)[0]
    return replace(plan, fov_mm=64.0, matrix=SIZE, slices=2, **changes)


def grid_of(plan: SeriesPlan) -> Grid:
    return place(plan, np.zeros(3), np.eye(3))


def scan(
    plan: SeriesPlan,
    water: np.ndarray,
    fat: np.ndarray,
    *,
    magnet: Magnet = MAGNET,
    disturbance: Disturbance = CALM,
) -> np.ndarray:
    layers = (np.broadcast_to(layer, (2, SIZE * FINE, SIZE * FINE)).astype(np.float32) for layer in (water, fat))
    rng = np.random.default_rng(1)
    return acquire(Rendering(*layers, {}), plan, grid_of(plan), EVEN, magnet, Difficulty.STANDARD, rng, disturbance)


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
    expected = 3.5 * 42.58 * 1.5 / plan.sequence.bandwidth_hz * (1 - FAT_NEAR_WATER)  # the rest stays with water
    assert expected > 1
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
    for contrast in (Contrast.T2FS, Contrast.PDFS):
        assert 0 < MAGNET.fat_left(middle, contrast)[0] < 0.05
        assert MAGNET.fat_left(far, contrast)[0] > 0.3
    for contrast in (Contrast.T1, Contrast.T2, Contrast.PD, Contrast.DIXON_WATER, Contrast.DIXON_FAT):
        assert MAGNET.fat_left(far, contrast) == 1


def test_inversion_is_almost_as_good_far_away_as_in_the_middle():
    p = Points.of(np.random.default_rng(0).uniform(-200, 200, (500, 3)))
    left = MAGNET.fat_left(p, Contrast.STIR)
    assert left.mean() == pytest.approx(1, abs=0.3)
    assert 0.2 < left.std() < 0.8


def test_air_beside_tissue_spoils_spectral_suppression():
    tissue = np.ones((96, 96), dtype=np.float32)
    tissue[:, 48:] = 0
    near = air_around(np.zeros_like(tissue), tissue, 1.0)
    assert near[48, 48] == pytest.approx(0.5, abs=0.15)
    assert near[48, 0] < 0.05
    assert near[48, 95] > 0.9
    skin = Points.of([[195.0, 0.0, 0.0]])
    beside = MAGNET.fat_left(skin, Contrast.T2FS, near_air=np.full(1, 0.5, dtype=np.float32))
    assert beside[0] > MAGNET.fat_left(skin, Contrast.T2FS)[0] + 0.02


def dixon(contrast: Contrast) -> SeriesPlan:
    sequence = replace(sequence_of(contrast, 1.5), bandwidth_hz=1e9)
    return plan_of(acquired=(1.0, 1.0), snr=400.0, sequence=sequence)


def halves() -> tuple[np.ndarray, np.ndarray]:
    """Water of 0.1 everywhere but in a frame, fat of 0.05 in its right half."""
    water = np.zeros((SIZE * FINE, SIZE * FINE))
    water[16:-16, 16:-16] = 0.1
    fat = np.where(np.arange(SIZE * FINE) >= SIZE, water / 2, 0)
    return water, fat


def test_dixon_water_and_fat_add_up_to_the_image_in_phase():
    water, fat = (
        scan(dixon(contrast), *halves()).astype(float) for contrast in (Contrast.DIXON_WATER, Contrast.DIXON_FAT)
    )
    together = scan(
        replace(dixon(Contrast.T2), sequence=replace(dixon(Contrast.DIXON_WATER).sequence, contrast=Contrast.T2)),
        *halves(),
    ).astype(float)
    inside = np.s_[:, 12:-12, 12:-12]
    assert np.abs((water + fat - together)[inside]).mean() < 0.02 * together[inside].mean()
    left, right = np.s_[:, 12:-12, 12:28], np.s_[:, 12:-12, 36:52]
    assert fat[left].mean() < 0.02 * water[left].mean()
    assert fat[right].mean() / water[left].mean() == pytest.approx(0.5 * (1 - FAT_NEAR_WATER), rel=0.03)
    assert water[right].mean() / water[left].mean() == pytest.approx(1 + 0.5 * FAT_NEAR_WATER, rel=0.01)


def test_swap_shows_fat_for_water_inside_its_border_only():
    where = grid_of(plan_of()).to_world([0, 32, 44])
    magnet = replace(MAGNET, swap=Swap(where, 7.0, FLAT))
    water, fat = (scan(dixon(c), *halves()) for c in (Contrast.DIXON_WATER, Contrast.DIXON_FAT))
    swapped = scan(dixon(Contrast.DIXON_WATER), *halves(), magnet=magnet)
    assert np.array_equal(swapped[0, 30:35, 42:47], fat[0, 30:35, 42:47])
    assert np.array_equal(swapped[0, :20], water[0, :20])


def square() -> np.ndarray:
    raster = np.zeros((SIZE * FINE, SIZE * FINE))
    raster[40:80, 50:90] = 1.0
    return raster


@pytest.mark.parametrize("echoes", [3, 7, 9])
@pytest.mark.parametrize("after", [0.0, 0.1, 0.45, 0.8, 1.0])
def test_lines_on_the_other_side_of_a_jerk_than_the_middle_of_k_space_see_the_patient_elsewhere(echoes, after):
    plan = plan_of(acquired=(1.0, 1.0))
    space = KSpace(replace(plan, sequence=replace(plan.sequence, echo_train_length=echoes)))
    still = space.spectrum(square(), FINE)
    seen = Jerk(after, (3.0, -2.0)).apply(still, space, plan.fov_mm)
    late = space.shots() >= after * space.repetitions
    middle_is_late = late[space.frequencies(space.phase) == 0].all()
    away = (-1 if middle_is_late else 1) * FINE * np.array([3, -2])
    moved = space.spectrum(np.roll(square(), away, axis=(0, 1)), FINE)
    elsewhere = space.along_phase(late != middle_is_late)
    assert np.allclose(seen, np.where(elsewhere, moved, still), atol=1e-9)


@pytest.mark.parametrize("readout", [0, 1])
def test_jerk_leaves_ghosts_along_the_phase_encoding_only(readout: int):
    plan = plan_of(acquired=(1.0, 1.0), snr=200.0, readout=readout)
    seen = scan(plan, square(), np.zeros(1), disturbance=Disturbance(jerk=Jerk(0.7, (1.5, 1.5)))).astype(float)
    beside = {0: seen[:, 48:, 26:44], 1: seen[:, 21:38, 52:]}  # of the square, along the row and the column index
    phase = 1 - readout
    assert beside[phase].mean() > 3 * beside[readout].mean()


def test_shots_take_every_line_once_and_spread_each_train_over_k_space():
    plan = plan_of(acquired=(1.0, 1.0))
    shots, frequencies = KSpace(plan).shots(), KSpace(plan).frequencies(1 - plan.readout)
    for shot in range(KSpace(plan).repetitions):
        lines = np.sort(frequencies[shots == shot])
        assert len(lines) <= plan.sequence.echo_train_length
        assert np.all(np.diff(lines) == KSpace(plan).repetitions)
    assert sorted(frequencies) == list(range(-SIZE // 2, SIZE // 2))


@pytest.mark.parametrize("readout", [0, 1])
def test_vessels_have_ghosts_along_the_phase_encoding_at_the_beat_of_the_heart(readout: int):
    plan = plan_of(acquired=(1.0, 1.0), snr=100.0, readout=readout)
    plan = replace(plan, sequence=replace(plan.sequence, echo_train_length=1))
    vessels = np.zeros((2, SIZE, SIZE), dtype=np.float32)
    vessels[:, 32, 32] = 10.0
    pulsation = Pulsation(1.0, plan.sequence.repetition_time_ms / 0.25)  # a quarter of a turn from line to line
    seen = scan(plan, np.zeros(1), np.zeros(1), disturbance=Disturbance(pulsation=pulsation, vessels=vessels))
    profile = seen[0, :, 32] if readout == 1 else seen[0, 32]
    assert set(np.argsort(profile)[-2:]) == {32 - SIZE // 4, 32 + SIZE // 4}
    across = seen[0, 32] if readout == 1 else seen[0, :, 32]
    assert across.max() < 0.1 * profile.max()


SCREW = Screw(np.array([-12.0, 0.0, 0.0]), np.array([12.0, 0.0, 0.0]), 2.0)


def test_field_of_metal_is_that_of_a_dipole_far_away():
    along, beside = SCREW.field_ppm(Points.of([[0.0, 0.0, 300.0], [0.0, 300.0, 0.0]]))
    volume = np.pi * 2.0**2 * 24.0
    assert along == pytest.approx(182.0 * volume / (4 * np.pi * 300.0**3) * 2, rel=0.01)
    assert beside == pytest.approx(-along / 2, rel=0.01)


def test_metal_is_dark_with_a_bright_rim_and_moves_nothing_across_the_readout():
    plan = plan_of(acquired=(1.0, 1.0), snr=100.0, readout=0)
    even = np.full(1, 0.2)
    plain = scan(plan, even, np.zeros(1)).astype(float)
    seen = scan(plan, even, np.zeros(1), disturbance=Disturbance(screw=SCREW)).astype(float)
    middle = seen[0, 20:44, 24:40]
    assert middle.min() < 0.1 * plain.mean()
    assert middle.max() > 1.4 * plain.mean()
    assert seen[0, :, :4].mean() == pytest.approx(plain.mean(), rel=0.05)


def test_displaced_signal_is_neither_lost_nor_made():
    signal = np.random.default_rng(2).random((30, 40)).astype(np.float32)
    samples = np.random.default_rng(3).normal(0, 3, (30, 40)).astype(np.float32)
    for axis in (0, 1):
        moved = displaced(signal, samples, axis)
        assert moved.sum(axis=axis) == pytest.approx(signal.sum(axis=axis), rel=1e-4)
        assert np.array_equal(displaced(signal, np.zeros_like(signal), axis), signal)
    two = displaced(signal, np.full((30, 40), 2, dtype=np.float32), 1)
    assert np.allclose(two[:, 2:39], signal[:, :37], atol=1e-6)


def test_harder_means_noisier_and_more_movement():
    sizes = {
        difficulty: np.mean([np.linalg.norm(draw_movement(difficulty, stream(s, "m"))[:3, 3]) for s in range(100)])
        for difficulty in Difficulty
    }
    assert sizes[Difficulty.EASY] < sizes[Difficulty.STANDARD] < sizes[Difficulty.HARD]
