"""Classification trees on many small tables at once.

Faithful to scikit-learn's DecisionTreeClassifier, that is CART with the Gini index (Breiman et al.
1984), bar the random numbers that choose between equally good columns.
"""

from dataclasses import dataclass

from tincture.arrays import Floats, Integers
from tincture.kernels.forest import NO_LIMIT, Forest, fit_trees


@dataclass(frozen=True, slots=True)
class Trees(Forest):
    """One classification tree for each of R tables."""


def fit(
    candidates: Floats,
    target: Integers,
    *,
    n_classes: int,
    max_depth: int | None = None,
    min_samples_leaf: int = 1,
    seed: int = 0,
) -> Trees:
    """Fit a tree to each table.

    Parameters
    ----------
    candidates, target, n_classes : see `tincture.kernels.forest.fit`
    max_depth : splits above a leaf at most; None for no limit
    min_samples_leaf : rows in a leaf at least
    seed : of the choice between equally good columns

    Returns
    -------
    Trees
    """
    depth = NO_LIMIT if max_depth is None else max_depth
    n_columns = candidates.shape[-1]
    nodes = fit_trees(
        candidates, target, n_classes, 1, n_columns, depth, min_samples_leaf, False, seed
    )
    return Trees(nodes, n_classes)
