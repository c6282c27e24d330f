"""Candidates per second of each kernel beside the plain library loop, at one thread.

    python benchmarks/kernels.py --growth --compile --out benchmarks/kernels.md

One candidate is one fit on m rows × p columns and one prediction of b records. Both sides do the
same work on the same tables; the ratio is the median over alternating runs.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import kernel_compile
import numba
import numpy as np
from kernel_floors import BOUNDS, FORMULAS, floors

from tincture.kernels import boosting, boosting_cox, cox, forest, logistic, survival_forest, tree

WIDTHS = {"m": (50, 100, 200, 500, 1000), "p": (10, 40, 100, 200), "b": (500, 2000, 10000, 50000)}
WIDTHS["R"] = (1, 8, 64, 512)


class Data(NamedTuple):
    """Candidate tables, their outcomes, and records."""

    x: np.ndarray
    label: np.ndarray
    three: np.ndarray
    time: np.ndarray
    event: np.ndarray
    records: np.ndarray


def make(R: int = 64, m: int = 100, p: int = 40, b: int = 2000) -> Data:
    """Tables in which six columns matter."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(R, m, p))
    weight = rng.normal(size=p) * (np.arange(p) < 6)
    score = x @ weight
    time = np.exp(-0.5 * score) * rng.exponential(size=(R, m)) * 100
    limit = rng.uniform(20, 300, size=(R, m))
    records = rng.normal(size=(b, p)).astype(np.float32)
    label = (score + rng.logistic(size=(R, m)) > 0).astype(np.int64)
    three = label + (x[:, :, 7] > 0.6)
    return Data(x, label, three, np.minimum(time, limit), time <= limit, records)


def survival(time: np.ndarray, event: np.ndarray) -> np.ndarray:
    """scikit-survival's structured outcome."""
    y = np.empty(len(time), dtype=[("event", bool), ("time", float)])
    y["event"], y["time"] = event, time
    return y


def lifelines_cox(d: Data, r: int) -> Any:
    """Fit and predict through lifelines' frames."""
    import pandas as pd
    from lifelines import CoxPHFitter

    names = [str(i) for i in range(d.x.shape[2])]
    frame = pd.DataFrame(d.x[r], columns=names).assign(time=d.time[r], event=d.event[r])
    fitted = CoxPHFitter(penalizer=0.01).fit(frame, "time", "event")
    return fitted.predict_log_partial_hazard(pd.DataFrame(d.records, columns=names))


def libraries() -> dict[str, tuple[str, Callable[[Data, int], Any]]]:
    """What a user would write for candidate r, by kernel."""
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.tree import DecisionTreeClassifier
    from sksurv.ensemble import RandomSurvivalForest
    from sksurv.linear_model import CoxPHSurvivalAnalysis
    from xgboost import DMatrix, XGBClassifier, train

    exact = {"tree_method": "exact", "max_depth": 3, "learning_rate": 0.1, "n_jobs": 1}

    def classifier(build: Callable[[], Any]) -> Callable[[Data, int], Any]:
        return lambda d, r: build().fit(d.x[r], d.label[r]).predict_proba(d.records)

    def three_classes(d: Data, r: int) -> Any:
        return LogisticRegression(max_iter=1000).fit(d.x[r], d.three[r]).predict_proba(d.records)

    def survivor(build: Callable[[], Any]) -> Callable[[Data, int], Any]:
        return lambda d, r: build().fit(d.x[r], survival(d.time[r], d.event[r])).predict(d.records)

    def xgb_cox(d: Data, r: int) -> Any:
        label = np.where(d.event[r], d.time[r], -d.time[r])
        settings = {"objective": "survival:cox", "tree_method": "exact", "nthread": 1}
        settings |= {"max_depth": 3, "learning_rate": 0.1}
        return train(settings, DMatrix(d.x[r], label), 100).predict(DMatrix(d.records))

    return {
        "logistic": ("scikit-learn", classifier(lambda: LogisticRegression(max_iter=1000))),
        "logistic, 3 classes": ("scikit-learn", three_classes),
        "tree": ("scikit-learn", classifier(lambda: DecisionTreeClassifier(max_depth=5))),
        "forest, 100 trees": ("scikit-learn", classifier(lambda: RandomForestClassifier(100))),
        "boosting, 100 × depth 3": (
            "XGBoost exact",
            classifier(lambda: XGBClassifier(n_estimators=100, **exact)),
        ),
        "cox": ("scikit-survival", survivor(lambda: CoxPHSurvivalAnalysis(alpha=1.0))),
        "cox ": ("lifelines", lifelines_cox),
        "survival forest, 100 trees": (
            "scikit-survival",
            survivor(lambda: RandomSurvivalForest(100, n_jobs=1)),
        ),
        "boosting cox, 100 × depth 3": ("XGBoost exact", xgb_cox),
    }


def kernels() -> dict[str, Callable[[Data], Any]]:
    """The same, for all candidates at once."""
    boosted = {"n_estimators": 100, "max_depth": 3, "learning_rate": 0.1}

    def cox_all(d: Data) -> Any:
        return cox.fit(d.x, d.time, d.event).predict(d.records)

    return {
        "logistic": lambda d: logistic.fit(d.x, d.label, n_classes=2).predict(d.records),
        "logistic, 3 classes": lambda d: logistic.fit(d.x, d.three, n_classes=3).predict(d.records),
        "tree": lambda d: tree.fit(d.x, d.label, n_classes=2, max_depth=5).predict(d.records),
        "forest, 100 trees": lambda d: forest.fit(d.x, d.label, n_classes=2).predict(d.records),
        "boosting, 100 × depth 3": lambda d: boosting.fit(
            d.x, d.label, n_classes=2, **boosted
        ).predict(d.records),
        "cox": cox_all,
        "cox ": cox_all,
        "survival forest, 100 trees": lambda d: survival_forest.fit(d.x, d.time, d.event).predict(
            d.records
        ),
        "boosting cox, 100 × depth 3": lambda d: boosting_cox.fit(
            d.x, d.time, d.event, **boosted
        ).predict(d.records),
    }


def seconds(work: Callable[[], Any]) -> float:
    """CPU time of one call, which other work on the machine lengthens less than wall time."""
    began = time.process_time()
    work()
    return time.process_time() - began


def ratios(runs: int) -> list[str]:
    """Rows of the first table."""
    data = make()
    n_tables, floor = len(data.x), floors(data.x.shape[1], data.x.shape[2], len(data.records))
    lines = []
    for name, ours in kernels().items():
        library, loop = libraries()[name]
        ours(data)  # compiled, and in the cache
        sample = range(8)  # of the library's loop, which takes as long for every candidate
        pairs = [
            (
                seconds(lambda: ours(data)) / n_tables,  # noqa: B023
                seconds(lambda: [loop(data, r) for r in sample]) / len(sample),  # noqa: B023
            )
            for _ in range(runs)
        ]
        mine, theirs = (statistics.median(p[i] for p in pairs) for i in (0, 1))
        ratio = statistics.median(b / a for a, b in pairs)
        rates = f"{1 / mine:,.0f} | {1 / theirs:,.0f} | {ratio:.1f}"
        lines.append(f"| {name} | {library} | {rates} | {floor[name] / mine:.2f} |")
        print(lines[-1], flush=True)
    return lines


def growth(limit: float = 20.0, most: float = 3e9) -> list[str]:
    """Rows of the second table: milliseconds a candidate as one size grows.

    A cell is the best of three runs, of one where a run takes longer than a tenth of `limit`
    seconds. It is left out where its predictions need more than `most` bytes.
    """
    lines = []
    for size, values in WIDTHS.items():
        for name, ours in kernels().items():
            if name.endswith(" "):
                continue
            cells, took = [], 0.0
            for value in values:
                data = make(**({"R": 8} | {size: value}))
                if took > limit / 4 or 16 * len(data.x) * len(data.records) > most:
                    cells.append("–")
                    continue
                took = seconds(lambda: ours(data))  # noqa: B023
                if took < limit / 10:
                    took = min(seconds(lambda: ours(data)) for _ in range(3))  # noqa: B023
                cells.append(f"{1e3 * took / len(data.x):.3g}")
            lines.append(
                f"| {size} = {', '.join(map(str, values))} | {name} | {', '.join(cells)} |"
            )
            print(lines[-1], flush=True)
    return lines


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--growth", action="store_true", help="also how cost grows with each size")
    parser.add_argument("--compile", action="store_true", help="also how long compiling takes")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    numba.set_num_threads(1)
    text = [
        "# Speed of the kernels",
        "",
        "64 candidates, m = 100 rows, p = 40 columns, b = 2,000 records, one thread; candidates",
        "per second of CPU time, measured beside much other work. Command:",
        "`python benchmarks/kernels.py --growth --compile --out benchmarks/kernels.md`.",
        "",
        "| kernel | library | kernel, per s | library loop, per s | ratio | of the floor |",
        "|---|---|---|---|---|---|",
        *ratios(options.runs),
        "",
        FORMULAS,
        "",
        BOUNDS,
    ]
    if options.compile:
        text += [
            "",
            "Seconds to compile, one kernel after another in a fresh process with an empty cache;",
            "what an earlier one compiled is shared.",
            "",
            "| kernel | seconds |",
            "|---|---|",
            *kernel_compile.rows(),
        ]
    if options.growth:
        text += [
            "",
            "Milliseconds a candidate as one size grows, the others at m = 100, p = 40, b = 2,000,",
            "R = 8, one thread; – where a cell would take too long.",
            "",
            "| size | kernel | ms a candidate |",
            "|---|---|---|",
            *growth(),
        ]
    if options.out:
        options.out.write_text("\n".join(text) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
