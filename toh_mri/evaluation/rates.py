"""Counts and rates, the ROC curve, and calibration."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from toh_mri.evaluation.agreement import Interval

FEW = 10
"""Below this number of hips a share is a count, and no rate is given."""

BINS = 5


@dataclass(frozen=True)
class Proportion:
    """`count` of `n` hips of so many patients; rate and 95 % interval are None where n is below `FEW`."""

    count: int
    n: int
    patients: int
    rate: float | None
    interval: Interval | None


@dataclass(frozen=True)
class Auc:
    """Area under the ROC curve. The interval is None where the curve has no spread to estimate it from."""

    positives: int
    negatives: int
    patients: int
    value: float
    interval: Interval | None


@dataclass(frozen=True)
class Bin:
    """Hips whose probability lies in one fifth of the range."""

    n: int
    mean_probability: float
    share: float


@dataclass(frozen=True)
class Calibration:
    """Brier score and reliability bins."""

    n: int
    brier: float
    bins: tuple[Bin, ...]


def proportion(outcomes: Iterable[bool], patients: Sequence[str] | None = None) -> Proportion:
    """Count what is true, with Wilson's 95 % interval (Wilson 1927, 10.1080/01621459.1927.10502953).

    The two hips of a patient are alike. So the interval is that of fewer hips: their number over the design effect
    (Rao and Scott 1992, 10.2307/2532311), at most the number of patients where all outcomes are one.

    Parameters
    ----------
    outcomes : iterable of bool
    patients : sequence of str, optional
        Of each outcome; every hip its own patient where not given.
    """
    values = np.array(list(outcomes), dtype=np.float64)
    n = len(values)
    cluster, number = _clusters(patients, n)
    count = round(float(values.sum()))
    if n < FEW:
        return Proportion(count, n, number, None, None)
    rate = count / n
    effective = min(n, n / _design_effect(values, cluster, number)) if 0 < count < n else number
    return Proportion(count, n, number, rate, _wilson(rate, float(effective)))


def _clusters(patients: Sequence[str] | None, n: int) -> tuple[NDArray[np.intp], int]:
    """Return the number of each hip's patient, shape (n,), and how many patients there are."""
    if patients is None:
        return np.arange(n), n
    names, cluster = np.unique(np.asarray(patients, dtype=np.str_), return_inverse=True)
    return cluster, len(names)


def _design_effect(values: NDArray[np.float64], cluster: NDArray[np.intp], number: int) -> float:
    """Return the variance of a share by patients over that of as many independent hips, at least 1."""
    n, rate = len(values), float(values.mean())
    if number in {1, n}:
        return n / number
    apart = np.bincount(cluster, weights=values - rate)
    variance = number / (number - 1) * float((apart**2).sum()) / n**2
    return max(1.0, variance * n / (rate * (1 - rate)))


def _wilson(rate: float, n: float) -> Interval:
    z = float(stats.norm.ppf(0.975))
    middle = (rate + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * float(np.sqrt(rate * (1 - rate) / n + z**2 / (4 * n**2)))
    # At none and at all the limit is 0 and 1 exactly; rounding would leave 3e-18 and 0.9999999999999999.
    return Interval(0.0 if rate == 0 else middle - half, 1.0 if rate == 1 else middle + half)


def area_under_curve(
    positive: ArrayLike, negative: ArrayLike, patients: tuple[Sequence[str], Sequence[str]] | None = None
) -> Auc | None:
    """Return the share of pairs in which the positive has the higher score, ties counted half.

    The interval is that of DeLong et al. 1988, 10.2307/2531595, by midranks (Sun and Xu 2014,
    10.1109/LSP.2014.2337313), cut at 0 and 1; where a patient has two hips here, that of Obuchowski 1997,
    10.2307/2533958, which is the same where none has.

    Parameters
    ----------
    positive, negative : array_like of float, shape (m,) and (n,)
        Scores.
    patients : tuple of two sequences of str, optional
        Of each positive and each negative; every hip its own patient where not given.

    Returns
    -------
    Auc or None
        None where one group is empty.
    """
    x, y = np.asarray(positive, dtype=np.float64), np.asarray(negative, dtype=np.float64)
    m, n = len(x), len(y)
    if not m or not n:
        return None
    ranks = stats.rankdata(np.concatenate([x, y]))
    above = (ranks[:m] - stats.rankdata(x)) / n
    below = 1 - (ranks[m:] - stats.rankdata(y)) / m
    value = float(above.mean())
    cluster, number = _clusters(None if patients is None else [*patients[0], *patients[1]], m + n)
    variance = _area_variance(above - value, below - value, cluster[:m], cluster[m:])
    if variance is None or variance <= 0:
        return Auc(m, n, number, value, None)
    spread = 1.96 * float(np.sqrt(variance))
    return Auc(m, n, number, value, Interval(max(0.0, value - spread), min(1.0, value + spread)))


def _area_variance(
    above: NDArray[np.float64], below: NDArray[np.float64], of_positive: NDArray[np.intp], of_negative: NDArray[np.intp]
) -> float | None:
    """Return the variance of an area from what each positive and each negative adds to it, less the area.

    `of_positive` and `of_negative` are their patients' numbers. None where one group is of one patient.
    """
    patients = np.union1d(of_positive, of_negative)
    both = np.intersect1d(of_positive, of_negative)
    with_positive, with_negative = len(np.unique(of_positive)), len(np.unique(of_negative))
    if min(with_positive, with_negative) == 1:
        return None
    size = int(patients.max()) + 1
    x = np.bincount(of_positive, weights=above, minlength=size) / len(above)
    y = np.bincount(of_negative, weights=below, minlength=size) / len(below)
    together = len(patients) / (len(patients) - 1) * float((x * y).sum()) if len(both) else 0.0
    return (
        with_positive / (with_positive - 1) * float((x**2).sum())
        + with_negative / (with_negative - 1) * float((y**2).sum())
        + 2 * together
    )


def roc_points(positive: Sequence[float], negative: Sequence[float]) -> NDArray[np.float64]:
    """Return the ROC curve from (0, 0) to (1, 1): one point per score, shape (points, 2): false, true positive rate."""
    x, y = np.asarray(positive), np.asarray(negative)
    cuts = np.unique(np.concatenate([x, y]))[::-1]
    true = (x[None, :] >= cuts[:, None]).mean(axis=1)
    false = (y[None, :] >= cuts[:, None]).mean(axis=1)
    return np.vstack([[0.0, 0.0], np.column_stack([false, true])])


def calibration(probability: ArrayLike, happened: ArrayLike) -> Calibration | None:
    """Return the Brier score (Brier 1950) and, in five bins of equal width, how often what was forecast was so.

    Parameters
    ----------
    probability : array_like of float, shape (n,), 0..1
    happened : array_like of bool, shape (n,)
    """
    p, y = np.asarray(probability, dtype=np.float64), np.asarray(happened, dtype=bool)
    if not len(p):
        return None
    place = np.minimum((p * BINS).astype(int), BINS - 1)
    bins = [
        Bin(int((place == k).sum()), float(p[place == k].mean()), float(y[place == k].mean())) for k in np.unique(place)
    ]
    return Calibration(len(p), float(((p - y) ** 2).mean()), tuple(bins))
