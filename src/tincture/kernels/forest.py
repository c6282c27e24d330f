"""Random forests and single Gini trees on many small tables at once.

Faithful to scikit-learn's RandomForestClassifier, bar its random numbers (Breiman 2001).
"""

from dataclasses import dataclass

import numpy as np

from tincture.arrays import Floats, Integers
from tincture.kernels._arrays import Records
from tincture.kernels._fit import Tables, fit_classes
from tincture.kernels._fitted import Fitted
from tincture.kernels._gains import Rules
from tincture.kernels._nodes import Nodes, empty_nodes, nodes_per_tree, prepare
from tincture.kernels._routes import sum_leaves
from tincture.kernels._sort import sort_keys
from tincture.kernels.threads import share

NO_LIMIT = 1 << 30


@dataclass(frozen=True, slots=True)
class Forest(Fitted):
    """Forests of R tables; a single tree is a forest of one.

    Attributes
    ----------
    nodes : the trees, leaf values being class shares
    n_classes : number of classes
    """

    nodes: Nodes
    n_classes: int

    def _predicted(self, records: Records, fill: Floats | None) -> Floats:
        n_trees = self.nodes.start.shape[1] - 1
        total = sum_leaves(self.nodes, records, fill, self.n_classes)
        total /= n_trees
        return total.swapaxes(1, 2)


def fit(
    candidates: Floats, target: Integers, *, n_classes: int, n_trees: int = 100, seed: int = 0
) -> Forest:
    """Fit a random forest to each table.

    Every tree grows to purity on a bootstrap sample and tries sqrt(p) columns at each node.

    Parameters
    ----------
    candidates : (R, m, p) float64, finite
    target : (R, m) or (m,) int64 in 0..n_classes-1
    n_classes : number of classes
    n_trees : trees per forest
    seed : of the bootstrap and of the columns tried

    Returns
    -------
    Forest
    """
    n_tried = max(1, int(np.sqrt(candidates.shape[-1])))
    nodes = fit_trees(candidates, target, n_classes, n_trees, n_tried, NO_LIMIT, 1, True, seed)
    return Forest(nodes, n_classes)


def fit_trees(
    candidates: Floats,
    target: Integers,
    n_classes: int,
    n_trees: int,
    n_tried: int,
    max_depth: int,
    min_samples_leaf: int,
    bootstrap: bool,
    seed: int,
) -> Nodes:
    """Fit `n_trees` Gini trees to each table; see `fit` and `tincture.kernels.tree.fit`."""
    columns, labels = prepare(candidates, target, n_classes)
    n_tables, _, n_rows = columns.shape
    nodes = empty_nodes(n_tables, n_trees, nodes_per_tree(n_rows, max_depth), n_classes)
    rules = Rules(n_classes, n_tried, max_depth, min_samples_leaf, 0.0, 0.0, 0.0, True)
    none = np.empty((n_tables, 0))  # neither events nor margins
    keys, key = sort_keys(columns), np.uint64(seed)
    tables = Tables(columns, keys, labels, none, none)
    share(fit_classes, n_tables, tables, bootstrap, key, rules, nodes)
    return nodes
