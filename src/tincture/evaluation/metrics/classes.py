"""Statistics of class probabilities."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tincture.arrays import Floats, Integers, Mask
from tincture.evaluation.metrics.figure import Statistic, mean_of, ratio, sums

CERTAIN = 1e-4  # recalibration takes probabilities to lie this far from 0 and 1


def auroc(probability: Floats, label: Integers) -> Statistic:
    """Area under the ROC curve; with more classes the mean over each against the rest.

    Parameters
    ----------
    probability : ndarray of shape (n, n_classes)
    label : ndarray of int, shape (n,)
    """
    return _each_against_the_rest(_area, probability, label)


def auprc(probability: Floats, label: Integers) -> Statistic:
    """Average precision; with more classes the mean over each against the rest."""
    return _each_against_the_rest(_average_precision, probability, label)


def brier(probability: Floats, label: Integers) -> Statistic:
    """Brier score: (p − y)² for two classes, Σ_k (p_k − y_k)² for more."""
    square = np.square(probability - np.eye(probability.shape[1])[label]).sum(axis=1)
    return mean_of(square / 2 if probability.shape[1] == 2 else square)


def _each_against_the_rest(
    one: Callable[[Floats, Mask], Statistic], probability: Floats, label: Integers
) -> Statistic:
    if probability.shape[1] == 2:
        return one(probability[:, 1], label == 1)
    present = [k for k in range(probability.shape[1]) if 0 < np.sum(label == k) < len(label)]
    parts = [one(probability[:, k], label == k) for k in present]
    if not parts:
        return lambda w: np.full(len(w), np.nan)
    return lambda w: np.mean([part(w) for part in parts], axis=0)


def _split(score: Floats, positive: Mask) -> Callable[[Floats], tuple[Floats, Floats]]:
    """Weights (k, b) of the positive records at each of their k distinct scores, lowest first.

    Then those (2k + 1, b) of the other records, summed up to below each score, to it, and to all.
    """
    cuts = np.unique(score[positive])
    place = np.searchsorted(cuts, score) + np.searchsorted(cuts, score, side="right")  # odd at one
    between = 2 * len(cuts) + 1
    counts = sums(np.where(positive, between + place // 2, place), between + len(cuts))

    def split(w: Floats) -> tuple[Floats, Floats]:
        found = counts(w)
        return found[between:], np.cumsum(found[:between], axis=0)

    return split


def _area(score: Floats, positive: Mask) -> Statistic:
    split = _split(score, positive)

    def area(w: Floats) -> Floats:
        hits, others = split(w)
        below = (others[:-1:2] + others[1::2]) / 2
        return ratio(np.einsum("kb,kb->b", hits, below), hits.sum(axis=0) * others[-1])

    return area


def _average_precision(score: Floats, positive: Mask) -> Statistic:
    split = _split(score, positive)

    def precision(w: Floats) -> Floats:
        hits, others = split(w)
        found = np.cumsum(hits[::-1], axis=0)[::-1]
        named = found + others[-1] - others[:-1:2]
        share = found / np.maximum(named, 1e-12)
        return ratio(np.einsum("kb,kb->b", hits, share), hits.sum(axis=0))

    return precision


def calibration_slope(probability: Floats, label: Integers) -> Statistic:
    """Slope b of the logistic recalibration logit P(y) = a + b logit(p) (Cox 1958); 1 is right.

    Below 1 the probabilities are too extreme. The value is exact; a resample's is one Newton step
    from it, which differs from a new fit by a term of order 1/n.

    Parameters
    ----------
    probability : ndarray of shape (n, 2)
    label : ndarray of int, shape (n,)
    """
    x = np.stack([np.ones(len(label)), log_odds(probability[:, 1])], axis=1)
    return _recalibrated(x, np.zeros(len(label)), label)


def calibration_intercept(probability: Floats, label: Integers) -> Statistic:
    """Intercept a of logit P(y) = a + logit(p), the slope held at 1; 0 is right.

    Also called calibration in the large (Van Calster et al. 2019). Above 0 risks are understated.
    """
    return _recalibrated(np.ones((len(label), 1)), log_odds(probability[:, 1]), label)


def observed_to_predicted(probability: Floats, label: Integers) -> Statistic:
    """Cases that there are over those that the probabilities expect; 1 is right."""
    observed, expected = (label == 1).astype(np.float64), probability[:, 1]
    return lambda w: ratio(w @ observed, w @ expected)


def log_odds(p: Floats) -> Floats:
    """Logit of probabilities, kept off 0 and 1."""
    inside = np.clip(p, CERTAIN, 1 - CERTAIN)
    return np.asarray(np.log(inside / (1 - inside)))


def _recalibrated(x: Floats, offset: Floats, label: Integers) -> Statistic:
    """The last coefficient of a logistic regression on x (n, k), k = 1 or 2."""
    y = label.astype(np.float64)
    solved = _newton(x, offset, y) if 0 < y.sum() < len(y) else None
    if solved is None:
        return lambda w: np.full(len(w), np.nan)
    coefficients, p = solved
    k = x.shape[1]
    score = x * (y - p)[:, None]
    pairs = (x[:, :, None] * x[:, None, :]).reshape(len(y), k * k) * (p * (1 - p))[:, None]

    def last(w: Floats) -> Floats:
        gradient, information = w @ score, (w @ pairs).reshape(len(w), k, k)
        regular = np.linalg.det(information) > 1e-9
        information[~regular] = np.eye(k)
        step = np.linalg.solve(information, gradient[..., None])[:, -1, 0]
        return np.where(regular, coefficients[-1] + step, np.nan)

    return last


def _newton(x: Floats, offset: Floats, y: Floats) -> tuple[Floats, Floats] | None:
    """Coefficients and fitted probabilities, or None if the regression has no solution."""
    coefficients = np.zeros(x.shape[1])
    for _ in range(100):
        p = 1 / (1 + np.exp(-np.clip(offset + x @ coefficients, -30, 30)))
        information = (x * (p * (1 - p))[:, None]).T @ x
        if np.linalg.det(information) <= 1e-9:
            return None
        step = np.linalg.solve(information, x.T @ (y - p))
        coefficients = coefficients + np.clip(step, -1.0, 1.0)
        if np.abs(step).max() < 1e-10:
            return coefficients, np.asarray(p)
    return None
