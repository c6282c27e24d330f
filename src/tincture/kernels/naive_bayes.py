"""Gaussian naive Bayes on many tables at once, as scikit-learn's ``GaussianNB`` fits it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tincture.arrays import Floats, Integers
from tincture.kernels._arrays import Records
from tincture.kernels._compile import jit, kernel_jit
from tincture.kernels._fitted import Fitted
from tincture.kernels._linear import BLOCK, bounded, columns_of
from tincture.kernels.pointwise import softmax
from tincture.kernels.threads import share

SMOOTHING = 1e-9  # of the largest variance of a column, added to every variance


@dataclass(frozen=True, slots=True)
class NaiveBayes(Fitted):
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

    def _predicted(self, records: Records, fill: Floats | None) -> Floats:
        n_tables, n_classes, _ = self.mean.shape
        columns, filled = columns_of(records, fill, n_tables)
        weight = 1.0 / self.variance
        far = np.zeros((n_tables, n_classes, columns.shape[1]))
        share(_distances, n_tables * n_classes, columns, filled, self.mean, weight, far)
        level = self.prior + 0.5 * np.log(weight).sum(axis=2)
        return softmax(level[:, :, None] - 0.5 * far)


@kernel_jit
def _distances(
    begin: int, stop: int, columns: Floats, fill: Floats, mean: Floats, weight: Floats, out: Floats
) -> None:
    """Sum ``(x - mean)² weight`` in the order of the columns, for all classes of all tables.

    Multiplied out it would be two matrix products, and lose all digits where the variance is small.
    """
    b, k = columns.shape[1], mean.shape[1]
    for first in range(0, b, BLOCK):
        last = min(first + BLOCK, b)
        for row in range(begin, stop):
            r, c = row // k, row % k
            _add_squares(
                columns, first, last, fill[r], mean[r, c], weight[r, c], out[r, c, first:last]
            )


@jit
def _add_squares(
    columns: Floats, first: int, last: int, fill: Floats, mean: Floats, weight: Floats, out: Floats
) -> None:
    """Add the terms of a block of records, two columns in a row to spare loads and stores."""
    p = mean.size
    for j in range(0, p - p % 2, 2):
        x, y = columns[j, first:last], columns[j + 1, first:last]
        fx, fy, mx, my, wx, wy = (
            fill[j],
            fill[j + 1],
            mean[j],
            mean[j + 1],
            weight[j],
            weight[j + 1],
        )
        for i in range(out.size):
            dx = (fx if np.isnan(x[i]) else x[i]) - mx
            dy = (fy if np.isnan(y[i]) else y[i]) - my
            out[i] = (out[i] + dx * dx * wx) + dy * dy * wy
    if p % 2 == 1:
        x, fx, mx, wx = columns[p - 1, first:last], fill[p - 1], mean[p - 1], weight[p - 1]
        for i in range(out.size):
            dx = (fx if np.isnan(x[i]) else x[i]) - mx
            out[i] += dx * dx * wx


def fit(candidates: Floats, target: Integers, *, n_classes: int) -> NaiveBayes:
    """Fit class means and variances to each table.

    Parameters
    ----------
    candidates, target, n_classes : see `tincture.kernels.forest.fit`

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
