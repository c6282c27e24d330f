"""Outcomes of invented people without the scatter of chance.

People of nearly the same score might as well have had each other's outcomes. Outcomes are therefore
exchanged among such neighbours until what the teacher leaves unexplained is the same along every
feature, as it is on average: Σ_i x_i (outcome_i − expected_i) ≈ 0. Models then find the teacher
again, less an error that as many real records would add (balanced sampling: Deville, Tillé 2004).

Of several classes the outcomes of two are exchanged at a time, among people of nearly the same odds
between these two, until the same holds for each class.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from tincture.arrays import Floats, Integers
from tincture.public.tasks import Task

DRAWN = 3000  # pairs, of whom
AT_ONCE = 1000  # exchanges are looked at
MADE = 8  # of them at most, the best ones
NEAR = 0.02  # share of all people who are neighbours
STEPS = 600
PATIENCE = 20  # looks without a gain after which outcomes are even enough
PASSES = 2  # over all pairs of several classes


def evened(
    outcomes: Floats,
    scores: Floats,
    features: Floats,
    task: Task,
    counts: Floats,
    rng: np.random.Generator,
    *,
    steps: int = STEPS,
) -> Floats:
    """The same outcomes, exchanged among people of nearly the same score.

    Parameters
    ----------
    outcomes : ndarray of shape (n, width)
    scores : ndarray of shape (n,) or (n, n_scores)
    features : ndarray of shape (n, q)
        Along which outcomes are evened.
    steps : int
        Looks at most; many features need more.
    """
    outcomes = outcomes.copy()
    x = (features - features.mean(axis=0)) / np.maximum(features.std(axis=0), 1e-6)
    off = x.T @ _unusual(task.residual(scores, outcomes, counts), scores)

    def worth(some: Integers, whose: Integers) -> Floats:
        """What residuals some would have of others' outcomes; of classes the corner alone."""
        mine = task.residual(scores[some], outcomes[whose], counts)
        if scores.ndim == 1:
            return mine
        return mine - task.residual(scores[some], np.zeros_like(outcomes[some]), counts)

    lines = 1 if scores.ndim == 1 else PASSES * task.n_cells * (task.n_cells - 1) // 2
    for line in _lines(outcomes, scores, task):
        own, now = x[line], worth(line, line)
        reach, waited = max(int(NEAR * len(line)), 10), 0
        for _ in range(steps // lines if len(line) else 0):
            one = rng.integers(len(line), size=DRAWN)
            other = np.clip(one + rng.integers(1, reach + 1, size=DRAWN), 0, len(line) - 1)
            unlike = (outcomes[line[one]] != outcomes[line[other]]).any(axis=1)
            unlike = np.flatnonzero(unlike)[:AT_ONCE]
            one, other = one[unlike], other[unlike]  # who have the same exchange nothing
            apart = own.take(one, axis=0) - own.take(other, axis=0)
            gain = _gain(now[other] - now[one], apart, off)
            best = np.argsort(-gain)[:MADE]
            pairs = np.stack([one[best], other[best]], axis=1)
            exchanged = worth(line[pairs].ravel(), line[pairs[:, ::-1]].ravel())
            touched: set[int] = set()
            for pair, after in zip(
                pairs, exchanged.reshape(*pairs.shape, *now.shape[1:]), strict=True
            ):
                before, between = now[pair], own[pair[:1]] - own[pair[1:]]
                worse = _gain(before[1:] - before[:1], between, off)[0] <= 0  # after those before
                if worse or not touched.isdisjoint(pair.tolist()):
                    continue
                outcomes[line[pair]] = outcomes[line[pair[::-1]]]
                now[pair] = after
                off = off + own[pair].T @ (after - before)
                touched.update(pair.tolist())
            waited = 0 if touched else waited + 1
            if waited > PATIENCE:
                break
    return outcomes


def _lines(outcomes: Floats, scores: Floats, task: Task) -> Iterator[Integers]:
    """People among whom outcomes may be exchanged, in an order that makes neighbours alike."""
    if scores.ndim == 1:
        yield np.argsort(scores, kind="stable")
        return
    odds = np.log(task.chance(scores))
    for a, b in PASSES * list(combinations(range(task.n_cells), 2)):
        some = np.flatnonzero(np.isin(task.cells(outcomes), (a, b)))
        yield some[np.argsort(odds[some, b] - odds[some, a], kind="stable")]


def _unusual(residual: Floats, scores: Floats) -> Floats:
    """Less what is usual at a score, which exchanges among neighbours cannot change."""
    if scores.ndim > 1:
        return residual
    order, rest = np.argsort(scores, kind="stable"), residual.copy()
    for part in np.array_split(order, max(len(order) // max(int(NEAR * len(order)), 10), 1)):
        rest[part] -= residual[part].mean()
    return rest


def _gain(more: Floats, apart: Floats, off: Floats) -> Floats:
    """By how much ‖off‖² falls if people exchange outcomes.

    Parameters
    ----------
    more : ndarray of shape (m,) or (m, n_scores)
        Residual of the second of each pair less that of the first.
    apart : ndarray of shape (m, q)
        Features of the first less those of the second.
    """
    squares = np.einsum("ij,ij->i", apart, apart)
    return np.asarray(-2 * _sum(more * (apart @ off)) - _sum(more**2) * squares)


def _sum(values: Floats) -> Floats:
    """Over scores, if there are several."""
    return values if values.ndim == 1 else np.asarray(values.sum(axis=1))
