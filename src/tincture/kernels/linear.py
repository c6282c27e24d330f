"""Least squares, as R's ``lm`` fits them, for a batch of tables.

A column that is aliased with earlier ones has the coefficient nought.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tincture.arrays import Floats
from tincture.kernels._arrays import Records
from tincture.kernels._compile import kernel_jit
from tincture.kernels._fitted import Fitted
from tincture.kernels._linear import LANES, linear_scores, weighted_gram
from tincture.kernels._partial_likelihood import predictor, slope
from tincture.kernels._unpenalised import drop_aliased, scaled, solve, standard_errors
from tincture.kernels.threads import share


@dataclass(frozen=True, slots=True)
class LinearFit(Fitted):
    """One regression a table; it predicts amounts (R, b).

    Attributes
    ----------
    coef, error : (R, p) float64
        Coefficients and their standard errors, NaN where a column is aliased or no row is spare.
    intercept : (R,) float64
    """

    coef: Floats
    intercept: Floats
    error: Floats

    def unscale(self, centre: Floats, scale: Floats) -> LinearFit:
        """Model for raw ``x`` equivalent to this one for ``(x - centre) / scale``, both (R, p)."""
        coef = self.coef / scale
        return LinearFit(coef, self.intercept - (coef * centre).sum(axis=1), self.error / scale)

    def _predicted(self, records: Records, fill: Floats | None) -> Floats:
        scores = linear_scores(records, self.coef[:, None], fill)[:, 0]
        scores += self.intercept[:, None]
        return scores


def fit(candidates: Floats, amounts: Floats) -> LinearFit:
    """Fit one model per candidate table.

    Parameters
    ----------
    candidates : (R, m, p) float64
    amounts : (R, m) or (m,) float64
    """
    tables, centre, spread = scaled(candidates)
    r, m, p = tables.shape
    known = np.array(np.broadcast_to(amounts, (r, m)), dtype=np.float64, order="C")
    columns = np.zeros((r, p + 1, (m + LANES - 1) // LANES * LANES))
    columns[:, 0, :m] = 1.0
    columns[:, 1:, :m] = tables.swapaxes(1, 2)
    beta, error = np.zeros((r, p + 1)), np.empty((r, p + 1))
    share(_fit_tables, r, columns, known, beta, error)
    return LinearFit(beta[:, 1:], beta[:, 0], error[:, 1:]).unscale(centre, spread)


@kernel_jit
def _fit_tables(
    begin: int, stop: int, columns: Floats, amounts: Floats, beta: Floats, error: Floats
) -> None:
    """Solve the normal equations of a range of tables, whose first column is the constant."""
    q, m = columns.shape[1], amounts.shape[1]
    weights, left = np.zeros(columns.shape[2]), np.empty(m)
    gradient, hessian = np.empty(q), np.empty((q, q))
    weights[:m] = 1.0
    for r in range(begin, stop):
        weighted_gram(columns[r], weights, hessian)
        slope(columns[r], amounts[r], 0.0, beta[r], gradient)
        unit = solve(hessian, gradient, beta[r])
        drop_aliased(hessian, columns[r])
        predictor(columns[r], beta[r], left)
        squares, spare = 0.0, m
        for i in range(m):
            squares += (amounts[r, i] - left[i]) ** 2
        for a in range(q):
            spare -= hessian[a, a] > 0.0
        standard_errors(hessian, unit, columns[r], error[r])
        wide = np.sqrt(squares / spare) if spare > 0 else np.nan
        for a in range(q):
            error[r, a] *= wide
