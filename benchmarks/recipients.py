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
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import polars as pl
from resumed import resumed
from utility import SETS, judged, outcome_flags

FILES = {"rows": "condensed.csv", "cohort": "cohort.csv"}
GROUPS = {
    "asked": "logistic tree forest boosting cox survival_forest boosting_cox",
    "plain": "glm coxph",
    "few": "glm_few coxph_few",
    "others": "naive_bayes neighbours svm lasso hgb",
}
TITLE = """# What recipients make of both files

Means of ratios over sets and seeds (1: all real records); see `recipients.py`.
"""
COMMAND = (
    "    python benchmarks/recipients.py --judge JUDGE --plain PLAIN --data DATA \\\n"
    "        --results RESULTS --out OUT"
)
MEANING = """*n* counts the releases behind a row.

*Asked*: logistic, tree, forest, boosting; Cox, survival forest, boosted Cox. *Plain*: regressions
without a penalty, all columns; *few*: the six that matter most; *beta* is the root mean square
difference of their log ratios from the real ones, each per real standard deviation, *sign* the
share of the right sign. *Others*: naive Bayes, neighbours, SVM, lasso, histogram boosting.
*Lowest*: of all these. *cv_gap*: AUROC by cross-validation on the file less that on held-out
records. *km*: largest distance of Kaplan–Meier curves. *Unseen*: share of held-out records with a
level that is in no row.
"""
LEAST = 0.6  # ceiling below which a model that nobody asked for tells nothing


def measure(case: dict[str, Any], options: argparse.Namespace) -> dict[str, Any]:
    """Condense once, score both files by both judges."""
    print(json.dumps(case), file=sys.stderr)
    name, seed = case["set"], str(case["seed"])
    meta = tomllib.loads((options.data / f"{name}.toml").read_text())
    with tempfile.TemporaryDirectory() as folder:
        judged(options, "split", name, "--seed", seed, "--out", folder)
        command = ["tincture", "condense", f"{folder}/train.parquet", *outcome_flags(meta)]
        command += ["--schema", str(options.data / f"{name}.schema.json"), "--delta", "1e-5"]
        command += ["--epsilon", case["epsilon"], "--seed", seed, "--out", f"{folder}/release"]
        subprocess.run([*command, "--quiet"], check=True, stdout=subprocess.DEVNULL)
        lines = [
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


def write(results: list[dict[str, Any]], out: Path) -> None:
    """Means by ε, file and group of models, and what was measured, all from the results."""
    found: dict[tuple[str, str], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for epsilon, line in ((r["case"]["epsilon"], f) for r in results for f in r["figures"]):
        into = found[epsilon, line["file"]]
        for key in ("beta", "sign", "cv_gap", "km", "unseen"):
            if line.get(key) is not None:
                into[key].append(line[key])
        for group, names in GROUPS.items():
            counts = group != "others" or line.get("ceiling", 0) >= LEAST
            if "ratio" in line and counts and line["model"] in names.split():
                into[group].append(line["ratio"])
                into["lowest"] = [min([*into["lowest"], line["ratio"]])]
    columns = [*GROUPS, "lowest", "beta", "sign", "cv_gap", "km", "unseen"]
    table = [f"| ε | file | n | {' | '.join(columns)} |", "|---" * (len(columns) + 3) + "|"]
    for (epsilon, kind), into in sorted(found.items()):
        n = sum(done["case"]["epsilon"] == epsilon for done in results)
        cells = [f"{mean(into[c]):.2f}" if into[c] else "" for c in columns]
        table.append(f"| {epsilon} | {kind} | {n} | {' | '.join(cells)} |")
    text = "\n".join([TITLE, *measured([done["case"] for done in results]), MEANING, *table])
    out.write_text(text + "\n", encoding="utf-8")


def measured(cases: list[dict[str, Any]]) -> Iterator[str]:
    """The command of each ε with the sets and seeds that there are, and how many."""
    counts = []
    for epsilon in sorted({case["epsilon"] for case in cases}):
        its = [case for case in cases if case["epsilon"] == epsilon]
        sets = list(dict.fromkeys(case["set"] for case in its))
        seeds = sorted({case["seed"] for case in its})
        yield f"{COMMAND} --epsilons {epsilon} \\"
        yield f"        --seeds {','.join(map(str, seeds))} --sets {','.join(sets)}\n"
        names = " ".join(map(str, seeds))
        counts.append(f"ε = {epsilon}: {len(its)} releases ({len(sets)} sets, seeds {names})")
    yield f"Measured: {'; '.join(counts)}. A seed is one split and one run."


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
