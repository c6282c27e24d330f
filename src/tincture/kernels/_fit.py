"""Growing all trees of a range of tables.

One kernel grows single trees and forests of classes, one trees of gradients: boosting of all kinds
and trees of amounts. Each shares among its models what takes longest to compile, and who asks for
classes' trees alone does not wait for the other.
"""

from typing import NamedTuple

import numpy as np

from tincture.arrays import Floats, Integers
from tincture.kernels._arrays import Floats32, Int, Integers32
from tincture.kernels._compile import inline_jit, jit, kernel_jit, lean_jit
from tincture.kernels._gains import FIELD, PER_WORD, Rules
from tincture.kernels._gradients import pack_errors, pack_gradients, pack_hazards
from tincture.kernels._grow import grow_tree
from tincture.kernels._members import grow_gini_tree, load_members
from tincture.kernels._nodes import Nodes, table_nodes
from tincture.kernels._order import start_orders
from tincture.kernels._routes import gather_leaves, route
from tincture.kernels._scratch import Scratch, load_root, make_scratch
from tincture.kernels._sort import rank_rows
from tincture.kernels.draws import draw, mix


class Tables(NamedTuple):
    """R tables, or one of them without the first axis.

    Attributes
    ----------
    columns : (R, p, m)
    keys : (R, p, m), see `sort_keys`
    labels : (R, m), classes; in Cox boosting the place of a row's time among the distinct ones,
        rows being in order of time; of amounts (R, 0)
    event : (R, m) in Cox boosting, or amounts, else (R, 0)
    base : (R, n_margins) margins before the first tree, for boosting and amounts
    """

    columns: Floats32
    keys: Integers
    labels: Integers
    event: Floats
    base: Floats


class State(NamedTuple):
    """What a table's trees hand on to each other."""

    weight: Integers  # (m,) how often each row counts
    at: Integers32  # (m,) the leaf each row reaches
    margin: Floats  # (n_margins, m)
    chance: Floats  # (n_margins, m)
    no_fill: Floats32  # (p,) noughts, as no row has missing values
    n_kept: Integers  # (1,) rows of the sample


@inline_jit
def _make_state(n_columns: Int, n_rows: Int, n_margins: Int) -> State:
    """Allocate it."""
    return State(
        np.empty(n_rows, np.int64),
        np.empty(n_rows, np.int32),
        np.empty((n_margins, n_rows)),
        np.empty((n_margins, n_rows)),
        np.zeros(n_columns, np.float32),
        np.empty(1, np.int64),
    )


@kernel_jit
def fit_classes(
    begin: int,
    stop: int,
    tables: Tables,
    bootstrap: bool,
    seed: np.uint64,
    rules: Rules,
    nodes: Nodes,
) -> None:
    """Grow the trees of the tables ``begin .. stop - 1``, by the Gini index.

    Parameters
    ----------
    tables : what to grow them on
    bootstrap : whether each tree of a forest has its own sample of the rows
    seed : of the draws, which are the same for all tables: common random numbers compare better
    rules : how to split
    nodes : where to write the trees
    """
    _, n_columns, n_rows = tables.columns.shape
    scratch = make_scratch(n_columns, n_rows, (rules.n_classes + PER_WORD - 1) // PER_WORD)
    state = _make_state(n_columns, n_rows, tables.base.shape[1])
    for r in range(begin, stop):
        own = table_nodes(nodes, r)
        _grow_classes(_table(tables, r), bootstrap, seed, rules, own, scratch, state)


@kernel_jit
def fit_gradients(
    begin: int,
    stop: int,
    tables: Tables,
    bootstrap: bool,
    seed: np.uint64,
    rules: Rules,
    nodes: Nodes,
) -> None:
    """Grow the trees of the tables ``begin .. stop - 1``, by gradients; see `fit_classes`."""
    _, n_columns, n_rows = tables.columns.shape
    scratch = make_scratch(n_columns, n_rows, 1)
    state = _make_state(n_columns, n_rows, tables.base.shape[1])
    for r in range(begin, stop):
        own = table_nodes(nodes, r)
        _grow_gradients(_table(tables, r), bootstrap, seed, rules, own, scratch, state)


@inline_jit
def _table(tables: Tables, r: Int) -> Tables:
    """One of them."""
    return Tables(
        tables.columns[r], tables.keys[r], tables.labels[r], tables.event[r], tables.base[r]
    )


@lean_jit
def _grow_classes(
    table: Tables,
    bootstrap: bool,
    seed: np.uint64,
    rules: Rules,
    nodes: Nodes,
    scratch: Scratch,
    state: State,
) -> None:
    """Grow the trees of one table."""
    weight = state.weight
    _start_table(table, False, scratch, state)
    for t in range(nodes.start.size - 1):
        split_key = _begin_tree(weight, seed, t, bootstrap)
        _pack_classes(weight, table.labels, scratch.packed)
        n_kept, first = load_members(scratch, weight), np.int64(nodes.start[t])
        end = grow_gini_tree(scratch, table.columns, nodes, first, n_kept, rules, split_key)
        nodes.start[t + 1] = end


@lean_jit
def _grow_gradients(
    table: Tables,
    bootstrap: bool,
    seed: np.uint64,
    rules: Rules,
    nodes: Nodes,
    scratch: Scratch,
    state: State,
) -> None:
    """Grow the trees of one table, of a forest each by itself, else each of what is left."""
    weight, zero = state.weight, np.int64(0)
    _start_table(table, True, scratch, state)
    for t in range(nodes.start.size - 1):
        split_key = _begin_tree(weight, seed, t, bootstrap)
        first, packed = np.int64(nodes.start[t]), scratch.packed
        _pack_losses(state.margin, state.chance, table, weight, t, rules.unit, packed[0])
        if t == 0 or bootstrap:
            state.n_kept[0] = load_root(scratch.orders.entries, weight, scratch.blocks[0])
        n_kept = state.n_kept[0]
        end = grow_tree(scratch, table.columns, nodes, first, n_kept, rules, split_key)
        nodes.start[t + 1] = end
        if not bootstrap:
            route(nodes, t, table.columns, zero, state.no_fill, state.at)
            gather_leaves(nodes.value, zero, state.at, state.margin[t % table.base.size])


@inline_jit
def _begin_tree(weight: Integers, seed: np.uint64, t: Int, bootstrap: bool) -> np.uint64:
    """Draw a tree's rows, if any are drawn; where its splits' draws begin."""
    tree_key = mix(seed, t)
    if bootstrap:
        _resample(weight, tree_key)
    return mix(tree_key, weight.size)  # the counters below are the bootstrap's


@inline_jit
def _start_table(table: Tables, boosting: bool, scratch: Scratch, state: State) -> None:
    """Put a table's columns in order, and all else as it is before the first tree."""
    rank_rows(table.columns, table.keys, boosting, scratch.orders.entries)
    start_orders(scratch.orders)
    state.weight[:] = 1
    scratch.packed[:] = 0
    for k in range(table.base.size):
        state.margin[k, :] = table.base[k]


@inline_jit
def _pack_losses(
    margin: Floats,
    chance: Floats,
    table: Tables,
    weight: Integers,
    t: int,
    unit: float,
    packed: Integers,
) -> None:
    """Write gradient and hessian of each row, of the loss that labels and events tell."""
    if table.labels.size == 0:
        pack_errors(margin[0], table.event, weight, unit, packed)
    elif table.event.size > 0:
        pack_hazards(margin[0], table.labels, table.event, unit, packed)
    else:
        pack_gradients(margin, chance, table.labels, t, unit, packed)


@jit
def _resample(weight: Integers, key: np.uint64) -> None:
    """Count how often each row is drawn for a tree's sample."""
    n_rows = weight.size
    for i in range(n_rows):
        weight[i] = 0
    for i in range(n_rows):
        weight[draw(key, i, n_rows)] += 1


@jit
def _pack_classes(weight: Integers, labels: Integers, packed: Integers) -> None:
    """Write each row's count into the field of its class."""
    for i in range(weight.size):
        packed[labels[i] // PER_WORD, i] = weight[i] << (FIELD * (labels[i] % PER_WORD))
