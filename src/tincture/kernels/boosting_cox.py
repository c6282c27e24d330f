"""Gradient boosting of the Cox partial likelihood on a batch of small tables.

Faithful to XGBoost's objective ``survival:cox`` with ``tree_method="exact"`` [1]_.  Rows are taken
in order of time.  With ``w = exp(margin)`` and ``S`` the sum of ``w`` over the rows whose time is
not past, a row's gradient is ``w r - event`` and its hessian ``w r - w^2 s``, where ``r`` and
``s`` sum ``1 / S`` and ``1 / S^2`` over the events so far.  As in XGBoost a row among ties sees
only those tied events that come before it in the table, itself included.  The differences:
gradients are rounded to fixed point (see `tincture.kernels.boosting`), margins are kept in 64 bits.

References
----------
.. [1] T. Chen, C. Guestrin, XGBoost: a scalable tree boosting system, KDD 2016.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import prange
from numpy.typing import NDArray

from tincture.kernels._gains import Rules
from tincture.kernels._grow import grow_tree
from tincture.kernels._linear import Floats
from tincture.kernels._nodes import (
    MAX_ROWS,
    Nodes,
    empty_nodes,
    gather_leaves,
    jit,
    nodes_per_tree,
    parallel_jit,
    route,
    sum_leaves,
    table_nodes,
    to_float32,
)
from tincture.kernels._scratch import load_root, make_scratch
from tincture.kernels._sort import sort_columns

_LEAST_HESSIAN = 1e-6  # XGBoost's kRtEps
_FLOOR = 1e-100  # least sum of hazards, whose square must not underflow to nought


@dataclass(frozen=True, slots=True)
class CoxBoosting:
    """Boosted trees of R tables.

    Attributes
    ----------
    nodes : the trees; the value of a leaf is its step in log hazard
    base : (R,) float64, margins before the first tree
    """

    nodes: Nodes
    base: Floats

    def predict(self, records: NDArray[np.floating], fill: Floats | None = None) -> Floats:
        """Log hazard ratio, the logarithm of XGBoost's output; larger means an earlier event.

        Parameters
        ----------
        records : (b, p) float32 or float64
            May hold NaN only where `fill` is given.
        fill : (R, p) float64, optional
            Value that stands for a missing entry of each column, per candidate.

        Returns
        -------
        (R, b) float64
        """
        return sum_leaves(self.nodes, records, fill, 1)[:, :, 0] + self.base[:, None]


def fit(
    candidates: Floats,
    time: Floats,
    event: NDArray[np.bool_] | NDArray[np.int64],
    *,
    n_estimators: int = 100,
    max_depth: int = 3,
    learning_rate: float = 0.1,
    reg_lambda: float = 1.0,
    min_child_weight: float = 1.0,
    seed: int = 0,
) -> CoxBoosting:
    """Boost trees on each candidate table.

    Parameters
    ----------
    candidates : (R, m, p) float64
    time : (R, m) or (m,) float64
        Time of the event or of censoring; 32 bits of it count, as in XGBoost.
    event : (R, m) or (m,) bool or int
        True where the event was seen.
    n_estimators : int
        Rounds, one tree each.
    max_depth : int
    learning_rate : float
        Share of each step that is taken.
    reg_lambda : float
        L2 penalty on leaf values.
    min_child_weight : float
        Least sum of hessians in a child.
    seed : int
        Unused, as nothing is random.
    """
    del seed
    r, m, p = candidates.shape
    if m > MAX_ROWS:
        raise ValueError(f"at most {MAX_ROWS} rows per table, got {m}")
    times = to_float32(np.broadcast_to(np.asarray(time, dtype=np.float64), (r, m)))
    order = np.argsort(times, axis=1, kind="stable")
    events = np.broadcast_to(np.asarray(event), (r, m)).astype(np.float64)
    columns = to_float32(np.take_along_axis(candidates, order[:, :, None], axis=1))
    nodes = empty_nodes(r, n_estimators, nodes_per_tree(m, max_depth), 1)
    # Gradients sum to at most m in absolute value, which must fit into 30 bits.
    scale = 2.0 ** (30 - int(m - 1).bit_length())
    least = max(1, int(np.ceil(min_child_weight * scale)))
    rules = Rules(0, p, max_depth, least, reg_lambda * scale, 1.0 / scale, learning_rate)
    base = np.zeros(r)
    _fit_all(
        np.ascontiguousarray(columns.swapaxes(1, 2)),
        np.take_along_axis(times, order, axis=1),
        np.take_along_axis(events, order, axis=1),
        rules,
        nodes,
        base,
    )
    return CoxBoosting(nodes, base)


@parallel_jit
def _fit_all(
    columns: NDArray[np.float32],
    times: NDArray[np.float32],
    events: Floats,
    rules: Rules,
    nodes: Nodes,
    base: Floats,
) -> None:
    for r in prange(columns.shape[0]):
        base[r] = _fit_table(columns[r], times[r], events[r], rules, table_nodes(nodes, r))


@jit
def _fit_table(
    columns: NDArray[np.float32],
    time: NDArray[np.float32],
    event: Floats,
    rules: Rules,
    nodes: Nodes,
) -> float:
    """Boost the trees of one table, whose rows are in order of time; return the base margin."""
    p, m = columns.shape
    scratch = make_scratch(p, m, 1)
    sort_columns(columns, True, scratch.entries)
    every, no_fill = np.ones(m, np.int64), np.zeros(p, np.float32)
    margin, hazard, left = np.zeros(m), np.empty(m), np.empty(m)
    at, base = np.empty(m, np.int32), 0.0
    load_root(scratch, every)
    for t in range(nodes.start.size - 1):
        _sum_hazards(margin, time, hazard, left)
        step = _pack(hazard, left, event, rules.unit, scratch.packed[0])
        base = step if t == 0 else base
        first = int(nodes.start[t])
        nodes.start[t + 1] = grow_tree(scratch, columns, nodes, first, m, rules, np.uint64(0))
        route(nodes, t, columns, 0, no_fill, at)
        gather_leaves(nodes.value, 0, at, margin)
    return base


@jit
def _sum_hazards(margin: Floats, time: NDArray[np.float32], hazard: Floats, left: Floats) -> None:
    """Write each row's hazard, up to a common factor, and the sum over the rows not yet past."""
    m, top = margin.size, margin[0]
    for i in range(m):
        top = max(top, margin[i])
    total, i = 0.0, m - 1
    while i >= 0:
        first = i
        while first >= 0 and time[first] == time[i]:
            hazard[first] = np.exp(margin[first] - top)
            total += hazard[first]
            first -= 1
        for k in range(first + 1, i + 1):
            left[k] = max(total, _FLOOR)
        i = first


@jit
def _pack(
    hazard: Floats, left: Floats, event: Floats, unit: float, packed: NDArray[np.int64]
) -> float:
    """Write gradient (upper half) and hessian (lower half) of each row in fixed point.

    Returns the Newton step common to all rows, which is nought but for ties.
    """
    rate, square, slope, bend, scale = 0.0, 0.0, 0.0, 0.0, 1.0 / unit
    for i in range(hazard.size):
        if event[i] > 0.0:
            share = 1.0 / left[i]
            rate += share
            square += share * share
        expected = hazard[i] * rate
        g = expected - event[i]
        h = max(expected - hazard[i] * hazard[i] * square, 0.0)
        packed[i] = (np.int64(np.rint(g * scale)) << 32) + np.int64(np.rint(h * scale))
        slope += g
        bend += h
    return -slope / max(bend, _LEAST_HESSIAN)
