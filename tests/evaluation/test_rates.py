"""Rates, ROC area and calibration, against counting and published values."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toh_mri.evaluation.rates import FEW, area_under_curve, calibration, proportion, roc_points

scores = st.lists(st.sampled_from([-1.0, 0.0, 0.1, 0.3, 0.5, 0.55, 0.9, 1.0, 2.0]), min_size=1, max_size=12)


def pairs(positive, negative):
    return np.array([[1.0 if p > q else 0.5 if p == q else 0.0 for q in negative] for p in positive])


@settings(max_examples=80, deadline=None)
@given(scores, scores)
def test_the_area_is_the_share_of_pairs_in_order_and_the_area_under_the_curve(positive, negative):
    made = area_under_curve(positive, negative)
    assert made.value == pytest.approx(pairs(positive, negative).mean())
    curve = roc_points(positive, negative)
    assert np.trapezoid(curve[:, 1], curve[:, 0]) == pytest.approx(made.value)
    assert (curve[-1] == 1).all()


@settings(max_examples=60, deadline=None)
@given(scores, scores)
def test_the_interval_is_that_of_delong_by_counting_pairs(positive, negative):
    made, order = area_under_curve(positive, negative), pairs(positive, negative)
    if min(order.shape) == 1:
        assert made.interval is None
        return
    variance = order.mean(axis=1).var(ddof=1) / len(positive) + order.mean(axis=0).var(ddof=1) / len(negative)
    if made.interval is None:
        assert variance == pytest.approx(0, abs=1e-12)
    else:
        half = 1.96 * variance**0.5
        expected = (max(0, order.mean() - half), min(1, order.mean() + half))
        assert made.interval == pytest.approx(expected, abs=1e-9)


def test_no_area_without_both_groups():
    assert area_under_curve([], [0.2]) is None


def test_wilson_interval_of_newcombe_1998():
    made = proportion([True] * 81 + [False] * 182)
    assert (made.count, made.n) == (81, 263)
    assert made.interval == pytest.approx((0.2553, 0.3662), abs=5e-5)


def test_two_hips_that_are_always_alike_weigh_as_one():
    single = [True] * 30 + [False] * 20
    twice, patients = np.repeat(single, 2), np.repeat(np.arange(50).astype(str), 2)
    alone, paired = proportion(single), proportion(twice, list(patients))
    assert (paired.n, paired.patients, paired.rate) == (100, 50, 0.6)
    # The estimate of the variance divides by one patient less.
    assert paired.interval == pytest.approx(alone.interval, abs=0.002)
    assert proportion([True] * 40, [str(k // 2) for k in range(40)]).interval == proportion([True] * 20).interval


def test_hips_that_are_unlike_within_a_patient_are_not_taken_for_more_than_they_are():
    values, patients = [True, False] * 20, [str(k // 2) for k in range(40)]
    assert proportion(values, patients).interval == pytest.approx(proportion(values).interval)


def test_the_interval_of_an_area_covers_as_it_should_where_patients_have_two_hips():
    """Against resampling of whole patients: the standard errors agree, and exceed that of independent hips."""
    draw = np.random.default_rng(5)
    number = 60
    shared = draw.normal(0, 1, number)
    ill = np.repeat(np.arange(number) < 30, 2)
    score = np.repeat(shared, 2) + ill * 1.0 + draw.normal(0, 0.3, 2 * number)
    patient = np.repeat(np.arange(number), 2)

    def area(chosen):
        index = np.concatenate([[2 * k, 2 * k + 1] for k in chosen])
        x, y = score[index][ill[index]], score[index][~ill[index]]
        return (x[:, None] > y).mean()

    names = tuple([str(k) for k in patient[group]] for group in (ill, ~ill))
    made = area_under_curve(score[ill], score[~ill], names)
    naive = area_under_curve(score[ill], score[~ill])
    resampled = [area(np.r_[draw.integers(0, 30, 30), draw.integers(30, 60, 30)]) for _ in range(600)]
    half = (made.interval.high - made.interval.low) / 2
    assert half / 1.96 == pytest.approx(np.std(resampled), rel=0.12)
    assert half > 1.2 * (naive.interval.high - naive.interval.low) / 2
    assert (made.patients, naive.patients, made.value) == (60, 120, naive.value)


def test_the_interval_of_an_area_is_narrower_where_each_patient_has_a_hip_of_either_kind():
    """The differences within patients are alike: against resampling of whole patients, pairs kept together."""
    draw = np.random.default_rng(7)
    number = 60
    shared = draw.normal(0, 1, number)
    ill, well = shared + 0.7 + draw.normal(0, 0.4, number), shared + draw.normal(0, 0.4, number)
    names = [str(k) for k in range(number)]
    made, naive = area_under_curve(ill, well, (names, names)), area_under_curve(ill, well)
    chosen = draw.integers(0, number, (600, number))
    resampled = [(ill[index][:, None] > well[index]).mean() for index in chosen]
    half = (made.interval.high - made.interval.low) / 2
    assert half / 1.96 == pytest.approx(np.std(resampled), rel=0.12)
    assert half < 0.8 * (naive.interval.high - naive.interval.low) / 2


@pytest.mark.parametrize("n", [13, 20, 100, 999])
def test_the_interval_of_none_begins_at_0_and_that_of_all_ends_at_1(n):
    assert proportion([False] * n).interval.low == 0
    assert proportion([True] * n).interval.high == 1


def test_few_hips_give_a_count_and_no_rate():
    made = proportion([True] * (FEW - 1))
    assert (made.count, made.n, made.rate, made.interval) == (FEW - 1, FEW - 1, None, None)
    assert proportion([True] * FEW).rate == 1.0


def test_brier_score_and_bins():
    made = calibration([0.1, 0.15, 0.9, 1.0], [False, True, True, True])
    assert made.brier == pytest.approx((0.01 + 0.85**2 + 0.01 + 0) / 4)
    assert [(b.n, b.mean_probability, b.share) for b in made.bins] == [
        (2, pytest.approx(0.125), 0.5),
        (2, pytest.approx(0.95), 1.0),
    ]
    assert calibration([], []) is None
