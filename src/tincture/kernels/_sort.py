"""Sorting the columns of a table, once before its trees grow."""

import numpy as np
from numpy.typing import NDArray

from tincture.kernels._compile import jit
from tincture.kernels._gains import ROW
from tincture.kernels._nodes import Int

GINI_GAP = 1e-7  # scikit-learn takes values this close for equal
COUNT_SORT = 512  # up to here counting smaller keys beats merging


@jit
def sort_columns(columns: NDArray[np.float32], boosting: bool, entries: NDArray[np.int32]) -> None:
    """Write the sorted entries of each column.

    Like scikit-learn, Gini sorts upwards and takes values GINI_GAP apart for equal; like XGBoost,
    boosting sorts downwards. The integer keys that are sorted hold value and row, so never tie.
    """
    n_columns, n = columns.shape
    keys, gap = np.empty((2, n), np.int64), np.float32(0.0 if boosting else GINI_GAP)
    flip = -1 if boosting else 0
    for j in range(n_columns):
        x = columns[j]
        bits = x.view(np.int32)
        for i in range(n):
            b = np.int64(bits[i])
            keys[0, i] = ((b ^ ((b >> 63) & 0x7FFFFFFF) ^ flip) << 16) | i
        sorted_keys = keys[_sort(keys)]
        entries[j, 0] = sorted_keys[0] & ROW
        rank = 0
        for s in range(1, n):
            row, previous = sorted_keys[s] & ROW, sorted_keys[s - 1] & ROW
            rank += abs(x[row] - x[previous]) > gap
            entries[j, s] = (rank << 16) | row


@jit
def _sort(keys: NDArray[np.int64]) -> Int:
    """Sort row 0 of `keys` with the help of row 1; return which row holds the result.

    Counting takes n^2 steps, but ones that compile to vector instructions.
    """
    n, width, here = keys.shape[1], 1, 0
    if n <= COUNT_SORT:
        for i in range(n):
            smaller, key = 0, keys[0, i]
            for k in range(n):
                smaller += keys[0, k] < key
            keys[1, smaller] = key
        return 1
    while width < n:
        for lo in range(0, n, 2 * width):
            middle, hi = min(lo + width, n), min(lo + 2 * width, n)
            a, b = lo, middle
            for k in range(lo, hi):
                first = b >= hi or (a < middle and keys[here, a] < keys[here, b])
                keys[1 - here, k] = keys[here, a] if first else keys[here, b]
                a += first
                b += not first
        width, here = 2 * width, 1 - here
    return here
