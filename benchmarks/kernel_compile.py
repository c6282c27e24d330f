"""CPU seconds to compile each kernel for the first time, one after another in a fresh process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time


def cold() -> list[tuple[str, float]]:
    """Compile everything in a process of its own, with an empty cache."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, __file__],
            env=os.environ | {"NUMBA_CACHE_DIR": folder},
            capture_output=True,
            check=True,
        )
    return [(name, took) for name, took in json.loads(done.stdout)]


def rows() -> list[str]:
    """Rows of the table."""
    seconds = cold()
    lines = [f"| {name} | {took:.1f} |" for name, took in seconds]
    return [*lines, f"| all | {sum(took for _, took in seconds):.1f} |"]


def main() -> None:
    """Fit and predict once with each kernel; print what it took as JSON."""
    import numpy as np

    from tincture.kernels import (
        aft,
        boosting,
        boosting_cox,
        concordance,
        cox,
        forest,
        logistic,
        survival_forest,
        tree,
    )

    rng = np.random.default_rng(0)
    x, records = rng.normal(size=(2, 20, 4)), rng.normal(size=(30, 4))
    y = np.arange(20) % 3
    two, time_, event = y % 2, rng.exponential(size=20), rng.random(20) < 0.7
    works = {
        "logistic": lambda: logistic.fit(x, two).predict(records),
        "logistic, 3 classes": lambda: logistic.fit(x, y, n_classes=3).predict(records),
        "tree": lambda: tree.fit(x, two, n_classes=2).predict(records),
        "forest": lambda: forest.fit(x, two, n_classes=2).predict(records),
        "boosting": lambda: boosting.fit(x, y, n_classes=3).predict(records),
        "cox": lambda: cox.fit(x, time_, event).predict(records),
        "survival forest": lambda: survival_forest.fit(x, time_, event).predict(records),
        "boosting cox": lambda: boosting_cox.fit(x, time_, event).predict(records),
        "weibull": lambda: aft.fit(x, time_, event).predict(records),
        "concordance": lambda: concordance.pair_counts(time_, time_, event.astype(float)),
    }
    took = []
    for name, work in works.items():
        began = time.process_time()
        work()
        took.append((name, time.process_time() - began))
    print(json.dumps(took))


if __name__ == "__main__":
    main()
