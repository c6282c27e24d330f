"""Sums along single records, whose terms are added in one order whatever the other records are."""

from __future__ import annotations

import numpy as np

from tincture.arrays import Floats
from tincture.kernels._compile import kernel_jit
from tincture.kernels.threads import share

PIECE = 2048  # records that one thread takes at a time


def products(rows: Floats, weights: Floats) -> Floats:
    """Scalar product of each row (n, size) with the weights (size,), (n,)."""
    return _summed(rows, weights[None])


def norms(rows: Floats) -> Floats:
    """L2 norm of each row (n, size), (n,)."""
    return np.asarray(np.sqrt(_summed(rows, rows)))


def courses(rows: Floats, weights: Floats) -> Floats:
    """Sums over the steps of each row (n, steps, size), weighted by (steps, k); (n, k, size)."""
    out = np.zeros((len(rows), weights.shape[1], rows.shape[2]))
    share(_courses, _pieces(rows), _own(rows), _own(weights), out)
    return out


def _summed(rows: Floats, others: Floats) -> Floats:
    """Scalar products of rows with others, of which there is one each or one for all."""
    out = np.empty(len(rows))
    share(_products, _pieces(rows), _own(rows), _own(others), out)
    return out


def _pieces(rows: Floats) -> int:
    return -(-len(rows) // PIECE)


def _own(values: Floats) -> Floats:
    """As kernels want it: a read-only array would have every kernel compiled again."""
    return np.require(values, np.float64, ["C", "W"])


@kernel_jit
def _products(begin: int, stop: int, rows: Floats, others: Floats, out: Floats) -> None:
    for i in range(begin * PIECE, min(stop * PIECE, len(rows))):
        row, other, total = rows[i], others[min(i, len(others) - 1)], 0.0
        for j in range(row.size):
            total += row[j] * other[j]
        out[i] = total


@kernel_jit
def _courses(begin: int, stop: int, rows: Floats, weights: Floats, out: Floats) -> None:
    for i in range(begin * PIECE, min(stop * PIECE, len(rows))):
        row, sums = rows[i], out[i]
        for t in range(weights.shape[0]):
            for k in range(weights.shape[1]):
                weight, step, total = weights[t, k], row[t], sums[k]
                for v in range(step.size):
                    total[v] += weight * step[v]
