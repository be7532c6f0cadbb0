import numpy as np
import pytest

from tests.reference import naive_edema
from toh_mri.kernels import edema

LIMITS = np.array([3.4, 0.9, 3.4, 2.2])


def _case(seed, shape, *, unknown=0.0, t1=True):
    random = np.random.default_rng(seed)
    regions = random.integers(0, 4, shape).astype(np.uint8)
    ratio = random.gamma(2.0, 0.6, shape).astype(np.float32)
    ratio[random.random(shape) < unknown] = np.nan
    t1_ratio = random.uniform(0.5, 2.5, shape).astype(np.float32) if t1 else np.full(shape, np.nan, np.float32)
    excluded = random.random(shape) < 0.05
    reference, spread = np.array([0.0, 0.3, 0.5, 0.4]), np.array([1.0, 0.1, 0.3, 0.02])
    return ratio, t1_ratio, regions, excluded, reference, spread, 2.5, 0.25, np.array([2.5, 2.0, 3.0]), LIMITS


@pytest.mark.parametrize(
    ("seed", "shape", "unknown", "t1"),
    [
        (0, (5, 17, 23), 0.0, True),
        (1, (3, 11, 9), 0.3, True),
        (2, (4, 12, 12), 0.1, False),
        (3, (1, 20, 20), 0.0, True),
        (4, (2, 1, 7), 0.2, False),
        (5, (6, 8, 1), 1.0, True),
    ],
)
def test_agrees_with_the_naive_twin(seed, shape, unknown, t1):
    case = _case(seed, shape, unknown=unknown, t1=t1)
    state, table = edema.quantify_marrow(*case)
    twin_state, twin_table = naive_edema.quantify_marrow(*case)
    np.testing.assert_array_equal(state, twin_state)
    np.testing.assert_allclose(table, twin_table, rtol=1e-6, atol=1e-9)


def test_a_lone_bright_voxel_is_noise_and_a_patch_is_edema():
    ratio = np.full((1, 20, 20), 0.3, np.float32)
    ratio[0, 3, 3] = 2.0
    ratio[0, 10:15, 10:15] = 2.0
    nothing = np.full(ratio.shape, np.nan, np.float32)
    ones, no = np.ones(ratio.shape, np.uint8), np.zeros(ratio.shape, bool)
    state, table = edema.quantify_marrow(
        ratio, nothing, ones, no, np.array([0, 0.3]), np.array([1, 0.1]), 2.5, 0.25, np.array([2.5]), LIMITS
    )
    assert state[0, 3, 3] == edema.MARROW
    assert state[0, 12, 12] == edema.EDEMA
    assert table[1, edema.FIRST_THRESHOLD] == (state == edema.EDEMA).sum() == 25 - 4  # corners have 4 of 9


def test_an_empty_region_gives_zeros():
    case = _case(0, (2, 5, 5))
    state, table = edema.quantify_marrow(*case[:2], np.zeros((2, 5, 5), np.uint8), *case[3:])
    assert not state.any()
    assert not table.any()
