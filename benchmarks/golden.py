"""Answers of independent software on small tables, for tests that run without it.

    python benchmarks/golden.py --out tests/golden

Each file holds the tables, the answers, and the versions of the software that gave them.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from lifelines import WeibullAFTFitter
from parity import BOOSTED, lifelines_cox, sksurv_cox
from parity_tables import Pair, Rows
from sksurv.ensemble import RandomSurvivalForest
from sksurv.util import Surv
from xgboost import XGBClassifier, XGBRegressor

CASES = [(steps, shown) for steps in (3.0, 1e6) for shown in (1.0, 0.5, 0.1)]
N_FORESTS = 20


class Tables(NamedTuple):
    """R tables of m rows and p columns, and records."""

    x: np.ndarray
    label: np.ndarray
    time: np.ndarray
    event: np.ndarray
    records: np.ndarray

    def pair(self, r: int) -> Pair:
        """Table r as the parity measures take it."""
        rows = Rows(self.x[r], self.label[r], self.time[r], self.event[r])
        return Pair(rows, rows)


def make(m: int = 60, p: int = 6, b: int = 150) -> Tables:
    """One table for each degree of ties and censoring; two columns are of few values."""
    rng = np.random.default_rng(0)
    x, records = (np.round(rng.normal(size=s), 2) for s in ((len(CASES), m, p), (b, p)))
    x[:, :, :2], records[:, :2] = np.round(x[:, :, :2]), np.round(records[:, :2])
    score = x @ np.array([1.0, 0.0, -0.7, 0.5, 0.0, 0.0])
    steps, shown = (np.array(c)[:, None] for c in zip(*CASES, strict=True))
    time = np.ceil(rng.exponential(size=score.shape) * np.exp(-score) * steps) / steps
    event = rng.random(score.shape) < shown
    event[:, :3] = True
    label = np.digitize(score + rng.logistic(size=score.shape), [-0.8, 0.8])
    return Tables(x, label, time, event, records)


def cox(t: Tables) -> dict[str, np.ndarray]:
    """Coefficients with a ridge of 1 and Breslow's ties."""
    tables = range(len(t.x))
    return {
        "scikit_survival": np.stack([sksurv_cox(t.pair(r)) for r in tables]),
        "lifelines": np.stack([lifelines_cox(t.pair(r)) for r in tables]),
    }


def aft(t: Tables) -> dict[str, np.ndarray]:
    """Shape and coefficients of ``eta`` without penalty."""
    shapes, coefs = [], []
    for r in range(len(t.x)):
        frame = pd.DataFrame(t.x[r]).add_prefix("x").assign(time=t.time[r], event=t.event[r])
        params = WeibullAFTFitter(penalizer=0.0).fit(frame, "time", "event").params_
        shapes.append(np.exp(params["rho_"]["Intercept"]))
        coefs.append(params["lambda_"].drop("Intercept").to_numpy() * shapes[-1])
    return {"shape": np.array(shapes), "coef": np.stack(coefs)}


def boosting(t: Tables) -> dict[str, np.ndarray]:
    """Chances of two and three classes."""
    answers = {}
    for n_classes in (2, 3):
        model = XGBClassifier(tree_method="exact", n_jobs=1, **BOOSTED)
        labels = np.minimum(t.label, n_classes - 1)
        answers[f"chance_{n_classes}"] = np.stack(
            [model.fit(t.x[r], labels[r]).predict_proba(t.records) for r in range(len(t.x))]
        )
    return answers


def boosting_cox(t: Tables) -> dict[str, np.ndarray]:
    """Log hazards."""
    model = XGBRegressor(objective="survival:cox", tree_method="exact", n_jobs=1, **BOOSTED)
    signed = np.where(t.event, t.time, -t.time)
    margins = [
        model.fit(t.x[r], signed[r]).predict(t.records, output_margin=True) for r in range(len(t.x))
    ]
    return {"margin": np.stack(margins)}


def survival_forest(t: Tables) -> dict[str, np.ndarray]:
    """Expected mortality, the mean over several forests, which leaves little to chance."""
    risks = []
    for r in range(len(t.x)):
        y = Surv.from_arrays(t.event[r], t.time[r])
        forests = [
            RandomSurvivalForest(100, max_features="sqrt", random_state=seed).fit(t.x[r], y)
            for seed in range(N_FORESTS)
        ]
        risks.append(np.mean([f.predict(t.records) for f in forests], axis=0))
    return {"mortality": np.stack(risks).astype(np.float32)}


MAKERS = {
    cox: ("scikit-survival", "lifelines"),
    aft: ("lifelines",),
    boosting: ("xgboost-cpu",),
    boosting_cox: ("xgboost-cpu",),
    survival_forest: ("scikit-survival",),
}


def main() -> None:
    """Write the tables once, and a file of answers for each kernel."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore")
    tables = make()
    np.savez_compressed(options.out / "tables.npz", **tables._asdict())
    for maker, software in MAKERS.items():
        versions = [f"{name} {importlib.metadata.version(name)}" for name in software]
        path = options.out / f"{maker.__name__}.npz"
        np.savez_compressed(path, software=np.array(versions), **maker(tables))
        print(path, path.stat().st_size, *versions)


if __name__ == "__main__":
    main()
