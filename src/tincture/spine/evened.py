"""Outcomes of invented people without the scatter of chance.

People of nearly the same score might as well have had each other's outcomes. Outcomes are therefore
exchanged among such neighbours until what the teacher leaves unexplained is the same along every
feature, as it is on average: Σ_i x_i (outcome_i − expected_i) ≈ 0. Models then find the teacher
again, less an error that as many real records would add (balanced sampling: Deville, Tillé 2004).
Where several people are alike in all that is known of them, the same is wanted of each such few.

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
FEW = 10  # neighbours at least, or as many kinds of people
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
    alike: Integers | None = None,
    steps: int = STEPS,
) -> Floats:
    """The same outcomes, exchanged among people of nearly the same score.

    Parameters
    ----------
    outcomes : ndarray of shape (n, width)
    scores : ndarray of shape (n,) or (n, n_scores)
    features : ndarray of shape (n_kinds, q)
        Along which outcomes are evened, of each kind of people.
    alike : ndarray of shape (n,), optional
        Everyone's kind; all are apart if not given.
    steps : int
        Looks at most; many features need more.
    """
    outcomes = outcomes.copy()
    residual = task.residual(scores, outcomes, counts)
    kind = np.arange(len(outcomes)) if alike is None else alike
    left = _Unexplained(features, kind, residual, _unusual(residual, scores))

    def worth(some: Integers, whose: Integers) -> Floats:
        """What residuals some would have of others' outcomes; of classes the corner alone."""
        mine = task.residual(scores[some], outcomes[whose], counts)
        if scores.ndim == 1:
            return mine
        return mine - task.residual(scores[some], np.zeros_like(outcomes[some]), counts)

    lines = 1 if scores.ndim == 1 else PASSES * task.n_cells * (task.n_cells - 1) // 2
    for line in _lines(outcomes, scores, task):
        now = np.zeros_like(residual)
        now[line] = worth(line, line)
        reach, waited = max(int(NEAR * len(line)), FEW * len(kind) // len(features)), 0
        for _ in range(steps // lines if len(line) else 0):
            places = rng.integers(len(line), size=DRAWN)
            beside = places + rng.integers(1, reach + 1, size=DRAWN)
            one, other = line[places], line[np.clip(beside, 0, len(line) - 1)]
            unlike = (outcomes[one] != outcomes[other]).any(axis=1)
            unlike = np.flatnonzero(unlike)[:AT_ONCE]
            one, other = one[unlike], other[unlike]  # who have the same exchange nothing
            best = np.argsort(-left.gain(one, other, now[other] - now[one]))[:MADE]
            pairs = np.stack([one[best], other[best]], axis=1)
            exchanged = worth(pairs.ravel(), pairs[:, ::-1].ravel())
            touched: set[int] = set()
            for pair, after in zip(
                pairs, exchanged.reshape(*pairs.shape, *now.shape[1:]), strict=True
            ):
                before = now[pair]
                gained = left.gain(pair[:1], pair[1:], before[1:] - before[:1])[0]  # by now
                if gained <= 0 or not touched.isdisjoint(pair.tolist()):
                    continue
                outcomes[pair] = outcomes[pair[::-1]]
                now[pair] = after
                left.change(pair, after - before)
                touched.update(pair.tolist())
            waited = 0 if touched else waited + 1
            if waited > PATIENCE:
                break
    return outcomes


class _Unexplained:
    """Sums of residuals along features and, where people are alike, of each kind."""

    def __init__(self, features: Floats, kind: Integers, residual: Floats, unusual: Floats) -> None:
        x = (features - features.mean(axis=0)) / np.maximum(features.std(axis=0), 1e-6)
        self.x = np.ascontiguousarray(x)  # or every look at some rows would copy all of them
        self.kind = kind
        # Where all are apart a kind has nothing to share; elsewhere all count as much as features.
        self.weight = features.shape[1] if len(features) < len(kind) else 0
        self.of_kinds = self._summed(residual)
        self.along = self.x.T @ self._summed(unusual)

    def gain(self, one: Integers, other: Integers, more: Floats) -> Floats:
        """By how much the squares fall if people exchange outcomes.

        Parameters
        ----------
        more : ndarray of shape (m,) or (m, n_scores)
            Residual of the others less that of the ones.
        """
        one, other = self.kind[one], self.kind[other]
        apart = self.x.take(one, axis=0) - self.x.take(other, axis=0)
        squares = np.einsum("ij,ij->i", apart, apart) + 2 * self.weight * (one != other)
        lies = apart @ self.along + self.weight * (self.of_kinds[one] - self.of_kinds[other])
        return np.asarray(-2 * _sum(more * lies) - _sum(more**2) * squares)

    def change(self, some: Integers, by: Floats) -> None:
        """Once their residuals are others."""
        self.along = self.along + self.x[self.kind[some]].T @ by
        np.add.at(self.of_kinds, self.kind[some], by)

    def _summed(self, residual: Floats) -> Floats:
        sums = np.zeros((len(self.x), *residual.shape[1:]))
        np.add.at(sums, self.kind, residual)
        return sums


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


def _sum(values: Floats) -> Floats:
    """Over scores, if there are several."""
    return values if values.ndim == 1 else np.asarray(values.sum(axis=1))
