"""Growing one Gini tree, whose nodes put their rows in order for each column that they try.

A node owns a run of `members`. A forest's node tries but a few columns, so that keeping all of them
in order would cost more; a single tree costs the same either way.
"""

import numpy as np

from tincture.arrays import Integers
from tincture.kernels._arrays import Floats32, Int, Integers32
from tincture.kernels._compile import inline_jit
from tincture.kernels._gains import ROW, Rules, first_of_best, gini_gains
from tincture.kernels._nodes import Nodes, middle_below
from tincture.kernels._opening import accumulate, open_children, open_node, write_leaf
from tincture.kernels._order import order_columns
from tincture.kernels._scratch import Scratch
from tincture.kernels.draws import mix


@inline_jit
def grow_gini_tree(
    scratch: Scratch,
    columns: Floats32,
    nodes: Nodes,
    first: Int,
    n_rows: Int,
    rules: Rules,
    key: np.uint64,
) -> Int:
    """Grow one tree depth first; return the index after its last node.

    Parameters
    ----------
    scratch : with the root's members and `packed` set
    columns : (p, m)
    nodes, first : where to write the tree, the arrays of one table
    n_rows : rows in the root
    rules : how to split
    key : state of the random stream of this tree
    """
    stack, totals, zero = scratch.stack, scratch.totals, np.int64(0)
    _sum_members(scratch, n_rows)
    sides, feature, value = scratch.sides, nodes.feature, nodes.value
    top = open_node(stack, totals, sides[0], feature, value, first, zero, n_rows, zero, zero, rules)
    end = first + 1
    while top > 0:
        top -= 1
        node, lo, hi, depth = stack[top, 0], stack[top, 1], stack[top, 2], stack[top, 3]
        members, n = scratch.members[lo:hi], hi - lo
        n_tried = order_columns(scratch.orders, members, rules.n_tried, mix(key, node - first))
        best = _search(scratch, n_tried, n, totals[top], rules)
        if best < 0:
            write_leaf(feature, value, node, totals[top], rules)
            continue
        n_left = _divide(scratch, columns, nodes, node, members, best, top)
        nodes.left[node] = end
        places, deeper = (lo, lo + n_left, hi), depth + 1
        top = open_children(stack, totals, sides, feature, value, end, places, deeper, top, rules)
        end += 2
    return end


@inline_jit
def load_members(scratch: Scratch, weight: Integers) -> Int:
    """List the rows of positive weight as the root's members; return their number."""
    n: Int = np.int64(0)
    for i in range(weight.size):
        scratch.members[n] = i
        n += weight[i] > 0
    return n


@inline_jit
def _sum_members(scratch: Scratch, n_rows: Int) -> None:
    """Write the sums over the root's rows into ``sides[0]``."""
    for w in range(scratch.packed.shape[0]):
        total = 0
        for i in range(n_rows):
            total += scratch.packed[w, scratch.members[i]]
        scratch.sides[0, w] = total


@inline_jit
def _search(scratch: Scratch, n_tried: Int, n: Int, total: Integers, rules: Rules) -> Int:
    """Return the best split as (place in `features`) * n + (place in the column), or -1."""
    tried, size = scratch.orders.tried, n_tried * n
    for w in range(scratch.packed.shape[0]):
        accumulate(tried, n_tried, n, scratch.packed[w], scratch.sums[w])
    gini_gains(tried, scratch.sums, size, total, rules, scratch.parts)
    return first_of_best(scratch.gain_bits, size, scratch.gain_peaks, 0)


@inline_jit
def _divide(
    scratch: Scratch,
    columns: Floats32,
    nodes: Nodes,
    node: Int,
    members: Integers32,
    best: Int,
    top: Int,
) -> Int:
    """Write a split, the sums of its sides, and the members left side first; return its size."""
    n = members.size
    feature, cut = scratch.orders.features[best // n], best % n + 1
    column = scratch.orders.tried[best - best % n : best - best % n + n]
    x, y = columns[feature, column[cut - 1] & ROW], columns[feature, column[cut] & ROW]
    nodes.feature[node], nodes.threshold[node] = feature, middle_below(x, y)
    for s in range(n):
        members[s] = column[s] & ROW
    for w in range(scratch.sums.shape[0]):
        scratch.sides[0, w] = scratch.sums[w, best]
        scratch.sides[1, w] = scratch.totals[top, w] - scratch.sums[w, best]
    return cut
