import numpy as np
import pytest

from tests.reference import naive_contrast
from toh_mri.kernels.contrast import normalise


def blocks(shape):
    rng = np.random.default_rng(4)
    return rng.normal(0, 3, shape).astype(np.float32), rng.uniform(0.5, 2, shape).astype(np.float32)


@pytest.mark.parametrize(
    ("shape", "block_shape", "first", "pace"),
    [
        ((7, 8, 9), (3, 4, 5), (-0.25, -0.375, -0.4), (0.5, 0.5, 0.5)),
        ((7, 8, 9), (3, 4, 5), (0.6, 1.3, 0.2), (0.25, 0.25, 0.25)),  # a box further in
        ((1, 12, 10), (1, 4, 3), (0.0, -0.3, -0.3), (1.0, 0.33, 0.33)),  # a single slice
        ((4, 5, 6), (1, 1, 1), (-0.4, -0.4, -0.4), (0.2, 0.2, 0.2)),  # less than a block
        ((3, 1, 1), (2, 1, 1), (-5.0, 0.0, 0.0), (5.0, 1.0, 1.0)),  # far beyond the outermost blocks
    ],
)
def test_agrees_with_the_naive_twin(shape, block_shape, first, pace):
    rng = np.random.default_rng(2)
    signal = rng.normal(1, 4, shape).astype(np.float32)
    signal[rng.random(shape) < 0.2] = np.nan
    mean, deviation = blocks(block_shape)
    found = normalise(signal, mean, deviation, first, pace, 0.3)
    np.testing.assert_allclose(
        found, naive_contrast.normalise(signal, mean, deviation, first, pace, 0.3), rtol=1e-5, atol=1e-5
    )
    assert found.dtype == np.float32


def test_nothing_known_counts_as_nothing():
    mean, deviation = blocks((2, 2, 2))
    unknown = np.full((4, 4, 4), np.nan, np.float32)
    assert not normalise(unknown, mean, deviation, (0.0,) * 3, (0.3,) * 3, 0.1).any()


def test_a_signal_that_is_its_local_mean_has_no_contrast_and_the_floor_keeps_it_finite():
    flat = np.full((3, 4, 5), 2.5, np.float32)
    one = np.full((1, 1, 1), 2.5, np.float32)
    assert not normalise(flat, one, np.zeros_like(one), (0.0,) * 3, (0.2,) * 3, 1e-6).any()
    found = normalise(flat + 1, one, one * 0, (0.0,) * 3, (0.2,) * 3, 0.5)
    assert found == pytest.approx(2.0)
