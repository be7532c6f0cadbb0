"""Spheres, planes and the robust fit."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from toh_mri.core.errors import GeometryError
from toh_mri.geometry import Plane, Sphere, fit_sphere

POINTS = st.tuples(*[st.floats(-300, 300)] * 3)
NORMALS = st.tuples(*[st.floats(-5, 5)] * 3)


def cap(center, radius_mm, *, reach_degree=110.0, n=400, seed=0):
    """Return points spread over the cap of a sphere within `reach_degree` of its top."""
    rng = np.random.default_rng(seed)
    height = rng.uniform(np.cos(np.deg2rad(reach_degree)), 1, n)
    angle = rng.uniform(0, 2 * np.pi, n)
    ring = np.sqrt(1 - height**2)
    return np.array(center) + radius_mm * np.column_stack([ring * np.cos(angle), ring * np.sin(angle), height])


@given(center=POINTS, radius_mm=st.floats(10, 40), reach=st.floats(60, 180))
def test_exact_points_give_the_exact_sphere(center, radius_mm, reach):
    sphere = fit_sphere(cap(center, radius_mm, reach_degree=reach))
    np.testing.assert_allclose(sphere.center, center, atol=1e-5)
    assert sphere.radius_mm == pytest.approx(radius_mm, abs=1e-5)


def traced_wrongly(chosen, gap_mm):
    """Return noisy points of a cap of which the chosen ones are moved along their rays."""
    points = cap((80, -10, 30), 24.0, n=600) + np.random.default_rng(1).normal(0, 0.3, (600, 3))
    rays = points[chosen(points)] - (80, -10, 30)
    points[chosen(points)] += gap_mm * rays / np.linalg.norm(rays, axis=1, keepdims=True)
    return points


@pytest.mark.parametrize("gap_mm", [-6.0, -3.0, 3.0, 6.0, 15.0])
@pytest.mark.parametrize(
    "chosen",
    [
        pytest.param(lambda p: np.argsort(p[:, 0])[:60], id="one tenth, at the side"),
        pytest.param(lambda p: np.argsort(p[:, 2])[-60:], id="one tenth, at the top"),
        pytest.param(lambda p: np.arange(0, len(p), 3), id="one third, scattered"),
    ],
)
def test_a_badly_traced_part_does_not_pull_the_sphere(chosen, gap_mm):
    sphere = fit_sphere(traced_wrongly(chosen, gap_mm))
    assert np.linalg.norm(np.subtract(sphere.center, (80, -10, 30))) < 0.5
    assert sphere.radius_mm == pytest.approx(24.0, abs=0.5)


def test_a_flattened_top_does_not_pull_the_sphere():
    points = cap((0, 0, 0), 24.0, n=600)
    points[:, 2] = np.minimum(points[:, 2], 20.0)
    sphere = fit_sphere(points)
    assert np.linalg.norm(sphere.center) < 0.4
    assert sphere.radius_mm == pytest.approx(24.0, abs=0.3)


def test_points_without_trust_count_for_nothing():
    good, bad = cap((0, 0, 0), 24.0, n=100), cap((30, 0, 0), 10.0, n=100)
    weights = np.r_[np.ones(100), np.zeros(100)]
    sphere = fit_sphere(np.r_[good, bad], weights)
    np.testing.assert_allclose(sphere.center, (0, 0, 0), atol=1e-6)


@pytest.mark.parametrize(
    "points",
    [
        np.zeros((0, 3)),
        cap((0, 0, 0), 20.0, n=3),
        cap((0, 0, 0), 20.0) * (1, 1, 0),
        np.ones((10, 3)),
        np.where(np.arange(30).reshape(10, 3) == 7, np.nan, 1.0),
    ],
)
def test_points_that_determine_no_sphere_are_refused(points):
    with pytest.raises(GeometryError) as caught:
        fit_sphere(points)
    assert caught.value.code == "degenerate_fit"


def test_a_sphere_knows_its_volume_and_the_distance_to_its_surface():
    sphere = Sphere((10.0, 0.0, 0.0), 5.0)
    assert sphere.volume_ml == pytest.approx(0.5236, abs=1e-4)
    np.testing.assert_allclose(sphere.signed_distance([[10, 0, 0], [15, 0, 0], [10, 0, 12]]), [-5, 0, 7])
    assert sphere.signed_distance(np.zeros((2, 3, 3))).shape == (2, 3)


@pytest.mark.parametrize("values", [((0, 0, 0), 0), ((0, 0, 0), -1), ((0, np.nan, 0), 1), ((0, 0, 0), np.inf)])
def test_what_is_no_sphere_is_refused(values):
    with pytest.raises(GeometryError) as caught:
        Sphere(*values)
    assert caught.value.code == "invalid_sphere"


@given(point=POINTS, normal=NORMALS, along=st.floats(-100, 100))
def test_distance_to_a_plane_grows_along_its_normal(point, normal, along):
    assume(np.linalg.norm(normal) > 1e-3)
    plane = Plane.through(point, normal)
    assert np.linalg.norm(plane.normal) == pytest.approx(1.0)
    assert np.dot(plane.normal, normal) > 0
    assert plane.signed_distance(point) == pytest.approx(0, abs=1e-9)
    assert plane.signed_distance(np.add(point, along * np.array(plane.normal))) == pytest.approx(along, abs=1e-9)


def test_a_plane_with_a_long_normal_is_the_same_plane():
    plane = Plane((0.0, 0.0, 2.0), 10.0)
    assert plane == Plane((0.0, 0.0, 1.0), 5.0)
    assert plane.signed_distance((7, 8, 5)) == pytest.approx(0)


@pytest.mark.parametrize("values", [((0, 0, 0), 1), ((0, np.nan, 1), 1), ((0, 0, 1), np.nan)])
def test_what_is_no_plane_is_refused(values):
    with pytest.raises(GeometryError) as caught:
        Plane(*values)
    assert caught.value.code == "invalid_plane"


def test_a_plane_through_a_point_without_direction_is_refused():
    with pytest.raises(GeometryError):
        Plane.through((1, 2, 3), (0, 0, 0))
