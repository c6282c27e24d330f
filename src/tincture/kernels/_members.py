"""Growing one Gini tree, whose nodes put their rows in order for each column that they try.

A forest's node tries but a few columns, so that keeping all of them in order would cost more. A
node owns a run of `members`. In the order of a whole column each of its rows has a place; a set of
bits of these places, read from the lowest on, lists the rows in order.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from tincture.arrays import Integers
from tincture.kernels._arrays import Floats32, Int, Integers32, Places, Words
from tincture.kernels._compile import inline_jit, lean_jit
from tincture.kernels._gains import ROW, Rules, best_gini_split, gini_gains
from tincture.kernels._nodes import Nodes, middle_below
from tincture.kernels._opening import accumulate, open_node, write_leaf
from tincture.kernels._scratch import Scratch
from tincture.kernels.draws import draw, mix

WORD = 64  # bits of a word
_ONE, _LOW, _SHIFT = np.uint64(1), np.uint64(WORD - 1), np.uint64(6)


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
    scratch : with the root's members, `inside` and `packed` set
    columns : (p, m)
    nodes, first : where to write the tree, the arrays of one table
    n_rows : rows in the root
    rules : how to split
    key : state of the random stream of this tree
    """
    stack, totals, zero = scratch.stack, scratch.totals, np.int64(0)
    _sum_members(scratch, n_rows)
    top = open_node(stack, totals, scratch.sides[0], nodes, first, zero, n_rows, zero, zero, rules)
    end = first + 1
    while top > 0:
        top -= 1
        node, lo, hi, depth = stack[top, 0], stack[top, 1], stack[top, 2], stack[top, 3]
        members, n = scratch.members[lo:hi], hi - lo
        n_tried = _order_columns(scratch, members, n == n_rows, rules, mix(key, node - first))
        best = _search(scratch, n_tried * n, totals[top], rules)
        if best < 0:
            write_leaf(nodes.feature, nodes.value, node, totals[top], rules)
            continue
        n_left = _divide(scratch, columns, nodes, node, members, best, top)
        nodes.left[node] = end
        middle = lo + n_left
        for side in range(2):
            begin, stop = (middle, hi) if side else (lo, middle)
            top = open_node(
                stack,
                totals,
                scratch.sides[side],
                nodes,
                end + side,
                begin,
                stop,
                depth + 1,
                top,
                rules,
            )
        end += 2
    return end


@inline_jit
def load_members(scratch: Scratch, weight: Integers) -> Int:
    """List the rows of positive weight as the root's members; return their number."""
    n: Int = np.int64(0)
    for i in range(weight.size):
        scratch.members[n] = i
        scratch.inside[i] = weight[i] > 0
        n += scratch.inside[i]
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
def _order_columns(
    scratch: Scratch, members: Integers32, is_root: bool, rules: Rules, key: np.uint64
) -> Int:
    """Draw columns and write the members in the order of each; return how many are tried.

    Like scikit-learn, constant columns count as tried, but at least one other is looked for, and
    of equally good splits the column drawn first wins.
    """
    features, n, found = scratch.features, members.size, False
    p = features.size
    n_tried: Int = np.int64(p)
    for i in range(p):
        k = i + draw(key, i, p - i)
        features[i], features[k] = features[k], features[i]
        entries, tried = scratch.entries[features[i]], scratch.tried[i * n : i * n + n + 1]
        if is_root:
            _sift(entries, scratch.inside, tried)
        else:
            _order(entries, scratch.places[features[i]], members, scratch.bits, tried)
        found = found or (tried[0] >> 16) != (tried[n - 1] >> 16)
        if found and i + 1 >= rules.n_tried:
            n_tried = np.int64(i + 1)
            break
    for w in range(scratch.packed.shape[0]):
        accumulate(scratch.tried, n_tried, n, scratch.packed[w], scratch.sums[w])
    return n_tried


@lean_jit
def _sift(entries: Integers32, inside: Any, tried: Integers32) -> None:
    """Copy the entries of the rows inside, with no branch: the next overwrites what is not."""
    k = np.uint64(0)
    for s in range(entries.size):
        tried[k] = entries[s]
        k += np.uint64(inside[entries[s] & ROW])


@lean_jit
def _order(
    entries: Integers32, places: Places, members: Integers32, bits: Words, tried: Integers32
) -> None:
    """Copy the entries of a few rows of a column in its order; `bits` are nought before and after.
    """
    for i in range(members.size):
        place = np.uint64(places[np.uint64(members[i])])
        bits[place >> _SHIFT] |= _ONE << (place & _LOW)
    k = np.uint64(0)
    for w in range(bits.size):
        word, bits[w] = bits[w], np.uint64(0)
        while word != 0:
            tried[k] = entries[np.uint64(w * WORD) + _lowest_bit(word)]
            word &= word - _ONE
            k += _ONE


@intrinsic  # type: ignore[misc]
def _lowest_bit(typing: Any, word: Any) -> Any:
    """Count the noughts below the lowest 1 of a word."""

    def count(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.uint64(types.uint64), count


@inline_jit
def _search(scratch: Scratch, size: Int, total: Integers, rules: Rules) -> Int:
    """Return the best split as (place in `features`) * n + (place in the column), or -1."""
    gini_gains(scratch.tried, scratch.sums, size, total, rules, scratch.parts)
    return best_gini_split(scratch.gain_bits, size, scratch.gain_peaks)


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
    feature, cut = scratch.features[best // n], best % n + 1
    column = scratch.tried[best - best % n : best - best % n + n]
    x, y = columns[feature, column[cut - 1] & ROW], columns[feature, column[cut] & ROW]
    nodes.feature[node], nodes.threshold[node] = feature, middle_below(x, y)
    for s in range(n):
        members[s] = column[s] & ROW
    for w in range(scratch.sums.shape[0]):
        scratch.sides[0, w] = scratch.sums[w, best]
        scratch.sides[1, w] = scratch.totals[top, w] - scratch.sums[w, best]
    return cut
