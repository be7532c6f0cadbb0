"""The confidence of a traced head: what it is made of and which way it goes."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.segmentation.hips import Hip, grid_of, picture
from tests.segmentation.studies import make_aligned
from toh_mri.core.config.preprocess import PreprocessConfig
from toh_mri.core.config.segmentation import SegmentationConfig
from toh_mri.core.hip import HipLocation, Status
from toh_mri.geometry import Sphere
from toh_mri.preprocess import crop_hip
from toh_mri.segmentation.confidence import confidence, table
from toh_mri.segmentation.features import Features
from toh_mri.segmentation.segment import trace_hip

CONFIG = SegmentationConfig()
HIP = Hip()
BOTH = ("STIR edema", "T1 normal")


@cache
def images(contrasts=BOTH, dimensionality=3):
    made = {f"COR_{c.split()[0]}": picture([HIP], grid_of(HIP), c, seed=n) for n, c in enumerate(contrasts)}
    location = HipLocation(HIP.side, Sphere(HIP.center, HIP.radius_mm - 1), 0.75, 0.9, dimensionality)
    hip = crop_hip(make_aligned(made), location, PreprocessConfig())
    return hip if dimensionality == 3 else _one_slice(hip)


def _one_slice(hip):
    k = int(hip.series[0].image.grid.nearest(HIP.center)[0])
    flat = tuple(replace(s, image=s.image.crop((k, 0, 0), (k + 1, *s.image.grid.shape[1:]))) for s in hip.series)
    return replace(hip, series=flat)


def traced(hip, shift=(0, 0, 0)):
    sphere = Sphere(tuple(np.add(hip.location.sphere.center, shift)), hip.location.sphere.radius_mm)
    return trace_hip(replace(hip, location=replace(hip.location, sphere=sphere)), CONFIG)


def displaced(hip, mm):
    shift = np.eye(4)
    shift[:3, 3] = mm
    first, second = hip.series
    return replace(hip, series=(first, replace(second, to_reference=shift @ second.to_reference)))


@pytest.mark.parametrize("dimensionality", [2, 3])
def test_the_table_names_features_that_are_measured_and_speaks_only_against(dimensionality):
    _, features = traced(images(dimensionality=dimensionality))
    model = table()[f"{dimensionality}d"]
    assert model["terms"].keys() <= features.values.keys()
    assert all(term["coefficient"] > 0 and term["limit"] > 0 for term in model["terms"].values())
    assert min(features.values.values()) >= 0


@pytest.mark.parametrize("dimensionality", [2, 3])
@given(data=st.data())
def test_more_doubt_never_gives_more_confidence(dimensionality, data):
    terms = table()[f"{dimensionality}d"]["terms"]
    values = {name: data.draw(st.floats(0, 10), label=name) for name in terms}
    worse = values | {name: values[name] + data.draw(st.floats(0, 10)) for name in terms}
    low, high = (confidence(Features(given), dimensionality) for given in (worse, values))
    assert 0 <= low <= high <= 1


@pytest.mark.parametrize("dimensionality", [2, 3])
def test_the_confidence_is_the_logistic_function_of_the_packaged_coefficients(dimensionality):
    model = table()[f"{dimensionality}d"]
    values = {name: 0.5 * term["limit"] for name, term in model["terms"].items()}
    odds = np.exp(model["intercept"]) * np.prod(
        [np.exp(-term["coefficient"] * values[name]) for name, term in model["terms"].items()]
    )
    assert confidence(Features(values), dimensionality) == pytest.approx(odds / (1 + odds))
    beyond = {name: 100 * term["limit"] for name, term in model["terms"].items()}
    at_limit = {name: term["limit"] for name, term in model["terms"].items()}
    assert confidence(Features(beyond), dimensionality) == confidence(Features(at_limit), dimensionality)


def test_a_good_trace_is_surer_than_one_from_a_wrong_place():
    good, _ = traced(images())
    wrong, _ = traced(images(), shift=(16, 0, -20))
    assert good.confidence > 0.6
    assert wrong.confidence < good.confidence - 0.2


def test_series_that_show_the_head_in_different_places_are_told():
    at_rest, features = traced(images())
    moved, doubts = traced(displaced(images(), (0.0, 0.0, 5.0)))
    assert features["series_centre_mm"] < 1.5
    assert doubts["series_centre_mm"] == pytest.approx(5.0, abs=1.5)
    codes = {check.code: check.status for check in moved.checks}
    assert codes["series_disagree"] is Status.REVIEW
    assert moved.confidence < at_rest.confidence


@pytest.mark.parametrize(("contrasts", "kind"), [(("STIR edema",), "fluid_only"), (("T1 normal",), "t1_only")])
def test_one_kind_of_series_is_told_and_disagrees_with_nothing(contrasts, kind):
    _, features = traced(images(contrasts))
    assert features[kind] == 1
    assert features["series_centre_mm"] == features["series_surface_mm"] == 0


def test_the_same_hip_has_the_same_features_every_time():
    assert traced(images())[1] == traced(images())[1]
