import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reference import naive_ridge
from toh_mri.kernels.ridge import derivative_taps, line_response, thin_ridges

SIGMAS = (0.6, 0.9, 1.3)


@given(sigma=st.floats(0.3, 4.0), spacing=st.floats(0.2, 5.0))
def test_taps_have_the_moments_of_derivatives_however_coarse_the_samples(sigma, spacing):
    smooth, first, second = derivative_taps(sigma, spacing)
    x = (np.arange(len(smooth)) - len(smooth) // 2) * spacing
    assert smooth.sum() == pytest.approx(1)
    assert [first.sum(), (first * x).sum()] == pytest.approx([0, 1], abs=1e-9)
    assert [second.sum(), (second * x).sum(), (second * x**2).sum()] == pytest.approx([0, 0, 2], abs=1e-8)


@pytest.mark.parametrize("dark", [True, False])
@pytest.mark.parametrize(("shape", "spacing"), [((31, 24), (0.5, 0.5)), ((20, 33), (0.9, 0.4)), ((1, 9), (0.7, 0.7))])
def test_agrees_with_the_naive_twin(shape, spacing, dark):
    image = np.random.default_rng(1).normal(100, 20, shape).astype(np.float32)
    taps = [tuple(derivative_taps(sigma, s) for s in spacing) for sigma in SIGMAS]
    response, _ = line_response(image, np.ones(shape, bool), spacing, SIGMAS, dark=dark)
    np.testing.assert_allclose(response, naive_ridge.line_response(image, taps, SIGMAS, dark=dark), atol=1e-4)


def test_nothing_on_flat_ground_and_on_slopes():
    rows, columns = np.indices((40, 40)).astype(np.float32)
    inside = np.zeros((40, 40), bool)
    inside[10:30, 10:30] = True
    for image in (np.full((40, 40), 7, np.float32), 3 * rows + 2 * columns):
        response, _ = line_response(image, inside, (0.5, 0.5), (0.6,), dark=True)
        assert np.abs(response).max() < 1e-3


def _line(angle, spacing, shape=(61, 61), width=0.8):
    """A dark Gaussian line through the middle of a slice; `angle` across it, from columns towards rows."""
    rows, columns = np.indices(shape, dtype=float)
    y, x = (rows - shape[0] // 2) * spacing[0], (columns - shape[1] // 2) * spacing[1]
    distance = x * np.cos(angle) + y * np.sin(angle)
    return (100 - 60 * np.exp(-0.5 * (distance / width) ** 2)).astype(np.float32)


@settings(deadline=None, max_examples=30)
@given(angle=st.floats(-np.pi / 2, np.pi / 2))
def test_a_line_answers_alike_in_every_direction_and_says_which(angle):
    spacing = (0.5, 0.4)
    response, found = line_response(_line(angle, spacing), np.ones((61, 61), bool), spacing, SIGMAS, dark=True)
    # a Gaussian line of contrast c answers 0.35 c to 0.38 c at its own scale
    assert response[30, 30] == pytest.approx(0.37 * 60, rel=0.06)
    turned = (found[30, 30] - angle + np.pi / 2) % np.pi - np.pi / 2
    assert abs(turned) < 0.03


def test_a_bright_line_is_no_dark_one():
    image = 200 - _line(0.4, (0.5, 0.5))
    everywhere = np.ones(image.shape, bool)
    dark, _ = line_response(image, everywhere, (0.5, 0.5), (0.9,), dark=True)
    bright, _ = line_response(image, everywhere, (0.5, 0.5), (0.9,), dark=False)
    assert bright[30, 30] > 15
    assert dark[30, 30] == 0


def test_outside_the_mask_there_is_no_response():
    mask = np.zeros((61, 61), bool)
    mask[:30] = True
    response, angle = line_response(_line(0.3, (0.5, 0.5)), mask, (0.5, 0.5), SIGMAS, dark=True)
    assert response[mask].max() > 0
    assert not response[~mask].any()
    assert not angle[~mask].any()


@pytest.mark.parametrize("angle", [0.0, 0.5, np.pi / 2, -0.9])
def test_thinning_leaves_the_crest(angle):
    spacing = (0.5, 0.5)
    response, direction = line_response(_line(angle, spacing), np.ones((61, 61), bool), spacing, SIGMAS, dark=True)
    crest = thin_ridges(response, direction, spacing) > 5
    rows, columns = np.nonzero(crest[8:-8, 8:-8])
    off = (columns - 22) * spacing[1] * np.cos(angle) + (rows - 22) * spacing[0] * np.sin(angle)
    assert len(rows) >= 40
    assert np.abs(off).max() <= 0.5
