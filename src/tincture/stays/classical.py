"""Classical models of stays: regression and boosting on a few summaries of each channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tincture.arrays import Floats, Integers
from tincture.kernels.threads import one_thread
from tincture.stays.inputs import Standard
from tincture.stays.layout import Grid

RIDGE = 0.01  # inverse strength, for as few stays as a release has
TREES, LEAVES, LEAST = 50, 8, 5  # leaves of a tree at most, stays of a leaf at least
CUTS = 32  # of a summary at most: many more would take many times as long


@dataclass(frozen=True)
class Classical:
    """A model that learned from mean, last, least and largest value of each channel."""

    fitted: Any

    def log_odds(self, inputs: Grid) -> Floats:
        """Of the second class, (n,)."""
        with one_thread("openmp"):
            odds = self.fitted.decision_function(summaries_of(inputs))
        return np.asarray(odds, dtype=np.float64)


def logistic(inputs: Grid, label: Integers) -> Classical:
    """Ridge logistic regression on standardised stays, both classes counting alike.

    Parameters
    ----------
    inputs : float32 ndarray of shape (n, bins, channels)
    label : ndarray of int, shape (n,)
    """
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=RIDGE, class_weight="balanced", max_iter=5000)
    return Classical(model.fit(summaries_of(inputs), label))


def boosting(inputs: Grid, label: Integers) -> Classical:
    """Small trees in turn, from the same stays in the same way; nothing is drawn."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(
        class_weight="balanced",
        early_stopping=False,
        max_bins=CUTS,
        max_iter=TREES,
        max_leaf_nodes=LEAVES,
        min_samples_leaf=LEAST,
        random_state=0,
    )
    with one_thread("openmp"):
        return Classical(model.fit(summaries_of(inputs), label))


def summaries_of(inputs: Grid) -> Floats:
    """Mean, last, least and largest value of standardised channels, (n, 4 × channels)."""
    parts = (inputs.mean(axis=1), inputs[:, -1], inputs.min(axis=1), inputs.max(axis=1))
    return np.concatenate(parts, axis=1, dtype=np.float64)


def summarised(inputs: Grid) -> Floats:
    """The same of channels that are not yet standardised, by their own mean and deviation."""
    return summaries_of(Standard.of(inputs)(inputs))
