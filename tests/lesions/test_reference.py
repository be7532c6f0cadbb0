import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toh_mri.core.errors import QuantificationError
from toh_mri.lesions.reference import lowest_mode


@given(share=st.floats(0.2, 1.0), spread=st.floats(0.04, 0.15), seed=st.integers(0, 50))
def test_healthy_marrow_is_the_lowest_mode_however_much_edema_there_is(share, spread, seed):
    random = np.random.default_rng(seed)
    healthy = random.normal(0.35, spread, int(8000 * share))
    edema = random.normal(1.9, 0.3, 8000 - len(healthy))
    found = lowest_mode(np.concatenate([healthy, edema]), highest=0.75)
    assert found.ratio == pytest.approx(0.35, abs=0.05)
    assert found.spread == pytest.approx(spread, rel=0.5)


def test_a_few_dark_voxels_are_no_mode():
    random = np.random.default_rng(0)
    values = np.concatenate([random.normal(0.05, 0.01, 300), random.normal(0.5, 0.05, 7000)])
    assert lowest_mode(values, highest=0.75).ratio == pytest.approx(0.5, abs=0.03)


def test_bright_marrow_alone_is_no_reference():
    with pytest.raises(QuantificationError) as error:
        lowest_mode(np.random.default_rng(0).normal(1.8, 0.2, 5000), highest=0.75)
    assert error.value.code == "reference_marrow_not_found"


def test_too_little_marrow_is_no_reference():
    with pytest.raises(QuantificationError) as error:
        lowest_mode(np.full(100, np.nan), highest=0.75)
    assert error.value.code == "reference_marrow_too_small"
