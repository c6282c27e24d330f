"""Newton steps of regressions without a penalty, whose columns may be aliased."""

from __future__ import annotations

import numpy as np

from tincture.arrays import Floats
from tincture.kernels._compile import jit
from tincture.kernels._linear import bounded, cholesky, solve_lower, solve_upper

ALIASED = 1e-12  # of a column's sum of squares left by earlier ones; R's coxph has 1.8e-12
_CONSTANT = 1e-10  # spread of a column, beside its largest amount
_SMALLEST = 1e-100  # amounts whose coefficients would be no numbers


def scaled(candidates: Floats) -> tuple[Floats, Floats, Floats]:
    """Tables (R, m, p) of columns centred and of spread 1, their centres and spreads (R, p).

    A constant column is nought.
    """
    tables = bounded(candidates)
    largest = np.abs(tables).max(axis=1)
    largest[largest == 0] = 1.0
    tables /= largest[:, None, :]  # no square can overflow
    centre = tables.mean(axis=1)
    tables -= centre[:, None, :]
    spread = tables.std(axis=1)
    is_constant = (spread <= _CONSTANT) | (largest < _SMALLEST)
    spread[is_constant] = 1.0
    tables *= np.where(is_constant, 0.0, 1.0 / spread)[:, None, :]
    return tables, centre * largest, spread * largest


@jit
def solve(hessian: Floats, gradient: Floats, step: Floats) -> float:
    """Write the Newton step, nought along aliased columns; return the unit of the Hessian.

    The Hessian is factored in place after division by that unit; see `cholesky`.
    """
    q, unit = step.size, 0.0
    for a in range(q):
        unit = max(unit, hessian[a, a])
    if not unit > 0.0:
        step[:] = 0.0
        hessian[:] = 0.0
        return 1.0
    for a in range(q):
        step[a] = gradient[a] / unit
        for b in range(a + 1):
            hessian[a, b] /= unit
    cholesky(hessian, ALIASED)
    solve_lower(hessian, step)
    solve_upper(hessian, step)
    return unit


@jit
def drop_aliased(factor: Floats, columns: Floats) -> bool:
    """Set to nought for good what is aliased with earlier columns; whether anything was not yet."""
    any_was_there = False
    for a in range(factor.shape[0]):
        if factor[a, a] == 0.0:
            any_was_there = any_was_there or np.abs(columns[a]).max() > 0.0
            columns[a] = 0.0
    return any_was_there


@jit
def standard_errors(factor: Floats, unit: float, columns: Floats, out: Floats) -> None:
    """Root of the diagonal of the Hessian's inverse; NaN where a column was dropped."""
    q = out.size
    unknown = np.empty(q)
    for a in range(q):
        unknown[:] = 0.0
        unknown[a] = 1.0
        solve_lower(factor, unknown)
        total = 0.0
        for b in range(a, q):
            total += unknown[b] * unknown[b]
        is_kept = factor[a, a] > 0.0 and np.abs(columns[a]).max() > 0.0
        out[a] = np.sqrt(total / unit) if is_kept else np.nan
