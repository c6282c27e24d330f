"""Sorting the columns of tables, once before their trees grow."""

import numpy as np

from tincture.arrays import Integers
from tincture.kernels._arrays import Floats32, Integers32
from tincture.kernels._compile import inline_jit
from tincture.kernels._gains import ROW
from tincture.kernels.threads import share

_GINI_GAP = np.float32(1e-7)  # scikit-learn takes values this close for equal
_NO_GAP = np.float32(0.0)


def sort_keys(columns: Floats32, downwards: bool = False) -> Integers:
    """Sort each column of each table, by numpy, which is quick at integers.

    Parameters
    ----------
    columns : (R, p, m) float32, finite
    downwards : as XGBoost does, while scikit-learn sorts upwards

    Returns
    -------
    (R, p, m) int64
        The row in the 16 lowest bits, above them bits in the order of the values; they never tie.
    """
    keys = np.empty(columns.shape, np.int64)
    share(_sort_tables, len(columns), columns, downwards, keys)
    return keys


def _sort_tables(begin: int, stop: int, columns: Floats32, downwards: bool, keys: Integers) -> None:
    """Sort the tables ``begin .. stop - 1``; numpy leaves other threads the interpreter."""
    rows = np.arange(columns.shape[2])
    for r in range(begin, stop):
        own, bits = keys[r], columns[r].view(np.int32)
        own[:] = bits ^ ((bits >> 31) & 0x7FFFFFFF)  # the bits of negative numbers run backwards
        if downwards:
            np.invert(own, out=own)
        own <<= 16
        own |= rows
        own.sort(axis=1)


@inline_jit
def rank_rows(columns: Floats32, keys: Integers, boosting: bool, entries: Integers32) -> None:
    """Write for each of one table's sorted keys the rank in the upper half, the row in the lower.

    Equal values share a rank.
    """
    gap = _NO_GAP if boosting else _GINI_GAP
    for j in range(keys.shape[0]):
        rank, previous = 0, columns[j, keys[j, 0] & ROW]
        for s in range(keys.shape[1]):
            row = keys[j, s] & ROW
            value = columns[j, row]
            rank += abs(value - previous) > gap
            previous = value
            entries[j, s] = (rank << 16) | row
