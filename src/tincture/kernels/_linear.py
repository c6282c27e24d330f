"""Linear algebra shared by the linear models: scores, weighted Gram matrices, Cholesky."""

from __future__ import annotations

import numpy as np

from tincture.arrays import Floats
from tincture.kernels._arrays import Records
from tincture.kernels._compile import fast_jit, jit, kernel_jit
from tincture.kernels._nodes import LARGEST
from tincture.kernels.threads import share

BLOCK = 256  # records whose scores lie in the nearest cache
LANES = 16  # rows are padded to a multiple of this, which keeps inner loops free of remainders


def bounded(values: Records) -> Floats:
    """Cap values where trees do, so that no square overflows; a copy that can be written."""
    capped: Floats = np.clip(np.asarray(values, np.float64, order="C"), -LARGEST, LARGEST)
    return capped


def columns_of(records: Records, fill: Floats | None, n_tables: int) -> tuple[Floats, Floats]:
    """Records as columns (p, b), and what a missing entry counts as, (R, p); both capped."""
    columns = np.array(bounded(records).T, order="C")
    if fill is not None:
        return columns, bounded(fill)
    if np.isnan(columns).any():
        raise ValueError("records hold missing values but no fill was given")
    return columns, np.zeros((n_tables, len(columns)))


def linear_scores(records: Records, coef: Floats, fill: Floats | None = None) -> Floats:
    """Scores ``records @ coef`` of every model, a missing entry counting as its column's fill.

    The terms of a score are added in the order of the columns, so that a record's scores do not
    depend on those beside it, as those of a matrix product would in their last bits.

    Parameters
    ----------
    records : (b, p) float32 or float64
    coef : (R, k, p) float64
    fill : (R, p) float64, optional

    Returns
    -------
    (R, k, b) float64
    """
    r, k, _ = coef.shape
    columns, filled = columns_of(records, fill, r)
    scores = np.zeros((r, k, columns.shape[1]))
    share(_score, r * k, columns, filled, np.ascontiguousarray(coef), scores)
    return scores


@kernel_jit
def _score(begin: int, stop: int, columns: Floats, fill: Floats, coef: Floats, out: Floats) -> None:
    """Work out the score columns ``begin .. stop - 1``, counted through all models."""
    b, k = columns.shape[1], coef.shape[1]
    for first in range(0, b, BLOCK):
        last = min(first + BLOCK, b)
        for row in range(begin, stop):
            r, c = row // k, row % k
            _add_terms(columns, first, last, fill[r], coef[r, c], out[r, c, first:last])


@jit
def _add_terms(
    columns: Floats, first: int, last: int, fill: Floats, coef: Floats, out: Floats
) -> None:
    """Add the terms of a block of records, two columns in a row to spare loads and stores."""
    p = coef.size
    for j in range(0, p - p % 2, 2):
        x, y = columns[j, first:last], columns[j + 1, first:last]
        fx, fy, cx, cy = fill[j], fill[j + 1], coef[j], coef[j + 1]
        for i in range(out.size):
            s = out[i] + cx * (fx if np.isnan(x[i]) else x[i])
            out[i] = s + cy * (fy if np.isnan(y[i]) else y[i])
    if p % 2 == 1:
        x, fx, cx = columns[p - 1, first:last], fill[p - 1], coef[p - 1]
        for i in range(out.size):
            out[i] += cx * (fx if np.isnan(x[i]) else x[i])


@fast_jit
def weighted_gram(columns: Floats, weights: Floats, out: Floats) -> None:
    """Lower triangle of ``columns diag(weights) columns'``, two by four products at a time.

    Past the last column that column stands in, so that all blocks are alike; what is written above
    the diagonal has no meaning.
    """
    q, m = columns.shape
    one, two = np.empty(m), np.empty(m)
    for a in range(0, q, 2):
        d = min(a + 1, q - 1)
        for i in range(m):
            one[i], two[i] = weights[i] * columns[a, i], weights[i] * columns[d, i]
        for b in range(0, a + 2, 4):
            b0, b1, b2, b3 = min(b, q - 1), min(b + 1, q - 1), min(b + 2, q - 1), min(b + 3, q - 1)
            s0, s1, s2, s3, t0, t1, t2, t3 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
            for i in range(m):
                x, y = one[i], two[i]
                s0 += x * columns[b0, i]
                s1 += x * columns[b1, i]
                s2 += x * columns[b2, i]
                s3 += x * columns[b3, i]
                t0 += y * columns[b0, i]
                t1 += y * columns[b1, i]
                t2 += y * columns[b2, i]
                t3 += y * columns[b3, i]
            out[a, b0], out[a, b1], out[a, b2], out[a, b3] = s0, s1, s2, s3
            out[d, b0], out[d, b1], out[d, b2], out[d, b3] = t0, t1, t2, t3


@fast_jit
def cholesky(a: Floats, least: float = -1.0) -> None:
    """Factor the lower triangle of `a` in place; a pivot lost to rounding is floored.

    The diagonal of the factor is left inverted, which spares the divisions of every solve. A pivot
    under `least` of its diagonal is inverted to nought instead: no solution moves along it.
    """
    q = a.shape[0]
    for i in range(q):
        floor, dropped = 1e-14 * abs(a[i, i]) + 1e-12, least * a[i, i]
        whole = i - i % 4
        for j in range(0, whole, 4):  # four sums at a time, then the corner where they meet
            s0, s1, s2, s3 = a[i, j], a[i, j + 1], a[i, j + 2], a[i, j + 3]
            for t in range(j):
                s0 -= a[i, t] * a[j, t]
                s1 -= a[i, t] * a[j + 1, t]
                s2 -= a[i, t] * a[j + 2, t]
                s3 -= a[i, t] * a[j + 3, t]
            s0 *= a[j, j]
            s1 = (s1 - s0 * a[j + 1, j]) * a[j + 1, j + 1]
            s2 = (s2 - s0 * a[j + 2, j] - s1 * a[j + 2, j + 1]) * a[j + 2, j + 2]
            s3 = s3 - s0 * a[j + 3, j] - s1 * a[j + 3, j + 1] - s2 * a[j + 3, j + 2]
            a[i, j], a[i, j + 1], a[i, j + 2], a[i, j + 3] = s0, s1, s2, s3 * a[j + 3, j + 3]
        for j in range(whole, i + 1):
            s = a[i, j]
            for t in range(j):
                s -= a[i, t] * a[j, t]
            if i > j:
                a[i, j] = s * a[j, j]
            else:
                a[i, j] = 0.0 if s < dropped else 1.0 / np.sqrt(max(s, floor))


@fast_jit
def solve_lower(factor: Floats, x: Floats) -> None:
    """Overwrite `x` by the solution ``y`` of ``factor y = x`` (see `cholesky`)."""
    for i in range(x.size):
        s = x[i]
        for t in range(i):
            s -= factor[i, t] * x[t]
        x[i] = s * factor[i, i]


@fast_jit
def solve_upper(factor: Floats, x: Floats) -> None:
    """Overwrite `x` by the solution ``y`` of ``factor' y = x`` (see `cholesky`)."""
    for i in range(x.size - 1, -1, -1):
        s = x[i] * factor[i, i]
        x[i] = s
        for t in range(i):
            x[t] -= factor[i, t] * s


@fast_jit
def dot(a: Floats, b: Floats) -> float:
    """Sum of products over two matrices of one shape."""
    s = 0.0
    for c in range(a.shape[0]):
        for j in range(a.shape[1]):
            s += a[c, j] * b[c, j]
    return s


@fast_jit
def combine(base: Floats, factor: float, other: Floats, out: Floats) -> None:
    """``out = base + factor * other`` over matrices of one shape; `out` may be `base`."""
    for c in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[c, j] = base[c, j] + factor * other[c, j]
