"""Outcomes of invented people without the scatter of chance.

People of nearly the same score might as well have had each other's outcomes. Outcomes are therefore
exchanged among such neighbours until what the teacher leaves unexplained is the same along every
feature, as it is on average: Σ_i x_i (outcome_i − expected_i) ≈ 0. Models then find the teacher
again, less an error that as many real records would add (balanced sampling: Deville, Tillé 2004).
"""

from __future__ import annotations

import numpy as np

from tincture.arrays import Floats
from tincture.public.tasks import Task

AT_ONCE = 1000  # exchanges looked at, of which the best is made
NEAR = 0.02  # share of all people who are neighbours
STEPS = 4000
PATIENCE = 10  # looks without a gain after which outcomes are even enough


def evened(
    outcomes: Floats,
    scores: Floats,
    features: Floats,
    task: Task,
    counts: Floats,
    rng: np.random.Generator,
) -> Floats:
    """The same outcomes, exchanged among people of nearly the same score.

    Parameters
    ----------
    outcomes : ndarray of shape (n, width)
    scores : ndarray of shape (n,)
    features : ndarray of shape (n, q)
        Along which outcomes are evened.
    """
    n = len(scores)
    reach = max(int(NEAR * n), 10)
    order = np.argsort(scores, kind="stable")
    outcomes, scores, x = outcomes[order], scores[order], features[order]
    x = (x - x.mean(axis=0)) / np.maximum(x.std(axis=0), 1e-6)
    residual = task.residual(scores, outcomes, counts)
    usual = [np.full(len(p), p.mean()) for p in np.array_split(residual, max(n // reach, 1))]
    off, waited = x.T @ (residual - np.concatenate(usual)), 0
    for _ in range(STEPS):
        one = rng.integers(n, size=AT_ONCE)
        other = np.clip(one + rng.integers(1, reach + 1, size=AT_ONCE), 0, n - 1)
        more, apart = residual[other] - residual[one], x.take(one, axis=0) - x.take(other, axis=0)
        gain = -2 * more * (apart @ off) - more**2 * np.einsum("ij,ij->i", apart, apart)
        best = int(np.argmax(gain))
        waited = 0 if gain[best] > 0 else waited + 1
        if waited > PATIENCE:
            break
        if gain[best] > 0:
            pair = np.array([one[best], other[best]])
            outcomes[pair] = outcomes[pair[::-1]]
            before = residual[pair]
            residual[pair] = task.residual(scores[pair], outcomes[pair], counts)
            off = off + x[pair].T @ (residual[pair] - before)
    evened = np.empty_like(outcomes)
    evened[order] = outcomes
    return evened
