"""What boosting learns where columns tell of the outcome only together.

    python benchmarks/interactions.py --results interactions.jsonl --out benchmarks/interactions.md

Made-up records, 70% to learn from: an exclusive-or of two or three of many columns, and a drug that
helps one sex and harms the other. AUROC on the others, as a share of what the real records give
above chance: ratio = (AUROC − ½) / (ceiling − ½). What the results file holds is not run again.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from resumed import resumed
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.metrics import roc_auc_score

from tincture import Condenser, Schema

BOUND = 4.0


def amounts(n: int, p: int, rng: np.random.Generator) -> pl.DataFrame:
    """Independent columns of normal amounts."""
    x = rng.standard_normal((n, p)).clip(-BOUND, BOUND).round(3)
    return pl.DataFrame(x, schema=[f"x{k}" for k in range(p)])


def exclusive_or(n: int, p: int, of: int) -> pl.DataFrame:
    """Ill with chance 0.8 where an odd number of the first columns is positive, else 0.2."""
    rng = np.random.default_rng(0)
    x = amounts(n, p, rng)
    odd = (x.to_numpy()[:, :of] > 0).sum(axis=1) % 2 == 1
    return x.with_columns(ill=(rng.random(n) < np.where(odd, 0.8, 0.2)).astype(np.int64))


def drug(n: int) -> pl.DataFrame:
    """Log odds fall by 1.2 with the drug in one sex and rise by it in the other."""
    rng = np.random.default_rng(1)
    x = amounts(n, 6, rng).with_columns(sex=rng.integers(2, size=n), drug=rng.integers(2, size=n))
    change = x["drug"] * (2.4 * x["sex"] - 1.2)
    odds = (-0.8 + 0.6 * x["x0"] + 0.4 * x["x1"] + change).to_numpy()
    return x.with_columns(ill=(rng.random(n) < 1 / (1 + np.exp(-odds))).astype(np.int64))


CASES: dict[str, Callable[[], pl.DataFrame]] = {
    "two of ten, 6,000 records": lambda: exclusive_or(6000, 10, 2),
    "two of thirty, 20,000": lambda: exclusive_or(20_000, 30, 2),
    "three of ten, 50,000": lambda: exclusive_or(50_000, 10, 3),
    "a drug and sex, 6,000": lambda: drug(6000),
}


def schema_of(table: pl.DataFrame) -> Schema:
    """Bounds of amounts and levels of the rest."""
    bounds = {"minimum": -BOUND, "maximum": BOUND, "required": True}
    fields: list[dict[str, Any]] = [
        {"name": name, "type": "number", "constraints": bounds}
        if dtype.is_float()
        else {"name": name, "type": "integer", "categories": [0, 1]}
        for name, dtype in table.schema.items()
    ]
    return Schema.from_dict({"fields": fields})


def auroc(train: pl.DataFrame, test: pl.DataFrame) -> float:
    """Of boosting, whichever table it learned from."""
    names = [c for c in test.columns if c != "ill"]
    model = GradientBoostingClassifier(n_estimators=200, max_depth=4, random_state=0)
    model.fit(train[names].to_numpy(), train["ill"].to_numpy())
    return float(roc_auc_score(test["ill"], model.predict_proba(test[names].to_numpy())[:, 1]))


def measure(case: dict[str, Any]) -> dict[str, Any]:
    """Condense once; score both files."""
    table, epsilon = CASES[case["records"]](), case["epsilon"]
    cut = int(0.7 * len(table))
    train, test = table[:cut], table[cut:]
    begun = time.perf_counter()
    condenser = Condenser(schema=schema_of(table), target="ill", epsilon=epsilon, delta=1e-5)
    made = condenser.fit(train).table_
    seconds = time.perf_counter() - begun
    assert made.cohort is not None
    gain = auroc(train, test) - 0.5
    ratios = {
        "cohort": (auroc(made.cohort, test) - 0.5) / gain,
        "rows": (auroc(made.rows, test) - 0.5) / gain,
    }
    return {"ceiling": gain + 0.5, "n": len(made), **ratios, "seconds": round(seconds)}


def write(results: list[dict[str, Any]], out: Path) -> None:
    """A line a case and ε."""
    lines = ["# What goes together", "", "    python benchmarks/interactions.py \\"]
    lines += ["        --results interactions.jsonl --out benchmarks/interactions.md", ""]
    lines += ["Boosting (200 trees of depth 4) on held-out records, as a share of what all real"]
    lines += ["records give above chance; one run each, default models and rows.", ""]
    lines += [
        "| case | ε | real AUROC | cohort | rows | number of rows |",
        "|---|---|---|---|---|---|",
    ]
    for r in results:
        case = r["case"]
        scores = f"{r['ceiling']:.3f} | {r['cohort']:.2f} | {r['rows']:.2f}"
        lines.append(f"| {case['records']} | {case['epsilon']:g} | {scores} | {r['n']} |")
    out.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    """Measure what is lacking, then write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epsilons", type=lambda s: s.split(","), default=["4", "1"])
    options = parser.parse_args()
    epsilons = [float(epsilon) for epsilon in options.epsilons]
    cases = [{"records": name, "epsilon": epsilon} for name in CASES for epsilon in epsilons]
    write(resumed(options.results, cases, measure), options.out)


if __name__ == "__main__":
    main()
