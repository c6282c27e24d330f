"""Flat binary trees shared by the tree models: storage and checks of inputs.

All models keep ``x <= threshold`` for the left child and read values as 32-bit floats, as both
scikit-learn and XGBoost do.
"""

from typing import NamedTuple, cast

import numpy as np

from tincture.arrays import Floats, Integers
from tincture.errors import ModelError
from tincture.kernels._arrays import Floats32, Int, Integers32, Records
from tincture.kernels._compile import inline_jit, jit

MAX_ROWS = 32767  # a row and its rank share one 32-bit word while a tree grows
LARGEST = float(np.finfo(np.float32).max)  # values beyond count as this


class Nodes(NamedTuple):
    """Trees of R tables, each table's trees one after another in its own row.

    A child always comes after its parent and a right child directly after its left sibling, so
    one sweep over the nodes routes a record and no index of right children is needed. The unused
    end of a row is never written, so it takes no memory.

    Attributes
    ----------
    feature : (R, capacity) int32, the column that splits, -1 for a leaf
    threshold : (R, capacity) float32, the largest value that goes left
    left : (R, capacity) int32, the left child; the right one is ``left + 1``
    value : (R, capacity, width) float64, written for leaves only
    start : (R, n_trees + 1) int32, where each tree begins
    """

    feature: Integers32
    threshold: Floats32
    left: Integers32
    value: Floats
    start: Integers32


def empty_nodes(n_tables: int, n_trees: int, per_tree: int, width: int) -> Nodes:
    """Make room for `n_trees` trees of at most `per_tree` nodes in each of `n_tables` tables."""
    shape = (n_tables, n_trees * per_tree)
    return Nodes(
        np.empty(shape, np.int32),
        np.empty(shape, np.float32),
        np.empty(shape, np.int32),
        np.empty((*shape, width)),
        np.zeros((n_tables, n_trees + 1), np.int32),
    )


def nodes_per_tree(n_rows: int, max_depth: int) -> int:
    """Bound the nodes of a tree by its rows and its depth."""
    by_rows = 2 * n_rows - 1
    return by_rows if max_depth > 30 else min(by_rows, 2 ** (max_depth + 1) - 1)


def to_float32(values: Records) -> Floats32:
    """Round to 32 bits; what would overflow becomes the largest finite number."""
    if values.dtype == np.float32:
        return cast("Floats32", values)
    rounded: Floats32 = np.clip(values, -LARGEST, LARGEST).astype(np.float32)
    return rounded


def check_rows(n_rows: int) -> None:
    """Refuse tables of more rows than a word has room for."""
    if n_rows > MAX_ROWS:
        raise ModelError(
            f"A table of {n_rows:,} rows was to be fitted; the tree kernels take at most "
            f"{MAX_ROWS:,}. Ask for fewer rows, or pass the library's own estimator."
        )


def prepare(candidates: Floats, target: Integers, n_classes: int) -> tuple[Floats32, Integers]:
    """Check tables and labels; return the columns (R, p, m) and the labels (R, m).

    Both are copies, since a read-only array would have every kernel compiled again.
    """
    columns = columns_of(candidates)
    n_tables, _, n_rows = columns.shape
    labels = np.array(np.broadcast_to(target, (n_tables, n_rows)), np.int64, order="C")
    if labels.min() < 0 or labels.max() >= n_classes:
        raise ValueError(f"labels must lie in 0..{n_classes - 1}")
    return columns, labels


def columns_of(candidates: Floats) -> Floats32:
    """Check tables; return their columns (R, p, m)."""
    if candidates.ndim != 3 or 0 in candidates.shape:
        raise ValueError(f"candidates need a shape (R, m, p) without zeros: {candidates.shape}")
    check_rows(candidates.shape[1])
    return np.array(to_float32(candidates).swapaxes(1, 2), order="C")


@inline_jit
def table_nodes(nodes: Nodes, r: Int) -> Nodes:
    """View the nodes of one table; every array loses its first axis."""
    return Nodes(
        nodes.feature[r], nodes.threshold[r], nodes.left[r], nodes.value[r], nodes.start[r]
    )


@jit
def middle_below(low: np.float32, high: np.float32) -> np.float32:
    """Round the middle down: no 32-bit value lies between, so comparisons stay the same."""
    exact = np.float64(low) / 2.0 + np.float64(high) / 2.0
    middle = np.float32(exact)
    return np.nextafter(middle, np.float32(-np.inf)) if middle > exact else middle
