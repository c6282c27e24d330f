"""Parity of the kernels with independent software, on random and real tables.

    python benchmarks/parity.py --data FOLDER --odd --out benchmarks/parity.md

FOLDER holds NAME.parquet, NAME.schema.json and NAME.toml of the sets in `parity_tables`.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import re
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from lifelines import CoxPHFitter
from parity_tables import CLASSES, LIFETIMES, Pair, random_pairs, real_pairs
from scipy.stats import spearmanr
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.tree import DecisionTreeClassifier
from sksurv.ensemble import RandomSurvivalForest
from sksurv.linear_model import CoxPHSurvivalAnalysis
from sksurv.metrics import concordance_index_censored
from sksurv.util import Surv
from tree_splits import disagreements
from xgboost import XGBClassifier, XGBRegressor

from tincture.kernels import boosting, boosting_cox, cox, forest, logistic, survival_forest, tree

SOFTWARE = ("scikit-learn", "scikit-survival", "lifelines", "xgboost-cpu", "numpy", "numba")
SEEDS = range(10)  # over which trees are averaged, as ties among their splits fall at random
BOOSTED = {"n_estimators": 100, "max_depth": 3, "learning_rate": 0.1}
ODD = "tests/kernels/test_odd_tables.py"
Measure = Callable[[Pair], float]


class Claim(NamedTuple):
    """What is measured on each table, and what must hold of it."""

    kernel: str
    against: str
    what: str
    measure: Measure
    required: float
    judged: str = "worst"
    kind: str = "classes"
    n_random: int = 200
    classes: tuple[int, ...] = (2,)


def logistic_gap(pair: Pair) -> float:
    """Largest difference of a probability."""
    x, y = pair.table.x, pair.table.label
    theirs = LogisticRegression(solver="newton-cg", tol=1e-10, max_iter=20000).fit(x, y)
    ours = logistic.fit(x[None], y, n_classes=pair.n_classes).predict(pair.records.x)[0]
    return float(np.abs(ours - theirs.predict_proba(pair.records.x)).max())


def cox_of(pair: Pair) -> np.ndarray:
    """Our coefficients, with a ridge of 1."""
    return cox.fit(pair.table.x[None], pair.table.time, pair.table.event).coef[0]


def sksurv_cox(pair: Pair) -> np.ndarray:
    """Coefficients of scikit-survival, likewise."""
    model = CoxPHSurvivalAnalysis(alpha=1.0, ties="breslow", tol=1e-14)
    model.fit(pair.table.x, Surv.from_arrays(pair.table.event, pair.table.time))
    return np.asarray(model.coef_)


def sksurv_gap(pair: Pair) -> float:
    """Largest difference of a coefficient from scikit-survival's."""
    return float(np.abs(cox_of(pair) - sksurv_cox(pair)).max())


def breslow_frame(pair: Pair) -> pd.DataFrame:
    """Tied events one after another, while all rows of the tie stay at risk.

    lifelines knows Efron's ties only; of this frame, which has none, its likelihood is Breslow's.
    """
    x, event = pair.table.x, pair.table.event
    when = np.unique(pair.table.time, return_inverse=True)[1] + 1.0
    parts = [(np.arange(len(x)), np.zeros(len(x)), when.copy(), event)]
    for t in np.unique(when):
        dead = np.flatnonzero((when == t) & event)
        stop = t - 0.5 * np.arange(len(dead))[::-1] / max(len(dead), 1)
        parts[0][2][dead] = stop
        parts.append((dead, stop, np.full(len(dead), t), np.zeros(len(dead), bool)))
    row, entry, stop, seen = (np.concatenate(c) for c in zip(*parts, strict=True))
    frame = pd.DataFrame(x[row]).assign(entry=entry, time=stop, event=seen)
    return frame[frame["time"] > frame["entry"]]


def lifelines_cox(pair: Pair) -> np.ndarray:
    """Coefficients of lifelines, with Breslow's ties and a ridge of 1."""
    varied = np.ptp(pair.table.x, axis=0) > 0
    frame = breslow_frame(pair._replace(table=pair.table._replace(x=pair.table.x[:, varied])))
    x = frame[list(range(varied.sum()))].to_numpy()
    # Its penalty is per row, and on the coefficients of columns of unit variance.
    penalty = 1.0 / (len(x) * x.var(axis=0, ddof=1))
    options = {"precision": 1e-12, "r_precision": 1e-14, "max_steps": 500}
    coef = np.zeros(len(varied))
    for step in (0.95, 0.5):  # at its default of 0.95 it diverges on one of the random tables
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model = CoxPHFitter(penalizer=penalty).fit(
                *(frame, "time", "event"),
                entry_col="entry",
                fit_options=options | {"step_size": step},
            )
        coef[varied] = model.params_.to_numpy()
        if not any("failed to converge" in str(w.message) for w in caught):
            break
    return coef


def lifelines_gap(pair: Pair) -> float:
    """Largest difference of a coefficient from lifelines'."""
    return float(np.abs(cox_of(pair) - lifelines_cox(pair)).max())


def split_gap(pair: Pair) -> float:
    """Splits that differ though one alone is best."""
    ours = tree.fit(pair.table.x[None], pair.table.label, n_classes=pair.n_classes)
    theirs = DecisionTreeClassifier(random_state=0).fit(pair.table.x, pair.table.label)
    return float(disagreements(pair.table.x, pair.table.label, ours.nodes, theirs.tree_))


def auroc(pair: Pair, chance: np.ndarray) -> float:
    """Score chances of two classes."""
    return float(roc_auc_score(pair.records.label, chance[:, 1]))


def tree_gap(pair: Pair) -> float:
    """Our mean AUROC less theirs."""
    x, y = pair.table.x, pair.table.label
    gaps = []
    for seed in SEEDS:
        ours = tree.fit(x[None], y, n_classes=2, max_depth=5, seed=seed).predict(pair.records.x)
        theirs = DecisionTreeClassifier(max_depth=5, random_state=seed).fit(x, y)
        gaps.append(auroc(pair, ours[0]) - auroc(pair, theirs.predict_proba(pair.records.x)))
    return float(np.mean(gaps))


def forest_gap(pair: Pair) -> float:
    """Our AUROC less theirs."""
    x, y = pair.table.x, pair.table.label
    ours = forest.fit(x[None], y, n_classes=2).predict(pair.records.x)[0]
    theirs = RandomForestClassifier(100, random_state=0).fit(x, y)
    return auroc(pair, ours) - auroc(pair, theirs.predict_proba(pair.records.x))


def survival_forest_gap(pair: Pair) -> float:
    """Our C-index less theirs."""
    table, records = pair
    ours = survival_forest.fit(table.x[None], table.time, table.event).predict(records.x)[0]
    model = RandomSurvivalForest(100, max_features="sqrt", random_state=0)
    theirs = model.fit(table.x, Surv.from_arrays(table.event, table.time)).predict(records.x)
    ours_c, theirs_c = (
        concordance_index_censored(records.event, records.time, risk)[0] for risk in (ours, theirs)
    )
    return float(ours_c - theirs_c)


def rank_correlation(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Spearman's; 1 where both are constant."""
    spread = np.ptp(ours), np.ptp(theirs)
    return 1.0 if max(spread) < 1e-9 else float(spearmanr(ours, theirs)[0])


def boosting_correlation(pair: Pair) -> float:
    """Lowest rank correlation over classes."""
    x, y = pair.table.x, pair.table.label
    ours = boosting.fit(x[None], y, n_classes=pair.n_classes, **BOOSTED).predict(pair.records.x)[0]
    model = XGBClassifier(tree_method="exact", n_jobs=1, **BOOSTED).fit(x, y)
    theirs = model.predict_proba(pair.records.x)
    return min(map(rank_correlation, ours.T, theirs.T))


def boosting_cox_correlation(pair: Pair) -> float:
    """Rank correlation of risks."""
    x, duration, event = pair.table.x, pair.table.time, pair.table.event
    ours = boosting_cox.fit(x[None], np.maximum(duration, 1e-6), event, **BOOSTED)
    label = np.where(event, 1, -1) * np.maximum(duration, 1e-6)  # XGBoost needs positive times
    model = XGBRegressor(objective="survival:cox", tree_method="exact", n_jobs=1, **BOOSTED)
    theirs = model.fit(x, label).predict(pair.records.x, output_margin=True)
    return rank_correlation(ours.predict(pair.records.x)[0], theirs)


def claims() -> list[Claim]:
    """All that must hold."""
    many, deep = (3, 4, 5), (2, 3, 4)
    dp, dc, da = "largest difference of a chance", "largest difference of a coefficient", "AUROC"
    rank, odd = "rank correlation", "splits that differ, one alone being best"
    sk, xgb, sks = "scikit-learn", "XGBoost exact", "scikit-survival"
    return [
        Claim("logistic, 2 classes", sk, dp, logistic_gap, 1e-4),
        Claim("logistic, 3–5 classes", sk, dp, logistic_gap, 1e-4, classes=many),
        Claim("cox", sks, dc, sksurv_gap, 1e-4, kind="lifetimes"),
        Claim("cox", "lifelines", dc, lifelines_gap, 1e-4, kind="lifetimes"),
        Claim("tree", sk, odd, split_gap, 0.0, classes=deep),
        Claim("tree, depth 5", sk, f"{da} less theirs", tree_gap, 0.002, "mean"),
        Claim("boosting, 2 classes", xgb, rank, boosting_correlation, 0.98),
        Claim("boosting, 3–5 classes", xgb, rank, boosting_correlation, 0.98, classes=many),
        Claim("boosting_cox", xgb, rank, boosting_cox_correlation, 0.98, kind="lifetimes"),
        Claim("forest", sk, f"{da} less theirs", forest_gap, 0.01, "mean", n_random=50),
        Claim(
            *("survival_forest", sks, "C-index less theirs", survival_forest_gap, 0.01, "mean"),
            kind="lifetimes",
            n_random=50,
        ),
    ]


def pairs_for(claim: Claim, folder: Path) -> Iterator[Pair]:
    """Random tables, then the real ones of the kind."""
    yield from random_pairs(claim.n_random, claim.classes)
    if max(claim.classes) <= 2 or claim.measure is split_gap:
        yield from real_pairs(folder, CLASSES if claim.kind == "classes" else LIFETIMES)


def row(claim: Claim, folder: Path) -> str:
    """A line of the table."""
    values = np.array([claim.measure(pair) for pair in pairs_for(claim, folder)])
    if claim.what == "rank correlation":
        worst, bound = values.min(), f"{claim.judged} ≥ {claim.required}"
        met = worst >= claim.required
    else:
        worst = values[np.abs(values).argmax()]
        judged = worst if claim.judged == "worst" else values.mean()
        met, bound = abs(judged) <= claim.required, f"{claim.judged} ≤ {claim.required:g}"
    cells = [claim.kernel, claim.against, len(values), claim.what, f"{worst:.2g}"]
    if claim.what == "rank correlation":
        cells[-1] = f"{worst:.4f}"
    mean = f"{values.mean():.4f}" if claim.what == "rank correlation" else f"{values.mean():.2g}"
    return "| " + " | ".join(map(str, [*cells, mean, bound, "yes" if met else "**no**"])) + " |"


def odd_tables() -> list[str]:
    """The second table: examples on which each kernel was to fail."""
    command = f"-m pytest {ODD} --hypothesis-profile=thorough --hypothesis-show-statistics"
    run = subprocess.run([sys.executable, *command.split()], capture_output=True, text=True)
    found = re.findall(r"\[(\w+)\]:\n(?:(?!::).)*?(\d+) passing, (\d+) failing", run.stdout, re.S)
    lines = [f"| {kernel} | {passed} | {failed} |" for kernel, passed, failed in found]
    print(*lines, run.stdout.splitlines()[-1], sep="\n", flush=True)
    return [
        "",
        "Odd tables: constant columns, one class, no events, rows alike, values up to the largest",
        "of 64 bits, two rows; drawn by Hypothesis. A kernel fails where it raises, warns or",
        "returns anything but finite numbers.",
        "",
        f"    python {command}",
        "",
        "| kernel | examples passed | failed |",
        "|---|---|---|",
        *lines,
    ]


def write(lines: Sequence[str], path: Path | None) -> None:
    """The table with what it was made by."""
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in SOFTWARE)
    text = [
        "# Parity of the kernels with other software",
        "",
        "Random tables: 20–200 rows, 2–40 columns, discrete columns, rows alike, tied times and up",
        "to 90% censored. Real tables: 100 and 1,000 records of five sets each for classification",
        f"({', '.join(CLASSES)}) and survival ({', '.join(LIFETIMES)}).",
        f"Software: {versions}.",
        "",
        "    python benchmarks/parity.py --data FOLDER --odd --out benchmarks/parity.md",
        "",
        "| kernel | against | tables | measure | worst | mean | required | met |",
        "|---|---|---|---|---|---|---|---|",
        *lines,
    ]
    if path is not None:
        path.write_text("\n".join(text) + "\n", encoding="utf-8")


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--odd", action="store_true", help="also tables that are hardly tables")
    parser.add_argument("--only", default="", help="kernels whose name holds this")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    lines: list[str] = []
    for claim in claims():
        if options.only in claim.kernel:
            began = time.perf_counter()
            lines.append(row(claim, options.data))
            print(lines[-1], f"{time.perf_counter() - began:.0f} s", flush=True)
    if options.odd:
        lines += odd_tables()
    write(lines, options.out)


if __name__ == "__main__":
    main()
