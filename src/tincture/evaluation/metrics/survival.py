"""Statistics of risks, read as log hazards, against right-censored times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tincture.arrays import Floats
from tincture.evaluation.metrics.figure import Statistic, mean_of, once, ratio, run_sums, runs

POINTS = 50  # times over which a Brier score is integrated
STEEPEST = 30.0  # log hazards are kept within it of the mean of the training table


def concordance(risk: Floats, time: Floats, event: Floats) -> Statistic:
    """Harrell's C.

    The value counts every pair; a resample's is its first-order expansion in the weights (the
    projection of both U-statistics), which differs by a term of order 1/n.

    Parameters
    ----------
    risk, time, event : ndarray of shape (n,)
    """
    from tincture.kernels.concordance import pair_counts

    right, comparable = pair_counts(risk, time, event)

    def c(w: Floats) -> Floats:
        # A pair is seen from both its ends, so that a record's pull, w - 1, counts twice.
        return ratio(*(2 * (w @ pairs) - pairs.sum() for pairs in (right, comparable)))

    return c


@dataclass(frozen=True, slots=True)
class Steps:
    """A right-continuous step function of time that starts at a value."""

    times: Floats
    values: Floats
    start: float

    def __call__(self, at: Floats) -> Floats:
        """Values at times of any shape."""
        place = np.searchsorted(self.times, at, side="right")
        return np.concatenate([[self.start], self.values])[place]


def kaplan_meier(time: Floats, event: Floats) -> Steps:
    """Share still without an event (Kaplan, Meier 1958)."""
    order, starts = runs(time)
    return Steps(
        time[order][starts], _survival(np.ones((1, len(time))), order, starts, event)[0], 1.0
    )


def censoring(time: Floats, event: Floats) -> Steps:
    """Share still under observation; of equal times, events leave before censorings."""
    order, starts = runs(time)
    ones = np.ones((1, len(time)))
    gone = run_sums(ones * event[order], starts)[0]
    lost = run_sums(ones * (1 - event[order]), starts)[0]
    at_risk = np.cumsum((gone + lost)[::-1])[::-1] - gone
    kept = 1 - np.divide(lost, at_risk, out=np.zeros_like(lost), where=at_risk > 0)
    return Steps(time[order][starts], np.cumprod(kept), 1.0)


def _survival(
    w: Floats, order: NDArray[np.intp], starts: NDArray[np.intp], event: Floats
) -> Floats:
    """Kaplan and Meier's estimate (b, n_times) at the distinct times of weighted records."""
    leaving = run_sums(w[:, order], starts)
    events = run_sums(w[:, order] * event[order], starts)
    at_risk = np.cumsum(leaving[:, ::-1], axis=1)[:, ::-1]
    share = np.divide(events, at_risk, out=np.zeros_like(events), where=at_risk > 0)
    return np.asarray(np.cumprod(1 - share, axis=1))


def breslow(risk: Floats, time: Floats, event: Floats) -> Steps:
    """Cumulative baseline hazard of a training table under its own risks (Breslow 1974)."""
    order, starts = runs(time)
    ones = np.ones((1, len(time)))
    hazard = np.exp(np.clip(risk, -STEEPEST, STEEPEST))[order]
    at_risk = np.cumsum(run_sums(ones * hazard, starts)[0][::-1])[::-1]
    events = run_sums(ones * event[order], starts)[0]
    return Steps(time[order][starts], np.cumsum(events / at_risk), 0.0)


def predicted_survival(
    own: Floats, time: Floats, event: Floats, risk: Floats, at: Floats
) -> Floats:
    """Survival (n, n_times) that a proportional-hazards reading of risks predicts.

    Parameters
    ----------
    own, time, event : ndarray of shape (m,)
        Risks of the training table's own rows, and their outcomes; they give the baseline.
    risk : ndarray of shape (n,)
        Risks of the records, on the same scale.
    at : ndarray of shape (n_times,)
    """
    level = own.mean()
    hazard = np.exp(np.clip(risk - level, -STEEPEST, STEEPEST))
    return np.asarray(np.exp(-np.outer(hazard, breslow(own - level, time, event)(at))))


def grid(time: Floats, event: Floats) -> Floats:
    """Times to integrate over: from the first twentieth of the events to nine tenths of all."""
    if not (event > 0.5).any():
        return np.empty(0)
    first = np.quantile(time[event > 0.5], 0.05)
    last = np.quantile(time, 0.9)
    return np.linspace(first, last, POINTS) if last > first else np.empty(0)


def integrated_brier(
    survival: Floats, time: Floats, event: Floats, at: Floats, observed: Steps
) -> Statistic:
    """Brier score of survival, weighted for censoring (Graf et al. 1999), its mean over time.

    Parameters
    ----------
    survival : ndarray of shape (n, n_times)
        Predicted at the times ``at``.
    time, event : ndarray of shape (n,)
    at : ndarray of shape (n_times,)
        Increasing.
    observed : Steps
        Share still under observation, of all held-out records; held fixed in a resample.
    """
    if len(at) < 2:
        return lambda w: np.full(len(w), np.nan)
    floor = 1e-3
    gone = (time[:, None] <= at) & (event[:, None] > 0.5)
    there = time[:, None] > at
    own = np.maximum(observed(time), floor)[:, None]
    score = gone * np.square(survival) / own
    score += there * np.square(1 - survival) / np.maximum(observed(at), floor)
    between = (score[:, 1:] + score[:, :-1]) / 2 @ np.diff(at)  # trapezoids
    return mean_of(between / (at[-1] - at[0]))


def observed_risks(time: Floats, event: Floats, horizons: Sequence[float]) -> list[Statistic]:
    """Kaplan and Meier's risk of an event by each horizon; one estimate serves all who ask.

    Parameters
    ----------
    time, event : ndarray of shape (n,)
    horizons : sequence of float
        In the unit of ``time``.
    """
    order, starts = runs(time)
    last = np.searchsorted(time[order][starts], horizons, side="right")

    @once
    def risks(w: Floats) -> Floats:
        alive = _survival(w, order, starts, event)
        return np.where(last > 0, 1 - alive[:, last - 1], 0.0)

    def by(k: int) -> Statistic:
        return lambda w: risks(w)[:, k]

    return [by(k) for k in range(len(horizons))]


def risk_difference(risk: Floats, observed: Statistic) -> Statistic:
    """Mean predicted risk (n,) of an event by a horizon, less that observed; 0 is right."""
    predicted = mean_of(risk)
    return lambda w: predicted(w) - observed(w)
