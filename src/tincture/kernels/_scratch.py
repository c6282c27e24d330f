"""Work space for growing trees on one table."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tincture.arrays import Floats, Integers
from tincture.kernels._arrays import Floats32, Int, Integers32
from tincture.kernels._compile import inline_jit
from tincture.kernels._gains import CHUNK, ROW
from tincture.kernels._order import Orders, make_orders


class Scratch(NamedTuple):
    """Work space of one thread for tables of m rows and p columns.

    A node with rows lo..hi-1 owns the block of entries that begins at (p + 1) * lo. It needs
    p * (hi - lo) of them; the rest is spare, so that copying needs no test for a block's end.
    """

    orders: Orders
    blocks: Integers32  # (3, (p + 1) * m) of the root, then by turns of odd and even depth
    packed: Integers  # (words, m) statistics of each row
    sums: Integers  # (words, p * m) their running sums
    halves: Integers32  # (2 * p * m,) the words of sums[0] as hessians and gradients
    scores: Floats32  # (p * m + CHUNK,) rough scores of splits in boosting
    score_bits: Integers32  # the same memory
    score_peaks: Integers32  # their largest by chunks
    parts: Floats  # (4, p * m + CHUNK) gains of Gini and what they are made of
    gain_bits: Integers  # the memory of the gains
    gain_peaks: Integers  # their largest by chunks
    stack: Integers  # (m + 1, 4) node, first and last row, depth
    totals: Integers  # (m + 1, words) sums over each node on the stack
    sides: Integers  # (2, words) sums over the children of a split
    goes_left: NDArray[np.uint8]  # (m,)
    members: Integers32  # (m,) rows of the nodes, a contiguous run for each


@inline_jit
def make_scratch(n_columns: int, n_rows: int, words: Int) -> Scratch:
    """Allocate the work space."""
    size = n_columns * n_rows
    sums, parts = np.empty((words, size), np.int64), np.empty((4, size + CHUNK), np.float64)
    scores = np.empty(size + CHUNK, np.float32)
    return Scratch(
        make_orders(n_columns, n_rows),
        np.empty((3, size + n_rows), np.int32),
        np.zeros((words, n_rows), np.int64),
        sums,
        sums[0].view(np.int32),
        scores,
        scores.view(np.int32),
        np.empty(size // CHUNK + 1, np.int32),
        parts,
        parts[0].view(np.int64),
        np.empty(size // CHUNK + 1, np.int64),
        np.empty((n_rows + 1, 4), np.int64),
        np.empty((n_rows + 1, words), np.int64),
        np.empty((2, words), np.int64),
        np.empty(n_rows, np.uint8),
        np.empty(n_rows, np.int32),
    )


@inline_jit
def load_root(entries: Integers32, weight: Integers, block: Integers32) -> Int:
    """Fill the root's block with the rows of positive weight; return their number."""
    k = np.uint64(0)
    for j in range(entries.shape[0]):
        for s in range(entries.shape[1]):
            block[k] = entries[j, s]
            k += np.uint64(weight[entries[j, s] & ROW] > 0)
    n_kept: Int = np.int64(k) // entries.shape[0]
    return n_kept
