"""Marrow that looks ill without edema: infiltrated marrow, and much red marrow in normal hips."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from tests.phantom.conftest import small_plans
from toh_mri.evaluation.patterns import accepted
from toh_mri.geometry import Side
from toh_mri.phantom import Disease, PhantomCase, make_case
from toh_mri.phantom.person import Person
from toh_mri.phantom.points import Points
from toh_mri.phantom.replacement import Replacement
from toh_mri.phantom.scene import Scene
from toh_mri.phantom.streams import stream

NODULAR = 4


@pytest.fixture(scope="module")
def case() -> PhantomCase:
    plans = [replace(plan, slices=22, thickness_mm=4.6, gap_mm=0.4) for plan in small_plans()]
    return make_case(NODULAR, Disease.REPLACEMENT, side=Side.LEFT, plans=plans)


def test_it_is_no_edema_and_has_a_mask_and_a_volume_of_its_own(case: PhantomCase) -> None:
    hip = case.truth["hips"]["L"]
    assert hip["cls"] == "REPLACEMENT"
    assert hip["edema_ml"] == hip["necrosis_ml"] == 0
    for series in case.series:
        mask = series.masks["replacement"].array
        assert not series.masks["edema"].array.any()
        volume = np.count_nonzero(mask) * series.image.grid.voxel_volume_ml
        assert volume == pytest.approx(hip["volumes_ml"]["replacement"], rel=0.1)
        assert series.masks["labels"].array[mask > 0].min() > 0


def test_it_is_dark_on_t1_and_bright_on_stir(case: PhantomCase) -> None:
    t1, stir = case.series
    for series, low, high in ((t1, 0.3, 0.75), (stir, 2.5, 30.0)):
        marrow = ndimage.binary_erosion(np.isin(series.masks["labels"].array, (11, 12)), np.ones((1, 7, 7)))
        mask = series.masks["replacement"].array > 0
        inside = marrow & ndimage.binary_erosion(mask, np.ones((1, 5, 5)))
        outside = marrow & ~ndimage.binary_dilation(mask, np.ones((1, 7, 7)))
        assert min(inside.sum(), outside.sum()) > 100
        ratio = np.median(series.image.array[inside]) / np.median(series.image.array[outside])
        assert low < ratio < high


def test_it_keeps_to_no_joint_and_comes_in_both_forms() -> None:
    hip = Scene.draw(1, {}).hips[Side.LEFT]
    p = Points.of(np.random.default_rng(0).uniform(-45, 45, (20_000, 3)))
    femur, pelvis = hip.femur.distance(p) < -2, hip.pelvis.distance(p) < -2
    found = [Replacement.draw(hip.femur, stream(seed, "infiltrate")) for seed in range(16)]
    assert {len(one.centers) > 0 for one in found} == {True, False}
    taken = np.array([[(one.distance(p) < 0)[bone].mean() for bone in (femur, pelvis)] for one in found])
    assert (taken[:, 0] > 0.01).all()
    assert (taken[:, 1] > 0.01).mean() > 0.6
    assert taken.max() < 1


def test_no_rule_scores_it() -> None:
    for pattern in ("toh_like", "on_like", "no_finding", None):
        assert accepted(Disease.REPLACEMENT.value, pattern, frozenset()) is None


def test_one_normal_person_in_three_has_much_red_marrow() -> None:
    drawn = [Person.draw(stream(seed, "person")) for seed in range(300)]
    levels = [one.reconverted(stream(seed, "x")).red_marrow for seed, one in enumerate(drawn)]
    much = np.array([level > 0.6 for level in levels])
    assert much.mean() == pytest.approx(1 / 3, abs=0.08)
    assert 0.85 < max(levels) <= 0.9
    seed = next(seed for seed in range(30) if Scene.draw(seed, {}).person.red_marrow > 0.6)
    ill = Scene.draw(seed, {Side.LEFT: Disease.TOH})
    assert ill.person.red_marrow <= 0.6
    assert {hip.marrow.red for hip in Scene.draw(seed, {}).hips.values()} == {Scene.draw(seed, {}).person.red_marrow}
