"""A private model that is no table beside a recipient's model of a release.

    python benchmarks/private_model.py --judge judge.py --data DIR --python EBM/bin/python \
        --ours benchmarks/recipients.jsonl --results benchmarks/private_model.jsonl \
        --out benchmarks/private_model.md

The additive boosting of interpret (Nori et al. 2021, DP-EBM) is trained on the records themselves,
under the same ε and δ = 1e-5, with the same public bounds; ours is logistic regression trained on
the files of a release, from the results of ``recipients.py``. EBM is an environment with
``pip install interpret-core==0.7.8``. What the results file holds is not run again.
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import tempfile
import tomllib
from pathlib import Path
from statistics import mean
from typing import Any

import polars as pl
from peers import as_text, domain_of
from resumed import resumed
from utility import judged

SETS = ["framingham_chd", "stroke", "acath", "support2_hospdead"]
MODEL = "logistic"
HEAD = """# A private model that is no table

    python benchmarks/private_model.py --judge JUDGE --data DATA --python EBM \\
        --ours benchmarks/recipients.jsonl --results RESULTS --out OUT

AUROC on held-out records, means of splits with a run each, δ = 1e-5: interpret 0.7.8's additive
boosting with differential privacy (DP-EBM), trained on the records for this one purpose, and
logistic regression trained on what a release holds, from which any model can be.
Missing cells it gets as a level, or the middle of the bounds.

| set | ε | splits | DP-EBM | logistic, cohort | logistic, rows | logistic, all real records |
|---|---|---|---|---|---|---|"""


def measure(case: dict[str, Any], options: argparse.Namespace) -> dict[str, Any]:
    """Train once on a split, score the held-out records."""
    name, seed = case["set"], str(case["seed"])
    meta = tomllib.loads((options.data / f"{name}.toml").read_text())
    schema = json.loads((options.data / f"{name}.schema.json").read_text())
    fields = {f["name"]: f for f in schema["fields"]}
    columns = {f["name"]: fields[f["name"]] for f in meta["features"]}
    bounds = {n: None if "categories" in f else domain_of(f) for n, f in columns.items()}
    told = {"outcome": meta["target"], "columns": bounds}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        judged(options, "split", name, "--seed", seed, "--out", place)
        (folder / "columns.json").write_text(json.dumps(told))
        for part in ("train", "test"):
            table = pl.read_parquet(folder / f"{part}.parquet")
            case_of = (table[meta["target"]] == meta.get("positive_class", 1)).cast(pl.Int64)
            shown = as_text(table, list(columns.values())).with_columns(case_of)
            shown.write_csv(folder / f"{part}.csv")
        command = [options.python, Path(__file__).with_name("private_model_made.py")]
        command += [folder / "train.csv", folder / "test.csv", folder / "columns.json"]
        command += ["--epsilon", case["epsilon"]]
        said = subprocess.run([*map(str, command)], check=True, stdout=subprocess.PIPE, text=True)
    return {"auroc": round(float(said.stdout), 4)}


def write(results: list[dict[str, Any]], ours: list[dict[str, Any]], out: Path) -> None:
    """Means over splits, beside ours."""
    known = {tuple(r["case"].values()): r["figures"] for r in ours}
    lines, ahead = [HEAD], []
    for name, epsilon in dict.fromkeys((r["case"]["set"], r["case"]["epsilon"]) for r in results):
        theirs, mine = [], []
        for r in results:
            case = r["case"]
            if (case["set"], case["epsilon"]) == (name, epsilon):
                figures = known[name, epsilon, case["seed"]]
                its = {f["file"]: f for f in figures if f.get("model") == MODEL}
                theirs.append(r["auroc"])
                mine.append(
                    (its["cohort"]["auroc"], its["rows"]["auroc"], its["cohort"]["ceiling"])
                )
        ahead += [cohort > their for their, (cohort, *_) in zip(theirs, mine, strict=True)]
        cells = [f"{mean(values):.3f}" for values in (theirs, *zip(*mine, strict=True))]
        lines.append(f"| {name} | {epsilon} | {len(theirs)} | {' | '.join(cells)} |")
    lines.append(
        f"\nThe cohort is ahead in {sum(ahead)} of {len(ahead)} cells (a set, an ε, a split)."
    )
    out.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    """Measure what is lacking, then write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    for flag in ("judge", "data", "python", "ours", "results", "out"):
        parser.add_argument(f"--{flag}", type=Path, required=True)
    options = parser.parse_args()
    cases = [
        {"set": name, "epsilon": epsilon, "seed": seed}
        for name, epsilon, seed in itertools.product(SETS, ["1", "4"], [0, 1, 2])
    ]
    ours = [json.loads(line) for line in options.ours.read_text().splitlines()]
    write(resumed(options.results, cases, lambda case: measure(case, options)), ours, options.out)


if __name__ == "__main__":
    main()
