"""Statistics of predicted numbers."""

from __future__ import annotations

import numpy as np

from tincture.arrays import Floats
from tincture.evaluation.metrics.figure import Statistic, mean_of, ratio


def r2(predicted: Floats, true: Floats) -> Statistic:
    """Share of the squared deviations from the mean that is explained: 1 − Σ(y − ŷ)²/Σ(y − ȳ)².

    Parameters
    ----------
    predicted, true : ndarray of shape (n,)
    """
    wrong = np.square(true - predicted)

    def explained(w: Floats) -> Floats:
        mean = ratio(w @ true, w.sum(axis=1))
        apart = w @ np.square(true) - w.sum(axis=1) * np.square(mean)
        return 1.0 - ratio(w @ wrong, np.where(apart > 1e-12, apart, 0.0))

    return explained


def absolute_error(predicted: Floats, true: Floats) -> Statistic:
    """Mean of |y − ŷ|."""
    return mean_of(np.abs(true - predicted))


def difference(predicted: Floats, true: Floats) -> Statistic:
    """Mean of ŷ − y; 0 is right."""
    return mean_of(predicted - true)
