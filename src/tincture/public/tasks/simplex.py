"""Classes as corners of a regular simplex whose edges have length 1.

A score of K classes is a point z of K − 1 numbers; the log odds of class k against class j are
(v_k − v_j) · z, v_k being the corner of class k. What a teacher leaves unexplained is the corner of
the class seen less the mean corner expected: both lie in the simplex, so it is no longer than 1.
Two classes are the corners 0 and 1 of a line, on which z is the log odds.

All is computed record by record, in the order of the classes (docs/promise.md, lemma 8).
"""

from __future__ import annotations

from functools import cache
from itertools import combinations

import numpy as np

from tincture.arrays import Floats
from tincture.kernels.rows import products
from tincture.public.tasks.common import logistic


@cache
def corners(n_classes: int) -> Floats:
    """One a class, the first at the origin: (2,), or (K, K − 1) of more classes."""
    inner = np.linalg.cholesky((1.0 + np.eye(n_classes - 1)) / 2)
    every = np.concatenate([np.zeros((1, n_classes - 1)), inner])
    return every[:, 0] if n_classes == 2 else every


def probabilities(scores: Floats, n_classes: int) -> Floats:
    """Of each class, (n, K), from scores (n,) or (n, K − 1)."""
    from tincture.kernels import pointwise

    if n_classes == 2:
        case = logistic(scores)
        return np.stack([1.0 - case, case], axis=1)
    odds = np.stack([products(scores, corner) for corner in corners(n_classes)], axis=1)
    odds = pointwise.exp(np.clip(odds - odds.max(axis=1, keepdims=True), -30.0, 0.0))
    return np.asarray(odds / _sum(odds)[:, None])


def mean_corner(chances: Floats) -> Floats:
    """Σ_k p_k v_k, (n,) or (n, K − 1)."""
    every = corners(chances.shape[1])
    expected = chances[:, :1] * every[0].reshape(1, -1)
    for k in range(1, len(every)):
        expected = expected + chances[:, k : k + 1] * every[k].reshape(1, -1)
    return np.asarray(expected.reshape(len(chances), *every.shape[1:]))


def spread(chances: Floats) -> Floats:
    """Covariance of the corner, Σ p_j p_k (v_k − v_j)(v_k − v_j)ᵀ: (n,) or (n, K − 1, K − 1)."""
    n_classes = chances.shape[1]
    every = corners(n_classes)
    total = np.zeros((len(chances), *2 * every.shape[1:]))
    for j, k in combinations(range(n_classes), 2):
        edge = every[k] - every[j]
        total += np.multiply.outer(chances[:, k] * chances[:, j], np.multiply.outer(edge, edge))
    return total


def score_of(shares: Floats) -> Floats:
    """The score whose probabilities are these shares, () or (K − 1,)."""
    every = corners(len(shares))
    centred = every - every.mean(axis=0)
    return np.asarray(2 * centred.T @ np.log(shares))


def _sum(values: Floats) -> Floats:
    """Over classes, in their order."""
    total = values[:, 0]
    for k in range(1, values.shape[1]):
        total = total + values[:, k]
    return np.asarray(total)
