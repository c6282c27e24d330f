"""Gaussian naive Bayes on many tables at once, as scikit-learn's ``GaussianNB`` fits it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tincture.kernels._linear import Floats, bounded

SMOOTHING = 1e-9  # of the largest variance of a column, added to every variance


@dataclass(frozen=True, slots=True)
class NaiveBayes:
    """Fitted models.

    Attributes
    ----------
    prior : (R, C) log share of each class; −∞ where a class is absent
    mean, variance : (R, C, p)
    """

    prior: Floats
    mean: Floats
    variance: Floats

    def unscale(self, centre: Floats, scale: Floats) -> NaiveBayes:
        """For columns before the affine map (x − centre)/scale, both (R, p)."""
        mean = self.mean * scale[:, None] + centre[:, None]
        return NaiveBayes(self.prior, mean, self.variance * np.square(scale)[:, None])

    def predict(self, records: NDArray[np.floating], fill: Floats | None = None) -> Floats:
        """Class probabilities (R, b, C) of records (b, p), NaN counting as ``fill`` (R, p)."""
        known = bounded(records)
        missing = np.isnan(known)
        known[missing] = 0.0
        given = (~missing).astype(np.float64)
        n_tables, n_classes, n_columns = self.mean.shape
        mean = self.mean.reshape(-1, n_columns)
        weight = 1.0 / self.variance.reshape(-1, n_columns)
        far = np.square(known) @ weight.T - 2 * known @ (weight * mean).T
        far += given @ (weight * np.square(mean)).T
        if fill is not None and missing.any():
            filled = np.repeat(bounded(fill), n_classes, axis=0)
            far += missing.astype(np.float64) @ (weight * np.square(filled - mean)).T
        level = self.prior.ravel() - 0.5 * np.log(1.0 / weight).sum(axis=1)
        score = (level - 0.5 * far).reshape(len(records), n_tables, n_classes).transpose(1, 0, 2)
        likely = np.exp(score - score.max(axis=2, keepdims=True))
        return np.asarray(likely / likely.sum(axis=2, keepdims=True))


def fit(candidates: Floats, target: NDArray[np.int64], *, n_classes: int) -> NaiveBayes:
    """Fit class means and variances to each table.

    Parameters
    ----------
    candidates : (R, m, p) float64, finite
    target : (R, m) or (m,) int64 in 0..n_classes-1
    n_classes : number of classes

    Returns
    -------
    NaiveBayes
    """
    tables = bounded(candidates)
    n_tables, n_rows, _ = tables.shape
    labels = np.broadcast_to(target, (n_tables, n_rows))
    member = np.eye(n_classes)[labels].transpose(0, 2, 1)
    count = member.sum(axis=2)
    size = np.maximum(count, 1.0)[..., None]
    mean = member @ tables / size
    apart = tables - np.take_along_axis(mean, labels[..., None], axis=1)
    variance = member @ np.square(apart) / size
    least = SMOOTHING * tables.var(axis=1).max(axis=1)
    with np.errstate(divide="ignore"):
        prior = np.log(count / n_rows)
    return NaiveBayes(prior, mean, variance + np.maximum(least, 1e-30)[:, None, None])
