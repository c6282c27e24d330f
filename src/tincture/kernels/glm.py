"""Logistic regression without a penalty, as R's ``glm(binomial)`` fits it, for a batch of tables.

Iteratively reweighted least squares from ``(y + 1/2) / 2`` [1]_, until the deviance moves by less
than 1e-8 of itself or ``most`` steps are done: where the classes are separated the coefficients
are then huge, and finite. A column that is aliased with earlier ones has the coefficient nought.

References
----------
.. [1] P. McCullagh and J. Nelder, Generalized Linear Models, 2nd ed., 1989, ch. 2.5.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tincture.arrays import Floats, Integers
from tincture.kernels._compile import inline_jit, jit, kernel_jit
from tincture.kernels._linear import LANES, weighted_gram
from tincture.kernels._partial_likelihood import predictor, slope
from tincture.kernels._unpenalised import drop_aliased, scaled, solve, standard_errors
from tincture.kernels.logistic import LogisticFit
from tincture.kernels.threads import share

STEPS = 25  # R's own limit
_LEAST = 1e-10  # weight of a row, however sure its class
_FARTHEST = 30.0  # log odds beyond which a chance is 0 or 1, as in R


@dataclass(frozen=True, slots=True)
class GlmFit(LogisticFit):
    """Coefficients of one regression per table, and their standard errors.

    Attributes
    ----------
    error : (R, 1, p) float64
        NaN where a column is aliased.
    """

    error: Floats

    def unscale(self, centre: Floats, scale: Floats) -> GlmFit:
        """Model for raw ``x`` equivalent to this one for ``(x - centre) / scale``, both (R, p)."""
        raw = super(GlmFit, self).unscale(centre, scale)
        return GlmFit(raw.coef, raw.intercept, self.error / scale[:, None, :])


def fit(candidates: Floats, target: Integers, *, most: int = STEPS) -> GlmFit:
    """Fit one model per candidate table.

    Parameters
    ----------
    candidates : (R, m, p) float64
    target : (R, m) or (m,) int64
        Class of each row, 0 or 1.
    most : int
        Steps at most.
    """
    tables, centre, spread = scaled(candidates)
    r, m, p = tables.shape
    labels = np.array(np.broadcast_to(target, (r, m)), dtype=np.float64, order="C")
    columns = np.zeros((r, p + 1, (m + LANES - 1) // LANES * LANES))
    columns[:, 0, :m] = 1.0
    columns[:, 1:, :m] = tables.swapaxes(1, 2)
    beta, error = np.zeros((r, p + 1)), np.empty((r, p + 1))
    share(_fit_tables, r, columns, labels, most, beta, error)
    return GlmFit(beta[:, None, 1:], beta[:, :1], error[:, None, 1:]).unscale(centre, spread)


@inline_jit
def _reweight(eta: Floats, labels: Floats, weights: Floats, pull: Floats) -> float:
    """Write weights of the rows and slopes of their log-likelihood; return the deviance."""
    deviance = 0.0
    for i in range(eta.size):
        side = 1.0 if labels[i] > 0.5 else -1.0
        odds = min(max(eta[i], -_FARTHEST), _FARTHEST)
        wrong = 1.0 / (1.0 + np.exp(side * odds))
        deviance -= 2.0 * np.log1p(-wrong)
        weights[i] = max(wrong * (1.0 - wrong), _LEAST)
        pull[i] = side * wrong + weights[i] * (odds - eta[i])
    return deviance


@jit
def _iterate(columns: Floats, labels: Floats, most: int, beta: Floats, error: Floats) -> bool:
    """Take the steps of one table, whose first column is the constant.

    Aliased columns are dropped before the first step, and nothing else is done then; returns
    whether there were any.
    """
    q, m = columns.shape[0], labels.size
    eta, pull, weights = np.zeros(m), np.empty(m), np.zeros(columns.shape[1])
    gradient, step, hessian = np.empty(q), np.empty(q), np.empty((q, q))
    for i in range(m):  # chances begin at a quarter and three quarters
        weights[i] = 0.1875
        pull[i] = (0.1875 * np.log(3.0) + 0.25) * (1.0 if labels[i] > 0.5 else -1.0)
    before = np.inf
    for t in range(most):
        weighted_gram(columns, weights, hessian)
        slope(columns, pull, 0.0, beta, gradient)
        solve(hessian, gradient, step)
        if t == 0 and drop_aliased(hessian, columns):
            return True
        for a in range(q):
            beta[a] += step[a]
        predictor(columns, beta, eta)
        deviance = _reweight(eta, labels, weights, pull)
        if abs(deviance - before) < 1e-8 * (abs(deviance) + 0.1):
            break
        before = deviance
    weighted_gram(columns, weights, hessian)
    unit = solve(hessian, gradient, step)
    standard_errors(hessian, unit, columns, error)
    return False


@jit
def _without_aliased(
    columns: Floats, labels: Floats, most: int, beta: Floats, error: Floats
) -> None:
    """The same from the columns that are left, which may be few."""
    kept = np.array([a for a in range(beta.size) if np.abs(columns[a]).max() > 0.0])
    few = np.empty((kept.size, columns.shape[1]))
    for a in range(kept.size):
        few[a] = columns[kept[a]]
    found, doubt = np.zeros(kept.size), np.empty(kept.size)
    _iterate(few, labels, most, found, doubt)
    error[:] = np.nan
    for a in range(kept.size):
        beta[kept[a]], error[kept[a]] = found[a], doubt[a]


@kernel_jit
def _fit_tables(
    begin: int,
    stop: int,
    columns: Floats,
    labels: Floats,
    most: int,
    beta: Floats,
    error: Floats,
) -> None:
    for r in range(begin, stop):
        if _iterate(columns[r], labels[r], most, beta[r], error[r]):
            _without_aliased(columns[r], labels[r], most, beta[r], error[r])
