"""Growing one survival tree by the log-rank statistic.

With risk sets ``Y_j`` and deaths ``d_j`` at the event times of a node, the statistic of the left
side L is ``(sum_L a_i)^2 / (sum_L c_i - sum_j e_j Y_Lj^2)``, where ``a_i`` is the row's event less
its cumulative hazard and ``c_i``, ``e_j`` are likewise constants of the node.  A row that moves to
the left hence costs two additions and one short vector loop over ``Y_Lj``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tincture.arrays import Floats, Integers
from tincture.kernels._arrays import Floats32, Integers32
from tincture.kernels._compile import fast_jit, inline_jit, jit
from tincture.kernels._gains import ROW
from tincture.kernels._nodes import Nodes, middle_below
from tincture.kernels.draws import draw, mix

_NO_VARIANCE = 1e-9


class Sample(NamedTuple):
    """A table whose rows are sorted by time, and the bootstrap sample of the tree at hand."""

    columns: Floats32  # (p, m)
    entries: Integers32  # (p, m) sorted columns: rank in the upper half, row in the lower
    ranks: Integers32  # (p, m) the same entries by row
    when: Integers  # (m,) index of each row's time among the distinct ones
    event: Floats  # (m,)
    later: Floats  # (m,) event times of the table at or after a row's time
    weight: Floats  # (m,) times each row was drawn


class Scratch(NamedTuple):
    """Work space of one table."""

    members: Integers  # (m,) rows of the nodes, a contiguous run for each, in order of time
    spare: Integers  # (m,)
    inside: Integers  # (m,) 1 for the rows of the node at hand
    keys: Integers32  # (m,) the node's rows in the order of one column
    excess: Floats  # (m,) a_i
    linear: Floats  # (m,) c_i
    reach: Integers  # (m,) event times of the node at or before the row's time
    curve: Floats  # (m,) e_j
    at_risk: Floats  # (m,) Y_Lj
    features: Integers  # (p,)
    stack: Integers  # (m, 3) node, first and last member


@jit
def make_scratch(p: int, m: int) -> Scratch:
    """Allocate the work space of tables with m rows and p columns."""
    features, inside = np.empty(p, np.int64), np.empty(m, np.int64)
    for j in range(p):
        features[j] = j
    for i in range(m):
        inside[i] = 0
    return Scratch(
        np.empty(m, np.int64),
        np.empty(m, np.int64),
        inside,
        np.empty(m + 1, np.int32),
        np.empty(m),
        np.empty(m),
        np.empty(m, np.int64),
        np.empty(m),
        np.empty(m),
        features,
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
        mortality, n_times = _describe(sample, scratch, members)
        left = 0
        if hi - lo >= least_split and hi - lo >= 2 * least_leaf and n_times > 0:
            left = _split(
                sample, scratch, nodes, node, members, n_times, least_leaf, mix(key, node - first)
            )
        if left == 0:
            nodes.feature[node] = -1
            nodes.value[node, 0] = mortality
            continue
        nodes.left[node] = end
        stack[top, 0], stack[top, 1], stack[top, 2] = end, lo, lo + left
        stack[top + 1, 0], stack[top + 1, 1], stack[top + 1, 2] = end + 1, lo + left, hi
        top += 2
        end += 2
    return end


@inline_jit
def _describe(sample: Sample, scratch: Scratch, members: Integers) -> tuple[float, int]:
    """Write the constants of a node's log-rank statistic.

    Returns the expected mortality and the number of event times at which a split could differ.
    """
    at_risk = 0.0
    for i in members:
        at_risk += sample.weight[i]
    hazard, linear, mortality, n_times, i = 0.0, 0.0, 0.0, 0, 0
    while i < members.size:
        j, deaths, leaving = i, 0.0, 0.0
        while j < members.size and sample.when[members[j]] == sample.when[members[i]]:
            deaths += sample.weight[members[j]] * sample.event[members[j]]
            leaving += sample.weight[members[j]]
            j += 1
        if deaths > 0.0:
            hazard += deaths / at_risk
            mortality += deaths / at_risk * sample.later[members[i]]
            if deaths < at_risk:
                slope = deaths * (at_risk - deaths) / (at_risk * (at_risk - 1.0))
                linear += slope
                scratch.curve[n_times] = slope / at_risk
                n_times += 1
        for k in range(i, j):
            row = members[k]
            scratch.excess[row] = sample.weight[row] * (sample.event[row] - hazard)
            scratch.linear[row] = sample.weight[row] * linear
            scratch.reach[row] = n_times
        at_risk -= leaving
        i = j
    return mortality, n_times


@inline_jit
def _split(
    sample: Sample,
    scratch: Scratch,
    nodes: Nodes,
    node: int,
    members: Integers,
    n_times: int,
    least_leaf: int,
    key: np.uint64,
) -> int:
    """Split a node at the best of sqrt(p) columns; return how many members go left, 0 if none.

    Like scikit-learn, constant columns count as tried, but at least one other is looked for.
    """
    features, keys, n = scratch.features, scratch.keys, members.size
    p = features.size
    n_tried, found = max(1, int(np.sqrt(p))), False
    best, feature, threshold = 0.0, -1, np.float32(0.0)
    for row in members:
        scratch.inside[row] = 1
    for i in range(p):
        if found and i >= n_tried:
            break
        k = i + draw(key, i, p - i)
        features[i], features[k] = features[k], features[i]
        _sort_members(sample, scratch, features[i], members)
        if (keys[0] >> 16) == (keys[n - 1] >> 16):
            continue
        found = True
        gain, cut = _scan(sample.weight, scratch, n, n_times, least_leaf)
        if gain > best:
            best, feature = gain, features[i]
            column = sample.columns[feature]
            threshold = middle_below(column[keys[cut - 1] & ROW], column[keys[cut] & ROW])
    for row in members:
        scratch.inside[row] = 0
    if feature < 0:
        return 0
    nodes.feature[node], nodes.threshold[node] = feature, threshold
    return _partition(sample.columns[feature], threshold, members, scratch.spare)


@inline_jit
def _sort_members(sample: Sample, scratch: Scratch, feature: int, members: Integers) -> None:
    """List the members in the order of a column: sort a few, sift many out of the whole."""
    keys, n, m = scratch.keys, members.size, sample.when.size
    if n * n > 8 * m:
        n = 0
        for entry in sample.entries[feature]:
            keys[n] = entry
            n += scratch.inside[entry & ROW]
        return
    ranks = sample.ranks[feature]
    for i in range(n):
        key, k = ranks[members[i]], i
        while k > 0 and keys[k - 1] > key:
            keys[k] = keys[k - 1]
            k -= 1
        keys[k] = key


@fast_jit
def _scan(
    weight: Floats, scratch: Scratch, n: int, n_times: int, least_leaf: int
) -> tuple[float, int]:
    """Largest squared log-rank statistic over the cuts of one column, and its cut."""
    keys, curve, at_risk = scratch.keys, scratch.curve, scratch.at_risk
    for j in range(n_times):
        at_risk[j] = 0.0
    excess, linear, square, best, where = 0.0, 0.0, 0.0, 0.0, 0
    for s in range(n - least_leaf):
        row = keys[s] & ROW
        w = weight[row]
        excess += scratch.excess[row]
        linear += scratch.linear[row]
        change = 0.0
        for j in range(scratch.reach[row]):
            change += curve[j] * (2.0 * at_risk[j] + w)
            at_risk[j] += w
        square += w * change
        if s + 1 < least_leaf or (keys[s] >> 16) == (keys[s + 1] >> 16):
            continue
        variance = linear - square
        if variance > _NO_VARIANCE and excess * excess > best * variance:
            best, where = excess * excess / variance, s + 1
    return best, where


@inline_jit
def _partition(column: Floats32, threshold: np.float32, members: Integers, spare: Integers) -> int:
    """Move the members at most `threshold` to the front, keeping their order; count them."""
    left, right = 0, 0
    for i in range(members.size):
        row = members[i]
        if column[row] <= threshold:
            members[left] = row
            left += 1
        else:
            spare[right] = row
            right += 1
    for i in range(right):
        members[left + i] = spare[i]
    return left
