import math
from dataclasses import replace

import numpy as np
import pytest

from tests.lesions.hip import RADIUS, Recipe, build
from toh_mri.core.config.lesions import LesionsConfig
from toh_mri.core.hip import Finding, Label, Structure
from toh_mri.core.study import Contrast
from toh_mri.geometry import Image
from toh_mri.lesions import find_lesions
from toh_mri.measure import FEATURES, measure_hip

# DESIGN section 4.3: the columns of hips.csv that are measured, by hand.
COLUMNS = [
    *("edema_volume_ml", "head_edema_percent", "neck_edema_percent", "acetabulum_edema_ml"),
    *("head_volume_ml", "neck_volume_ml", "head_diameter_mm"),
    *("head_center_x_mm", "head_center_y_mm", "head_center_z_mm"),
    *("band_present", "band_length_mm", "subchondral_line_present", "subchondral_line_length_mm"),
    *("neck_line_present", "necrosis_volume_ml", "necrotic_percent", "effusion_volume_ml"),
]
UNITS = {"ml", "mm", "mm2", "percent", "fraction", "ratio", "SD", "-"}


def head_edema(points):
    return np.where(np.linalg.norm(points, axis=-1) < RADIUS, 0.8, 0.0)


def measured(recipe):
    images, anatomy = build(recipe)
    findings = find_lesions(images, anatomy, LesionsConfig())
    return measure_hip(images, anatomy, findings), (images, anatomy, findings)


@pytest.mark.parametrize("feature", FEATURES, ids=lambda f: f.name)
def test_every_feature_is_fully_described(feature):
    assert feature.unit in UNITS
    assert len(feature.definition) > 15
    assert feature.definition.endswith(".")
    assert len(feature.source) > 5
    assert feature.range[0] < feature.range[1]
    assert set(feature.dimensionality) <= {2, 3}
    assert feature.dimensionality
    if feature.unit in {"ml", "mm", "mm2", "percent", "ratio", "fraction"}:
        assert feature.name.endswith(("_" + feature.unit, "_confidence"))


def test_names_are_unique_and_hold_the_columns_of_the_table():
    names = [feature.name for feature in FEATURES]
    assert len(names) == len(set(names))
    assert set(COLUMNS) <= set(names)


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(edema=head_edema),
        Recipe(),
        Recipe(contrasts=(Contrast.T1,)),
        Recipe(slices=1, edema=head_edema),
    ],
)
def test_every_feature_has_a_value_in_its_range_or_a_reason(recipe):
    result, _ = measured(recipe)
    assert set(result.values) | set(result.absent) == {feature.name for feature in FEATURES}
    assert not set(result.values) & set(result.absent)
    assert all(result.absent.values())
    for feature in FEATURES:
        if feature.name in result.values:
            value = float(result.values[feature.name])
            assert math.isfinite(value)
            assert feature.range[0] <= value <= feature.range[1], feature.name


def test_values_are_those_of_the_hip():
    result, (_, anatomy, findings) = measured(Recipe(edema=head_edema))
    values, voxel = result.values, anatomy.labels.grid.voxel_volume_ml
    head = anatomy.mask(Label.FEMORAL_HEAD)
    edema = findings.masks[Structure.EDEMA].array
    assert values["head_volume_ml"] == pytest.approx(head.sum() * voxel)
    assert values["head_edema_percent"] == pytest.approx(100 * (edema & head).sum() / head.sum())
    assert values["edema_volume_ml"] == pytest.approx(edema.sum() * voxel)
    assert values["head_diameter_mm"] == 48.0
    assert [values[f"head_center_{axis}_mm"] for axis in "xyz"] == pytest.approx(anatomy.head.center)
    assert values["band_present"] is False
    assert result.absent["band_length_mm"] == "no_band_found"
    assert result.absent["acetabulum_edema_ml"] == "no_acetabulum"
    assert result.absent["necrosis_volume_ml"] == "not_looked_for"
    assert result.absent["edema_area_mm2"] == "not_a_single_slice"


def test_a_t1_study_has_no_edema_but_a_reason():
    result, _ = measured(Recipe(contrasts=(Contrast.T1,)))
    assert "edema_volume_ml" not in result.values
    assert result.absent["edema_volume_ml"] == "no_fluid_sensitive_series"
    assert result.values["head_volume_ml"] > 30


def test_a_single_slice_has_areas_and_no_volumes():
    result, _ = measured(Recipe(slices=1, edema=head_edema))
    assert result.values["edema_area_mm2"] > 500
    assert result.absent["edema_volume_ml"] == "single_slice"
    assert not [name for name in result.values if name.endswith("_ml")]


def lacking(images, slices):
    reference = replace(images.series[0], missing_slices=tuple(slices))
    return replace(images, series=(reference, *images.series[1:]))


def test_percentages_are_of_the_slices_that_are_there_and_volumes_lower_bounds():
    recipe = Recipe(edema=lambda p: 0.8 * (np.linalg.norm(p, axis=-1) < 1.5 * RADIUS))
    whole, (images, anatomy, _) = measured(recipe)
    images = lacking(images, (7, 8, 9))
    findings = find_lesions(images, anatomy, LesionsConfig())
    part = measure_hip(images, anatomy, findings)
    there = images.reference_series.has_slice
    edema = findings.masks[Structure.EDEMA].array[there]
    for label, name in ((Label.FEMORAL_HEAD, "head_edema_percent"), (Label.FEMORAL_NECK, "neck_edema_percent")):
        seen = anatomy.mask(label)[there]
        assert part.values[name] == pytest.approx(100 * (edema & seen).sum() / seen.sum())
        assert part.values[name] == pytest.approx(whole.values[name], abs=10.0)
    assert part.values["edema_volume_ml"] < 0.8 * whole.values["edema_volume_ml"]
    for name in ("head_volume_ml", "neck_volume_ml", "head_diameter_mm"):
        assert part.values[name] == whole.values[name], "shapes are found across the gap"


def test_a_structure_that_lies_in_missing_slices_as_a_whole_has_a_reason_not_a_zero():
    _, (images, anatomy, _) = measured(Recipe(edema=head_edema))
    neck = anatomy.mask(Label.FEMORAL_NECK)
    labels = np.where(neck, Label.PROXIMAL_FEMUR.code, anatomy.labels.array).astype(np.uint8)
    labels[8][neck[8]] = Label.FEMORAL_NECK.code
    anatomy = replace(anatomy, labels=Image(labels, anatomy.labels.grid))
    images = lacking(images, (8,))
    result = measure_hip(images, anatomy, find_lesions(images, anatomy, LesionsConfig()))
    assert result.absent["neck_edema_percent"] == result.absent["neck_edema_ml"] == "in_missing_slices"
    assert result.values["neck_volume_ml"] > 0
    assert result.values["edema_volume_ml"] > 0


def test_an_anatomy_without_a_neck_gives_a_reason_not_a_zero():
    images, anatomy = build(Recipe(edema=head_edema))
    labels = np.where(anatomy.labels.array == Label.FEMORAL_NECK.code, 3, anatomy.labels.array).astype(np.uint8)
    anatomy = replace(anatomy, labels=Image(labels, anatomy.labels.grid))
    result = measure_hip(images, anatomy, find_lesions(images, anatomy, LesionsConfig()))
    assert result.absent["neck_volume_ml"] == result.absent["neck_edema_percent"] == "no_femoral_neck"


@pytest.mark.parametrize(
    ("structure", "flag"),
    [
        (Structure.SUBCHONDRAL_LINE, "subchondral_fracture_line"),
        (Structure.NECK_LINE, "neck_fracture_line"),
        (Structure.BAND, "band_with_edema"),
    ],
)
def test_lines_raise_their_flags(structure, flag):
    result, (images, anatomy, findings) = measured(Recipe(edema=head_edema))
    assert flag not in result.flags
    item = Finding(
        id="line-1",
        structure=structure,
        confidence=0.8,
        series=("COR_T1",),
        slices=(7,),
        polylines_lps_mm=(),
        measures={"length_mm": 20.0, "depth_median_mm": 5.0, "band_depth_ratio": 0.2},
    )
    result = measure_hip(images, anatomy, replace(findings, items=(*findings.items, item)))
    assert flag in result.flags
    assert result.values[f"{structure.value}_present"] is True
    assert result.values[f"{structure.value}_length_mm"] == 20.0
