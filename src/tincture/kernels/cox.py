"""Ridge Cox proportional hazards regression fitted to a batch of small tables.

The objective is the negative log partial likelihood with Breslow's handling of ties [1]_, [2]_ plus
``alpha / 2`` times the squared norm of the coefficients; this is the objective of scikit-survival's
``CoxPHSurvivalAnalysis(alpha=alpha)``, which divides all of it by the number of rows.

With ``A_i`` the sum of ``1 / S0(t)`` over event times up to row i's own, the gradient is
``X'(exp(eta) A - event)`` and the Hessian ``X' diag(exp(eta) A) X - sum_t d_t xbar_t xbar_t'``:
two Gram products, with no pass over risk sets per pair of columns.

References
----------
.. [1] D. R. Cox, Regression models and life tables, J. R. Stat. Soc. B 34 (1972) 187-220.
.. [2] N. Breslow, Covariance analysis of censored survival data, Biometrics 30 (1974) 89-99.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tincture.arrays import Floats, Integers
from tincture.kernels._arrays import Records
from tincture.kernels._compile import inline_jit, kernel_jit
from tincture.kernels._fitted import Fitted
from tincture.kernels._linear import bounded, linear_scores, weighted_gram
from tincture.kernels._newton import MAX_HALVINGS, MAX_STEPS, PROMISE, falls_enough, solve
from tincture.kernels._partial_likelihood import (
    centred_columns,
    hazards,
    loss_of,
    predictor,
    product,
    risk_set_means,
    slope,
    tie_groups,
)
from tincture.kernels._survival import each_row
from tincture.kernels.threads import share


class _Rows(NamedTuple):
    """One table, from the latest time to the earliest."""

    columns: Floats  # (p, padded) centred, with room for the means of risk sets
    event: Floats  # (m,)
    ends: Integers  # where each group of tied rows ends


class _Work(NamedTuple):
    """Arrays that a Newton step overwrites."""

    excess: Floats  # (m,) expected less observed events
    weights: Floats  # (padded,) of the columns in the Hessian
    gradient: Floats  # (p,)
    step: Floats  # (p,)
    hessian: Floats  # (p, p)


@dataclass(frozen=True, slots=True)
class CoxFit(Fitted):
    """Cox models of R tables, which predict the log partial hazard ``x . coef``.

    Attributes
    ----------
    coef : (R, p) float64
        Log hazard ratio of one unit of each column.
    """

    coef: Floats

    def _predicted(self, records: Records, fill: Floats | None) -> Floats:
        return linear_scores(records, self.coef[:, None, :], fill)[:, 0, :]

    def unscale(self, centre: Floats, scale: Floats) -> CoxFit:
        """Model for raw ``x`` equivalent to this one for ``(x - centre) / scale``, both (R, p).

        The hazard ratios are the same; the log partial hazard moves by a constant per candidate,
        which the partial likelihood leaves free.
        """
        del centre
        return CoxFit(self.coef / scale)


def fit(
    candidates: Floats,
    time: Floats,
    event: NDArray[np.bool_] | Integers,
    *,
    alpha: float = 1.0,
    start: CoxFit | None = None,
) -> CoxFit:
    """Fit one Cox model per candidate table; without events its coefficients are nought.

    Parameters
    ----------
    candidates : (R, m, p) float64
    time : (R, m) or (m,) float64
        Time of the event or of censoring.
    event : (R, m) or (m,) bool or int
        True where the event was seen.
    alpha : float
        Strength of the ridge penalty, in scikit-survival's sense.
    start : CoxFit, optional
        Coefficients to begin at, used where they beat all-zero ones.
    """
    tables = bounded(candidates)
    r, _, p = tables.shape
    times, events = each_row(time, tables), each_row(event, tables)
    latest_first = np.argsort(-times, axis=1, kind="stable")
    coef = np.zeros((r, p)) if start is None else np.array(start.coef, dtype=np.float64)
    share(
        _minimise_tables,
        r,
        tables,
        latest_first,
        np.take_along_axis(times, latest_first, axis=1),
        np.take_along_axis(events, latest_first, axis=1),
        float(alpha),
        coef,
    )
    return CoxFit(coef)


@inline_jit
def _start(rows: _Rows, alpha: float, coef: Floats, eta: Floats, logs: Floats) -> float:
    """Write the linear predictor of `coef`, or of nought if that is better; return the loss."""
    columns, event, ends = rows
    zero = loss_of(eta, event, ends, logs)
    predictor(columns, coef, eta)
    loss = loss_of(eta, event, ends, logs) + 0.5 * alpha * product(coef, coef)
    if loss <= zero:
        return loss
    coef[:] = 0.0
    eta[:] = 0.0
    return loss_of(eta, event, ends, logs)


@inline_jit
def _newton_step(
    rows: _Rows, alpha: float, coef: Floats, eta: Floats, logs: Floats, work: _Work
) -> float:
    """Write gradient and Newton step; return the decrease the step promises."""
    columns, event, ends = rows
    m, p = event.size, coef.size
    hazards(eta, event, ends, logs, work.weights)
    risk_set_means(eta, event, ends, columns, work.weights)
    for i in range(m):
        work.excess[i] = work.weights[i] - event[i]
    slope(columns, work.excess, alpha, coef, work.gradient)
    weighted_gram(columns, work.weights, work.hessian)
    for a in range(p):
        work.hessian[a, a] += alpha
    return solve(work.hessian, work.gradient, work.step)


@inline_jit
def _minimise(rows: _Rows, alpha: float, coef: Floats) -> None:
    """Damped Newton descent from `coef`, in place."""
    columns, event, ends = rows
    p, m = coef.size, event.size
    eta, change, trial, excess = np.zeros(m), np.empty(m), np.empty(m), np.empty(m)
    logs, step, hessian = np.empty(ends.size), np.empty(p), np.empty((p, p))
    work = _Work(excess, np.zeros(columns.shape[1]), np.empty(p), step, hessian)
    loss = _start(rows, alpha, coef, eta, logs)
    for _ in range(MAX_STEPS):
        promise = _newton_step(rows, alpha, coef, eta, logs, work)
        if not promise > 0.0:
            return
        predictor(columns, step, change)
        length, reached = 1.0, np.inf
        for _ in range(MAX_HALVINGS):
            for i in range(m):
                trial[i] = eta[i] - length * change[i]
            norm = product(coef, coef) - 2.0 * length * product(coef, step)
            norm += length * length * product(step, step)
            reached = loss_of(trial, event, ends, logs) + 0.5 * alpha * norm
            if falls_enough(reached, loss, length * promise):
                break
            length *= 0.5
        else:
            return
        for a in range(p):
            coef[a] -= length * step[a]
        eta, trial, loss = trial, eta, reached
        if promise < PROMISE:
            return


@kernel_jit
def _minimise_tables(
    begin: int,
    stop: int,
    tables: Floats,
    order: Integers,
    times: Floats,
    events: Floats,
    alpha: float,
    coef: Floats,
) -> None:
    for r in range(begin, stop):
        ends = tie_groups(times[r])
        columns = centred_columns(tables[r], order[r], ends.size)
        _minimise(_Rows(columns, events[r], ends), alpha, coef[r])
