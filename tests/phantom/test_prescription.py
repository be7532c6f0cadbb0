"""What examinations consist of, and where their slices lie."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toh_mri.core.study import Contrast, SlicePlane
from toh_mri.geometry import Side
from toh_mri.phantom.disease import Disease
from toh_mri.phantom.prescription import draw_series
from toh_mri.phantom.protocol import default_plans, place, volume_plan
from toh_mri.phantom.scene import Scene


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), bilateral=st.booleans(), field=st.sampled_from([1.5, 3.0]))
def test_drawn_examinations_are_within_routine_protocols(seed: int, bilateral: bool, field: float):
    plans = draw_series(np.random.default_rng(seed), field_strength_t=field, side=Side.LEFT, bilateral=bilateral)
    again = draw_series(np.random.default_rng(seed), field_strength_t=field, side=Side.LEFT, bilateral=bilateral)
    assert plans == again
    assert len({plan.name for plan in plans}) == len(plans)
    assert len({plan.dialect for plan in plans}) == 1
    contrasts = {plan.sequence.contrast for plan in plans}
    assert Contrast.T1 in contrasts
    assert any(contrast.is_fluid_sensitive for contrast in contrasts)
    assert (Contrast.DIXON_WATER in contrasts) == (Contrast.DIXON_FAT in contrasts)
    for plan in plans:
        assert plan.sequence.field_strength_t == field
        assert 70 <= plan.slices * plan.spacing_mm <= 105
        assert plan.fov_mm / plan.matrix <= (1.26 if bilateral else 0.9)
        if plan.sequence.is_volume:
            assert (plan.gap_mm, plan.thickness_mm <= 1.5) == (0, True)
        else:
            assert 3 <= plan.thickness_mm <= 5
            assert 0 <= plan.gap_mm <= 1


def test_every_kind_of_series_comes_up():
    names, dialects, tilted = set(), set(), 0
    for seed in range(300):
        plans = draw_series(np.random.default_rng(seed), field_strength_t=3.0, side=Side.RIGHT, bilateral=False)
        names |= {plan.name for plan in plans}
        dialects |= {plan.dialect for plan in plans}
        tilted += any(any(plan.tilt_degree) for plan in plans)
    assert {"COR_T1", "COR_T1VIBE", "COR_STIR", "COR_DIXON_WATER", "COR_DIXON_FAT", "AX_PDFS", "SAG_T2FS"} <= names
    assert len(dialects) == 3
    assert 40 < tilted < 180


def test_images_of_one_separation_are_one_acquisition_beside_each_other():
    for seed in range(60):
        plans = draw_series(np.random.default_rng(seed), field_strength_t=3.0, side=Side.RIGHT, bilateral=True)
        named = [plan.acquisition for plan in plans]
        if "COR_DIXON" in named:
            first = named.index("COR_DIXON")
            assert named[first : first + 2] == ["COR_DIXON"] * 2
            water, fat = plans[first : first + 2]
            assert replace(fat, sequence=water.sequence) == water
            return
    pytest.fail("no separation was drawn")


def anteverted_neck(side: Side) -> np.ndarray:
    """Direction of a neck that leaves the coronal plane by 12 degrees or more, in LPS."""
    for seed in range(40):
        hip = Scene.draw(seed, {side: Disease.NORMAL}).hips[side]
        neck = hip.to_world_direction(hip.femur.neck.axis)
        if neck[1] > np.sin(np.radians(12)):  # the axis runs down the neck, so backwards
            return neck
    raise AssertionError("no hip of the usual version")


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("plane", [SlicePlane.CORONAL, SlicePlane.AXIAL])
def test_oblique_slices_lie_along_an_anteverted_neck(side: Side, plane: SlicePlane):
    neck, seen = anteverted_neck(side), 0
    for seed in range(200):
        for plan in draw_series(np.random.default_rng(seed), field_strength_t=1.5, side=side, bilateral=False):
            if plan.plane is plane and any(plan.tilt_degree):
                straight = replace(plan, tilt_degree=(0.0, 0.0, 0.0))
                normals = (place(one, np.zeros(3), np.eye(3)).directions[:, 0] for one in (straight, plan))
                across, turned = (abs(normal @ neck) for normal in normals)
                seen += 1
                assert turned < across
    assert seen > 10


@pytest.mark.parametrize("tilt", [(0.0, 0.0, 20.0), (0.0, -30.0, 0.0), (5.0, 10.0, -15.0)])
def test_oblique_grid_is_turned_about_its_middle(tilt: tuple[float, float, float]):
    (plan,) = default_plans(1.5, bilateral=False, contrasts=[(SlicePlane.CORONAL, Contrast.PDFS)])
    center = np.array([80.0, -5.0, 20.0])
    plain, turned = (place(replace(plan, tilt_degree=t), center, np.eye(3)) for t in ((0.0, 0.0, 0.0), tilt))
    index = [(n - 1) / 2 for n in (plan.slices, plan.matrix, plan.matrix)]
    assert turned.to_world(index) == pytest.approx(center)
    assert turned.spacing_mm == pytest.approx(plain.spacing_mm)
    angle = np.degrees(np.arccos((np.trace(plain.directions.T @ turned.directions) - 1) / 2))
    assert angle == pytest.approx(np.linalg.norm(tilt))
    assert np.linalg.det(turned.directions) == pytest.approx(np.linalg.det(plain.directions))


def test_volume_has_thin_slices_without_gaps():
    plan = volume_plan(3.0, bilateral=False)
    assert plan.name == "COR_T1VIBE"
    assert plan.spacing_mm == plan.thickness_mm < 1.6
    assert plan.slices >= 56
