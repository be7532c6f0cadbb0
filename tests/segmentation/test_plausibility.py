"""Checks of a traced head, each with its name."""

import numpy as np
import pytest
from pydantic import ValidationError

from toh_mri.core.config.segmentation import SegmentationConfig
from toh_mri.core.hip import Anatomy, Status
from toh_mri.geometry import Grid, Image, Side, Sphere
from toh_mri.segmentation.plausibility import (
    compare_sides,
    coverage_check,
    doubt_checks,
    neck_checks,
    shape_checks,
    support_share,
)

CONFIG = SegmentationConfig()


def doubts(checks):
    return [check.code for check in checks if check.status is not Status.OK]


def test_a_clear_head_raises_no_doubt():
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


@pytest.mark.parametrize(
    ("feature", "value", "doubt"),
    [
        ("series_centre_mm", 4.0, "series_disagree"),
        ("at_bound_fraction", 0.3, "surface_at_bound"),
        ("dome_off_sphere_mm", 2.0, "dome_not_spherical"),
        ("restart_surface_mm", 2.0, "trace_not_stable"),
        ("axis_degree", 40.0, "neck_axis_unusual"),
    ],
)
def test_every_feature_with_a_limit_has_its_name(feature, value, doubt):
    quiet = dict.fromkeys(
        ("series_centre_mm", "at_bound_fraction", "dome_off_sphere_mm", "restart_surface_mm", "axis_degree"), 0.0
    )
    assert doubts(doubt_checks(quiet, CONFIG)) == []
    assert doubts(doubt_checks(quiet | {feature: value}, CONFIG)) == [doubt]
    assert doubts(doubt_checks({feature: value}, CONFIG)) == [doubt], "a slice lacks some features"


def test_a_cut_head_is_doubted_with_the_series_that_cuts_it():
    (doubt,) = [coverage_check("COR_STIR", 0.8, CONFIG)]
    assert (doubt.code, doubt.status) == ("head_coverage", Status.REVIEW)
    assert "80 %" in doubt.message
    assert "COR_STIR" in doubt.message
    assert coverage_check("COR_STIR", 0.97, CONFIG).status is Status.OK


def hip_of(side, radius, dimensionality=3):
    grid = Grid((1, 2, 2), np.eye(4))
    return Anatomy(
        side=side,
        dimensionality=dimensionality,
        labels=Image(np.zeros(grid.shape, np.uint8), grid),
        marrow=Image(np.zeros(grid.shape, bool), grid),
        head=Sphere((0.0, 0.0, 0.0), radius),
        neck_axis=None,
        head_neck_plane=None,
        intertrochanteric_plane=None,
        surface=np.zeros((1, 3, 3)),
        confidence=0.9,
        checks=(),
    )


@pytest.mark.parametrize(("radius", "expected"), [(24.0, []), (27.0, ["left_right_disagree"])])
def test_heads_of_one_person_that_differ_in_size_are_both_doubted(radius, expected):
    pair = {Side.LEFT: hip_of(Side.LEFT, 23.0), Side.RIGHT: hip_of(Side.RIGHT, radius)}
    assert [doubts(item.checks) for item in compare_sides(pair, CONFIG).values()] == [expected, expected]


def test_what_has_no_other_side_to_be_compared_with_is_left_alone():
    alone = {Side.LEFT: hip_of(Side.LEFT, 23.0)}
    assert compare_sides(alone, CONFIG) == alone
    unlike = alone | {Side.RIGHT: hip_of(Side.RIGHT, 28.0, dimensionality=2)}
    assert compare_sides(unlike, CONFIG) == unlike


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
