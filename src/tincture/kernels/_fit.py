"""Growing all trees of many tables, in parallel over tables."""

import numba
import numpy as np
from numpy.typing import NDArray

from tincture.kernels._gains import FIELD, PER_WORD, Rules
from tincture.kernels._grow import grow_tree
from tincture.kernels._nodes import (
    Nodes,
    gather_leaves,
    jit,
    parallel_jit,
    route,
    table_nodes,
)
from tincture.kernels._random import draw, mix
from tincture.kernels._scratch import load_root, make_scratch
from tincture.kernels._sort import sort_columns


@parallel_jit
def fit_tables(
    columns: NDArray[np.float32],
    labels: NDArray[np.int64],
    base: NDArray[np.float64],
    bootstrap: bool,
    seed: np.uint64,
    rules: Rules,
    nodes: Nodes,
) -> None:
    """Grow the trees of every table; one kernel for all models halves the time to compile.

    Parameters
    ----------
    columns : (R, p, m)
    labels : (R, m)
    base : (R, n_margins) margins before the first tree, for boosting
    bootstrap : whether each tree of a forest has its own sample of the rows
    seed : of the draws, which are the same for all tables: common random numbers compare better
    rules : how to split
    nodes : where to write the trees
    """
    for r in numba.prange(columns.shape[0]):
        own = table_nodes(nodes, r)
        _fit_table(columns[r], labels[r], base[r], bootstrap, seed, rules, own)


@jit
def _fit_table(
    columns: NDArray[np.float32],
    labels: NDArray[np.int64],
    base: NDArray[np.float64],
    bootstrap: bool,
    key: np.uint64,
    rules: Rules,
    nodes: Nodes,
) -> None:
    """Grow the trees of one table."""
    n_columns, n_rows = columns.shape
    boosting = rules.n_classes == 0
    words = 1 if boosting else (rules.n_classes + PER_WORD - 1) // PER_WORD
    scratch = make_scratch(n_columns, n_rows, words)
    sort_columns(columns, boosting, scratch.entries)
    weight, at = np.ones(n_rows, np.int64), np.empty(n_rows, np.int32)
    margin, chance = np.empty((base.size, n_rows)), np.empty((base.size, n_rows))
    for k in range(base.size):
        for i in range(n_rows):
            margin[k, i] = base[k]
    no_fill, n_kept = np.zeros(n_columns, np.float32), n_rows
    for t in range(nodes.start.size - 1):
        tree_key = mix(key, t)
        if boosting:
            _pack_gradients(margin, chance, labels, t, rules.unit, scratch.packed)
        else:
            _pack_classes(weight, labels, bootstrap, tree_key, scratch.packed)
        if t == 0 or bootstrap:
            n_kept = load_root(scratch, weight)
        first = np.int64(nodes.start[t])
        split_key = mix(tree_key, n_rows)  # the counters below are the bootstrap's
        nodes.start[t + 1] = grow_tree(scratch, columns, nodes, first, n_kept, rules, split_key)
        if boosting:
            route(nodes, t, columns, 0, no_fill, at)
            gather_leaves(nodes.value, 0, at, margin[t % base.size])


@jit
def _pack_classes(
    weight: NDArray[np.int64],
    labels: NDArray[np.int64],
    bootstrap: bool,
    key: np.uint64,
    packed: NDArray[np.int64],
) -> None:
    """Write each row's count into the field of its class; resample the counts if asked to."""
    n_rows = weight.size
    if bootstrap:
        for i in range(n_rows):
            weight[i] = 0
        for i in range(n_rows):
            weight[draw(key, i, n_rows)] += 1
    for i in range(n_rows):
        packed[labels[i] // PER_WORD, i] = weight[i] << (FIELD * (labels[i] % PER_WORD))


@jit
def _pack_gradients(
    margin: NDArray[np.float64],
    chance: NDArray[np.float64],
    labels: NDArray[np.int64],
    t: int,
    unit: float,
    packed: NDArray[np.int64],
) -> None:
    """Write gradient (upper half) and hessian (lower half) of each row in fixed point.

    All trees of a round see the chances before that round. XGBoost doubles softmax's hessian.
    """
    n_margins, scale = margin.shape[0], 1.0 / unit
    k = t % n_margins
    if k == 0:
        _compute_chances(margin, chance)
    positive, factor = (1, scale) if n_margins == 1 else (k, 2.0 * scale)
    for i in range(labels.size):
        p = chance[k, i]
        g = np.int64(np.floor(scale * (p - (labels[i] == positive)) + 0.5))
        h = np.int64(factor * p * (1.0 - p) + 0.5)
        packed[0, i] = (g << 32) + h


@jit
def _compute_chances(margin: NDArray[np.float64], chance: NDArray[np.float64]) -> None:
    """Turn margins (n_margins, m) into chances of the same shape."""
    n_margins, n_rows = margin.shape
    for i in range(n_rows):
        if n_margins == 1:
            chance[0, i] = 1.0 / (1.0 + np.exp(-margin[0, i]))
            continue
        largest, total = margin[0, i], 0.0
        for k in range(1, n_margins):
            largest = max(largest, margin[k, i])
        for k in range(n_margins):
            chance[k, i] = np.exp(margin[k, i] - largest)
            total += chance[k, i]
        for k in range(n_margins):
            chance[k, i] /= total
