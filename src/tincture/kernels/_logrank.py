"""Growing one survival tree by the log-rank statistic.

With risk sets ``Y_j`` and deaths ``d_j`` at the event times of a node, the statistic of the left
side L is ``(sum_L a_i)^2 / (sum_L c_i - sum_j e_j Y_Lj^2)``, where ``a_i`` is the row's event less
its cumulative hazard and ``c_i``, ``e_j`` are likewise constants of the node.  The last sum is
``sum_L sum_L w_i w_k min(E_i, E_k)``, where ``w_i`` is a row's weight and ``E_i`` sums ``e_j`` over
the event times up to its own.  A row that moves to the left hence costs a few additions and one
vector loop over ``P_j``, the sum of ``w_k min(E_j, E_k)`` over the rows k on the left.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tincture.arrays import Floats, Integers
from tincture.kernels._arrays import Floats32, Int, Integers32
from tincture.kernels._compile import inline_jit, lean_jit
from tincture.kernels._gains import CHUNK, ROW, first_of_best
from tincture.kernels._nodes import Nodes, middle_below
from tincture.kernels._order import Orders, make_orders, order_columns
from tincture.kernels.draws import mix

_NO_VARIANCE = 1e-9
_SLACK = 1 << 22  # units of the last place, by less than which statistics differ by rounding alone
_ROUND = 4  # event times are padded to a multiple, as vectors do best


class Sample(NamedTuple):
    """A table whose rows are sorted by time, and the bootstrap sample of the tree at hand."""

    columns: Floats32  # (p, m)
    when: Integers  # (m,) index of each row's time among the distinct ones
    event: Floats  # (m,)
    later: Floats  # (m,) event times of the table at or after a row's time
    weight: Floats  # (m,) times each row was drawn


class Scratch(NamedTuple):
    """Work space of one table."""

    orders: Orders
    members: Integers32  # (m,) rows of the nodes, a contiguous run for each, in order of time
    spare: Integers32  # (m,)
    excess: Floats  # (m,) a_i
    linear: Floats  # (m,) c_i
    reach: Integers  # (m,) event times of the node at or before the row's time
    level: Floats  # (m + 4,) E after so many event times, then noughts
    pull: Floats  # (2, m + 4) P likewise, of two columns
    excesses: Floats  # (p * m,) sums of a_i over the left side, by cuts of all columns tried
    variances: Floats  # (p * m,) of them
    gains: Floats  # (p * m + CHUNK,) the statistics
    gain_bits: Integers  # the same memory
    gain_peaks: Integers  # their largest by chunks
    stack: Integers  # (m, 3) node, first and last member


@inline_jit
def make_scratch(p: int, m: int) -> Scratch:
    """Allocate the work space of tables with m rows and p columns."""
    gains = np.empty(p * m + CHUNK)
    return Scratch(
        make_orders(p, m),
        np.empty(m, np.int32),
        np.empty(m, np.int32),
        np.empty(m),
        np.empty(m),
        np.empty(m, np.int64),
        np.empty(m + _ROUND),
        np.empty((2, m + _ROUND)),
        np.empty(p * m),
        np.empty(p * m),
        gains,
        gains.view(np.int64),
        np.empty(p * m // CHUNK + 1, np.int64),
        np.empty((m, 3), np.int64),
    )


@inline_jit
def grow(
    sample: Sample,
    scratch: Scratch,
    nodes: Nodes,
    first: int,
    n: int,
    least_leaf: int,
    least_split: int,
    key: np.uint64,
) -> int:
    """Grow one tree depth first; return the index after its last node."""
    stack, top, end = scratch.stack, 1, first + 1
    stack[0, 0], stack[0, 1], stack[0, 2] = first, 0, n
    while top > 0:
        top -= 1
        node, lo, hi = stack[top, 0], stack[top, 1], stack[top, 2]
        members = scratch.members[lo:hi]
        left: Int = 0
        if hi - lo >= least_split and hi - lo >= 2 * least_leaf:
            left = _split(sample, scratch, nodes, node, members, least_leaf, mix(key, node - first))
        if left == 0:
            nodes.feature[node] = -1
            nodes.value[node, 0] = _mortality(sample, members)
            continue
        nodes.left[node] = end
        stack[top, 0], stack[top, 1], stack[top, 2] = end, lo, lo + left
        stack[top + 1, 0], stack[top + 1, 1], stack[top + 1, 2] = end + 1, lo + left, hi
        top += 2
        end += 2
    return end


@lean_jit
def _total(weight: Floats, members: Integers32) -> float:
    """Number of draws among the members."""
    total = 0.0
    for i in range(members.size):
        total += weight[members[i]]
    return total


@lean_jit
def _mortality(sample: Sample, members: Integers32) -> float:
    """Cumulative hazard of a leaf summed over the event times of the table."""
    weight, event, when = sample.weight, sample.event, sample.when
    at_risk, mortality, i = _total(weight, members), 0.0, 0
    while i < members.size:
        first, deaths, leaving = members[i], 0.0, 0.0
        while i < members.size and when[members[i]] == when[first]:
            deaths += weight[members[i]] * event[members[i]]
            leaving += weight[members[i]]
            i += 1
        if deaths > 0.0:
            mortality += deaths / at_risk * sample.later[first]
        at_risk -= leaving
    return mortality


@inline_jit
def _describe(sample: Sample, scratch: Scratch, members: Integers32) -> int:
    """Write the constants of a node's log-rank statistic.

    Returns the number of event times at which a split could differ.
    """
    weight, event, when = sample.weight, sample.event, sample.when
    at_risk, hazard, linear, level, n_times, i = _total(weight, members), 0.0, 0.0, 0.0, 0, 0
    scratch.level[0] = 0.0
    while i < members.size:
        j, time, deaths, leaving = i, when[members[i]], 0.0, 0.0
        while j < members.size and when[members[j]] == time:
            deaths += weight[members[j]] * event[members[j]]
            leaving += weight[members[j]]
            j += 1
        if deaths > 0.0:
            hazard += deaths / at_risk
            if deaths < at_risk:
                slope = deaths * (at_risk - deaths) / (at_risk * (at_risk - 1.0))
                linear += slope
                level += slope / at_risk
                n_times += 1
                scratch.level[n_times] = level
        for k in range(i, j):
            row = members[k]
            scratch.excess[row] = weight[row] * (event[row] - hazard)
            scratch.linear[row] = weight[row] * linear
            scratch.reach[row] = n_times
        at_risk -= leaving
        i = j
    for j in range(n_times + 1, n_times + _ROUND):
        scratch.level[j] = 0.0
    return n_times


@inline_jit
def _split(
    sample: Sample,
    scratch: Scratch,
    nodes: Nodes,
    node: int,
    members: Integers32,
    least_leaf: int,
    key: np.uint64,
) -> Int:
    """Split a node at the best of sqrt(p) columns; return how many members go left, 0 if none."""
    n, orders = members.size, scratch.orders
    n_times = _describe(sample, scratch, members)
    if n_times == 0:
        return 0
    n_wanted = max(1, int(np.sqrt(orders.features.size)))
    n_tried = order_columns(orders, members, n_wanted, key)
    for i in range(0, n_tried, 2):
        other = min(i + 1, n_tried - 1)  # the last column alone is scanned twice
        _scan(i * n, other * n, n, sample.weight, scratch, n_times, least_leaf)
    _compare(scratch, n_tried * n)
    best = first_of_best(scratch.gain_bits, n_tried * n, scratch.gain_peaks, _SLACK)
    if best < 0:
        return 0
    feature, tried = orders.features[best // n], orders.tried
    column = sample.columns[feature]
    threshold = middle_below(column[tried[best] & ROW], column[tried[best + 1] & ROW])
    nodes.feature[node], nodes.threshold[node] = feature, threshold
    _partition(column, threshold, members, scratch.spare)
    return best % n + 1


@inline_jit
def _scan(
    one: Int,
    two: Int,
    n: Int,
    weight: Floats,
    scratch: Scratch,
    n_times: int,
    least_leaf: int,
) -> None:
    """Write the sums and variances of the left sides of two columns' cuts; 0 where none may be.

    Either's additions to P wait for those of the row before, so that two together cost little more.
    """
    level, tried = scratch.level, scratch.orders.tried
    pull_1, pull_2 = scratch.pull[0], scratch.pull[1]
    excess_1 = excess_2 = linear_1 = linear_2 = square_1 = square_2 = 0.0
    n_levels = (n_times + _ROUND) // _ROUND * _ROUND
    for j in range(n_levels):
        pull_1[j] = pull_2[j] = 0.0
    for s in range(n - least_leaf):
        k_1, k_2 = np.uint64(one) + np.uint64(s), np.uint64(two) + np.uint64(s)
        row_1, row_2 = np.uint64(tried[k_1] & ROW), np.uint64(tried[k_2] & ROW)
        at_1, at_2 = np.uint64(scratch.reach[row_1]), np.uint64(scratch.reach[row_2])
        w_1, w_2, own_1, own_2 = weight[row_1], weight[row_2], level[at_1], level[at_2]
        excess_1 += scratch.excess[row_1]
        excess_2 += scratch.excess[row_2]
        linear_1 += scratch.linear[row_1]
        linear_2 += scratch.linear[row_2]
        square_1 += w_1 * (2.0 * pull_1[at_1] + w_1 * own_1)
        square_2 += w_2 * (2.0 * pull_2[at_2] + w_2 * own_2)
        scratch.excesses[k_1], scratch.variances[k_1] = excess_1, linear_1 - square_1
        scratch.excesses[k_2], scratch.variances[k_2] = excess_2, linear_2 - square_2
        for j in range(n_levels):
            pull_1[j] += w_1 * (level[j] if level[j] < own_1 else own_1)
            pull_2[j] += w_2 * (level[j] if level[j] < own_2 else own_2)
    for start in (one, two):
        for s in range(least_leaf - 1):
            scratch.variances[start + s] = 0.0
        for s in range(n - least_leaf, n):
            scratch.variances[start + s] = 0.0


@inline_jit
def _compare(scratch: Scratch, size: Int) -> None:
    """Write the squared log-rank statistics of all cuts."""
    tried, excesses, variances = scratch.orders.tried, scratch.excesses, scratch.variances
    for k in range(size):
        value = excesses[k] * excesses[k] / variances[k]
        distinct = (tried[k] ^ tried[k + 1]) > ROW
        scratch.gains[k] = value if distinct & (variances[k] > _NO_VARIANCE) else 0.0


@lean_jit
def _partition(
    column: Floats32, threshold: np.float32, members: Integers32, spare: Integers32
) -> None:
    """Move the members at most `threshold` to the front, keeping their order."""
    left, right = np.uint64(0), np.uint64(0)
    for i in range(members.size):
        row = members[i]
        spare[right] = row
        members[left] = row
        step = np.uint64(column[row] <= threshold)
        left += step
        right += np.uint64(1) - step
    for i in range(right):
        members[left + np.uint64(i)] = spare[i]
