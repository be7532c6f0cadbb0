from dataclasses import replace

import numpy as np
import pytest

from tests.lesions.hip import RADIUS, Recipe, build
from toh_mri.core.config.lesions import LesionsConfig
from toh_mri.core.hip import Structure
from toh_mri.core.study import Contrast
from toh_mri.geometry import Side
from toh_mri.lesions import find_lesions

AXIS = np.array([0.77, 0.0, -0.64]) / np.linalg.norm([0.77, 0.64])


def dip(distance_mm, thickness_mm, depth=0.85):
    """A dark sheet with a Gaussian profile of the given full width at half depth."""
    return depth * np.exp(-4 * np.log(2) * (distance_mm / thickness_mm) ** 2)


def band(points):
    """A dome through the upper head, concave to the joint surface: radius 18 mm round a point above the head."""
    top = np.array([0.0, 0.0, 22.0])
    head = np.linalg.norm(points, axis=-1) < RADIUS
    return dip(np.linalg.norm(points - top, axis=-1) - 17.0, 2.4) * head


def physis(points):
    """A thin sheet across the neck axis, just distal of the centre."""
    return dip(points @ AXIS - 5.0, 1.0, depth=0.5) * (np.linalg.norm(points, axis=-1) < RADIUS)


def subchondral(points):
    """A line 4 mm below the roof of the head, 16 mm wide, as an insufficiency fracture has."""
    radius = np.linalg.norm(points, axis=-1)
    polar = np.hypot(points[..., 0], points[..., 1])
    return dip(radius - (RADIUS - 4.0), 1.4) * (polar < 8) * (points[..., 2] > 0)


def edema(points):
    return np.where(np.linalg.norm(points, axis=-1) < RADIUS + 12, 0.8, 0.0)


def neck_line(points):
    """From the lower cortex of the neck half way in, at right angles to it."""
    up = np.array([0.64, 0.0, 0.77]) / np.linalg.norm([0.64, 0.77])
    return dip(points @ AXIS - 27.0, 2.0) * (points @ up < -2.0) * (np.abs(points[..., 1]) < 9)


def lines_of(recipe, config=None):
    images, anatomy = build(recipe)
    findings = find_lesions(images, anatomy, config or LesionsConfig())
    return findings, [item for item in findings.items if item.structure is not Structure.EDEMA]


@pytest.mark.parametrize("side", list(Side))
def test_a_band_is_found_and_measured(side):
    findings, (item,) = lines_of(Recipe(side=side, dark=band))
    assert item.structure is Structure.BAND
    assert item.series == ("COR_STIR", "COR_T1") or item.series == ("COR_T1",)
    assert item.measures["thickness_mm"] == pytest.approx(2.4, abs=0.8)
    assert item.measures["depth_max_mm"] == pytest.approx(24 + 17 - 22, abs=1.5)
    assert 25 < item.measures["length_mm"] < 60
    mask = findings.masks[Structure.BAND]
    points = mask.grid.to_world(np.argwhere(mask.array))
    centre = np.array(build(Recipe(side=side))[1].head.center)
    gap = np.linalg.norm(points - centre - [0, 0, 22.0], axis=1) - 17.0
    assert np.median(np.abs(gap)) < 1.0
    assert not findings.masks[Structure.SUBCHONDRAL_LINE].array.any()


def test_a_band_without_edema_is_found_on_t1_alone():
    _, (item,) = lines_of(Recipe(dark=band, contrasts=(Contrast.T1,)))
    assert item.structure is Structure.BAND


def test_the_physeal_scar_is_no_lesion():
    assert lines_of(Recipe(dark=physis))[1] == []
    assert lines_of(Recipe(dark=physis, edema=edema))[1] == []


def test_a_normal_and_an_edematous_head_have_no_lines():
    assert lines_of(Recipe())[1] == []
    assert lines_of(Recipe(edema=edema, seed=3))[1] == []


def test_a_line_below_the_joint_surface_is_subchondral():
    _, (item,) = lines_of(Recipe(dark=subchondral, edema=edema, spacing=(3.0, 0.6, 0.6)))
    assert item.structure is Structure.SUBCHONDRAL_LINE
    assert item.measures["depth_median_mm"] == pytest.approx(4.0, abs=1.0)
    assert item.measures["length_mm"] == pytest.approx(16, abs=5)
    assert set(item.series) == {"COR_STIR", "COR_T1"}


@pytest.mark.parametrize("error_mm", [-1.0, 1.0])
def test_a_bone_surface_off_by_a_millimetre_changes_no_kind(error_mm):
    for dark, kind in ((band, Structure.BAND), (subchondral, Structure.SUBCHONDRAL_LINE)):
        images, anatomy = build(Recipe(dark=dark, edema=edema, spacing=(3.0, 0.6, 0.6)))
        centre = np.array(anatomy.head.center)
        ray = anatomy.surface - centre
        moved = centre + ray * (1 + error_mm / np.linalg.norm(ray, axis=-1, keepdims=True))
        findings = find_lesions(images, replace(anatomy, surface=moved), LesionsConfig())
        assert {i.structure for i in findings.items} - {Structure.EDEMA} == {kind}


def test_a_line_from_the_cortex_into_the_neck_needs_edema_beside_it():
    recipe = Recipe(dark=neck_line, edema=edema, spacing=(3.0, 0.6, 0.6))
    assert [item.structure for item in lines_of(recipe)[1]] == [Structure.NECK_LINE]
    assert lines_of(replace(recipe, edema=None))[1] == []


def test_polylines_lie_in_the_slices_that_are_named():
    images, anatomy = build(Recipe(dark=band))
    (item,) = find_lesions(images, anatomy, LesionsConfig()).items
    grid = anatomy.labels.grid
    index = np.concatenate([grid.to_index(np.array(line))[:, 0] for line in item.polylines_lps_mm])
    assert np.abs(index - np.rint(index)).max() < 0.01
    assert set(np.rint(index).astype(int) + 5) == set(item.slices)


def test_a_single_slice_shows_a_band():
    _, (item,) = lines_of(Recipe(dark=band, slices=1, contrasts=(Contrast.T1,)))
    assert item.structure is Structure.BAND


def test_the_least_confidence_is_the_configurations():
    faint = Recipe(dark=lambda p: 0.5 * band(p))
    _, (item,) = lines_of(faint)
    assert item.confidence < 1
    assert lines_of(faint, LesionsConfig(line_minimum_confidence=item.confidence + 0.01))[1] == []


def test_structures_not_looked_for_say_so():
    findings, _ = lines_of(Recipe())
    for structure in (Structure.NECROSIS, Structure.EFFUSION, Structure.CYST):
        assert findings.absent[structure] == "not_looked_for"
        assert structure not in findings.masks
