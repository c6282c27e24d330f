"""Growing one tree of gradients, whose nodes keep all columns in order.

A table's columns are sorted once. Each entry of a sorted column holds the rank of the value (equal
values share a rank) in its upper half and the row in its lower half. A node owns one contiguous
block of entries, column after column; a split copies the block, stably, into its two halves.
What a split needs to know of a row is packed into a 64-bit word, so that a running sum costs one
addition (see `_gains`).
"""

import numpy as np
from numpy.typing import NDArray

from tincture.arrays import Integers
from tincture.kernels._arrays import Floats32, Int, Integers32
from tincture.kernels._compile import inline_jit, lean_jit
from tincture.kernels._gains import ROW, Rules, best_boosting_split, rough_scores
from tincture.kernels._nodes import Nodes, middle_below
from tincture.kernels._opening import accumulate, open_children, open_node, write_leaf
from tincture.kernels._scratch import Scratch
from tincture.kernels.draws import draw, mix


@inline_jit
def grow_tree(
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
    scratch : with the root's block loaded and `packed` set
    columns : (p, m)
    nodes, first : where to write the tree, the arrays of one table
    n_rows : rows in the root
    rules : how to split
    key : state of the random stream of this tree
    """
    stack, totals, p = scratch.stack, scratch.totals, columns.shape[0]
    _sum_rows(scratch, n_rows)
    zero = np.int64(0)  # a literal would have open_node compiled once more
    sides, feature, value = scratch.sides, nodes.feature, nodes.value
    top = open_node(stack, totals, sides[0], feature, value, first, zero, n_rows, zero, zero, rules)
    end = first + 1
    while top > 0:
        top -= 1
        node, lo, hi, depth = stack[top, 0], stack[top, 1], stack[top, 2], stack[top, 3]
        block = scratch.blocks[_half(depth), (p + 1) * lo : (p + 1) * hi]
        if rules.is_even:
            _shuffle(scratch.orders.features, mix(key, node - first))
        best = _search(scratch, block, hi - lo, totals[top, 0], rules)
        if best < 0:
            write_leaf(feature, value, node, totals[top], rules)
            continue
        n_left = _divide(scratch, columns, nodes, node, block, hi - lo, best, top, rules)
        nodes.left[node] = end
        places, deeper, old = (lo, lo + n_left, hi), depth + 1, top
        top = open_children(stack, totals, sides, feature, value, end, places, deeper, top, rules)
        if top > old:
            children = scratch.blocks[_half(depth + 1), (p + 1) * lo : (p + 1) * hi]
            right = children[(p + 1) * n_left :]
            _partition(block[: p * (hi - lo)], scratch.goes_left, children, right)
        end += 2
    return end


@lean_jit
def _half(depth: Int) -> Int:
    """Return which of the blocks hold the nodes of a depth; the root's are never overwritten."""
    return 0 if depth == 0 else 1 + depth % 2


@inline_jit
def _sum_rows(scratch: Scratch, n_rows: Int) -> None:
    """Write the sum over the root's rows into ``sides[0]``."""
    total = 0
    for s in range(n_rows):
        total += scratch.packed[0, scratch.blocks[0, s] & ROW]
    scratch.sides[0, 0] = total


@inline_jit
def _shuffle(features: Integers, key: np.uint64) -> None:
    """Bring the columns in an order, of which the first wins where splits are equally good."""
    p = features.size
    for i in range(p):
        k = i + draw(key, i, p - i)
        features[i], features[k] = features[k], features[i]


@inline_jit
def _search(scratch: Scratch, block: Integers32, n: Int, total: Int, rules: Rules) -> Int:
    """Return the best split as (place in `features`) * n + (place in the column), or -1."""
    tried, features, sums = block, scratch.orders.features, scratch.sums[0]
    p = features.size
    if rules.is_even:
        tried = scratch.orders.tried
        for i in range(p):
            start = features[i] * n
            for s in range(n):
                tried[i * n + s] = block[start + s]
    size = p * n
    accumulate(tried, p, n, scratch.packed[0], sums)
    rough_scores(tried, scratch.halves, size, total, rules, scratch.scores)
    return best_boosting_split(sums, size, total, rules, scratch.score_bits, scratch.score_peaks)


@inline_jit
def _divide(
    scratch: Scratch,
    columns: Floats32,
    nodes: Nodes,
    node: Int,
    block: Integers32,
    n: Int,
    best: Int,
    top: Int,
    rules: Rules,
) -> Int:
    """Write a split, the sums of its sides and who goes left; return how many do."""
    feature, cut = scratch.orders.features[best // n], best % n + 1
    column = block[feature * n : feature * n + n]
    x, y = columns[feature, column[cut - 1] & ROW], columns[feature, column[cut] & ROW]
    nodes.feature[node], nodes.threshold[node] = feature, _middle(x, y, rules)
    for s in range(n):
        scratch.goes_left[column[s] & ROW] = s >= cut  # columns are sorted downwards
    scratch.sides[1, 0] = scratch.sums[0, best]
    scratch.sides[0, 0] = scratch.totals[top, 0] - scratch.sums[0, best]
    return n - cut


@lean_jit
def _middle(one: np.float32, other: np.float32, rules: Rules) -> np.float32:
    """Return the largest value that goes left."""
    if rules.is_even:
        return middle_below(min(one, other), max(one, other))
    return _boosting_middle(other, one)


@lean_jit
def _boosting_middle(low: np.float32, high: np.float32) -> np.float32:
    """Return the largest value below XGBoost's 32-bit middle, which itself goes right."""
    middle = np.float32((low + high) * np.float32(0.5))
    if not low < middle <= high:
        middle = high
    below: np.float32 = np.nextafter(middle, np.float32(-np.inf))
    return below


@lean_jit
def _partition(
    block: Integers32, goes_left: NDArray[np.uint8], left: Integers32, right: Integers32
) -> None:
    """Copy a node's entries into its children's blocks, keeping their order.

    Every entry is written to both; the next one overwrites it where it does not belong.
    """
    a, b = np.uint64(0), np.uint64(0)
    for s in range(block.size):
        left[a] = block[s]
        right[b] = block[s]
        step = np.uint64(goes_left[block[s] & ROW])
        a += step
        b += np.uint64(1) - step
