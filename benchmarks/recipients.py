"""Both files of releases, by two judges: the usual models, and plain regressions as R fits them.

    python benchmarks/recipients.py --judge judge.py --plain recipients.py --data DIR \
        --results recipients.jsonl --out benchmarks/recipients.md

The first judge is that of ``utility.py``; the second has the verb ``score TABLE.csv NAME --seed S``
and prints a JSON line a model with ``ratio``, and for regressions ``beta`` and ``sign``, then one of
the table with ``cv_gap`` or ``km``. What the results file holds is not run again.
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import sys
import tempfile
import tomllib
from collections import defaultdict
from pathlib import Path
from statistics import mean
from typing import Any

from utility import SETS, judged, outcome_flags

FILES = {"rows": "condensed.csv", "cohort": "cohort.csv"}
GROUPS = {
    "asked": "logistic tree forest boosting cox survival_forest boosting_cox",
    "plain": "glm coxph",
    "few": "glm_few coxph_few",
    "others": "naive_bayes neighbours svm lasso hgb",
}
LEAST = 0.6  # ceiling below which a model that nobody asked for tells nothing


def run(case: dict[str, Any], options: argparse.Namespace) -> list[dict[str, Any]]:
    """Condense once, score both files by both judges."""
    name, seed = case["set"], str(case["seed"])
    meta = tomllib.loads((options.data / f"{name}.toml").read_text())
    with tempfile.TemporaryDirectory() as folder:
        judged(options, "split", name, "--seed", seed, "--out", folder)
        command = ["tincture", "condense", f"{folder}/train.parquet", *outcome_flags(meta)]
        command += ["--schema", str(options.data / f"{name}.schema.json"), "--delta", "1e-5"]
        command += ["--epsilon", case["epsilon"], "--seed", seed, "--out", f"{folder}/release"]
        subprocess.run([*command, "--quiet"], check=True, stdout=subprocess.DEVNULL)
        lines = []
        for kind, judge in itertools.product(FILES, (options.judge, options.plain)):
            table = f"{folder}/release/{FILES[kind]}"
            used = argparse.Namespace(judge=judge, data=options.data)
            lines += [
                {**line, "file": kind}
                for line in judged(used, "score", table, name, "--seed", seed)
            ]
    return lines


def write(options: argparse.Namespace) -> None:
    """Means by ε, file and group of models."""
    found: dict[tuple[str, str], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for text in options.results.read_text().splitlines():
        done = json.loads(text)
        for line in done["figures"]:
            into = found[done["case"]["epsilon"], line["file"]]
            for key in ("beta", "sign", "cv_gap", "km"):
                if line.get(key) is not None:
                    into[key].append(line[key])
            for group, names in GROUPS.items():
                counts = group != "others" or line.get("ceiling", 0) >= LEAST
                if "ratio" in line and counts and line["model"] in names.split():
                    into[group].append(line["ratio"])
                    into["lowest"] = [min([*into["lowest"], line["ratio"]])]
    columns = [*GROUPS, "lowest", "beta", "sign", "cv_gap", "km"]
    table = [f"| ε | file | {' | '.join(columns)} |", "|---" * (len(columns) + 2) + "|"]
    for (epsilon, kind), into in sorted(found.items()):
        cells = [f"{mean(into[c]):.2f}" if into[c] else "" for c in columns]
        table.append(f"| {epsilon} | {kind} | {' | '.join(cells)} |")
    title = "# What recipients make of both files\n\n"
    words = "Means of ratios over sets and seeds (1: all real records); see `recipients.py`.\n\n"
    options.out.write_text(title + words + "\n".join(table) + "\n", encoding="utf-8")


def main() -> None:
    """Measure what is lacking, then write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    for flag in ("judge", "plain", "data", "results", "out"):
        parser.add_argument(f"--{flag}", type=Path, required=True)
    parser.add_argument("--sets", type=lambda s: s.split(","), default=SETS)
    parser.add_argument("--epsilons", type=lambda s: s.split(","), default=["1", "4", "0.5"])
    parser.add_argument("--seeds", type=lambda s: s.split(","), default=["0", "1", "2"])
    options = parser.parse_args()
    options.results.touch()
    known = [json.loads(line)["case"] for line in options.results.read_text().splitlines()]
    for epsilon, seed, name in itertools.product(options.epsilons, options.seeds, options.sets):
        case = {"set": name, "epsilon": epsilon, "seed": int(seed)}
        if case in known:
            continue
        result = {"case": case, "figures": run(case, options)}
        with options.results.open("a", encoding="utf-8") as file:
            file.write(json.dumps(result) + "\n")
        print(json.dumps(case), file=sys.stderr)
    write(options)


if __name__ == "__main__":
    main()
