"""Trees of amounts on many small tables at once: one tree, forests, and gradient boosting.

Faithful to scikit-learn's DecisionTreeRegressor and RandomForestRegressor with squared errors, bar
their random numbers, and to XGBoost 3 with ``tree_method="exact"``. A split's reduction of squared
errors is the gain of their gradients without a penalty, so that one kernel grows all. Each table's
amounts are brought to [0, 1] and rounded to fixed point there, a step of 2^-23 for up to 128 rows.
"""

from dataclasses import dataclass, replace
from typing import Unpack

import numpy as np

from tincture.arrays import Floats
from tincture.kernels._arrays import Records
from tincture.kernels._fit import Tables, fit_gradients
from tincture.kernels._fitted import Fitted
from tincture.kernels._gains import Rules, boosting_rules
from tincture.kernels._nodes import Nodes, columns_of, empty_nodes, nodes_per_tree
from tincture.kernels._routes import sum_leaves
from tincture.kernels._sort import sort_keys
from tincture.kernels.boosting import Growth
from tincture.kernels.forest import NO_LIMIT
from tincture.kernels.threads import share


@dataclass(frozen=True, slots=True)
class Grown(Fitted):
    """Trees of R tables, added up; they predict amounts (R, b).

    Attributes
    ----------
    nodes : the trees
    base : (R,) prediction before the first tree
    step : (R,) factor of the sum of the leaves
    """

    nodes: Nodes
    base: Floats
    step: Floats

    def _predicted(self, records: Records, fill: Floats | None) -> Floats:
        total = sum_leaves(self.nodes, records, fill, 1)[:, 0]
        total *= self.step[:, None]
        total += self.base[:, None]
        return total


def tree(
    candidates: Floats,
    amounts: Floats,
    *,
    max_depth: int | None = None,
    min_samples_leaf: int = 1,
    seed: int = 0,
) -> Grown:
    """Fit a tree to each table.

    Parameters
    ----------
    candidates : (R, m, p) float64, finite
    amounts : (R, m) or (m,) float64, finite
    max_depth : splits above a leaf at most; None for no limit
    min_samples_leaf : rows in a leaf at least
    seed : of the choice between equally good columns
    """
    depth = NO_LIMIT if max_depth is None else max_depth
    rules = _even(candidates, depth, min_samples_leaf)
    return _grown(candidates, amounts, 1, rules, seed=seed)


def forest(candidates: Floats, amounts: Floats, *, n_trees: int = 100, seed: int = 0) -> Grown:
    """Fit a random forest to each table.

    Every tree grows to purity on a bootstrap sample and tries all columns at each node.

    Parameters
    ----------
    candidates, amounts : see `tree`
    n_trees : trees per forest
    seed : of the bootstrap and of the choice between equally good columns
    """
    rules = _even(candidates, NO_LIMIT, 1)
    grown = _grown(candidates, amounts, n_trees, rules, bootstrap=True, seed=seed)
    return replace(grown, step=grown.step / n_trees)


def boosting(
    candidates: Floats, amounts: Floats, *, n_estimators: int = 100, **growth: Unpack[Growth]
) -> Grown:
    """Boost trees on each table.

    Parameters
    ----------
    candidates, amounts : see `tree`
    n_estimators : rounds
    **growth : see `tincture.kernels.boosting.Growth`
    """
    _, n_rows, n_columns = candidates.shape
    rules = boosting_rules(n_columns, n_rows, **growth)
    return _grown(candidates, amounts, n_estimators, rules)


def _even(candidates: Floats, max_depth: int, min_samples_leaf: int) -> Rules:
    """Of trees whose leaves are means."""
    _, n_rows, n_columns = candidates.shape
    return boosting_rules(
        n_columns, n_rows, max_depth, 1.0, 0.0, float(min_samples_leaf), is_even=True
    )


def _grown(
    candidates: Floats,
    amounts: Floats,
    n_trees: int,
    rules: Rules,
    *,
    bootstrap: bool = False,
    seed: int = 0,
) -> Grown:
    """Grow trees on each table's amounts, brought to [0, 1]."""
    columns = columns_of(candidates)
    n_tables, _, n_rows = columns.shape
    known = np.array(np.broadcast_to(amounts, (n_tables, n_rows)), np.float64, order="C")
    low, step = known.min(axis=1), np.ptp(known, axis=1)
    step[step == 0] = 1.0
    known = (known - low[:, None]) / step[:, None]
    base, unlabelled = known.mean(axis=1), np.empty((n_tables, 0), np.int64)
    nodes = empty_nodes(n_tables, n_trees, nodes_per_tree(n_rows, rules.max_depth), 1)
    keys = sort_keys(columns, downwards=True)
    tables = Tables(columns, keys, unlabelled, known, base[:, None].copy())
    share(fit_gradients, n_tables, tables, bootstrap, np.uint64(seed), rules, nodes)
    return Grown(nodes, low + step * base, step)
