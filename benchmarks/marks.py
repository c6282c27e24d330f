"""Entry marks: condense through the command line, score with an independent judge, one table.

    python benchmarks/marks.py --judge judge.py --data DIR --out benchmarks/marks.md

The judge is a program with the verbs ``split NAME --seed S --out DIR`` (writes train.parquet and
test.parquet) and ``score TABLE.csv NAME --seed S`` (prints a JSON line a model, with ``ratio``);
DIR holds NAME.toml and NAME.schema.json for each set.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

CASES = [
    ("support2_hospdead", ["logistic"], "1"),
    ("framingham_surv", ["cox"], "1"),
    ("flchain", ["cox"], "1"),
    ("support2_hospdead", ["logistic"], "inf"),
    ("framingham_surv", ["cox"], "inf"),
    ("flchain", ["cox"], "inf"),
    ("support2_hospdead", ["tree"], "inf"),
    ("support2_hospdead", ["logistic", "tree"], "1"),
    ("support2_hospdead", [], "1"),
    ("framingham_surv", [], "1"),
    ("diabetes130", ["logistic"], "1"),
    ("brfss_diabetes", ["logistic"], "1"),
]


def outcome_flags(meta: dict) -> list[str]:
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


def run_case(name: str, models: list[str], epsilon: str, seed: int, options) -> dict:
    """Split, condense, score; figures, seconds and peak memory of the condensing process."""
    meta = tomllib.loads((options.data / f"{name}.toml").read_text())
    judge = [sys.executable, str(options.judge)]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [*judge, "split", name, "--seed", str(seed), "--out", folder],
            check=True,
            capture_output=True,
        )
        command = [
            *("tincture", "condense", f"{folder}/train.parquet"),
            *("--schema", str(options.data / f"{name}.schema.json")),
            *outcome_flags(meta),
            *("--epsilon", epsilon, "--delta", "1e-5", "--seed", str(seed)),
            *("--out", f"{folder}/release", "--quiet"),
        ]
        for model in models:
            command += ["--model", model]
        began = time.perf_counter()
        process = subprocess.Popen(command)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        if status != 0:
            raise SystemExit(f"{' '.join(command)} failed")
        scored = subprocess.run(
            [*judge, "score", f"{folder}/release/condensed.csv", name, "--seed", str(seed)],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
    figures = {(line := json.loads(row))["model"]: line for row in scored.splitlines()}
    return {"figures": figures, "seconds": seconds, "megabytes": usage.ru_maxrss / 1024}


def row(name: str, models: list[str], epsilon: str, seeds: list[int], options) -> str:
    """One line of the table: mean over the seeds."""
    results = [run_case(name, models, epsilon, seed, options) for seed in seeds]
    shown = {}
    for model in results[0]["figures"]:
        ratios = [r["figures"][model].get("ratio") for r in results]
        if None not in ratios:
            shown[model] = sum(ratios) / len(ratios)
    asked = models or [m for m in shown if m not in ("naive_bayes", "neighbours", "svm")]
    others = [m for m in shown if m not in asked]
    text = ", ".join(f"{m} **{shown[m]:.2f}**" for m in asked)
    rest = ", ".join(f"{m} {shown[m]:.2f}" for m in others)
    seconds = max(r["seconds"] for r in results)
    memory = max(r["megabytes"] for r in results)
    label = " + ".join(models) or "portfolio"
    return f"| {name} | {label} | {epsilon} | {text} | {rest} | {seconds:.0f} | {memory:.0f} |"


def main() -> None:
    """Run all cases, or those of some sets, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--judge", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--only", default="", help="sets, comma-separated")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    seeds = [int(s) for s in options.seeds.split(",")]
    chosen = [c for c in CASES if not options.only or c[0] in options.only.split(",")]
    lines = [
        "Ratio (value − ½)/(ceiling − ½) of AUROC or Harrell's C on held-out records; 100 rows, "
        f"δ = 1e-5, defaults, seeds {options.seeds}. Seconds and MB of the condensing process.",
        "",
        f"    python benchmarks/marks.py --judge JUDGE --data DATA --seeds {options.seeds}",
        "",
        "| set | condensed for | ε | models asked for | others | seconds | MB |",
        "|---|---|---|---|---|---|---|",
    ]
    for case in chosen:
        lines.append(row(*case, seeds, options))
        print(lines[-1], flush=True)
    if options.out:
        options.out.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
