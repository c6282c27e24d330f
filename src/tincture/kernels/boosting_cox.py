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
from numpy.typing import NDArray

from tincture.kernels._fit import fit_tables
from tincture.kernels._fitted import Risks
from tincture.kernels._gains import boosting_rules
from tincture.kernels._linear import Floats
from tincture.kernels._nodes import (
    Nodes,
    check_rows,
    empty_nodes,
    nodes_per_tree,
    sum_leaves,
    to_float32,
)
from tincture.kernels._sort import sort_keys
from tincture.kernels.threads import share

_LEAST_HESSIAN = 1e-6  # XGBoost's kRtEps


@dataclass(frozen=True, slots=True)
class CoxBoosting(Risks):
    """Boosted trees of R tables, which predict the log hazard ratio.

    That is the logarithm of XGBoost's output.

    Attributes
    ----------
    nodes : the trees; the value of a leaf is its step in log hazard
    base : (R,) float64, margins before the first tree
    """

    nodes: Nodes
    base: Floats

    def _risks(self, records: NDArray[np.floating], fill: Floats | None) -> Floats:
        return sum_leaves(self.nodes, records, fill, 1)[:, 0] + self.base[:, None]


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
    check_rows(m)
    times = to_float32(np.broadcast_to(np.asarray(time, dtype=np.float64), (r, m)))
    order = np.argsort(times, axis=1, kind="stable")
    times = np.take_along_axis(times, order, axis=1)
    known = np.broadcast_to(np.asarray(event), (r, m)).astype(np.float64)
    events = np.take_along_axis(known, order, axis=1)
    new = np.diff(times, axis=1, prepend=np.float32(-np.inf)) > 0.0
    columns = to_float32(np.take_along_axis(candidates, order[:, :, None], axis=1))
    columns = np.ascontiguousarray(columns.swapaxes(1, 2))
    when = np.cumsum(new, axis=1)
    nodes = empty_nodes(r, n_estimators, nodes_per_tree(m, max_depth), 1)
    rules = boosting_rules(m, p, max_depth, min_child_weight, reg_lambda, learning_rate)
    margin = np.zeros((r, 1))
    keys, unused = sort_keys(columns, downwards=True), np.uint64(0)
    share(fit_tables, r, columns, keys, when, events, margin, False, unused, rules, nodes)
    return CoxBoosting(nodes, _base(times, events))


def _base(times: NDArray[np.float32], events: Floats) -> Floats:
    """Newton step (R,) common to all rows, which is nought but for ties.

    Rows are in order of time and all hazards still 1.
    """
    left = (times[:, None, :] >= times[:, :, None]).sum(axis=2)
    rate = np.cumsum(events / left, axis=1)
    gradient = (rate - events).sum(axis=1)
    hessian = np.maximum(rate - np.cumsum(events / left**2, axis=1), 0.0).sum(axis=1)
    step: Floats = -gradient / np.maximum(hessian, _LEAST_HESSIAN)
    return step
