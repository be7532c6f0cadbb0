"""Osteonecrosis: where it lies, how much it takes, its crescent and its collapse."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist

from tests.phantom.conftest import small_plans
from toh_mri.geometry import Side
from toh_mri.phantom import Disease
from toh_mri.phantom.deformity import SOUND
from toh_mri.phantom.disease import Lesions
from toh_mri.phantom.necrosis import Crescent, Filling, draw_necrosis
from toh_mri.phantom.painting import FINE, render
from toh_mri.phantom.person import Person
from toh_mri.phantom.points import Points
from toh_mri.phantom.protocol import place
from toh_mri.phantom.scene import Hip, Scene
from toh_mri.phantom.streams import stream
from toh_mri.phantom.truth import hip_truth, joint_params

seeds = st.integers(0, 10_000)


def hip_of(seed: int) -> Hip:
    return Hip.draw(Person.draw(stream(seed, "person")), Side.LEFT, Disease.ON, seed)


def with_crescent(hip: Hip, *, fluid: bool) -> Hip:
    crescent = Crescent.draw(hip.lesions.necrosis, hip.femur, stream(1, "crescent"))
    return replace(hip, lesions=replace(hip.lesions, line=replace(crescent, fluid=fluid)))


@pytest.fixture(scope="module")
def population() -> list[Lesions]:
    femur = hip_of(1).femur
    return [Lesions.draw(Disease.ON, femur, stream(seed, "disease")) for seed in range(70)]


@settings(max_examples=6, deadline=None)
@given(seeds)
def test_it_lies_in_front_and_above_takes_its_share_and_stays_in_the_head(seed: int) -> None:
    hip = hip_of(seed)
    necrosis, r, axis = hip.lesions.necrosis, hip.femur.radius_mm, hip.femur.neck.axis
    assert necrosis is not None
    p = np.random.default_rng(seed).uniform(-r, r, (60000, 3))
    p = p[(np.linalg.norm(p, axis=1) < r) & (p @ axis < 0.82 * r)]
    inside = necrosis.distance(Points.of(p)) < 0
    assert inside.mean() == pytest.approx(necrosis.share, abs=0.04)
    _, y, z = p[inside].mean(axis=0)
    assert y < 0 < z
    assert z > 0.7 * abs(y)
    assert (p[inside] @ axis).max() < 0.82 * r


def test_lesions_of_every_size_stage_and_filling_come(population: list[Lesions]) -> None:
    lesions = [one.necrosis for one in population]
    assert min(one.share for one in lesions) < 0.06
    assert max(one.share for one in lesions) > 0.55
    assert {one.filling for one in lesions} == set(Filling)
    assert {one.granulation_mm > 0 for one in lesions} == {True, False}
    sideways = [one.direction[0] for one in lesions]
    assert min(sideways) < -0.35
    assert max(sideways) > 0.45
    fractured = [one for one in population if one.line is not None or one.deformity.depression is not None]
    early = [one for one in population if one not in fractured]
    assert 0.15 < len(fractured) / len(population) < 0.5
    assert all(one.necrosis.share > 0.12 for one in fractured)
    assert np.mean([one.necrosis.around > 0 for one in fractured]) > 0.8
    assert np.mean([one.necrosis.around > 0 for one in early]) == pytest.approx(0.44, abs=0.2)
    assert {one.edema is None for one in early if one.necrosis.around > 0} == {True, False}
    assert any(one.edema is not None and one.edema.fraction > 0.8 for one in population)  # as strong as in TOH


@pytest.mark.parametrize(("share", "seed"), [(0.03, 2), (0.60, 3)])
def test_the_truth_measures_the_share_that_was_asked_for(share: float, seed: int) -> None:
    hip = hip_of(seed)
    necrosis = draw_necrosis(hip.femur, share, stream(seed, "asked"))
    sound = replace(hip, lesions=replace(hip.lesions, necrosis=necrosis, deformity=SOUND))
    assert hip_truth(sound)["necrosis_percent_of_head"] == pytest.approx(100 * share, rel=0.1, abs=1.0)


@settings(max_examples=5, deadline=None)
@given(seeds)
def test_crescent_lies_within_3_mm_of_the_surface_over_the_lesion_and_is_as_long_as_told(seed: int) -> None:
    hip = hip_of(seed)
    crescent = with_crescent(hip, fluid=True).lesions.line
    necrosis, r = hip.lesions.necrosis, hip.femur.radius_mm
    p = necrosis.direction * r + np.random.default_rng(seed).uniform(-22, 22, (400_000, 3))
    across, beyond = crescent.sheet(Points.of(p), hip.femur)
    line = p[(np.abs(across) < crescent.half_mm) & (beyond < 0)]
    depth = -hip.femur.head_distance(Points.of(line))
    assert depth.max(initial=0) < 3.1
    assert (depth > hip.femur.plate_mm - 0.3).all()
    assert (necrosis.distance(Points.of(line)) < 0).all()
    if len(line) > 200 and crescent.length_mm > 6:
        chord = pdist(line[np.random.default_rng(0).permutation(len(line))[:1500]]).max()
        radius = r - crescent.depth_mm
        arc = 2 * radius * np.arcsin(min(chord / (2 * radius), 1))
        assert arc == pytest.approx(crescent.length_mm, rel=0.2, abs=2.5)


@pytest.mark.parametrize("fluid", [True, False])
@pytest.mark.parametrize("plan", small_plans(), ids=lambda plan: plan.name)
def test_crescent_is_bright_where_it_holds_fluid_else_dark(plan, fluid: bool) -> None:
    scene = Scene.draw(14, {Side.LEFT: Disease.ON})  # a lesion of 29 %, filled with fat
    hip = scene.hips[Side.LEFT]
    thin = replace(plan, fov_mm=50.0, matrix=96, slices=1, thickness_mm=1.6)
    grid = place(thin, hip.to_world(hip.femur.radius_mm * hip.lesions.necrosis.direction), np.eye(3))
    fractured = replace(scene, hips={Side.LEFT: with_crescent(hip, fluid=fluid)})
    before, after = (
        render(one, grid, 1.6, thin.sequence) for one in (replace(scene, hips={Side.LEFT: hip}), fractured)
    )
    core = after.truth[Side.LEFT]["line_subchondral"] > 0.85
    assert core.sum() > 20
    fat = 1.0 if plan.name.endswith("T1") else 0.0
    was, now = ((np.abs(one.water) + fat * one.fat)[:, ::FINE, ::FINE][core].mean() for one in (before, after))
    assert now > 3 * was if fluid and not fat else now < 0.5 * was


def test_collapse_pushes_the_surface_in_and_moves_no_landmark() -> None:
    hip = next(hip for hip in map(hip_of, range(60)) if hip.lesions.deformity.depression is not None)
    dent = hip.lesions.deformity.depression
    ray = np.arange(0.7, 1.1, 0.002)[:, None] * hip.femur.radius_mm * dent.direction
    sound = replace(hip.femur, depression=None)
    reach = [float(np.linalg.norm(ray, axis=1)[np.argmax(f.distance(Points.of(ray)) > 0)]) for f in (sound, hip.femur)]
    assert reach[0] - reach[1] == pytest.approx(dent.depth_mm, abs=0.15)
    early = Hip.draw(Person.draw(stream(3, "person")), Side.LEFT, Disease.NORMAL, 3)
    late = Hip.draw(Person.draw(stream(3, "person")), Side.LEFT, Disease.ON, 3)
    assert early.landmarks.head == late.landmarks.head
    told = joint_params({Side.LEFT: hip})["joint"]["L"]["depression"]
    assert told == {"radius": dent.radius_mm, "depth": dent.depth_mm}


def test_truth_tells_crescents_as_the_development_cohort_does() -> None:
    hip = with_crescent(hip_of(14), fluid=True)
    told = joint_params({Side.LEFT: hip})["joint"]["L"]
    assert told["cls"] == "ON"
    assert {"depth", "half", "ang", "length", "fluid"} == set(told["crescent"])
    volumes = hip_truth(hip)["volumes_ml"]
    area = np.pi * (told["crescent"]["length"] / 2) ** 2
    assert 0.3 < volumes["line_subchondral"] / (area * 2 * told["crescent"]["half"] / 1000) < 1.3
