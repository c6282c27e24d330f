"""Figures of merit with 95% intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Floats = NDArray[np.float64]
Z95 = 1.959964


@dataclass(frozen=True, slots=True)
class Figure:
    """A value and its 95% interval."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, value: float, error: float, top: float = 1.0) -> Figure:
        """From a standard error, kept between 0 and ``top``."""
        return cls(value, max(0.0, value - Z95 * error), min(top, value + Z95 * error))


NOTHING = Figure(float("nan"), float("nan"), float("nan"))


def auroc(probability: Floats, label: NDArray[np.int64]) -> Figure:
    """Area under the ROC curve; with more classes the mean over each against the rest.

    Parameters
    ----------
    probability : ndarray of shape (n, n_classes)
    label : ndarray of int, shape (n,)

    Returns
    -------
    Figure
        With DeLong's standard error (DeLong et al. 1988); NaN where one class is absent.
    """
    if probability.shape[1] == 2:
        return _area(probability[:, 1], label == 1)
    areas = [_area(probability[:, k], label == k) for k in range(probability.shape[1])]
    known = [a for a in areas if np.isfinite(a.value)]
    if not known:
        return NOTHING
    # Classes share their records, so that the mean's error is at most the mean of the errors.
    error = float(np.mean([(a.high - a.low) / 2 / Z95 for a in known]))
    return Figure.of(float(np.mean([a.value for a in known])), error)


def _area(score: Floats, positive: NDArray[np.bool_]) -> Figure:
    n_pos, n_neg = int(positive.sum()), int((~positive).sum())
    if n_pos == 0 or n_neg == 0:
        return NOTHING
    ranks = rankdata(score)
    # Share of the other class that each record is ranked right against.
    above = (ranks[positive] - rankdata(score[positive])) / n_neg
    below = 1 - (ranks[~positive] - rankdata(score[~positive])) / n_pos
    variance = sum(v.var(ddof=1) / len(v) for v in (above, below) if len(v) > 1)
    return Figure.of(float(above.mean()), float(np.sqrt(variance)))


def brier(probability: Floats, label: NDArray[np.int64]) -> Figure:
    """Brier score: (p − y)² for two classes, Σ_k (p_k − y_k)² for more.

    Parameters
    ----------
    probability : ndarray of shape (n, n_classes)
    label : ndarray of int, shape (n,)
    """
    if len(label) == 0:
        return NOTHING
    square = np.square(probability - np.eye(probability.shape[1])[label]).sum(axis=1)
    square = square / 2 if probability.shape[1] == 2 else square
    return Figure.of(float(square.mean()), float(square.std() / np.sqrt(len(square))), 2.0)


def concordance(risk: Floats, time: Floats, event: Floats) -> Figure:
    """Harrell's C, with the standard error of a ratio of U-statistics (Pencina, D'Agostino 2004).

    Parameters
    ----------
    risk, time, event : ndarray of shape (n,)
    """
    from tincture.kernels.concordance import pair_counts

    right, comparable = pair_counts(
        *(np.ascontiguousarray(v, dtype=np.float64) for v in (risk, time, event))
    )
    if comparable.sum() == 0:
        return NOTHING
    c = right.sum() / comparable.sum()
    # Each record's pull on the ratio; a pair is seen from both its ends.
    pull = 2 * (right - c * comparable) / comparable.sum()
    return Figure.of(float(c), float(np.sqrt(np.sum(pull**2))))
