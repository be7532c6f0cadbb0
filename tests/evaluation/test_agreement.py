"""Limits of agreement and intraclass correlation, against published values and a textbook analysis of variance."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from toh_mri.evaluation.agreement import intraclass_correlation, limits_of_agreement

SHROUT_FLEISS = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
# Peak expiratory flow, Wright and mini Wright meter, l/min: Bland and Altman 1986, table 1.
WRIGHT = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
MINI = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]


def textbook_icc(ratings):
    """ICC(2,1) from sums of squares, cell by cell (Shrout and Fleiss 1979)."""
    n, k = len(ratings), len(ratings[0])
    grand = sum(map(sum, ratings)) / (n * k)
    total = sum((x - grand) ** 2 for row in ratings for x in row)
    subjects = sum(k * (sum(row) / k - grand) ** 2 for row in ratings)
    raters = sum(n * (sum(row[j] for row in ratings) / n - grand) ** 2 for j in range(k))
    bms, jms = subjects / (n - 1), raters / (k - 1)
    ems = (total - subjects - raters) / ((n - 1) * (k - 1))
    return (bms - ems) / (bms + (k - 1) * ems + k * (jms - ems) / n)


def test_the_published_example_of_shrout_and_fleiss():
    made = intraclass_correlation(SHROUT_FLEISS)
    assert made.n == 6
    assert made.value == pytest.approx(0.29, abs=0.005)
    # R psych::ICC, irr::icc and pingouin give 0.02 to 0.76 for this example.
    assert made.interval == pytest.approx((0.02, 0.76), abs=0.005)


@settings(max_examples=80, deadline=None)
@given(hnp.arrays(float, st.tuples(st.integers(3, 12), st.integers(2, 4)), elements=st.integers(0, 40).map(float)))
def test_icc_is_that_of_the_analysis_of_variance_and_lies_in_its_interval(ratings):
    made = intraclass_correlation(ratings)
    if made is not None:
        assert made.value == pytest.approx(textbook_icc(ratings.tolist()), abs=1e-9)
        assert made.interval.low <= made.value + 1e-9
        assert made.value <= made.interval.high + 1e-9


def test_a_constant_offset_between_raters_lowers_absolute_agreement():
    rng = np.random.default_rng(3)
    truth = rng.uniform(0, 50, 40)
    near = intraclass_correlation(np.column_stack([truth, truth + rng.normal(0, 1, 40)]))
    off = intraclass_correlation(np.column_stack([truth, truth + 15 + rng.normal(0, 1, 40)]))
    assert near.value > 0.99 > 0.8 > off.value


@pytest.mark.parametrize("ratings", [[[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]], [[5.0, 5.0]] * 4, [[1.0, 2.0], [3.0, 3.0]]])
def test_no_icc_where_it_is_not_defined(ratings):
    assert intraclass_correlation(ratings) is None


def test_the_published_limits_of_bland_and_altman():
    made = limits_of_agreement(WRIGHT, MINI)
    assert made.n == 17
    assert made.bias == pytest.approx(-2.1, abs=0.05)
    # The paper takes two standard deviations, 38.8 each; here 1.96.
    assert (made.high - made.low) / 2 / 1.96 == pytest.approx(38.8, abs=0.05)


def test_two_pairs_have_no_limits():
    assert limits_of_agreement([1.0, 2.0], [1.0, 3.0]) is None


@pytest.mark.parametrize(
    "ratings",
    [
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
        [[0.0, 0.0, 3.0], [0.0, 4.0, 0.0], [0.0, 0.0, 4.0]],
    ],
)
def test_no_icc_where_its_interval_is_not_defined(ratings):
    """Found by the property above: no spread to divide by, and an interval beside its own value."""
    assert intraclass_correlation(ratings) is None
