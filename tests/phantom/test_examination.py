"""One visit to the scanner: what is drawn for it, and what belongs to the patient."""

from dataclasses import replace

import numpy as np
import pytest

from toh_mri.core.study import Contrast, SlicePlane
from toh_mri.geometry import Side
from toh_mri.phantom.anatomy.body import ARTERY
from toh_mri.phantom.disease import Disease
from toh_mri.phantom.examination import Examination, _draw_screw
from toh_mri.phantom.motion import Jerk, vessel_share
from toh_mri.phantom.points import Points
from toh_mri.phantom.protocol import Difficulty, default_plans
from toh_mri.phantom.scene import Scene
from toh_mri.phantom.streams import stream


@pytest.fixture(scope="module")
def scene() -> Scene:
    return Scene.draw(5, {Side.LEFT: Disease.NORMAL})


def visit(scene: Scene, difficulty: Difficulty, patient_seed: int, seed: int, *, bilateral: bool) -> Examination:
    return Examination.draw(scene, Side.LEFT, seed, difficulty, bilateral=bilateral, patient_seed=patient_seed)


def test_vessels_that_pulsate_are_those_of_the_anatomy(scene: Scene):
    for side in Side:
        inside = scene.hips[side].to_world(np.array(ARTERY)[1:4, :3])
        assert vessel_share(scene, Points.of(inside), 1.0) == pytest.approx(1.0)
        assert vessel_share(scene, Points.of(inside + np.array([0.0, 40.0, 0.0])), 1.0) == pytest.approx(0.0)


def test_metal_is_rare_and_only_in_hard_cases(scene: Scene):
    for difficulty in (Difficulty.EASY, Difficulty.STANDARD):
        assert all(visit(scene, difficulty, s, s, bilateral=False).screw is None for s in range(3))
    hip = scene.hips[Side.LEFT]
    found = [_draw_screw(hip, Difficulty.HARD, stream(s, "metal")) is not None for s in range(1000)]
    assert 0.05 < np.mean(found) < 0.11


def test_screw_crosses_the_shaft_away_from_the_joint_and_stays_from_visit_to_visit(scene: Scene):
    with_screw = next(s for s in range(2000) if stream(s, "metal").random() < 0.08)
    first, second = (visit(scene, Difficulty.HARD, with_screw, s, bilateral=False) for s in (1, 2))
    assert first.screw is not None
    assert second.screw is not None
    assert np.array_equal(first.screw.start_mm, second.screw.start_mm)
    assert not np.array_equal(first.center, second.center)
    for bilateral, side in ((False, Side.LEFT), (True, Side.RIGHT)):
        screw = visit(scene, Difficulty.HARD, with_screw, 1, bilateral=bilateral).screw
        assert screw is not None
        hip = scene.hips[side]
        middle = (screw.start_mm + screw.end_mm) / 2
        assert middle[0] * side.lateral_x > 0
        assert hip.to_world([0.0, 0.0, 0.0])[2] - middle[2] > 60
        inside = hip.femur.shaft.distance(hip.to_local(Points.of(np.array([middle, screw.start_mm, screw.end_mm]))))
        assert inside[0] < -5
        assert np.all(inside[1:] > -3)  # both ends reach the cortex


def test_patients_hold_still_when_it_is_easy_and_move_late_when_they_move():
    for difficulty, low, high in ((Difficulty.EASY, 0, 0), (Difficulty.STANDARD, 30, 90), (Difficulty.HARD, 50, 120)):
        jerks = [Jerk.draw(difficulty, np.random.default_rng(s)) for s in range(200)]
        found = [jerk for jerk in jerks if jerk is not None]
        assert low <= len(found) <= high
        assert all(0.6 <= jerk.after <= 0.95 for jerk in found)


def test_images_of_one_acquisition_share_its_movement_wherever_they_stand(scene: Scene):
    wanted = (Contrast.T1, Contrast.DIXON_WATER, Contrast.STIR, Contrast.DIXON_FAT)
    usual = default_plans(1.5, bilateral=False, contrasts=[(SlicePlane.CORONAL, contrast) for contrast in wanted])
    plans = [replace(plan, matrix=32, slices=2) for plan in usual]
    t1, water, stir, fat = visit(scene, Difficulty.HARD, 1, 1, bilateral=False).acquire(plans)
    assert np.array_equal(water.movement, fat.movement)
    assert water.jerk == fat.jerk
    assert len({one.movement.tobytes() for one in (t1, water, stir)}) == 3
