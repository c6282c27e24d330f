"""Any estimator on many tables: one at a time, by threads, and by joblib's threads or processes.

    python benchmarks/generic.py --workers 2

Milliseconds a candidate (m = 100 rows, p = 40 columns, b = 2,000 records): the median and the least
of alternating runs. Processes are warm, and only fit: records do not leave the process.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from lifelines import CoxPHFitter
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC
from sksurv.linear_model import CoxPHSurvivalAnalysis

from tincture.models.generic import Manner, each
from tincture.models.portfolio import adapt
from tincture.models.prepared import Tables
from tincture.public.tasks import Classification, Survival

M, P, B = 100, 40, 2000
Modes = dict[str, Callable[[], Any]]


def cases() -> dict[str, tuple[int, Any]]:
    """How many candidates, fewer where they take long, and the estimator."""
    return {
        "GaussianNB": (64, GaussianNB()),
        "KNeighborsClassifier": (64, KNeighborsClassifier(15)),
        "SVC": (64, SVC()),
        "HistGradientBoostingClassifier": (16, HistGradientBoostingClassifier()),
        "RandomForestClassifier": (16, RandomForestClassifier(100)),
        "CoxPHSurvivalAnalysis": (64, CoxPHSurvivalAnalysis(alpha=1.0)),
        "CoxPHFitter": (16, CoxPHFitter(penalizer=0.1)),
    }


def modes(manner: Manner, n: int, workers: int) -> tuple[Modes, Modes]:
    """Ways to fit ``n`` candidates, and to predict."""
    rng = np.random.default_rng(0)
    ready = Tables(rng.normal(size=(n, M, P)), np.ones(P, dtype=bool)).scaled
    records = rng.normal(size=(B, P)).astype(np.float32)
    outcomes = (rng.normal(size=(M, 1)) > 0).astype(float)
    if manner.n_outputs == 1:
        outcomes = np.hstack([rng.exponential(size=(M, 1)) * 10 + 0.1, outcomes])
    fitted = [manner.fit(x, outcomes, 0) for x in ready.x]

    def fit(r: int) -> None:
        manner.fit(ready.x[r], outcomes, 0)

    def predict(r: int) -> None:
        manner.predict(fitted[r], ready.apply(records, r))

    def ours(work: Callable[[int], None], threads: int) -> Callable[[], None]:
        def run() -> None:
            each(work, n, workers=threads)

        return run

    def joblibs(work: Callable[[int], None], backend: str) -> Callable[[], Any]:
        return lambda: Parallel(workers, backend=backend)(delayed(work)(r) for r in range(n))

    def both(work: Callable[[int], None]) -> Modes:
        return {
            "one": ours(work, 1),
            "threads": ours(work, workers),
            "joblib's threads": joblibs(work, "threading"),
        }

    by_processes = Parallel(workers, max_nbytes=None)
    fits = both(fit) | {
        "processes": lambda: by_processes(delayed(manner.fit)(x, outcomes, 0) for x in ready.x)
    }
    return fits, both(predict)


def milliseconds(ways: Modes, n: int, runs: int) -> list[str]:
    """Median and least of each way, run in turn."""
    took: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(runs + 1):
        for name, run in ways.items():
            began = time.perf_counter()
            run()
            if turn > 0:  # the first loads and starts what is needed
                took[name].append(1e3 * (time.perf_counter() - began) / n)
    return [f"{statistics.median(t):.3g} ({min(t):.3g})" for t in took.values()]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    print("| estimator | fit: one | threads | joblib's threads | processes ", end="")
    print("| predict: one | threads | joblib's threads |\n|---|---|---|---|---|---|---|---|")
    for name, (n, estimator) in cases().items():
        survival = name.startswith("Cox")
        task = Survival("t", "e", 0.0, 200.0) if survival else Classification("y", 2)
        model: Any = adapt(estimator, task)
        cells = [
            cell
            for ways in modes(model.manner, n, options.workers)
            for cell in milliseconds(ways, n, options.runs)
        ]
        print("| " + " | ".join([name, *cells]) + " |", flush=True)


if __name__ == "__main__":
    main()
