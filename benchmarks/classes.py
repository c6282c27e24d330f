"""Outcomes of several classes: both methods and both files, by the usual classifiers.

    python benchmarks/classes.py --data DIR --results classes.jsonl --out benchmarks/classes.md

DIR holds NAME.parquet and NAME.schema.json for each set. Of a column with several levels 30% of the
records are held out; models are fitted on a release and on all other records, and scored by the
mean over classes of one against the rest: ratio is (AUROC − ½)/(that of the real models − ½). What
the results file holds is not run again.
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier


class Several(NamedTuple):
    """A set, its outcome, and the columns that would give it away."""

    file: str
    target: str
    drop: tuple[str, ...]


SETS = {
    "SUPPORT2, class of disease (4)": Several("support2_hospdead", "dzclass", ("dzgroup",)),
    "Rotterdam, size of tumour (3)": Several("rotterdam", "size", ()),
    "Stroke, smoking (4)": Several("stroke", "smoking_status", ()),
}
MODELS: dict[str, Callable[[], Any]] = {
    "logistic": lambda: LogisticRegression(max_iter=5000),
    "tree": lambda: DecisionTreeClassifier(max_depth=5, random_state=0),
    "forest": lambda: RandomForestClassifier(300, random_state=0),
    "boosting": lambda: GradientBoostingClassifier(random_state=0),
}
FILES = {"direct": ["condensed.csv"], "proxy": ["condensed.csv", "cohort.csv"]}


def scores(table: pd.DataFrame, test: pd.DataFrame, some: Several, fields: Any) -> dict[str, float]:
    """AUROC of each model, one class against the rest."""
    named = [f for f in fields if f["name"] not in (some.target, *some.drop)]
    levels = [f["name"] for f in named if "categories" in f]
    amounts = [f["name"] for f in named if "categories" not in f]
    (known,) = (f["categories"] for f in fields if f["name"] == some.target)
    texts = [
        frame[levels].astype(object).where(frame[levels].notna(), "") for frame in (table, test)
    ]
    x, x_test = (
        pd.concat([frame[amounts].astype(float), text.map(str)], axis=1)
        for frame, text in zip((table, test), texts, strict=True)
    )
    found = {}
    for name, make in MODELS.items():
        median = SimpleImputer(strategy="median", keep_empty_features=True)
        seen = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
        parts = [
            ("amounts", make_pipeline(median, StandardScaler()), amounts),
            ("levels", seen, levels),
        ]
        model = make_pipeline(ColumnTransformer(parts), make()).fit(x, table[some.target])
        chances = pd.DataFrame(model.predict_proba(x_test), columns=model.classes_)
        chances = chances.reindex(columns=known, fill_value=0.0)
        each = [roc_auc_score(test[some.target] == k, chances[k]) for k in known]
        found[name] = float(np.mean(each))
    return found


def run(case: dict[str, Any], options: argparse.Namespace) -> dict[str, Any]:
    """Condense once, score its files and all real records."""
    some = SETS[case["set"]]
    schema = options.data / f"{some.file}.schema.json"
    fields = json.loads(schema.read_text())["fields"]
    whole = pd.read_parquet(options.data / f"{some.file}.parquet").dropna(subset=[some.target])
    label = whole[some.target]
    train, test = train_test_split(whole, test_size=0.3, random_state=case["seed"], stratify=label)
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        train.to_parquet(f"{folder}/train.parquet")
        command = [sys.executable, "-m", "tincture", "condense", f"{folder}/train.parquet"]
        command += ["--schema", str(schema), "--target", some.target, "--method", case["method"]]
        command += [flag for name in some.drop for flag in ("--drop", name)]
        command += ["--epsilon", case["epsilon"], "--delta", "1e-5", "--seed", str(case["seed"])]
        began = time.monotonic()
        subprocess.run(
            [*command, "--out", f"{folder}/release", "--quiet", *options.more],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        found["seconds"] = round(time.monotonic() - began)
        for file in FILES[case["method"]]:
            table = pd.read_csv(f"{folder}/release/{file}", keep_default_na=False, na_values=[""])
            found[file] = scores(table, test, some, fields) | {"n": len(table)}
    found["real"] = ceiling(case, options) or scores(train, test, some, fields)
    return found


def ceiling(case: dict[str, Any], options: argparse.Namespace) -> dict[str, float] | None:
    """Of the same split, if it was scored before."""
    for text in options.results.read_text().splitlines():
        done = json.loads(text)
        if all(done["case"][k] == case[k] for k in ("set", "seed")):
            real: dict[str, float] = done["real"]
            return real
    return None


def write(options: argparse.Namespace) -> None:
    """Means over seeds."""
    done = [json.loads(text) for text in options.results.read_text().splitlines()]
    head = ["set (classes)", "ε", "method", "file", "rows", *MODELS, "mean", "seconds"]
    table = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    keys = sorted({tuple(d["case"][k] for k in ("set", "epsilon", "method")) for d in done})
    for key in keys:
        same = [d for d in done if tuple(d["case"][k] for k in ("set", "epsilon", "method")) == key]
        for file in FILES[key[2]]:
            ratio = {
                m: mean((d[file][m] - 0.5) / (d["real"][m] - 0.5) for d in same) for m in MODELS
            }
            size = round(mean(d[file]["n"] for d in same))
            shown = [f"{r:.2f}" for r in (*ratio.values(), mean(ratio.values()))]
            seconds = round(mean(d["seconds"] for d in same))
            table.append(f"| {' | '.join([*key, file, f'{size:,}', *shown, str(seconds)])} |")
    title = "# Outcomes of several classes\n\n`python benchmarks/classes.py --data DIR --results "
    words = (
        "classes.jsonl --out benchmarks/classes.md`:\nratios of macro AUROC (1: all real records, "
    )
    words += "0: chance), means over seeds, δ = 1e-5.\n\n"
    options.out.write_text(title + words + "\n".join(table) + "\n", encoding="utf-8")


def main() -> None:
    """Measure what is lacking, then write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    for flag in ("data", "results", "out"):
        parser.add_argument(f"--{flag}", type=Path, required=True)
    parser.add_argument("--sets", type=lambda s: s.split(";"), default=list(SETS))
    parser.add_argument("--methods", type=lambda s: s.split(","), default=list(FILES))
    parser.add_argument("--epsilons", type=lambda s: s.split(","), default=["1"])
    parser.add_argument("--seeds", type=lambda s: s.split(","), default=["0"])
    parser.add_argument("more", nargs="*", help="flags of condense, after --")
    options = parser.parse_args()
    options.results.touch()
    known = [json.loads(line)["case"] for line in options.results.read_text().splitlines()]
    for name, epsilon, method, seed in itertools.product(
        options.sets, options.epsilons, options.methods, options.seeds
    ):
        case = {"set": name, "epsilon": epsilon, "method": method, "seed": int(seed)}
        if case in known:
            continue
        result = {"case": case, **run(case, options)}
        with options.results.open("a", encoding="utf-8") as file:
            file.write(json.dumps(result) + "\n")
        print(json.dumps(result), file=sys.stderr)
    write(options)


if __name__ == "__main__":
    main()
