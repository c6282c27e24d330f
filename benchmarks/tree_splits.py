"""Splits of two trees grown on one table, compared wherever one split alone is best."""

from __future__ import annotations

from typing import Any

import numpy as np

GAP = 1e-7  # scikit-learn takes values this close for equal
NEAR = 1e-9  # gains this close, relative to the best, are near ties


def best_splits(x: np.ndarray, y: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """Columns and left sides of all splits whose Gini gain is the largest, or nearly."""
    n, hot = len(y), np.eye(int(y.max()) + 1)[y]
    gains, sides = [], []
    for j in range(x.shape[1]):
        order = np.argsort(x[:, j], kind="stable")
        left = np.cumsum(hot[order], axis=0)[:-1]
        size = np.arange(1, n)
        gain = (left**2).sum(1) / size + ((hot.sum(0) - left) ** 2).sum(1) / (n - size)
        gain[np.diff(x[order, j]) <= GAP] = -np.inf
        gains.append(gain)
        sides.append(order)
    table = np.array(gains)
    found = np.argwhere(table >= table.max() * (1 - NEAR)) if np.isfinite(table.max()) else []
    return [(int(j), np.isin(np.arange(n), sides[j][: s + 1])) for j, s in found]


def disagreements(x: np.ndarray, y: np.ndarray, ours: Any, theirs: Any) -> int:
    """Nodes at which one split alone is best and either tree has another.

    Below a near tie the trees may differ, so that the walk ends there.

    Parameters
    ----------
    x, y : the table
    ours : nodes of one table with one tree, see `tincture.kernels.tree`
    theirs : scikit-learn's ``tree_``
    """
    x, wrong = x.astype(np.float32), 0
    waiting = [(0, 0, np.arange(len(y)))]
    while waiting:
        mine, other, rows = waiting.pop()
        leaves = ours.feature[0, mine] < 0, theirs.children_left[other] < 0
        if any(leaves):
            wrong += leaves[0] != leaves[1]
            continue
        best = best_splits(x[rows], y[rows])
        if len(best) != 1:
            continue
        feature, left = best[0]
        column = x[rows, feature]
        same = feature == ours.feature[0, mine] == theirs.feature[other]
        same = same and np.array_equal(column <= ours.threshold[0, mine], left)
        if not (same and np.array_equal(column <= theirs.threshold[other], left)):
            wrong += 1
            continue
        down = int(ours.left[0, mine])
        waiting.append((down, int(theirs.children_left[other]), rows[left]))
        waiting.append((down + 1, int(theirs.children_right[other]), rows[~left]))
    return wrong
