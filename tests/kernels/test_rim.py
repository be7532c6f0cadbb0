import numpy as np
import pytest

from tests.reference import naive_rim
from toh_mri.kernels.rim import rim_evidence

GAP = (2, 5)


def evidence(edge, share=0.3, gap=GAP, *, either):
    edge = np.asarray(edge, np.float32)
    result = np.full(edge.size - gap[1], -7, np.float32)
    rim_evidence(edge, share, *gap, either, result)
    return result


def random_edges(seed, n=40):
    return np.random.default_rng(seed).uniform(-1, 1, n).astype(np.float32)


@pytest.mark.parametrize("either", [True, False])
@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("gap", [(0, 0), (1, 1), (2, 5)])
@pytest.mark.parametrize("scale", [1.0, 0.1, 0.0])
def test_agrees_with_the_naive_twin(gap, share, either, scale):
    edge = scale * random_edges(3)
    twin = naive_rim.rim_evidence(edge, share, *gap, either_polarity=either)
    np.testing.assert_allclose(evidence(edge, share, gap, either=either), twin, atol=1e-6)


@pytest.mark.parametrize("either", [True, False])
def test_lies_between_nothing_and_one(either):
    for seed in range(5):
        found = evidence(np.sign(random_edges(seed)), either=either)
        assert found.min() >= 0
        assert found.max() <= 1
    assert not evidence(np.zeros(20), either=either).any()


def test_either_polarity_cannot_tell_a_picture_from_its_negative():
    edge = random_edges(7)
    np.testing.assert_array_equal(evidence(edge, either=True), evidence(-edge, either=True))
    assert not np.allclose(evidence(edge, either=False), evidence(-edge, either=False))
    assert (evidence(edge, either=True) >= evidence(edge, either=False)).all()


@pytest.mark.parametrize(("distance", "counts"), [(1, False), (2, True), (5, True), (6, False)])
def test_the_far_wall_counts_a_joints_width_away_only(distance, counts):
    edge = np.zeros(20)
    edge[4], edge[4 + distance] = -1, 1
    assert evidence(edge, share=0.3, either=False)[4] == pytest.approx(1.0 if counts else 0.7)


def test_a_far_wall_without_a_head_counts_half():
    edge = np.zeros(20)
    edge[7] = 1
    assert evidence(edge, share=0.4, either=False)[4] == pytest.approx(0.2)
    edge[4] = -0.13
    assert evidence(edge, share=0.4, either=False)[4] == pytest.approx(0.6 * 0.13 + 0.4)
