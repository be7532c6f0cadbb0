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
    """`count` of `n`; rate and 95 % interval are None where n is below `FEW`."""

    count: int
    n: int
    rate: float | None
    interval: Interval | None


@dataclass(frozen=True)
class Auc:
    """Area under the ROC curve. The interval is None where the curve has no spread to estimate it from."""

    positives: int
    negatives: int
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


def proportion(outcomes: Iterable[bool]) -> Proportion:
    """Count what is true, with Wilson's 95 % interval (Wilson 1927, 10.1080/01621459.1927.10502953)."""
    values = list(outcomes)
    count, n = sum(values), len(values)
    if n < FEW:
        return Proportion(count, n, None, None)
    interval = stats.binomtest(count, n).proportion_ci(method="wilson")
    return Proportion(count, n, count / n, Interval(float(interval.low), float(interval.high)))


def area_under_curve(positive: ArrayLike, negative: ArrayLike) -> Auc | None:
    """Return the share of pairs in which the positive has the higher score, ties counted half.

    The interval is that of DeLong et al. 1988, 10.2307/2531595, by midranks (Sun and Xu 2014,
    10.1109/LSP.2014.2337313), cut at 0 and 1. Hips are taken as independent, also the two of one patient.

    Parameters
    ----------
    positive, negative : array_like of float, shape (m,) and (n,)
        Scores.

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
    if min(m, n) == 1:
        return Auc(m, n, value, None)
    spread = 1.96 * float(np.sqrt(above.var(ddof=1) / m + below.var(ddof=1) / n))
    interval = Interval(max(0.0, value - spread), min(1.0, value + spread)) if spread > 0 else None
    return Auc(m, n, value, interval)


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
