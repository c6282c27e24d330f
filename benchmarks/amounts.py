"""What a release of an amount keeps: R2 of the usual regressors beside that of all real records.

Amounts that are compared as ratios are declared so, and R2 is that of their logarithms.

    python benchmarks/amounts.py --data DIR --results RESULTS.jsonl --out benchmarks/amounts.md

Records with an outcome are split 7 to 3; scikit-learn's regressors learn from the rows, from the
cohort and from all training records, and are scored on the rest. What the results file holds is not
run again.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from resumed import resumed
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeRegressor

from tincture import Condenser, Schema

LEAST = 0.05  # R2 of all real records below which a share of it means nothing
SETS = {
    "log hospital days": ("support2_hospdead", "hday", 1.0),
    "log creatinine": ("support2_hospdead", "crea", 0.1),
    "cholesterol": ("framingham_chd", "totchol", None),
}  # file, outcome, and the least amount where logarithms are meant
MODELS = {
    "linear": LinearRegression(),
    "tree": DecisionTreeRegressor(max_depth=5, random_state=0),
    "forest": RandomForestRegressor(200, random_state=0, n_jobs=1),
    "boosting": HistGradientBoostingRegressor(
        max_iter=100, max_depth=3, min_samples_leaf=1, early_stopping=False, random_state=0
    ),
}


def declared(schema: Schema, outcome: str, least: float | None) -> Schema:
    """With the outcome on a logarithmic scale from its least amount on, if there is one."""
    if least is None:
        return schema
    told = schema.to_dict()
    field = next(f for f in told["fields"] if f["name"] == outcome)
    field["tincture:scale"] = "log"
    field["constraints"]["minimum"] = least
    return Schema.from_dict(told)


def split(data: Path, name: str, seed: int) -> tuple[Schema, str, pl.DataFrame, pl.DataFrame]:
    """Schema, outcome, records to condense and others."""
    stem, outcome, least = SETS[name]
    schema = declared(Schema.load(data / f"{stem}.schema.json"), outcome, least)
    table = pl.read_parquet(data / f"{stem}.parquet").select(schema.names)
    low, high = schema[outcome].bounds
    table = table.drop_nulls(outcome).with_columns(pl.col(outcome).clip(low, high))
    table = table.sample(fraction=1.0, shuffle=True, seed=seed)
    n = int(0.7 * len(table))
    return schema, outcome, table[:n], table[n:]


def scores(schema: Schema, outcome: str, taught: pl.DataFrame, asked: pl.DataFrame) -> Any:
    """R2 of every model, of logarithms where the schema declares them."""
    coded = [c.name for c in schema.columns if c.is_categorical]
    amounts = [c.name for c in schema.columns if not c.is_categorical and c.name != outcome]
    sides = []
    for table in (taught, asked):
        text = [pl.col(name).cast(pl.String).fill_null("") for name in coded]
        sides.append(table.with_columns(*text, pl.col(amounts).cast(pl.Float64)).to_pandas())
    amount = np.log if schema[outcome].scale == "log" else np.asarray
    known, wanted = (amount(side[outcome]) for side in sides)
    found = {}
    for model, estimator in MODELS.items():
        fill = SimpleImputer(strategy="median", keep_empty_features=True)
        encode = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
        prepare = make_column_transformer((fill, amounts), (encode, coded))
        fitted = make_pipeline(prepare, estimator).fit(sides[0], known)
        found[model] = float(r2_score(wanted, fitted.predict(sides[1])))
    return found


def measure(case: dict[str, Any], data: Path) -> dict[str, Any]:
    """R2 by what was trained on."""
    seed = case["seed"]
    schema, outcome, train, test = split(data, case["set"], seed)
    made = Condenser(schema=schema, outcome=outcome, epsilon=case["epsilon"], delta=1e-5, seed=seed)
    made.fit(train)
    tables = {
        "rows": made.to_frame("polars"),
        "cohort": made.cohort_frame("polars"),
        "real": train,
    }
    print(json.dumps(case), file=sys.stderr)
    return {"r2": {kind: scores(schema, outcome, table, test) for kind, table in tables.items()}}


def share(found: list[float], real: list[float]) -> float:
    """Of the ceiling, on average; of one that is next to nothing there is none."""
    return float(np.mean(found) / np.mean(real)) if np.mean(real) > LEAST else float("nan")


def write(done: list[dict[str, Any]], out: Path) -> None:
    """A line a set, ε and file: ratios to the ceiling."""
    lines = [
        "# What releases of an amount keep\n",
        "R2 on held-out records over that of the same model trained on all real ones (last line of "
        "a set: that R2 itself; no share of one below 0.05), default settings, δ = 1e-5, means "
        "over seeds; see `amounts.py`. Days and creatinine are skewed; the schema declares "
        '`"tincture:scale": "log"` for them, and R2 is that of logarithms.\n',
        f"| outcome | ε | trained on | {' | '.join(MODELS)} | mean | seeds |",
        "|---" * (len(MODELS) + 5) + "|",
    ]
    for name in SETS:
        own = [d for d in done if d["case"]["set"] == name]
        epsilons = sorted({d["case"]["epsilon"] for d in own})
        for epsilon, kind in itertools.product(epsilons, ("rows", "cohort")):
            some = [d["r2"] for d in own if d["case"]["epsilon"] == epsilon]
            kept = [share([r[kind][m] for r in some], [r["real"][m] for r in some]) for m in MODELS]
            cells = " | ".join("" if np.isnan(v) else f"{v:.2f}" for v in (*kept, np.nanmean(kept)))
            lines.append(f"| {name} | {epsilon:g} | {kind} | {cells} | {len(some)} |")
        if own:
            real = [np.mean([d["r2"]["real"][m] for d in own]) for m in MODELS]
            lines.append(f"| {name} | ∞ | real | {' | '.join(f'{v:.2f}' for v in real)} | | |")
    out.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    """Measure what is lacking, then write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    for flag in ("data", "results", "out"):
        parser.add_argument(f"--{flag}", type=Path, required=True)
    parser.add_argument("--epsilons", type=lambda s: list(map(float, s.split(","))), default=[1, 4])
    parser.add_argument("--seeds", type=lambda s: list(map(int, s.split(","))), default=[0])
    options = parser.parse_args()
    cases = [
        {"set": name, "epsilon": epsilon, "seed": seed}
        for seed in options.seeds
        for name in SETS
        for epsilon in options.epsilons
    ]
    write(resumed(options.results, cases, lambda case: measure(case, options.data)), options.out)


if __name__ == "__main__":
    main()
