"""Nodes that wait to be split, and leaves."""

from typing import Any

import numpy as np

from tincture.arrays import Floats, Integers
from tincture.kernels._arrays import Int, Integers32
from tincture.kernels._compile import inline_jit, lean_jit
from tincture.kernels._gains import ROW, Rules, class_count, gradient, hessian


@lean_jit
def open_node(
    stack: Integers,
    totals: Integers,
    total: Integers,
    feature: Integers32,
    value: Floats,
    node: Int,
    lo: Int,
    hi: Int,
    depth: Int,
    top: Int,
    rules: Rules,
) -> Int:
    """Put a node on the stack if it may split, else make it a leaf; return the stack's height."""
    if hi - lo < 2 or depth >= rules.max_depth or _is_final(total, hi - lo, rules):
        write_leaf(feature, value, node, total, rules)
        return top
    stack[top, 0], stack[top, 1], stack[top, 2], stack[top, 3] = node, lo, hi, depth
    for w in range(total.size):
        totals[top, w] = total[w]
    return top + 1


@inline_jit
def open_children(
    stack: Integers,
    totals: Integers,
    sides: Integers,
    feature: Integers32,
    value: Floats,
    left: Int,
    places: tuple[Int, Int, Int],
    depth: Int,
    top: Int,
    rules: Rules,
) -> Int:
    """Open both sides of a split, between the places where the left, the right and none begin."""
    lo, middle, hi = places
    for side in range(2):
        begin, stop = (middle, hi) if side else (lo, middle)
        total, node = sides[side], left + side
        top = open_node(stack, totals, total, feature, value, node, begin, stop, depth, top, rules)
    return top


@inline_jit
def _is_final(total: Integers, n: Int, rules: Rules) -> Any:
    """Tell whether a node is pure or too small to split."""
    if rules.n_classes == 0:
        return hessian(total[0]) < 2 * rules.min_child
    n_present: Int = 0
    for k in range(rules.n_classes):
        n_present += class_count(total, k) > 0
    return n < 2 * rules.min_child or n_present < 2


@lean_jit
def write_leaf(
    feature: Integers32, value: Floats, node: Int, total: Integers, rules: Rules
) -> None:
    """Store the class shares of a Gini leaf or the step of a boosting leaf."""
    feature[node] = -1
    if rules.n_classes == 0:
        g, h = gradient(total[0]), hessian(total[0])
        step = -rules.rate * g / (h + rules.penalty) if h >= rules.min_child else 0.0
        value[node, 0] = np.float32(step)
        return
    weight: Int = 0
    for k in range(rules.n_classes):
        weight += class_count(total, k)
    for k in range(rules.n_classes):
        value[node, k] = class_count(total, k) / weight


@lean_jit
def accumulate(
    entries: Integers32, n_columns: Int, n: Int, packed: Integers, sums: Integers
) -> None:
    """Write the running sums over the n rows of each column."""
    k = np.uint64(0)  # unsigned, as indices that may be negative cost a test
    for _ in range(n_columns):
        total = 0
        for _ in range(n):
            total += packed[entries[k] & ROW]
            sums[k] = total
            k += np.uint64(1)
