"""AUROC of a private model that is no table; run by the Python where it is installed.

    python private_model_made.py train.csv test.csv columns.json --epsilon 1

``columns.json`` has the outcome, whose case is 1, and for each other column its public bounds
(``lower``, ``upper``) or null where it has levels. A missing amount is read as the middle of its
bounds, a missing level as a level. δ = 1e-5; prints AUROC on the second table.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pandas as pd
from interpret.privacy import DPExplainableBoostingClassifier
from sklearn.metrics import roc_auc_score

DELTA = 1e-5


def features(table: pd.DataFrame, columns: dict[str, Any]) -> pd.DataFrame:
    """As the model takes them."""
    out = {}
    for name, bounds in columns.items():
        if bounds is None:
            out[name] = table[name].fillna("(missing)")
        else:
            low, high = bounds["lower"], bounds["upper"]
            amount = pd.to_numeric(table[name])
            out[name] = amount.clip(low, high).fillna((low + high) / 2)
    return pd.DataFrame(out)


def main() -> None:
    """Fit once, score once."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("train", "test", "columns"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--epsilon", type=float, required=True)
    asked = parser.parse_args()
    told = json.loads(asked.columns.read_text())
    outcome, columns = told["outcome"], told["columns"]
    texts = {name: str for name, bounds in columns.items() if bounds is None}
    train, test = (
        pd.read_csv(path, dtype=texts, keep_default_na=False, na_values=[""])
        for path in (asked.train, asked.test)
    )
    bounds = {i: (b["lower"], b["upper"]) for i, b in enumerate(columns.values()) if b}
    model = DPExplainableBoostingClassifier(
        feature_types=["nominal" if b is None else "continuous" for b in columns.values()],
        privacy_bounds=bounds,
        epsilon=asked.epsilon,
        delta=DELTA,
        n_jobs=1,
    )
    model.fit(features(train, columns), train[outcome])
    chances = model.predict_proba(features(test, columns))[:, 1]
    print(roc_auc_score(test[outcome], chances))


if __name__ == "__main__":
    main()
