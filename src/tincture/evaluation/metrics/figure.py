"""A value with its 95% interval, from a paired bootstrap of the held-out records.

Every figure is a *statistic*: a function from weights of the records (b, n) to b values. Weights of
one give its value; the counts of a resample with replacement give what it might have been. Figures
that share their weights are paired, so that differences have intervals too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tincture.arrays import Floats

Statistic = Callable[[Floats], Floats]
RESAMPLES = 400  # a 2.5% tail is then known to within 0.8%
CELLS = 2_000_000  # weights held at once, which bounds the memory


@dataclass(frozen=True, slots=True)
class Figure:
    """A value and its 95% interval; NaN where it does not exist."""

    value: float
    low: float
    high: float


NOTHING = Figure(float("nan"), float("nan"), float("nan"))


def resamples(n: int, seed: int, count: int = RESAMPLES, cells: int = CELLS) -> Iterator[Floats]:
    """How often each of n records is drawn in each resample, in blocks (b, n) of so many cells.

    A record's counts lie side by side, as most statistics go from record to record.
    """
    rng = np.random.default_rng(seed)
    block = max(1, cells // max(n, 1))
    for start in range(0, count, block):
        b = min(block, count - start)
        drawn = rng.integers(0, n, (b, n)) * b + np.arange(b)[:, None]
        yield np.bincount(drawn.ravel(), minlength=b * n).reshape(n, b).astype(np.float64).T


def plain(statistic: Statistic, n: int) -> float:
    """The statistic's value on the n records as they are."""
    return float(statistic(np.ones((1, n)))[0])


def figure(value: float, replicates: Floats) -> Figure:
    """A value with the 2.5% and 97.5% points of its replicates.

    Where more than a fifth of the resamples have no value, neither has the interval.
    """
    known = replicates[np.isfinite(replicates)]
    if not np.isfinite(value) or len(known) < 0.8 * len(replicates):
        return Figure(value, float("nan"), float("nan"))
    low, high = np.percentile(known, [2.5, 97.5])
    return Figure(value, float(low), float(high))


def bootstrapped(statistic: Statistic, n: int, seed: int = 0) -> Figure:
    """One statistic of n records, with its interval."""
    replicates = np.concatenate([statistic(w) for w in resamples(n, seed)])
    return figure(plain(statistic, n), replicates)


def ratio(top: Floats, bottom: Floats) -> Floats:
    """Quotients, NaN where the divisor is nought."""
    return np.asarray(np.divide(top, bottom, out=np.full_like(top, np.nan), where=bottom != 0))


def mean_of(values: Floats) -> Statistic:
    """The weighted mean of one number a record."""
    return lambda w: ratio(w @ values, w.sum(axis=1))


def once(statistic: Statistic) -> Statistic:
    """A statistic that remembers its last weights, for others that are made of it."""
    last: list[Floats] = []

    def remembered(w: Floats) -> Floats:
        if not last or last[0] is not w:
            last[:] = w, statistic(w)
        return last[1]

    return remembered


def sums(slots: NDArray[np.intp], n_slots: int) -> Callable[[Floats], Floats]:
    """Weights (n_slots, b) of all the records in each slot."""
    from scipy.sparse import csr_array

    n = len(slots)
    held = csr_array((np.ones(n), (slots, np.arange(n))), shape=(n_slots, n))
    return lambda w: np.asarray(held @ w.T)


def runs(values: NDArray[np.generic]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The order that sorts values, and where each run of equal ones starts in it."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    return order, np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]][: len(ordered)])


def run_sums(weights: Floats, starts: NDArray[np.intp]) -> Floats:
    """Sums over runs along the last axis."""
    if len(starts) == weights.shape[1]:
        return weights
    return np.asarray(np.add.reduceat(weights, starts, axis=1))
