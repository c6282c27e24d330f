"""When invented stays are recorded: as often as real ones, as stays measured always are like none.

Of a few condensed stays how often a variable is measured is not to be learned
(docs/decisions/0010-series.md): values are kept where a schedule says, each standing for the
stretch until the next, and the two stays of a pair share a schedule. Of many imagined ones each has
a number of its own, which may tell of its outcome.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, ndtri

from tincture.arrays import Floats, Integers, Mask

STEADY = 0.5  # share of the variance of schedules that lies between stays
SPREAD = 0.3  # deviation of the root of how often a variable is recorded, among its mean
ALONE = 0.3  # weight of a variable's own chance in when it is recorded, beside that of all
FIRST = 100.0  # more than any score: whatever is known was recorded when it was known first


def risen(known: Floats, n_bins: int) -> Floats:
    """Share of stays in which a value is known by each bin, (n_bins, variables).

    Parameters
    ----------
    known : ndarray of shape (variables, knots)
        As in `embeddings.Course`.
    n_bins : int
    """
    at, knots = np.linspace(0, 1, n_bins), np.linspace(0, 1, known.shape[1])
    rising = np.maximum.accumulate(known, axis=1)
    return np.array([np.interp(at, knots, row) for row in rising]).T.reshape(n_bins, -1)


def schedule(known: Mask, rate: Floats, rng: np.random.Generator, *, alike: int = 1) -> Mask:
    """Bins in which values are recorded, among those in which they are known.

    Parameters
    ----------
    known : ndarray of shape (n, bins, variables)
        Whether a value was recorded by then.
    rate : ndarray of shape (variables,)
        Share of all bins to record: the first ones known, then others by chance, in some stays more
        than in others.
    rng : numpy.random.Generator
    alike : int
        Neighbours that share a schedule.

    Returns
    -------
    ndarray of bool, shape (n, bins, variables)
    """
    n, n_bins, n_variables = known.shape
    groups, out = -(-n // alike), np.zeros(known.shape, dtype=bool)
    for i in range(n_variables):
        lasting, own = rng.standard_normal((groups, 1)), rng.standard_normal((groups, n_bins))
        score = np.sqrt(STEADY) * lasting + np.sqrt(1 - STEADY) * own
        score = np.repeat(score, alike, axis=0)[:n]
        begins = known[..., i].copy()
        begins[:, 1:] &= ~known[:, :-1, i]
        cells = np.flatnonzero(known[..., i])
        order = np.argsort((score - FIRST * begins).ravel()[cells], kind="stable")
        total = alike * max(1, round(rate[i] * n * n_bins / alike))
        out.reshape(-1, n_variables)[cells[order[:total]], i] = True
    return out


def how_often(latent: Floats, ever: Floats, rate: Floats, n_bins: int) -> Floats:
    """Bins to record in each stay, (n, variables); whole numbers on average, 0 in some stays.

    Parameters
    ----------
    latent : ndarray of shape (n, variables)
        Standard normal; the larger, the more often.
    ever : ndarray of shape (variables,)
        Share of stays in which a value is recorded at all.
    rate : ndarray of shape (variables,)
        Share of all bins to record.
    n_bins : int
    """
    ever = np.clip(ever, rate, np.clip(rate * n_bins, 1e-6, 1.0))
    place = (ndtr(latent) - (1 - ever)) / ever  # even among those in which it is
    root = 1 + SPREAD * ndtri(np.clip(place, 1e-6, 1 - 1e-6))
    at = 1 + SPREAD * ndtri((np.arange(200) + 0.5) / 200)
    low, high = np.zeros(len(rate)), np.full(len(rate), 10.0)
    for _ in range(40):  # the factor with which the mean is as wanted
        middle = (low + high) / 2
        bins = np.clip(np.square(np.maximum(middle * at[:, None], 0)), 1 / n_bins, 1.0)
        below = bins.mean(axis=0) < rate / ever
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    bins = n_bins * np.clip(np.square(np.maximum(low * root, 0)), 1 / n_bins, 1.0)
    return np.where(place > 0, bins, 0.0)


def scattered(bins: Floats, rising: Floats, rng: np.random.Generator) -> Mask:
    """So many bins of each stay, (n, n_bins, variables), from the first one on.

    Variables are recorded together, as blood is drawn for several.

    Parameters
    ----------
    bins : ndarray of shape (n, variables)
        How many; a fraction is rounded by chance.
    rising : ndarray of shape (n_bins, variables)
        Share of stays in which a value is known by each bin.
    rng : numpy.random.Generator
    """
    n, n_bins, n_variables = len(bins), *rising.shape
    many = np.floor(bins + rng.random(bins.shape)).astype(np.int64)
    chance = rng.random((n, 1, n_variables)) * np.maximum(rising[-1], 1e-9)
    first = np.minimum((chance >= rising).sum(axis=1), n_bins - np.maximum(many, 1))[:, None]
    at = np.arange(n_bins)[:, None]
    score = rng.random((n, n_bins, 1)) + ALONE * rng.random((n, n_bins, n_variables))
    score = np.where(at < first, FIRST, np.where(at == first, -FIRST, score))
    last = np.take_along_axis(np.sort(score, axis=1), np.maximum(many - 1, 0)[:, None], axis=1)
    return (score <= last) & (many > 0)[:, None]


def thinned(grid: Floats, recorded: Mask) -> Floats:
    """Of a full grid (n, bins, variables) the mean of each stretch where it begins, else NaN."""
    return np.where(recorded, pooled(grid, stretches(recorded)), np.nan)


def sampled(grid: Floats, recorded: Mask) -> Floats:
    """The same with the last value of each stretch, so that a last value stays the last."""
    n_bins = recorded.shape[1]
    ends = np.full(recorded.shape, n_bins - 1)
    ends[:, :-1][recorded[:, 1:]] = np.nonzero(recorded[:, 1:])[1]
    ends = np.minimum.accumulate(ends[:, ::-1], axis=1)[:, ::-1]
    return np.where(recorded, np.take_along_axis(grid, ends, axis=1), np.nan)


def stretches(recorded: Mask) -> Integers:
    """The stretch of each bin, which begins with a record; 0 before the first."""
    return np.cumsum(recorded, axis=1)


def pooled(values: Floats, stretch: Integers) -> Floats:
    """Each bin's value replaced by the mean of its stretch; an orthogonal projection.

    Parameters
    ----------
    values : ndarray of shape (n, bins, channels)
        NaN counts as 0.
    stretch : ndarray of int64, same shape
    """
    n, n_bins, n_channels = values.shape
    course = np.arange(n)[:, None, None] * n_channels + np.arange(n_channels)
    place = (course * (n_bins + 1) + stretch).ravel()
    count = np.bincount(place)
    total = np.bincount(place, weights=np.nan_to_num(values).ravel())
    return np.asarray((total / np.maximum(count, 1))[place].reshape(values.shape))
