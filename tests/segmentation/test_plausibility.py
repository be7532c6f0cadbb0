"""Checks and confidence of a traced head."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from toh_mri.core.config.segmentation import SegmentationConfig
from toh_mri.core.hip import HipLocation, Status
from toh_mri.geometry import Side, Sphere
from toh_mri.segmentation.plausibility import confidence, neck_checks, shape_checks, support_share

CONFIG = SegmentationConfig()
SHARE = st.floats(0, 1)


def location(score=0.7):
    return HipLocation(Side.LEFT, Sphere((90.0, 0.0, 0.0), 23.0), score, 0.9, 3)


def doubts(checks):
    return [check.code for check in checks if check.status is not Status.OK]


def test_a_clear_head_is_certain_and_raises_no_doubt():
    assert confidence(location(0.9), 0.9, 0.3, CONFIG) == 1
    assert doubts(shape_checks(24.0, 0.4, 0.9, CONFIG)) == []
    assert doubts(neck_checks(0.6, 0.83, CONFIG)) == []


@pytest.mark.parametrize(
    ("radius", "residual", "support", "doubt"),
    [
        (16.0, 0.4, 0.9, "head_radius"),
        (30.0, 0.4, 0.9, "head_radius"),
        (24.0, 1.2, 0.9, "head_not_spherical"),
        (24.0, 0.4, 0.4, "rim_support"),
    ],
)
def test_every_doubt_has_its_name(radius, residual, support, doubt):
    assert doubts(shape_checks(radius, residual, support, CONFIG)) == [doubt]


@pytest.mark.parametrize(
    ("support", "plane", "doubt"),
    [(0.1, 0.83, "neck_support"), (0.6, 0.6, "head_neck_plane"), (0.6, 1.1, "head_neck_plane")],
)
def test_a_neck_that_was_not_seen_and_a_plane_out_of_place_are_doubted(support, plane, doubt):
    assert doubts(neck_checks(support, plane, CONFIG)) == [doubt]


@pytest.mark.parametrize("worse", [(0.3, 0.9, 0.3), (0.9, 0.3, 0.3), (0.9, 0.9, 1.5)])
def test_each_part_alone_lowers_the_confidence(worse):
    score, support, residual = worse
    assert confidence(location(score), support, residual, CONFIG) < 0.5


@given(least=SHARE, review=SHARE, score=SHARE, support=SHARE, residual=st.floats(0, 20))
def test_confidence_lies_between_nothing_and_one_for_every_accepted_configuration(
    least, review, score, support, residual
):
    least, review = sorted((least, review))
    config = SegmentationConfig(minimum_location_score=least, review_location_score=review)
    assert 0 <= confidence(location(score), support, residual, config) <= 1


def test_the_share_of_supported_rays_is_counted():
    assert support_share(np.array([0.0, 0.29, 0.31, 1.0])) == 0.5


@pytest.mark.parametrize(
    "settings",
    [
        {"radius_min_mm": 22.2, "radius_max_mm": 22.9},
        {"radius_min_mm": 25.0, "radius_max_mm": 20.0},
        {"minimum_location_score": 0.75, "review_location_score": 0.55},
        {"minimum_confidence": 0.6, "review_confidence": 0.5},
    ],
    ids=str,
)
def test_settings_that_contradict_each_other_are_refused(settings):
    with pytest.raises(ValidationError, match=next(iter(settings))):
        SegmentationConfig(**settings)
