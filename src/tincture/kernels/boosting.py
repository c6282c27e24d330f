"""Gradient boosting on many small tables at once.

Faithful to XGBoost 3 with ``tree_method="exact"`` (Chen and Guestrin 2016), for logistic loss with
two classes and for softmax with more, where every round grows one tree per class. The differences:
gradients are rounded to fixed point, a step of 2^-23 for up to 128 rows, so sums are exact but
gains differ in the last digits and near-ties may fall otherwise; margins of records are summed in
64 bits.
"""

from dataclasses import dataclass
from typing import TypedDict, Unpack

import numpy as np

from tincture.arrays import Floats, Integers
from tincture.kernels._arrays import Floats32, Records
from tincture.kernels._fit import Tables, fit_gradients
from tincture.kernels._fitted import Fitted
from tincture.kernels._gains import boosting_rules
from tincture.kernels._nodes import Nodes, empty_nodes, nodes_per_tree, prepare
from tincture.kernels._routes import sum_leaves
from tincture.kernels._sort import sort_keys
from tincture.kernels.pointwise import softmax
from tincture.kernels.threads import share

CLIP = 1e-6  # XGBoost keeps class shares away from 0 (and 1) by this


@dataclass(frozen=True, slots=True)
class Boosting(Fitted):
    """Boosted trees of R tables.

    Attributes
    ----------
    nodes : the trees; tree t of a round belongs to class t, or to class 1 of two
    base : (R, n_margins) float64, margins before the first tree
    n_classes : number of classes
    """

    nodes: Nodes
    base: Floats
    n_classes: int

    def _predicted(self, records: Records, fill: Floats | None) -> Floats:
        margin = sum_leaves(self.nodes, records, fill, self.base.shape[1])
        margin += self.base[:, :, None]
        if self.n_classes == 1:
            return np.ones((*margin.shape[::2], 1))
        return softmax(margin)


class Growth(TypedDict, total=False):
    """How boosted trees grow; what is left out is as in XGBoost.

    Attributes
    ----------
    max_depth : splits above a leaf at most
    learning_rate : share of each step that is taken
    reg_lambda : L2 penalty on leaf values
    min_child_weight : least sum of hessians in a child
    """

    max_depth: int
    learning_rate: float
    reg_lambda: float
    min_child_weight: float


def fit(
    candidates: Floats,
    target: Integers,
    *,
    n_classes: int,
    n_estimators: int = 100,
    seed: int = 0,
    **growth: Unpack[Growth],
) -> Boosting:
    """Boost trees on each table.

    Parameters
    ----------
    candidates, target, n_classes : see `tincture.kernels.forest.fit`
    n_estimators : rounds
    seed : unused, as nothing is random
    **growth : see `Growth`

    Returns
    -------
    Boosting
    """
    columns, labels = prepare(candidates, target, n_classes)
    base, no_event = base_margins(labels, n_classes), np.empty((len(labels), 0))
    nodes = boost(columns, labels, no_event, base, n_estimators * base.shape[1], growth)
    return Boosting(nodes, base, n_classes)


def boost(
    columns: Floats32, labels: Integers, event: Floats, base: Floats, n_trees: int, growth: Growth
) -> Nodes:
    """Boost `n_trees` on each table; see `fit_gradients`."""
    n_tables, n_columns, n_rows = columns.shape
    rules = boosting_rules(n_columns, n_rows, **growth)
    nodes = empty_nodes(n_tables, n_trees, nodes_per_tree(n_rows, rules.max_depth), 1)
    tables = Tables(columns, sort_keys(columns, downwards=True), labels, event, base)
    share(fit_gradients, n_tables, tables, False, np.uint64(0), rules, nodes)
    return nodes


def base_margins(labels: Integers, n_classes: int) -> Floats:
    """Return the margins (R, 1 or n_classes) that XGBoost estimates from the class shares."""
    share = np.stack([(labels == k).mean(axis=1) for k in range(n_classes)], axis=1)
    if n_classes == 2:
        positive = np.clip(share[:, 1:], CLIP, 1 - CLIP)
        return np.asarray(np.log(positive / (1 - positive)))
    logs = np.log(share + CLIP)
    return np.asarray(logs - logs.mean(axis=1, keepdims=True))
