import numpy as np
import pytest
from scipy.ndimage import map_coordinates
from scipy.spatial.transform import Rotation

from tests.reference import naive_sampling
from toh_mri.kernels.sampling import resample, sample_rays

SHAPES = [(5, 7, 6), (1, 9, 8), (1, 1, 1), (2, 1, 3)]
LINEAR = (1.0, 1.0, 1.0)


def volume(shape, *, holes=False):
    rng = np.random.default_rng(3)
    values = rng.normal(0, 5, shape).astype(np.float32)
    if holes:
        values[rng.random(shape) < 0.1] = np.nan
    return values


def oblique(shape, scale=0.8):
    """An index matrix, turned and scaled, whose grid reaches beyond the volume on all sides."""
    matrix = np.eye(4)
    matrix[:3, :3] = scale * Rotation.from_euler("xyz", [20, -10, 35], degrees=True).as_matrix()
    matrix[:3, 3] = (np.array(shape) - 1) / 2 - matrix[:3, :3] @ [3.5, 4.0, 3.0]
    return matrix


@pytest.mark.parametrize("holes", [False, True])
@pytest.mark.parametrize("half_widths", [LINEAR, (1.0, 2.3, 3.0), (1.0, 9.5, 1.0)])
@pytest.mark.parametrize("shape", SHAPES)
def test_resampling_agrees_with_the_naive_twin(shape, half_widths, holes):
    given = volume(shape, holes=holes)
    for matrix, margin in ((oblique(shape), 0.3), (np.eye(4), 1e-3)):
        found = resample(given, matrix, (8, 9, 7), half_widths, margin)
        expected = naive_sampling.resample(given, matrix, (8, 9, 7), half_widths, margin)
        np.testing.assert_allclose(found, expected, atol=2e-5)
    assert found.dtype == np.float32


def test_half_widths_of_one_are_linear_interpolation():
    given, matrix = volume((9, 8, 7)), np.eye(4)
    matrix[:3] = [[0.4, 0.1, 0, 1], [0, 0.5, 0.1, 1], [0.1, 0, 0.4, 1]]
    index = np.moveaxis(np.indices((8, 8, 8)), 0, -1) @ matrix[:3, :3].T + matrix[:3, 3]
    expected = map_coordinates(given.astype(float), np.moveaxis(index, -1, 0), order=1)
    inside = ((index >= 0) & (index <= np.array(given.shape) - 1)).all(axis=-1)
    found = resample(given, matrix, (8, 8, 8), LINEAR, 0.0)
    np.testing.assert_allclose(found[inside], expected[inside], atol=1e-5)
    assert np.isnan(found[~inside]).all()


@pytest.mark.parametrize("half_widths", [LINEAR, (1.0, 2.7, 3.4)])
def test_a_constant_stays_and_a_flipped_volume_gives_the_flipped_result(half_widths):
    flat = np.full((4, 9, 8), 7.0, np.float32)
    assert resample(flat, np.eye(4), flat.shape, half_widths, 0.0) == pytest.approx(7.0)
    given = volume((4, 9, 8))
    plain = resample(given, np.diag([1, 2.0, 2.0, 1]), (4, 5, 4), half_widths, 0.0)
    back = np.diag([1.0, -2, -2, 1])
    back[1:3, 3] = 8, 7
    np.testing.assert_allclose(
        resample(given[:, ::-1, ::-1].copy(), back, (4, 5, 4), half_widths, 0.0), plain, atol=1e-5
    )


def test_a_wide_tent_takes_away_what_a_coarse_grid_cannot_show():
    stripes = np.where(np.arange(40) % 2, 1.0, -1.0).astype(np.float32) * np.ones((1, 40, 40), np.float32)
    coarse = np.diag([1.0, 4, 4, 1])
    assert np.abs(resample(stripes, coarse, (1, 10, 10), LINEAR, 0.0)).min() == 1
    assert np.abs(resample(stripes, coarse, (1, 10, 10), (1.0, 4.0, 4.0), 0.0)[:, 1:, 1:]).max() < 0.01


@pytest.mark.parametrize("holes", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_rays_agree_with_the_naive_twin(shape, holes):
    rng = np.random.default_rng(8)
    given = volume(shape, holes=holes)
    to_index = np.linalg.inv(oblique(shape, 1.3))
    to_index[:3, 3] = (np.array(shape) - 1) / 2
    origins, directions = rng.normal(0, 1, (2, 30, 3))
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    arguments = (given, to_index, origins, directions, rng.uniform(-2, 1, 30), 0.4, 12)
    found = sample_rays(*arguments)
    np.testing.assert_allclose(found, naive_sampling.sample_rays(*arguments), atol=2e-5)
    assert found.dtype == np.float32
    assert np.isfinite(found).any() or holes


def test_a_ray_takes_the_border_up_to_half_a_voxel_beyond_it():
    given = np.arange(4, dtype=np.float32).reshape(1, 1, 4)
    found = sample_rays(given, np.eye(4), np.zeros((1, 3)), np.array([[0.0, 0, 1]]), np.array([-0.75]), 0.25, 19)
    np.testing.assert_allclose(found[0], [np.nan] + [0] * 3 + list(np.arange(1, 13) / 4) + [3] * 2 + [np.nan])


def test_a_hole_does_not_count_where_it_has_no_weight():
    given = np.array([1.0, np.nan, 3.0, 4.0], np.float32).reshape(1, 1, 4)
    found = sample_rays(given, np.eye(4), np.zeros((1, 3)), np.array([[0.0, 0, 1]]), np.array([0.0]), 0.5, 7)
    np.testing.assert_array_equal(found[0], [1, np.nan, np.nan, np.nan, 3, 3.5, 4])
    np.testing.assert_array_equal(resample(given, np.eye(4), (1, 1, 4), LINEAR, 0.0), given)
