"""Routing of records through flat trees to their leaves."""

import numpy as np

from tincture.arrays import Floats
from tincture.kernels._arrays import Floats32, Int, Integers32, Records
from tincture.kernels._compile import inline_jit, kernel_jit, lean_jit
from tincture.kernels._nodes import Nodes, table_nodes, to_float32
from tincture.kernels.threads import share

BLOCK = 512  # records routed together: their columns stay in the cache
_LARGE = 1500  # nodes; up to here, passing every node costs less than branches


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
    leaves, totals = np.empty(BLOCK, np.int32), np.empty((out.shape[1], BLOCK))
    for piece in range(begin, stop):
        r = piece // n_blocks
        first = (piece % n_blocks) * BLOCK
        _sum_block(table_nodes(nodes, r), columns, first, fill[r], leaves, totals, out[r])


@lean_jit
def _sum_block(
    nodes: Nodes,
    columns: Floats32,
    begin: Int,
    fill: Floats32,
    leaves: Integers32,
    totals: Floats,
    out: Floats,
) -> None:
    """Add up the leaves of one table's trees for the block of records from `begin` on."""
    n_trees, n_values, width = nodes.start.size - 1, nodes.value.shape[1], out.shape[0]
    size = min(BLOCK, out.shape[1] - begin)
    at, total = leaves[:size], totals[:, :size]
    for k in range(width):
        for i in range(size):
            total[k, i] = 0.0
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


@lean_jit
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
    nodes: Nodes, first: int, columns: Floats32, begin: Int, fill: Floats32, at: Integers32
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


@lean_jit
def gather_leaves(value: Floats, v: Int, at: Integers32, total: Floats) -> None:
    """Add to `total` value v of the leaf each record has reached."""
    for i in range(at.size):
        total[i] += value[np.uint32(at[i]), v]
