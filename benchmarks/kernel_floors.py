"""Floors under the cost of a kernel: what no program could do without, at this machine's rates.

Linear models: the products of a Newton fit that converges in `STEPS` steps — a Gram matrix and a
Cholesky factor each — and of the prediction, at the rate of a large ``dgemm``. Trees: one look at
each entry of each level's columns that are tried, and at each record on each level of each tree,
8 bytes at a time, at the rate of a copy in memory that fits the cache.
"""

from __future__ import annotations

import time

import numpy as np

STEPS = 5
FORMULAS = (
    "Floor of linear models: (5 (m q² + q³ / 3) + 2 b q) flops, q = p + 1, at the rate of dgemm; "
    "of trees: 8 bytes × T (L m c + D b), T trees, L levels searched, c columns tried, D levels "
    "of a record's path, at the rate of a copy in cache. L = D = log2 m where depth has no limit."
)
BOUNDS = """\
What bounds them, by samples of where the program is (the machine hides its counters of misses):

- **Forests** look at 1,750 pairs of a row and a column a tree (291 rows in the 14 nodes that are
  searched, six columns each), 6.3 ns a pair. Two fifths go to putting rows in order, which waits
  for loads that depend on each other and, at the end of each word, for a branch guessed wrongly; a
  fifth to running sums and gains, vectors with two divisions a cut; the rest to small nodes: draws
  of columns, calls, short loops whose ends are guessed wrongly.
- **Survival forests** look at 2,120 pairs, 12 ns each: two fifths for the sums of the log-rank
  variance, where a row's vector loop waits for what the row before has stored; a quarter for the
  order of rows.
- **Boosting** looks at up to 12,000 entries a tree: a third of its time copies them into the
  children, two stores an entry; a quarter is running sums, one dependent addition an entry; a sixth
  is scores, by vectors.
- **A single tree** takes a fifth of its time to sort columns; it grows as a forest's does, with all
  columns put in order at each node.
- **Prediction** passes all records by every split, 0.07 ns a record and split in vectors of 16,
  bound by stores, and adds up leaves at 0.5 ns a value.

The floor of trees counts an entry as a copy of 8 bytes, 0.18 ns, half a cycle. Prediction of
forests comes to half of its share of the floor, growth to 0.07 in forests and 0.16 in boosting: a
running sum alone takes a cycle an entry, and of six ways to put a node's rows in order and sum them
up the best takes 2 ns a row, 0.6 where a whole column is passed. So it is not bytes that bound
growth, and 0.3 of the floor is out of reach of all that was tried."""


def _best(work: object, runs: int = 5) -> float:
    took = []
    for _ in range(runs):
        began = time.process_time()
        work()  # type: ignore[operator]
        took.append(time.process_time() - began)
    return min(took)


def rates() -> tuple[float, float]:
    """Flops and bytes a second of one thread, measured now."""
    a = np.random.default_rng(0).normal(size=(600, 600))
    flops = 2 * 600**3 / _best(lambda: a @ a)
    source = np.ones(20_000)
    target = np.empty_like(source)

    def copies() -> None:
        for _ in range(200):
            np.copyto(target, source)

    return flops, 200 * source.nbytes / _best(copies)


def floors(m: int, p: int, b: int) -> dict[str, float]:
    """Seconds a candidate by kernel."""
    flops, rate = rates()
    q, deep, tried = p + 1, np.log2(m), int(np.sqrt(p))
    linear = (STEPS * (m * q**2 + q**3 / 3) + 2 * b * q) / flops

    def trees(n: int, levels: float, columns: int) -> float:
        return 8 * n * (levels * m * columns + levels * b) / rate

    return {
        "logistic": linear,
        "logistic, 3 classes": 3 * linear,
        "tree": trees(1, 5, p),
        "forest, 100 trees": trees(100, deep, tried),
        "boosting, 100 × depth 3": trees(100, 3, p),
        "cox": linear,
        "cox ": linear,
        "survival forest, 100 trees": trees(100, deep, tried),
        "boosting cox, 100 × depth 3": trees(100, 3, p),
    }
