"""Weibull accelerated failure time models fitted to a batch of small tables.

With ``log T = b + x'g + log(E) / a``, E standard exponential, and ``w = a log t - eta``, where
``eta = a (b + x'g)``, the log-likelihood of right-censored times [1]_ is ``sum event (log a + w) -
exp(w)`` up to a constant. It is concave in ``a`` and the coefficients of ``eta`` together, so that
Newton's method is safe. The ridge penalty ``alpha / 2`` is on the coefficients of ``eta``, which
are lifelines' ``lambda_`` coefficients times ``rho_``; without penalty the two fits are the same.

References
----------
.. [1] J. Kalbfleisch and R. Prentice, The Statistical Analysis of Failure Time Data, 2002, ch. 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tincture.arrays import Floats
from tincture.kernels._arrays import Records
from tincture.kernels._compile import inline_jit, jit, kernel_jit
from tincture.kernels._fitted import Fitted
from tincture.kernels._linear import bounded, linear_scores, weighted_gram
from tincture.kernels._newton import MAX_HALVINGS, MAX_STEPS, PROMISE, falls_enough, solve
from tincture.kernels._partial_likelihood import predictor
from tincture.kernels._survival import each_row
from tincture.kernels.threads import share

_LOOSE = 1e-4  # penalty on the shape, which equal event times would drive to infinity
_SOONEST = 1e-300  # times up to here count as nought
_HIGHEST = 500.0  # exponents beyond are refused before they overflow


@dataclass(frozen=True, slots=True)
class AftFit(Fitted):
    """Weibull models of R tables, which predict the log hazard bar a constant, ``-x . coef``.

    Attributes
    ----------
    coef : (R, p) float64
        Change of ``eta`` with one unit of each column; positive for longer times.
    shape : (R,) float64
        The Weibull shape ``a``.
    """

    coef: Floats
    shape: Floats

    def _predicted(self, records: Records, fill: Floats | None) -> Floats:
        return -linear_scores(records, self.coef[:, None, :], fill)[:, 0, :]

    def unscale(self, centre: Floats, scale: Floats) -> AftFit:
        """Model for raw ``x`` equivalent to this one for ``(x - centre) / scale``, both (R, p)."""
        del centre  # moves eta by a constant per candidate, which no ranking sees
        return AftFit(self.coef / scale, self.shape)


def fit(
    candidates: Floats, time: Floats, event: NDArray[np.generic], *, alpha: float = 1.0
) -> AftFit:
    """Fit one Weibull model per candidate table; without events its coefficients are nought.

    Parameters
    ----------
    candidates, time, event
        See `tincture.kernels.cox.fit`; a time of 0 counts as half the smallest positive one.
    alpha : float
        Strength of the ridge penalty.
    """
    tables = bounded(candidates)
    r, _, p = tables.shape
    times = each_row(time, tables)
    smallest = np.min(times, axis=1, keepdims=True, initial=np.inf, where=times > _SOONEST)
    logs = np.log(np.maximum(times, np.where(np.isfinite(smallest), smallest, 2.0) / 2))
    events = each_row(event, tables)
    theta = np.zeros((r, p + 2))
    logs -= logs.mean(axis=1, keepdims=True)
    share(_fit_tables, r, tables, logs, events, float(alpha), theta)
    return AftFit(theta[:, 2:].copy(), theta[:, 0].copy())


@jit
def _loss(w: Floats, event: Floats, shape: float) -> float:
    """Negative log-likelihood, infinite where the shape or an exponent is out of range."""
    if not shape > 0.0:
        return np.inf
    total = 0.0
    for i in range(w.size):
        if not w[i] < _HIGHEST:
            return np.inf
        total += float(np.exp(w[i]) - event[i] * (w[i] + np.log(shape)))
    return total


@jit
def _penalty(theta: Floats, alpha: float) -> float:
    total = _LOOSE * theta[0] * theta[0]
    for c in range(2, theta.size):
        total += alpha * theta[c] * theta[c]
    return float(0.5 * total)


@inline_jit
def _newton_step(
    columns: Floats,
    event: Floats,
    alpha: float,
    theta: Floats,
    w: Floats,
    step: Floats,
    hessian: Floats,
) -> float:
    """Write the Newton step; return the decrease it promises."""
    seen, weights, gradient = 0.0, np.empty(w.size), np.empty(theta.size)
    for i in range(w.size):
        weights[i] = np.exp(w[i])
        seen += event[i]
    for c in range(theta.size):
        gradient[c] = alpha * theta[c] if c >= 2 else 0.0
        for i in range(w.size):
            gradient[c] += (weights[i] - event[i]) * columns[c, i]
    gradient[0] += _LOOSE * theta[0] - seen / theta[0]
    weighted_gram(columns, weights, hessian)
    hessian[0, 0] += _LOOSE + seen / (theta[0] * theta[0])
    for c in range(2, theta.size):
        hessian[c, c] += alpha
    return solve(hessian, gradient, step)


@inline_jit
def _fit_table(columns: Floats, event: Floats, alpha: float, theta: Floats) -> None:
    """Damped Newton descent from the exponential model without columns, in place."""
    q, m = columns.shape
    seen, total = 0.0, 0.0
    for i in range(m):
        seen += event[i]
        total += np.exp(columns[0, i])
    theta[0] = 1.0
    if seen <= 0.0:
        return
    theta[1] = np.log(total / seen)
    w, trial, point = np.empty(m), np.empty(m), np.empty(q)
    step, hessian = np.empty(q), np.empty((q, q))
    predictor(columns, theta, w)
    loss = _loss(w, event, theta[0]) + _penalty(theta, alpha)
    for _ in range(MAX_STEPS):
        promise = _newton_step(columns, event, alpha, theta, w, step, hessian)
        if not promise > 0.0:
            return
        length = 1.0
        for _ in range(MAX_HALVINGS):
            for c in range(q):
                point[c] = theta[c] - length * step[c]
            predictor(columns, point, trial)
            reached = _loss(trial, event, point[0]) + _penalty(point, alpha)
            if falls_enough(reached, loss, length * promise):
                break
            length *= 0.5
        else:
            return
        theta[:] = point
        w, trial, loss = trial, w, reached
        if promise < PROMISE:
            return


@kernel_jit
def _fit_tables(
    begin: int, stop: int, tables: Floats, logs: Floats, events: Floats, alpha: float, theta: Floats
) -> None:
    for r in range(begin, stop):
        m, p = tables[r].shape
        columns = np.empty((p + 2, m))
        for i in range(m):
            columns[0, i], columns[1, i] = logs[r, i], -1.0
        for c in range(p):
            mean = 0.0
            for i in range(m):
                mean += tables[r, i, c]
            mean /= m
            for i in range(m):
                columns[c + 2, i] = mean - tables[r, i, c]
        _fit_table(columns, events[r], alpha, theta[r])
