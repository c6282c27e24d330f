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
from typing import Unpack

import numpy as np
from numpy.typing import NDArray

from tincture.arrays import Floats, Integers
from tincture.kernels._arrays import Records
from tincture.kernels._fitted import Fitted
from tincture.kernels._nodes import Nodes, to_float32
from tincture.kernels._routes import sum_leaves
from tincture.kernels._survival import each_row, in_order
from tincture.kernels.boosting import Growth, boost

_LEAST_HESSIAN = 1e-6  # XGBoost's kRtEps


@dataclass(frozen=True, slots=True)
class CoxBoosting(Fitted):
    """Boosted trees of R tables, which predict the log hazard ratio.

    That is the logarithm of XGBoost's output.

    Attributes
    ----------
    nodes : the trees; the value of a leaf is its step in log hazard
    base : (R,) float64, margins before the first tree
    """

    nodes: Nodes
    base: Floats

    def _predicted(self, records: Records, fill: Floats | None) -> Floats:
        return sum_leaves(self.nodes, records, fill, 1)[:, 0] + self.base[:, None]


def fit(
    candidates: Floats,
    time: Floats,
    event: NDArray[np.bool_] | Integers,
    *,
    n_estimators: int = 100,
    seed: int = 0,
    **growth: Unpack[Growth],
) -> CoxBoosting:
    """Boost trees on each candidate table, by default of depth 3 at a learning rate of 0.1.

    Parameters
    ----------
    candidates, time, event
        See `tincture.kernels.cox.fit`; 32 bits of the time count, as in XGBoost.
    n_estimators, seed, **growth
        See `tincture.kernels.boosting.fit`; a round grows one tree.
    """
    rows = in_order(candidates, to_float32(each_row(time, candidates)), event)
    usual: Growth = {"max_depth": 3, "learning_rate": 0.1}
    none = np.zeros((len(candidates), 1))
    nodes = boost(rows.columns, rows.when, rows.events, none, n_estimators, {**usual, **growth})
    return CoxBoosting(nodes, _base(rows.times, rows.events))


def _base(times: NDArray[np.floating], events: Floats) -> Floats:
    """Newton step (R,) common to all rows, which is nought but for ties.

    Rows are in order of time and all hazards still 1.
    """
    left = (times[:, None, :] >= times[:, :, None]).sum(axis=2)
    rate = np.cumsum(events / left, axis=1)
    gradient = (rate - events).sum(axis=1)
    hessian = np.maximum(rate - np.cumsum(events / left**2, axis=1), 0.0).sum(axis=1)
    step: Floats = -gradient / np.maximum(hessian, _LEAST_HESSIAN)
    return step
