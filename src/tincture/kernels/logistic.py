"""Ridge logistic regression fitted to a batch of small tables.

The objective is scikit-learn's ``LogisticRegression(C=C)``: ``C`` times the summed log-loss plus
half the squared norm of the coefficients, intercepts unpenalised.  It is divided here by ``C``, so
that ``ridge = 1 / C`` weighs the norm.  Two classes share one score column, read against a
reference score of nought; more classes have one column each.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tincture.arrays import Floats, Integers
from tincture.kernels._arrays import Records
from tincture.kernels._compile import kernel_jit
from tincture.kernels._fitted import Fitted
from tincture.kernels._linear import LANES, bounded, linear_scores
from tincture.kernels._softmax import minimise
from tincture.kernels.pointwise import softmax
from tincture.kernels.threads import one_thread, share

_CERTAIN = 30.0  # log odds of the only class present: its probability is 1 - 1e-13
_ABSENT = -1000.0  # log odds of a class without rows; its exponential is exactly nought


@dataclass(frozen=True, slots=True)
class LogisticFit(Fitted):
    """Coefficients of one logistic model per table.

    Attributes
    ----------
    coef : (R, k, p) float64
        One row of coefficients per score column; ``k`` is 1 for two classes.
    intercept : (R, k) float64
    """

    coef: Floats
    intercept: Floats

    def _predicted(self, records: Records, fill: Floats | None) -> Floats:
        scores = linear_scores(records, self.coef, fill)
        scores += self.intercept[:, :, None]
        return softmax(scores)

    def unscale(self, centre: Floats, scale: Floats) -> LogisticFit:
        """Model for raw ``x`` equivalent to this one for ``(x - centre) / scale``, both (R, p)."""
        coef = self.coef / scale[:, None, :]
        return LogisticFit(coef, self.intercept - np.einsum("rkp,rp->rk", coef, centre))


def fit(
    candidates: Floats,
    target: Integers,
    *,
    n_classes: int = 2,
    C: float = 1.0,
    start: LogisticFit | None = None,
) -> LogisticFit:
    """Fit one model per candidate table.

    A class without rows gets probability nought; with one class left, that class is certain.
    With two of several classes left the two-class penalty applies, as scikit-learn would see it.

    Parameters
    ----------
    candidates : (R, m, p) float64
    target : (R, m) or (m,) int64
        Class of each row, in ``0 .. n_classes - 1``.
    n_classes : int
    C : float
        Inverse strength of the penalty.
    start : LogisticFit, optional
        Coefficients to begin at, used where they beat all-zero ones.

    References
    ----------
    .. [1] J. Nocedal and S. Wright, Numerical Optimization, 2nd ed., 2006, ch. 7.1.
    """
    tables = bounded(candidates)
    r, m, _ = tables.shape
    labels = np.array(np.broadcast_to(target, (r, m)), dtype=np.int64, order="C")
    if n_classes < 2 or (labels.size and (labels.min() < 0 or labels.max() >= n_classes)):
        raise ValueError("target must lie in 0 .. n_classes - 1, with n_classes at least 2")
    return (
        _fit_binary(tables, labels, C, start)
        if n_classes == 2
        else _fit_many(tables, labels, n_classes, C, start)
    )


def _initial(r: int, k: int, p: int, start: LogisticFit | None) -> Floats:
    theta = np.zeros((r, k, p + 1))
    if start is not None:
        theta[:, :, :p] = start.coef
        theta[:, :, p] = np.clip(start.intercept, -_CERTAIN, _CERTAIN)
    return theta


def _as_fit(theta: Floats) -> LogisticFit:
    return LogisticFit(np.ascontiguousarray(theta[:, :, :-1]), theta[:, :, -1].copy())


def _fit_all(
    tables: Floats, labels: Integers, columns: Integers, ridge: Floats, theta: Floats
) -> None:
    """Improve the first `columns[r]` score columns of each `theta[r]`, intercept last.

    With more columns than rows the coefficients are sought among the rows' combinations, where the
    shortest ones that give these scores lie (Kimeldorf, Wahba 1970): as many as there are rows.
    """
    mean = tables.mean(axis=1)
    theta[:, :, -1] += np.einsum("rkp,rp->rk", theta[:, :, :-1], mean)
    _balance(columns, theta)
    centred = tables - mean[:, None, :]
    is_wide = tables.shape[2] > tables.shape[1]
    found = theta
    if is_wide:
        with one_thread("blas"):
            across, upright = np.linalg.qr(centred.swapaxes(1, 2))
        centred = upright.swapaxes(1, 2)
        found = np.concatenate([theta[:, :, :-1] @ across, theta[:, :, -1:]], axis=2)
    share(_minimise_tables, len(tables), _lay_out(centred), labels, columns, ridge, found)
    if is_wide:
        theta[:, :, :-1] = found[:, :, :-1] @ across.swapaxes(1, 2)
        theta[:, :, -1] = found[:, :, -1]
    _balance(columns, theta)
    theta[:, :, -1] -= np.einsum("rkp,rp->rk", theta[:, :, :-1], mean)


def _fit_binary(
    tables: Floats, labels: Integers, C: float, start: LogisticFit | None
) -> LogisticFit:
    r, m, p = tables.shape
    theta = _initial(r, 1, p, start)
    positives = labels.sum(axis=1)
    single = (positives == 0) | (positives == m)
    columns = np.where(single, 0, 1)
    _fit_all(tables, labels, columns, np.full(r, 1.0 / C), theta)
    theta[single] = 0.0
    theta[single, 0, p] = np.where(positives[single] > 0, _CERTAIN, -_CERTAIN)
    return _as_fit(theta)


def _fit_many(
    tables: Floats, labels: Integers, n_classes: int, C: float, start: LogisticFit | None
) -> LogisticFit:
    r, _, p = tables.shape
    present = (labels[:, :, None] == np.arange(n_classes)).any(axis=1)
    columns = np.where(present.sum(axis=1) > 1, present.sum(axis=1), 0)
    # Classes with rows take the first columns; `place` is where each class went.
    order = np.argsort(~present, axis=1, kind="stable")
    place = np.argsort(order, axis=1, kind="stable")
    theta = np.take_along_axis(_initial(r, n_classes, p, start), order[:, :, None], axis=1)
    # Two opposite columns carry half the squared norm of the single column they stand for.
    ridge = np.where(columns == 2, 2.0, 1.0) / C
    _fit_all(tables, np.take_along_axis(place, labels, axis=1), columns, ridge, theta)
    theta = np.take_along_axis(theta, place[:, :, None], axis=1)
    theta[~present | (columns == 0)[:, None]] = 0.0
    theta[~present, p] = _ABSENT
    return _as_fit(theta)


def _lay_out(tables: Floats) -> Floats:
    """Columns one after another, and a column of ones; padding rows are nought."""
    r, m, p = tables.shape
    columns = np.zeros((r, p + 1, (m + LANES - 1) // LANES * LANES))
    columns[:, :p, :m] = tables.swapaxes(1, 2)
    columns[:, p, :m] = 1.0
    return columns


def _balance(columns: Integers, theta: Floats) -> None:
    """Make several columns sum to nought, which shortens them and changes no probability."""
    used = (np.arange(theta.shape[1]) < columns[:, None]) & (columns > 1)[:, None]
    mean = np.einsum("rk,rkp->rp", used, theta) / np.maximum(columns, 1)[:, None]
    theta -= used[:, :, None] * mean[:, None, :]


@kernel_jit
def _minimise_tables(
    begin: int,
    stop: int,
    rows: Floats,
    labels: Integers,
    columns: Integers,
    ridge: Floats,
    theta: Floats,
) -> None:
    for r in range(begin, stop):
        if columns[r] > 0:
            minimise(rows[r], labels[r], ridge[r], theta[r, : columns[r]])
