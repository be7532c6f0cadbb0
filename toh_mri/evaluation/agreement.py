"""Agreement of two measurements of one quantity: limits of agreement and intraclass correlation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

_NORMAL_95 = 1.96
_LEAST = 3


class Interval(NamedTuple):
    """A 95 % confidence interval."""

    low: float
    high: float


@dataclass(frozen=True)
class LimitsOfAgreement:
    """Bias and 95 % limits of agreement, in the unit of the measurements."""

    n: int
    bias: float
    low: float
    high: float


@dataclass(frozen=True)
class IntraclassCorrelation:
    """ICC(A,1), of `n` subjects, with its 95 % confidence interval."""

    n: int
    value: float
    interval: Interval


def limits_of_agreement(measured: ArrayLike, truth: ArrayLike) -> LimitsOfAgreement | None:
    """Return the mean of measured minus truth and 1.96 standard deviations to either side.

    Bland and Altman 1986, 10.1016/S0140-6736(86)90837-8. None for fewer than three pairs.

    Parameters
    ----------
    measured, truth : array_like of float, shape (n,)
    """
    difference = np.asarray(measured, dtype=np.float64) - np.asarray(truth, dtype=np.float64)
    if len(difference) < _LEAST:
        return None
    bias, spread = float(difference.mean()), _NORMAL_95 * float(difference.std(ddof=1))
    return LimitsOfAgreement(len(difference), bias, bias - spread, bias + spread)


def intraclass_correlation(ratings: ArrayLike) -> IntraclassCorrelation | None:
    """Return the absolute agreement of single ratings, two-way random effects.

    ICC(2,1) of Shrout and Fleiss 1979, 10.1037/0033-2909.86.2.420; the confidence interval of ICC(A,1) of McGraw and
    Wong 1996, 10.1037/1082-989X.1.1.30, table 7.

    Parameters
    ----------
    ratings : array_like of float, shape (subjects, raters)

    Returns
    -------
    IntraclassCorrelation or None
        None for fewer than three subjects, or where all raters agree on all subjects or no rating differs from
        another: the interval, or the value, is not defined then.
    """
    x = np.asarray(ratings, dtype=np.float64)
    n, k = x.shape
    if n < _LEAST:
        return None
    rows, columns, error = _mean_squares(x)
    if error <= np.finfo(np.float64).eps * max(rows, columns):
        return None
    value = (rows - error) / (rows + (k - 1) * error + k * (columns - error) / n)
    a = k * value / (n * (1 - value))
    b = 1 + k * value * (n - 1) / (n * (1 - value))
    spread = (a * columns) ** 2 / (k - 1) + (b * error) ** 2 / ((n - 1) * (k - 1))
    if spread == 0:
        return None
    freedom = (a * columns + b * error) ** 2 / spread
    rest = k * columns + (k * n - k - n) * error
    # Few degrees of freedom (a strongly negative agreement) make the quantiles infinite, which the limits below are
    # written to survive, or put them below 1 or nowhere: the approximation has no interval round the value then.
    f_low, f_high = stats.f.ppf(0.975, n - 1, freedom), stats.f.ppf(0.975, freedom, n - 1)
    if not (f_low >= 1 and f_high >= 1):
        return None
    low = n * (rows / f_low - error) / (rest + n * rows / f_low)
    widest = f_high * rows if rows > 0 else 0.0
    high = n * (widest - error) / (rest + n * widest) if np.isfinite(widest) else 1.0
    return IntraclassCorrelation(n, float(value), Interval(float(low), float(high)))


def _mean_squares(x: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return the mean squares between subjects, between raters, and of what is left."""
    n, k = x.shape
    by_row, by_column, all_of_it = x.mean(axis=1), x.mean(axis=0), x.mean()
    left = x - by_row[:, None] - by_column + all_of_it
    return (
        float(k * ((by_row - all_of_it) ** 2).sum() / (n - 1)),
        float(n * ((by_column - all_of_it) ** 2).sum() / (k - 1)),
        float((left**2).sum() / ((n - 1) * (k - 1))),
    )
