"""Cox regression without a penalty, as R's ``coxph`` fits it, for a batch of tables.

Ties are Efron's. Newton steps from nought, halved where the likelihood falls, until it moves by
less than 1e-9 of itself or ``most`` steps are done: where risks are separated the coefficients are
then huge, and finite. A column that is aliased with earlier ones has the coefficient nought.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tincture.arrays import Floats, Integers
from tincture.kernels._compile import inline_jit, kernel_jit
from tincture.kernels._efron import hazards, loss_of, risk_set_means, tied_events
from tincture.kernels._linear import weighted_gram
from tincture.kernels._partial_likelihood import centred_columns, predictor, slope, tie_groups
from tincture.kernels._survival import each_row
from tincture.kernels._unpenalised import drop_aliased, scaled, solve, standard_errors
from tincture.kernels.cox import CoxFit
from tincture.kernels.threads import share

STEPS = 20  # R's own limit
_HALVINGS = 8
_LEAST = 1e-10  # information, on columns of spread 1, below which rounding is all there is


class _Rows(NamedTuple):
    """One table, from the latest time to the earliest."""

    columns: Floats  # (p, padded) with room for the means of risk sets
    event: Floats  # (m,)
    ends: Integers  # where each group of tied rows ends
    tied: Integers  # how many of them are events


class _Work(NamedTuple):
    """Arrays that a step overwrites."""

    logs: Floats  # (n_events,) of the sums over risk sets
    gone: Floats  # a group each
    weights: Floats  # (padded,) of the columns in the Hessian
    gradient: Floats  # (p,)
    step: Floats  # (p,)
    hessian: Floats  # (p, p)


@dataclass(frozen=True, slots=True)
class CoxphFit(CoxFit):
    """Coefficients of one regression per table, and their standard errors.

    Attributes
    ----------
    error : (R, p) float64
        NaN where a column is aliased.
    """

    error: Floats

    def unscale(self, centre: Floats, scale: Floats) -> CoxphFit:
        """Model for raw ``x`` equivalent to this one for ``(x - centre) / scale``, both (R, p)."""
        return CoxphFit(self.coef / scale, self.error / scale)


def fit(
    candidates: Floats,
    time: Floats,
    event: NDArray[np.bool_] | Integers,
    *,
    most: int = STEPS,
) -> CoxphFit:
    """Fit one Cox model per candidate table; without events its coefficients are nought.

    Parameters
    ----------
    candidates : (R, m, p) float64
    time : (R, m) or (m,) float64
        Time of the event or of censoring.
    event : (R, m) or (m,) bool or int
        True where the event was seen.
    most : int
        Steps at most.
    """
    tables, centre, spread = scaled(candidates)
    r, _, p = tables.shape
    times, events = each_row(time, tables), each_row(event, tables)
    latest_first = np.argsort(-times, axis=1, kind="stable")
    coef, error = np.zeros((r, p)), np.empty((r, p))
    share(
        _fit_tables,
        r,
        tables,
        latest_first,
        np.take_along_axis(times, latest_first, axis=1),
        np.take_along_axis(events, latest_first, axis=1),
        most,
        coef,
        error,
    )
    return CoxphFit(coef, error).unscale(centre, spread)


@inline_jit
def _solved(rows: _Rows, eta: Floats, work: _Work, excess: Floats, least: float) -> float:
    """Write gradient, factored Hessian and Newton step; return the unit of the Hessian."""
    columns, event, ends, tied = rows
    m, p = event.size, work.step.size
    hazards(eta, event, ends, tied, work.logs, work.weights)
    risk_set_means(eta, event, ends, tied, work.gone, columns)
    for i in range(m):
        excess[i] = event[i] - work.weights[i]
    for e in range(work.logs.size):
        work.weights[m + e] = -1.0
    slope(columns, excess, 0.0, work.step, work.gradient)
    weighted_gram(columns, work.weights, work.hessian)
    for a in range(p):
        work.hessian[a, a] += least
    return solve(work.hessian, work.gradient, work.step)


@inline_jit
def _iterate(rows: _Rows, most: int, coef: Floats, error: Floats) -> None:
    """Take the steps of one table."""
    columns, event, ends, tied = rows
    p, m, n_events = coef.size, event.size, tied.sum()
    eta, change, trial, excess = np.zeros(m), np.empty(m), np.empty(m), np.empty(m)
    work = _Work(
        np.empty(n_events),
        np.empty(ends.size),
        np.zeros(columns.shape[1]),
        np.empty(p),
        np.zeros(p),
        np.empty((p, p)),
    )
    loss = loss_of(eta, event, ends, tied, work.logs, work.gone)
    unit = _solved(rows, eta, work, excess, 0.0)
    drop_aliased(work.hessian, columns)
    for _ in range(most):
        predictor(columns, work.step, change)
        length, reached = 1.0, np.inf
        for _ in range(_HALVINGS):
            for i in range(m):
                trial[i] = eta[i] + length * change[i]
            reached = loss_of(trial, event, ends, tied, work.logs, work.gone)
            if reached <= loss + 1e-9:
                break
            length *= 0.5
        for a in range(p):
            coef[a] += length * work.step[a]
        eta, trial = trial, eta
        unit = _solved(rows, eta, work, excess, _LEAST)
        if abs(reached - loss) < 1e-9 * abs(reached):
            break
        loss = reached
    standard_errors(work.hessian, unit, columns, error)


@kernel_jit
def _fit_tables(
    begin: int,
    stop: int,
    tables: Floats,
    order: Integers,
    times: Floats,
    events: Floats,
    most: int,
    coef: Floats,
    error: Floats,
) -> None:
    for r in range(begin, stop):
        ends = tie_groups(times[r])
        tied = tied_events(events[r], ends)
        columns = centred_columns(tables[r], order[r], tied.sum())
        _iterate(_Rows(columns, events[r], ends, tied), most, coef[r], error[r])
