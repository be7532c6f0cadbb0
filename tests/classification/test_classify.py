import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toh_mri.classification import classify_hip
from toh_mri.classification.rules import RULES
from toh_mri.core.config.classification import ClassificationConfig
from toh_mri.core.hip import Finding, Findings, Measurements, Pattern, Structure
from toh_mri.geometry import Grid, Image

CONFIG = ClassificationConfig()
DIFFUSE = {"edema_volume_ml": 45.0, "head_edema_percent": 85.0, "neck_edema_percent": 40.0, "medial_sparing_ratio": 0.6}
EMPTY = Image(np.zeros((1, 2, 2), bool), Grid((1, 2, 2), np.eye(4)))
NONE = {"edema_volume_ml": 0.1, "head_edema_percent": 0.2, "neck_edema_percent": 0.0}


def line(structure, confidence=0.7, length=30.0, depth=15.0):
    return Finding(
        id=f"{structure.value}-1",
        structure=structure,
        confidence=confidence,
        series=("COR_T1",),
        slices=(8,),
        polylines_lps_mm=(),
        measures={"length_mm": length, "depth_max_mm": depth, "band_depth_ratio": depth / 48},
    )


def classify(values, *lines, absent=None, config=CONFIG):
    looked_for = {Structure.BAND: EMPTY}
    findings = Findings(
        items=lines, masks=looked_for, absent=absent or {}, statistics={}, absent_statistics={}, notes=()
    )
    return classify_hip(Measurements(values=values, absent={}, flags=()), findings, config)


def test_nothing_found_is_no_finding_without_a_probability():
    result = classify(NONE)
    assert result.pattern is Pattern.NO_FINDING
    assert result.probability_on is None
    assert result.model == "rules-1"


def test_diffuse_edema_without_a_band_is_toh_like():
    result = classify(DIFFUSE)
    assert result.pattern is Pattern.TOH_LIKE
    assert result.probability_on < 0.1


@pytest.mark.parametrize("values", [NONE, DIFFUSE, {**DIFFUSE, "head_edema_percent": 100.0}])
@given(confidence=st.floats(0.35, 1.0))
def test_a_band_outranks_edema(values, confidence):
    result = classify(values, line(Structure.BAND, confidence))
    assert result.pattern is Pattern.ON_LIKE
    assert not {"diffuse_edema", "no_band", "neck_edema"} & {item.name for item in result.evidence}


@given(low=st.floats(0, 1), high=st.floats(0, 1))
def test_a_surer_band_makes_on_likelier(low, high):
    low, high = sorted((low, high))
    p = [classify(NONE, line(Structure.BAND, c)).probability_on for c in (low, high)]
    assert p[0] <= p[1]


@pytest.mark.parametrize("structure", [Structure.SUBCHONDRAL_LINE, Structure.NECK_LINE])
def test_a_fracture_line_in_edema_is_never_on_like(structure):
    result = classify(DIFFUSE, line(structure))
    assert result.pattern in {Pattern.TOH_LIKE, Pattern.INDETERMINATE}
    assert f"{structure.value}-1" in [name for item in result.evidence for name in item.findings]


def test_a_line_without_edema_is_a_finding():
    assert classify(NONE, line(Structure.SUBCHONDRAL_LINE)).pattern is Pattern.INDETERMINATE


def test_edema_centred_on_the_neck_is_not_toh_like():
    values = {"edema_volume_ml": 8.0, "head_edema_percent": 1.0, "neck_edema_percent": 50.0}
    assert classify(values).pattern is Pattern.INDETERMINATE


def test_edema_on_both_sides_of_the_joint_is_not_toh_like():
    values = {"edema_volume_ml": 12.0, "head_edema_percent": 6.0, "acetabulum_edema_share_percent": 70.0}
    assert classify(values).pattern is Pattern.INDETERMINATE


def test_edema_that_was_not_measured_is_no_normal_hip():
    result = classify({}, absent={Structure.EDEMA: "no_fluid_sensitive_series"})
    assert result.pattern is None
    assert result.reason == "no_fluid_sensitive_series"
    seen = classify({}, line(Structure.BAND), absent={Structure.EDEMA: "no_fluid_sensitive_series"})
    assert seen.pattern is Pattern.ON_LIKE


def test_a_single_slice_is_classified_by_areas():
    assert classify({"edema_area_mm2": 20.0}).pattern is Pattern.NO_FINDING
    values = {"edema_area_mm2": 900.0, "head_edema_percent": 70.0}
    assert classify(values).pattern is Pattern.TOH_LIKE


def test_the_probability_is_the_logistic_of_the_points_and_every_reason_is_a_sentence():
    for values, lines in ((DIFFUSE, ()), (DIFFUSE, (line(Structure.BAND),)), (NONE, (line(Structure.BAND, depth=4),))):
        result = classify(values, *lines)
        total = sum(item.points for item in result.evidence)
        assert result.probability_on == pytest.approx(1 / (1 + math.exp(-total)), abs=1e-4)
        assert result.evidence
        assert all(item.statement.endswith(".") and len(item.statement) > 15 for item in result.evidence)


def test_the_margin_is_the_configurations():
    wide = ClassificationConfig(indeterminate_margin=0.49)
    assert classify(DIFFUSE, config=wide).pattern is Pattern.INDETERMINATE


def test_every_rule_can_speak_and_can_be_silent():
    cases = [
        classify(DIFFUSE, line(Structure.SUBCHONDRAL_LINE)),
        classify(NONE, line(Structure.BAND)),
        classify({**DIFFUSE, "acetabulum_edema_share_percent": 50.0}),
        classify(NONE),
    ]
    said = {item.name for result in cases for item in result.evidence}
    assert len(said) >= len(RULES)
    assert {item.name for item in classify(NONE).evidence} == {"little_edema", "no_line"}
