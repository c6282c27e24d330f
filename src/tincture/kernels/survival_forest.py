"""Random survival forests fitted to a batch of small tables.

Trees split where the two-sample log-rank statistic is largest [1]_, [2]_ and predict the expected
mortality: the Nelson-Aalen cumulative hazard of the leaf summed over the event times of the whole
table.  Faithful to scikit-survival's ``RandomSurvivalForest``, bar its random numbers: a row drawn
k times by the bootstrap weighs k in every count but is one sample for the least sizes of nodes.

References
----------
.. [1] H. Ishwaran, U. B. Kogalur, E. H. Blackstone, M. S. Lauer, Random survival forests,
       Ann. Appl. Stat. 2 (2008) 841-860.
.. [2] M. LeBlanc, J. Crowley, Survival trees by goodness of split, JASA 88 (1993) 457-467.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tincture.arrays import Floats, Integers
from tincture.kernels._arrays import Floats32, Integers32, Records
from tincture.kernels._compile import inline_jit, kernel_jit, lean_jit
from tincture.kernels._fitted import Fitted
from tincture.kernels._logrank import Sample, Scratch, grow, make_scratch
from tincture.kernels._nodes import Nodes, empty_nodes, nodes_per_tree, table_nodes
from tincture.kernels._order import start_orders
from tincture.kernels._routes import sum_leaves
from tincture.kernels._sort import rank_rows, sort_keys
from tincture.kernels._survival import each_row, in_order
from tincture.kernels.draws import draw, mix
from tincture.kernels.threads import share

_NO_LIMIT = 1 << 30


@dataclass(frozen=True, slots=True)
class SurvivalForest(Fitted):
    """Survival forests of R tables, which predict expected mortality.

    Attributes
    ----------
    nodes : the trees; the value of a leaf is its expected mortality
    """

    nodes: Nodes

    def _predicted(self, records: Records, fill: Floats | None) -> Floats:
        n_trees = self.nodes.start.shape[1] - 1
        total: Floats = sum_leaves(self.nodes, records, fill, 1)[:, 0]
        total /= n_trees
        return total


def fit(
    candidates: Floats,
    time: Floats,
    event: NDArray[np.bool_] | Integers,
    *,
    n_trees: int = 100,
    min_samples_leaf: int = 3,
    min_samples_split: int = 6,
    seed: int = 0,
) -> SurvivalForest:
    """Fit one forest per candidate table, trying sqrt(p) columns at each node.

    Parameters
    ----------
    candidates, time, event
        See `tincture.kernels.cox.fit`.
    n_trees : int
    min_samples_leaf, min_samples_split : int
        Fewest distinct rows in a leaf, and in a node that is split.
    seed : int
        Of the bootstrap samples and of the columns tried, the same for all tables: common random
        numbers compare better.
    """
    r, m, _ = candidates.shape
    columns, _, when, events = in_order(candidates, each_row(time, candidates), event)
    nodes = empty_nodes(r, n_trees, nodes_per_tree(m, _NO_LIMIT), 1)
    share(
        _fit_tables,
        r,
        columns,
        sort_keys(columns),
        when,
        events,
        _event_times_from(when, events),
        max(min_samples_leaf, 1),
        max(min_samples_split, 2),
        np.uint64(seed),
        nodes,
    )
    return SurvivalForest(nodes)


@kernel_jit
def _fit_tables(
    begin: int,
    stop: int,
    columns: Floats32,
    keys: Integers,
    when: Integers,
    event: Floats,
    later: Floats,
    least_leaf: int,
    least_split: int,
    seed: np.uint64,
    nodes: Nodes,
) -> None:
    _, p, m = columns.shape
    scratch, weight = make_scratch(p, m), np.empty(m)
    for r in range(begin, stop):
        sample = Sample(columns[r], when[r], event[r], later[r], weight)
        _fit_table(sample, keys[r], least_leaf, least_split, seed, nodes, r, scratch)


@lean_jit
def _fit_table(
    sample: Sample,
    keys: Integers,
    least_leaf: int,
    least_split: int,
    seed: np.uint64,
    all_nodes: Nodes,
    r: int,
    scratch: Scratch,
) -> None:
    """Grow the trees of one table."""
    nodes, m = table_nodes(all_nodes, r), sample.when.size
    rank_rows(sample.columns, keys, False, scratch.orders.entries)
    start_orders(scratch.orders)
    for t in range(nodes.start.size - 1):
        key = mix(seed, t)
        n = _bootstrap(sample.weight, key, scratch.members)
        first = int(nodes.start[t])
        nodes.start[t + 1] = grow(
            sample, scratch, nodes, first, n, least_leaf, least_split, mix(key, m)
        )


def _event_times_from(when: Integers, event: Floats) -> Floats:
    """Number of distinct event times (R, m) at or after each row's, rows being in order of time."""
    r, m = when.shape
    seen = np.zeros((r, m + 1))
    np.maximum.at(seen, (np.arange(r)[:, None], when), event)
    after = np.cumsum(seen[:, ::-1], axis=1)[:, ::-1]
    return np.take_along_axis(after, when, axis=1)


@inline_jit
def _bootstrap(weight: Floats, key: np.uint64, members: Integers32) -> int:
    """Draw as many rows as there are; list the distinct ones and return their number."""
    m = weight.size
    for i in range(m):
        weight[i] = 0.0
    for i in range(m):
        weight[draw(key, i, m)] += 1.0
    n = 0
    for i in range(m):
        members[n] = i
        n += weight[i] > 0.0
    return n
