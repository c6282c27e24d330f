"""What models trained on a release are worth: sets × ε × models × seeds, one resumable run.

    python benchmarks/utility.py --judge judge.py --data DIR --peers peers.md \
        --results utility.jsonl --out benchmarks/utility.md

The judge is a program with the verbs ``split NAME --seed S --out DIR`` (writes train.parquet and
test.parquet), ``score TABLE.csv NAME --seed S`` and ``baseline NAME --rows N --seed S`` (printing
a JSON line a model, with ``ceiling`` and ``ratio``). DIR holds NAME.toml and
NAME.schema.json for each set. Every result is kept in the results file; what is there is not run
again, so that a long run can be stopped and continued, and its table is written from what there is.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path
from typing import Any

from resumed import resumed
from utility_table import write

CLASSES = "support2_hospdead framingham_chd acath stroke diabetes130 sepsis_survival brfss_diabetes"
TIMES = "support2_surv flchain rhc framingham_surv rotterdam nwtco"
SETS = [*CLASSES.split(), *TIMES.split()]


def outcome_flags(meta: dict[str, Any]) -> list[str]:
    """--target, or --time and --event; --unit; and columns that are no features."""
    flags = (
        ["--target", meta["target"]]
        if "target" in meta
        else ["--time", meta["time"], "--event", meta["event"]]
    )
    if meta.get("group"):
        flags += ["--unit", meta["group"]]
    for name in [meta.get("site"), *meta.get("auxiliary_columns", [])]:
        flags += ["--drop", name] if name else []
    return flags


def models_of(chosen: str, meta: dict[str, Any]) -> list[str] | None:
    """Flags for the models; None where they do not suit the outcome."""
    if chosen == "portfolio":
        return []
    names = chosen.split("+")
    survival = {"cox", "survival_forest", "boosting_cox", "aft"}
    if any((n in survival) == ("target" in meta) for n in names):
        return None
    return [flag for n in names for flag in ("--model", n)]


def judged(options: argparse.Namespace, *verb: str) -> list[dict[str, Any]]:
    """What the judge prints."""
    said = subprocess.run(
        [sys.executable, str(options.judge), *verb, "--data", str(options.data)],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    return [{k: v for k, v in line.items() if k != "table"} for line in lines]


def condensed(case: dict[str, Any], options: argparse.Namespace) -> dict[str, Any] | None:
    """Split, condense, score; figures, seconds and peak memory of the condensing process."""
    name, seed = case["set"], str(case["seed"])
    meta = tomllib.loads((options.data / f"{name}.toml").read_text())
    models = models_of(case["models"], meta)
    if models is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        judged(options, "split", name, "--seed", seed, "--out", folder)
        command = [
            *("tincture", "condense", f"{folder}/train.parquet"),
            *("--schema", str(options.data / f"{name}.schema.json")),
            *outcome_flags(meta),
            *models,
            *("--epsilon", case["epsilon"], "--delta", "1e-5", "--rows", str(case["rows"])),
            *("--method", case["method"], "--seed", seed),
            *("--out", f"{folder}/release", "--quiet"),
        ]
        began = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        if status != 0:
            raise SystemExit(f"{' '.join(command)} failed")
        figures = judged(options, "score", f"{folder}/release/condensed.csv", name, "--seed", seed)
    return {"figures": figures, "seconds": seconds, "megabytes": usage.ru_maxrss / 1024}


def cases(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Every combination asked for, the baselines first."""
    baselines = [
        {"kind": "random real rows", "set": name, "rows": rows, "seed": seed}
        for name, rows, seed in itertools.product(options.sets, options.rows, options.seeds)
    ]
    runs = [
        {
            "kind": "condensed",
            "set": name,
            "epsilon": epsilon,
            "models": models,
            "method": method,
            "rows": rows,
            "seed": seed,
        }
        for seed, epsilon, models, method, rows, name in itertools.product(
            options.seeds,
            options.epsilons,
            options.models,
            options.methods,
            options.rows,
            options.sets,
        )
    ]
    return baselines + runs


def measure(case: dict[str, Any], options: argparse.Namespace) -> dict[str, Any] | None:
    """Ratios of one case, if it can be run."""
    if case["kind"] == "condensed":
        result = condensed(case, options)
    else:
        rows, seed = str(case["rows"]), str(case["seed"])
        verb = ("baseline", case["set"], "--rows", rows, "--seed", seed)
        result = {"figures": judged(options, *verb)}
    if result is not None:
        ratios = {f["model"]: round(f["ratio"], 2) for f in result["figures"] if "ratio" in f}
        print(*case.values(), ratios, round(result.get("seconds", 0)), flush=True)
    return result


def main() -> None:
    """Measure, then write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--judge", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--peers", type=Path, help="measured peers, as a Markdown table")
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--out", type=Path)
    for flag, usual in {
        "sets": SETS,
        "epsilons": ["0.5", "1", "4", "inf"],
        "models": ["portfolio"],
        "methods": ["auto"],
        "rows": [100],
        "seeds": [0, 1, 2],
    }.items():
        kind = type(usual[0])
        parser.add_argument(
            f"--{flag}", type=lambda s, k=kind: [k(x) for x in s.split(",")], default=usual
        )
    options = parser.parse_args()
    resumed(options.results, cases(options), lambda case: measure(case, options))
    if options.out:
        write(options.results, options.peers, options.out)


if __name__ == "__main__":
    main()
