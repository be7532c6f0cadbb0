from dataclasses import replace

import numpy as np
import pytest

from tests.lesions.hip import RADIUS, Recipe, build, without_t1
from toh_mri.core.config.lesions import LesionsConfig
from toh_mri.core.hip import Structure
from toh_mri.core.study import Contrast
from toh_mri.geometry import Side
from toh_mri.lesions import find_lesions

CONFIG = LesionsConfig()


def superior_head(points):
    """Marked edema of the head above its centre."""
    inside = (np.linalg.norm(points, axis=-1) < RADIUS) & (points[..., 2] > 0)
    return np.where(inside, 0.8, 0.0)


def whole_head(points):
    return np.where(np.linalg.norm(points, axis=-1) < RADIUS + 2, 0.8, 0.0)


def edema_of(recipe, config=CONFIG):
    images, anatomy = build(recipe)
    findings = find_lesions(images, anatomy, config)
    return findings, anatomy


def truth(recipe, anatomy):
    grid = anatomy.labels.grid
    local = (grid.voxel_centres() - np.array(anatomy.head.center)) * [recipe.side.lateral_x, 1, 1]
    return anatomy.marrow.array & (recipe.edema(local) > 0.25)


@pytest.mark.parametrize("contrast", [Contrast.STIR, Contrast.T2FS, Contrast.PDFS])
@pytest.mark.parametrize("extent", [superior_head, whole_head])
@pytest.mark.parametrize("shading", [0.0, 0.5])
def test_edema_is_found_where_it_is_under_any_shading(contrast, extent, shading):
    recipe = Recipe(contrasts=(contrast, Contrast.T1), edema=extent, shading=shading)
    findings, anatomy = edema_of(recipe)
    found, true = findings.masks[Structure.EDEMA].array, truth(recipe, anatomy)
    assert 2 * (found & true).sum() / (found.sum() + true.sum()) > 0.95
    assert found.sum() == pytest.approx(true.sum(), rel=0.06)


def test_a_normal_hip_has_none_and_says_so():
    findings, _ = edema_of(Recipe())
    assert not findings.masks[Structure.EDEMA].array.any()
    assert Structure.EDEMA not in findings.absent
    assert findings.items == ()
    assert findings.statistics["edema_femoral_head_ml"] == 0.0


def test_statistics_by_region_add_up_to_the_mask_and_fall_with_the_threshold():
    findings, anatomy = edema_of(Recipe(edema=lambda p: np.clip(1.0 - np.linalg.norm(p, axis=-1) / 30, 0, 1)))
    values, voxel = findings.statistics, anatomy.labels.grid.voxel_volume_ml
    parts = [values[f"edema_{name}_ml"] for name in ("femoral_head", "femoral_neck", "proximal_femur")]
    assert "edema_acetabulum_ml" not in values, "there is no acetabulum in this anatomy"
    assert sum(parts) == pytest.approx(findings.masks[Structure.EDEMA].array.sum() * voxel)
    assert values["edema_at_2_sd_ml"] >= values["edema_at_2_5_sd_ml"] >= values["edema_at_3_sd_ml"] > 0
    assert values["edema_at_2_5_sd_ml"] == pytest.approx(sum(parts))


def test_the_volume_at_a_threshold_does_not_depend_on_the_threshold_in_force():
    recipe = Recipe(edema=lambda p: np.clip(1.0 - np.linalg.norm(p, axis=-1) / 30, 0, 1))
    by_setting = []
    for threshold in (2.0, 3.0, 10.0):
        config = CONFIG.model_copy(update={"edema_threshold_sd": threshold, "edema_minimum_fraction": 0.0})
        by_setting.append(edema_of(recipe, config)[0].statistics)
    for name in ("edema_at_2_sd_ml", "edema_at_2_5_sd_ml", "edema_at_3_sd_ml"):
        assert len({values[name] for values in by_setting}) == 1
    first = by_setting[0]
    assert first["edema_at_2_sd_ml"] >= first["edema_at_2_5_sd_ml"] >= first["edema_at_3_sd_ml"]
    totals = [values["edema_femoral_head_ml"] + values["edema_femoral_neck_ml"] for values in by_setting]
    assert totals[0] >= totals[1] > totals[2] > 0


def test_left_and_right_measure_alike():
    volumes = [edema_of(Recipe(side=side, edema=superior_head))[0].statistics["edema_femoral_head_ml"] for side in Side]
    assert volumes[0] == pytest.approx(volumes[1], rel=0.03)


def test_without_a_fluid_sensitive_series_edema_is_absent_with_its_reason():
    findings, _ = edema_of(Recipe(contrasts=(Contrast.T1,), edema=superior_head))
    assert findings.absent[Structure.EDEMA] == "no_fluid_sensitive_series"
    assert Structure.EDEMA not in findings.masks
    assert not findings.statistics
    assert findings.masks[Structure.BAND].array.dtype == bool


def test_without_healthy_marrow_edema_is_absent_with_its_reason():
    findings, _ = edema_of(Recipe(edema=lambda p: np.full(p.shape[:-1], 0.8)))
    assert findings.absent[Structure.EDEMA] in {"reference_marrow_not_found", "reference_marrow_too_small"}


def test_failed_fat_suppression_is_no_edema_where_t1_shows_the_fat():
    lateral = Recipe(contrasts=(Contrast.T2FS, Contrast.T1), unsuppressed=lambda p: 0.8 * (p[..., 0] > 8))
    seen = edema_of(lateral)[0]
    blind = edema_of(without_t1(lateral))[0]
    assert seen.masks[Structure.EDEMA].array.sum() == 0
    assert blind.masks[Structure.EDEMA].array.sum() > 1000
    assert any("loss of fat" in note for note in blind.notes)


def test_mild_brightness_of_the_neck_is_red_marrow_and_of_the_head_is_edema():
    def mild(points):
        return np.full(points.shape[:-1], 0.33)

    neck = Recipe(edema=lambda p: mild(p) * ((p[..., 0] > 22) & (p[..., 0] < 40)))
    head = Recipe(edema=lambda p: mild(p) * (np.linalg.norm(p, axis=-1) < 14))
    assert edema_of(neck)[0].masks[Structure.EDEMA].array.sum() == 0
    assert edema_of(head)[0].masks[Structure.EDEMA].array.sum() > 1000


def test_the_same_hip_gives_the_same_findings():
    recipe = Recipe(edema=superior_head)
    first, second = edema_of(recipe)[0], edema_of(recipe)[0]
    assert first.items == second.items
    assert dict(first.statistics) == dict(second.statistics)


def test_a_single_slice_gives_areas():
    recipe = Recipe(edema=superior_head, slices=1)
    findings, anatomy = edema_of(recipe)
    area = truth(recipe, anatomy).sum() * 0.49
    assert findings.statistics["edema_femoral_head_mm2"] == pytest.approx(area, rel=0.08)
    assert not [name for name in findings.statistics if name.endswith("_ml")]


def test_the_edema_finding_names_the_slices_of_the_whole_series():
    findings, _ = edema_of(replace(Recipe(edema=superior_head), slices=17))
    (item,) = [i for i in findings.items if i.structure is Structure.EDEMA]
    slices = np.flatnonzero(findings.masks[Structure.EDEMA].array.any(axis=(1, 2))) + 5
    assert item.slices == tuple(slices)
    assert item.id == "edema"
