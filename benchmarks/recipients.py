"""Both files of releases, by two judges: the usual models, and plain regressions as R fits them.

    python benchmarks/recipients.py --judge judge.py --plain recipients.py --data DIR \
        --results recipients.jsonl --out benchmarks/recipients.md

The first judge is that of ``utility.py``; the second has the verb ``score TABLE.csv NAME --seed S``
and prints a JSON line a model with ``ratio``, and for regressions ``beta`` and ``sign``, then one
of the table with ``cv_gap`` or ``km``. What the results file holds is not run again.
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from recipients_table import write
from resumed import resumed
from utility import SETS, judged, outcome_flags

FILES = {"rows": "condensed.csv", "cohort": "cohort.csv"}
MANY = 4000  # records of a set from which a slope tells of the table more than of chance


def measure(case: dict[str, Any], options: argparse.Namespace) -> dict[str, Any]:
    """Condense once, score both files by both judges."""
    print(json.dumps(case), file=sys.stderr)
    name, seed = case["set"], str(case["seed"])
    meta = tomllib.loads((options.data / f"{name}.toml").read_text())
    lines: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        judged(options, "split", name, "--seed", seed, "--out", folder)
        command = ["tincture", "condense", f"{folder}/train.parquet", *outcome_flags(meta)]
        command += ["--schema", str(options.data / f"{name}.schema.json"), "--delta", "1e-5"]
        command += ["--epsilon", case["epsilon"], "--seed", seed, "--out", f"{folder}/release"]
        subprocess.run([*command, "--quiet"], check=True, stdout=subprocess.DEVNULL)
        if "target" in meta and meta["n_rows"] >= MANY:
            lines += calibrated(Path(folder), seed)
        lines += [
            {"file": kind, "unseen": unseen(Path(folder), FILES[kind], options.data / f"{name}")}
            for kind in FILES
        ]
        for kind, judge in itertools.product(FILES, (options.judge, options.plain)):
            table = f"{folder}/release/{FILES[kind]}"
            used = argparse.Namespace(judge=judge, data=options.data)
            lines += [
                {**line, "file": kind}
                for line in judged(used, "score", table, name, "--seed", seed)
            ]
    return {"figures": lines}


def calibrated(folder: Path, seed: str) -> Iterator[dict[str, Any]]:
    """Slope and intercept on held-out records of a logistic regression on each file, on records."""
    command = ["tincture", "evaluate", "release", "--train", "train.parquet"]
    command += ["--test", "test.parquet", "--model", "logistic", "--seed", seed, "--json"]
    told = subprocess.run([*command, "--quiet"], cwd=folder, check=True, stdout=subprocess.PIPE)
    of = {"condensed": "rows", "cohort": "cohort", "all real records": "records"}
    for score in json.loads(told.stdout)["scores"]:
        metric, file = score["metric"].removeprefix("calibration "), of.get(score["trained_on"])
        if file and score["model"] == "logistic" and metric in ("slope", "intercept"):
            yield {"file": file, metric: score["figure"]["value"]}


def unseen(folder: Path, file: str, described: Path) -> float:
    """Share of held-out records with a level that no row of a file has."""
    fields = json.loads(Path(f"{described}.schema.json").read_text())["fields"]
    named = [f["name"] for f in fields if "categories" in f]
    rows = pl.read_csv(folder / "release" / file, infer_schema=False)
    test = pl.read_parquet(folder / "test.parquet")
    without = [
        ~_code(test[name]).is_in([*rows[name].drop_nulls().unique()])
        for name in named
        if name in test.columns and name in rows.columns
    ]
    if not without:
        return 0.0
    return float(np.mean(np.any([w.fill_null(False).to_numpy() for w in without], axis=0)))


def _code(series: pl.Series) -> pl.Series:
    """As a release writes it, whatever type the set has it in."""
    return (series.cast(pl.Int64) if series.dtype.is_float() else series).cast(pl.String)


def main() -> None:
    """Measure what is lacking, then write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    for flag in ("judge", "plain", "data", "results", "out"):
        parser.add_argument(f"--{flag}", type=Path, required=True)
    parser.add_argument("--sets", type=lambda s: s.split(","), default=SETS)
    parser.add_argument("--epsilons", type=lambda s: s.split(","), default=["1", "4", "0.5"])
    parser.add_argument("--seeds", type=lambda s: s.split(","), default=["0", "1", "2"])
    options = parser.parse_args()
    cases = [
        {"set": name, "epsilon": epsilon, "seed": int(seed)}
        for epsilon, seed, name in itertools.product(options.epsilons, options.seeds, options.sets)
    ]
    write(resumed(options.results, cases, lambda case: measure(case, options)), options.out)


if __name__ == "__main__":
    main()
