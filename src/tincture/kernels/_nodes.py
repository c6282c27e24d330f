"""Flat binary trees shared by the tree models: storage, checks of inputs, routing of records.

All models keep ``x <= threshold`` for the left child and read values as 32-bit floats, as both
scikit-learn and XGBoost do.
"""

from typing import NamedTuple, cast

import numpy as np

from tincture.errors import ModelError
from tincture.kernels._arrays import Floats, Floats32, Int, Integers, Integers32, Records
from tincture.kernels._compile import inline_jit, jit, kernel_jit
from tincture.kernels.threads import share

MAX_ROWS = 32767  # a row and its rank share one 32-bit word while a tree grows
BLOCK = 512  # records routed together: their columns stay in the cache
_LARGE = 1500  # nodes; up to here, passing every node costs less than branches
LARGEST = float(np.finfo(np.float32).max)  # values beyond count as this


class Nodes(NamedTuple):
    """Trees of R tables, each table's trees one after another in its own row.

    A child always comes after its parent and a right child directly after its left sibling, so
    one sweep over the nodes routes a record and no index of right children is needed. The unused
    end of a row is never written, so it takes no memory.

    Attributes
    ----------
    feature : (R, capacity) int32, the column that splits, -1 for a leaf
    threshold : (R, capacity) float32, the largest value that goes left
    left : (R, capacity) int32, the left child; the right one is ``left + 1``
    value : (R, capacity, width) float64, written for leaves only
    start : (R, n_trees + 1) int32, where each tree begins
    """

    feature: Integers32
    threshold: Floats32
    left: Integers32
    value: Floats
    start: Integers32


def empty_nodes(n_tables: int, n_trees: int, per_tree: int, width: int) -> Nodes:
    """Make room for `n_trees` trees of at most `per_tree` nodes in each of `n_tables` tables."""
    shape = (n_tables, n_trees * per_tree)
    return Nodes(
        np.empty(shape, np.int32),
        np.empty(shape, np.float32),
        np.empty(shape, np.int32),
        np.empty((*shape, width)),
        np.zeros((n_tables, n_trees + 1), np.int32),
    )


def nodes_per_tree(n_rows: int, max_depth: int) -> int:
    """Bound the nodes of a tree by its rows and its depth."""
    by_rows = 2 * n_rows - 1
    return by_rows if max_depth > 30 else min(by_rows, 2 ** (max_depth + 1) - 1)


def to_float32(values: Records) -> Floats32:
    """Round to 32 bits; what would overflow becomes the largest finite number."""
    if values.dtype == np.float32:
        return cast("Floats32", values)
    rounded: Floats32 = np.clip(values, -LARGEST, LARGEST).astype(np.float32)
    return rounded


def check_rows(n_rows: int) -> None:
    """Refuse tables of more rows than a word has room for."""
    if n_rows > MAX_ROWS:
        raise ModelError(
            f"A table of {n_rows:,} rows was to be fitted; the tree kernels take at most "
            f"{MAX_ROWS:,}. Ask for fewer rows, or pass the library's own estimator."
        )


def prepare(candidates: Floats, target: Integers, n_classes: int) -> tuple[Floats32, Integers]:
    """Check tables and labels; return the columns (R, p, m) and the labels (R, m).

    Both are copies, since a read-only array would have every kernel compiled again.
    """
    if candidates.ndim != 3 or 0 in candidates.shape:
        raise ValueError(f"candidates need a shape (R, m, p) without zeros: {candidates.shape}")
    n_tables, n_rows, _ = candidates.shape
    check_rows(n_rows)
    labels = np.array(np.broadcast_to(target, (n_tables, n_rows)), np.int64, order="C")
    if labels.min() < 0 or labels.max() >= n_classes:
        raise ValueError(f"labels must lie in 0..{n_classes - 1}")
    return np.array(to_float32(candidates).swapaxes(1, 2), order="C"), labels


def sum_leaves(nodes: Nodes, records: Records, fill: Records | None, width: int) -> Floats:
    """Add up the leaves that each record reaches.

    Parameters
    ----------
    nodes : trees of R tables; leaf value v of tree t counts for output (t * values + v) % width
    records : (b, p), missing values as NaN
    fill : (R, p), what a missing value counts as for each table
    width : number of outputs

    Returns
    -------
    (R, width, b) float64
    """
    columns = np.array(to_float32(records).T, order="C")
    n_tables = nodes.start.shape[0]
    if fill is None:
        if np.isnan(columns).any():
            raise ValueError("records hold missing values but no fill is given")
        fill = np.zeros((n_tables, columns.shape[0]), np.float32)
    out = np.empty((n_tables, width, columns.shape[1]))
    filled = np.array(to_float32(fill), order="C")
    n_blocks = (columns.shape[1] + BLOCK - 1) // BLOCK
    share(_sum_leaves, n_tables * n_blocks, n_blocks, nodes, columns, filled, out)
    return out


@inline_jit
def table_nodes(nodes: Nodes, r: int) -> Nodes:
    """View the nodes of one table; every array loses its first axis."""
    return Nodes(
        nodes.feature[r], nodes.threshold[r], nodes.left[r], nodes.value[r], nodes.start[r]
    )


@jit
def middle_below(low: np.float32, high: np.float32) -> np.float32:
    """Round the middle down: no 32-bit value lies between, so comparisons stay the same."""
    exact = np.float64(low) / 2.0 + np.float64(high) / 2.0
    middle = np.float32(exact)
    return np.nextafter(middle, np.float32(-np.inf)) if middle > exact else middle


@kernel_jit
def _sum_leaves(
    begin: int,
    stop: int,
    n_blocks: int,
    nodes: Nodes,
    columns: Floats32,
    fill: Floats32,
    out: Floats,
) -> None:
    """Work out the pieces ``begin .. stop - 1``, each a block of records on one table's trees."""
    for piece in range(begin, stop):
        r = piece // n_blocks
        first = (piece % n_blocks) * BLOCK
        _sum_block(table_nodes(nodes, r), columns, first, fill[r], out[r])


@inline_jit
def _sum_block(nodes: Nodes, columns: Floats32, begin: int, fill: Floats32, out: Floats) -> None:
    """Add up the leaves of one table's trees for the block of records from `begin` on."""
    n_trees, n_values, width = nodes.start.size - 1, nodes.value.shape[1], out.shape[0]
    size = min(BLOCK, out.shape[1] - begin)
    at = np.empty(size, np.int32)
    total = np.zeros((width, size))
    for t in range(n_trees):
        if nodes.start[t + 1] - nodes.start[t] > _LARGE:
            _descend(nodes, nodes.start[t], columns, begin, fill, at)
        else:
            route(nodes, t, columns, begin, fill, at)
        for v in range(n_values):
            gather_leaves(nodes.value, v, at, total[(t * n_values + v) % width])
    for k in range(width):
        for i in range(size):
            out[k, begin + i] = total[k, i]


@jit
def route(
    nodes: Nodes, t: int, columns: Floats32, begin: Int, fill: Floats32, at: Integers32
) -> None:
    """Write into `at` the leaf that each of the records from `begin` on reaches in tree t.

    All records pass every node together, which is a loop without branches over contiguous
    memory. A missing value fails every comparison, so the side on which `fill` falls decides
    which comparison is made, and NaN needs no test of its own.
    """
    first, last = nodes.start[t], nodes.start[t + 1]
    for i in range(at.size):
        at[i] = first
    for node in range(first, last):
        feature = nodes.feature[node]
        if feature < 0:
            continue
        threshold = nodes.threshold[node]
        here, left = np.int32(node), nodes.left[node]
        right = np.int32(left + 1)
        x = columns[feature, begin : begin + at.size]
        if fill[feature] <= threshold:
            for i in range(at.size):
                child = right if x[i] > threshold else left
                at[i] = child if at[i] == here else at[i]
        else:
            for i in range(at.size):
                child = left if x[i] <= threshold else right
                at[i] = child if at[i] == here else at[i]


@inline_jit
def _descend(
    nodes: Nodes, first: int, columns: Floats32, begin: int, fill: Floats32, at: Integers32
) -> None:
    """Let every record go its own way down from node `first`; else like `route`."""
    for i in range(at.size):
        node = first
        while nodes.feature[node] >= 0:
            x = columns[nodes.feature[node], begin + i]
            if np.isnan(x):
                x = fill[nodes.feature[node]]
            node = nodes.left[node] + np.int32(x > nodes.threshold[node])
        at[i] = node


@jit
def gather_leaves(value: Floats, v: Int, at: Integers32, total: Floats) -> None:
    """Add to `total` value v of the leaf each record has reached."""
    for i in range(at.size):
        total[i] += value[np.uint32(at[i]), v]
