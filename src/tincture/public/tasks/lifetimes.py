"""Times of invented people: proportional hazards that meet counts of events in bins of time."""

from __future__ import annotations

import numpy as np

from tincture.arrays import Floats, Integers, Mask
from tincture.public.tasks.common import systematic

REACH = 5.0  # a log hazard counts no further from the mean
PRECISE = 1e-9  # share of the events that may lack where a hazard is solved for


def lifetimes(
    scores: Floats, counts: Floats, rng: np.random.Generator
) -> tuple[Integers, Floats, Mask]:
    """When people leave: bin, place inside it, and whether by the event.

    In each bin the hazard of those still there is solved for, so that as many events are expected
    as the counts call for; they, and censorings that heed the time alone, are drawn evenly along
    the score.

    Parameters
    ----------
    scores : ndarray of shape (n,)
        Log hazards.
    counts : ndarray of shape (2, n_bins)
        Of censorings and of events, none below 0; only their proportions matter.
    """
    n, last = len(scores), counts.shape[1] - 1
    order = np.lexsort((rng.random(n), scores))
    risk = np.exp(np.clip(scores[order] - scores.mean(), -REACH, REACH))
    cells, within, seen = np.full(n, last), np.empty(n), np.zeros(n, dtype=bool)
    left = np.arange(n)  # places in the order of the score
    censored, events = map(_whole, counts * n / counts.sum())
    for k in range(last + 1):
        hit = _events(risk[left], min(events[k], len(left)), rng)
        died, left = left[hit], left[~hit]
        leaves = min(censored[k], len(left)) if k < last else len(left)
        gone = systematic(np.full(len(left), leaves / max(len(left), 1)), rng.random())
        for some in (died, left[gone]):
            cells[order[some]], within[order[some]] = k, _even(len(some), rng)
        seen[order[died]], left = True, left[~gone]
    return cells, within, seen


def _whole(counts: Floats) -> Integers:
    """Whole numbers whose running sums are nearest."""
    return np.diff(np.round(np.cumsum(counts)), prepend=0.0).astype(np.int64)


def _events(risk: Floats, wanted: int, rng: np.random.Generator) -> Mask:
    """Who has the event: chances 1 − e^−h·risk that add up to what is wanted, by Newton's steps."""
    if wanted in (0, len(risk)):
        return np.full(len(risk), wanted > 0)
    hazard, lacking = wanted / risk.sum(), 1.0
    chances = np.empty(0)
    while lacking > PRECISE * wanted:  # from below, as expected events are concave in the hazard
        chances = -np.expm1(-hazard * risk)
        lacking = wanted - chances.sum()
        hazard += lacking / (risk * (1.0 - chances)).sum()
    return systematic(chances * (wanted / chances.sum()), rng.random())


def _even(n: int, rng: np.random.Generator) -> Floats:
    """Places in [0, 1), one in each nth, in random order."""
    return np.asarray((rng.permutation(n) + rng.random(n)) / max(n, 1))
