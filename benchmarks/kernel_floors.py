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


def _best(work: object, runs: int = 5) -> float:
    took = []
    for _ in range(runs):
        began = time.perf_counter()
        work()  # type: ignore[operator]
        took.append(time.perf_counter() - began)
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
