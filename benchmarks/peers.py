"""Tables of other private synthesizers beside a release's cohort, by the two judges.

    python benchmarks/peers.py --judge judge.py --plain recipients.py --data DIR \
        --python PEERS/bin/python --ours benchmarks/recipients.jsonl \
        --results benchmarks/peers.jsonl --out benchmarks/peers.md

Same split, same ε, δ = 1e-5, as many invented records as real ones. Peers run as they come, or with
bins of equal width (``peers_made.py``), with the bounds and levels that Tincture has as public
knowledge; which columns have blanks they see without noise. PEERS is an environment with what is
compared (``pip install dpmm==0.1.9``). Ours are the cohorts in the results of ``recipients.py``.
What the results file holds is not run again.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import polars as pl
from recipients_table import GROUPS, LEAST
from resumed import resumed
from utility import judged

PEERS = [f"dpmm.{name}{bins}" for bins in ("", "-even") for name in ("PrivBayes", "MST", "AIM")]
SETS = ["stroke", "framingham_chd", "flchain", "acath"]
LIMITS = {"lower": "minimum", "upper": "maximum"}
SHOWN = ["asked", "plain", "few", "others"]
OURS = "Tincture, cohort"


def measure(case: dict[str, Any], options: argparse.Namespace) -> dict[str, Any]:
    """Invent one table, score it by both judges."""
    print(json.dumps(case), file=sys.stderr)
    name, seed = case["set"], str(case["seed"])
    fields = json.loads((options.data / f"{name}.schema.json").read_text())["fields"]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        judged(options, "split", name, "--seed", seed, "--out", place)
        train = pl.read_parquet(folder / "train.parquet")
        fields = [f for f in fields if f["name"] in train.columns]
        as_text(train, fields).write_csv(folder / "records.csv")
        domain = {f["name"]: domain_of(f) for f in fields}
        (folder / "domain.json").write_text(json.dumps(domain))
        command = [options.python, Path(__file__).with_name("peers_made.py"), case["peer"]]
        command += [folder / "records.csv", folder / "domain.json", "--out", folder / "table.csv"]
        command += ["--epsilon", case["epsilon"], "--seed", seed]
        begun = os.times()
        subprocess.run([*map(str, command)], check=True, stdout=subprocess.DEVNULL)
        ended = os.times()
        lines: list[dict[str, Any]] = []
        for judge in (options.judge, options.plain):
            used = argparse.Namespace(judge=judge, data=options.data)
            lines += judged(used, "score", str(folder / "table.csv"), name, "--seed", seed)
    own = ended.children_user + ended.children_system
    cpu = own - begun.children_user - begun.children_system
    return {"figures": lines, "cpu": round(cpu)}


def domain_of(field: dict[str, Any]) -> dict[str, Any]:
    """Bounds or levels."""
    if "categories" not in field:
        return {end: field["constraints"][name] for end, name in LIMITS.items()}
    told = (c["value"] if isinstance(c, dict) else c for c in field["categories"])
    return {"categories": [_text(value) for value in told]}


def as_text(table: pl.DataFrame, fields: list[dict[str, Any]]) -> pl.DataFrame:
    """Levels as the schema writes them, amounts within their bounds."""
    out = {}
    for field in fields:
        column = table[field["name"]]
        if "categories" in field:
            out[field["name"]] = pl.Series([None if v is None else _text(v) for v in column])
        else:
            bounds = domain_of(field)
            amount = column.cast(pl.Float64).fill_nan(None)
            out[field["name"]] = amount.clip(bounds["lower"], bounds["upper"])
    return pl.DataFrame(out)


def _text(value: Any) -> str:
    """The same for 1, 1.0 and ``1``."""
    return f"{value:g}" if isinstance(value, (int, float)) else str(value)


Cell = tuple[str, str, int, str]  # set, ε, seed, model


def cells(results: list[dict[str, Any]], file: str | None = None) -> dict[str, dict[Cell, float]]:
    """Ratios by maker and cell."""
    found: dict[str, dict[Cell, float]] = defaultdict(dict)
    for done in results:
        case = done["case"]
        for line in done["figures"]:
            if "ratio" not in line or (file is not None and line["file"] != file):
                continue
            if line["model"] in GROUPS["others"].split() and line.get("ceiling", 0) < LEAST:
                continue
            cell = case["set"], case["epsilon"], case["seed"], line["model"]
            found[case.get("peer", OURS)][cell] = line["ratio"]
    return found


def write(peers: list[dict[str, Any]], ours: list[dict[str, Any]], out: Path) -> None:
    """Means a set and group of models, side by side, and how often ours is ahead."""
    found = cells(peers)
    known = {cell[:3] for of_peer in found.values() for cell in of_peer}
    found[OURS] = {c: r for c, r in cells(ours, "cohort")[OURS].items() if c[:3] in known}
    took = {tuple(p["case"][k] for k in ("epsilon", "set", "peer")): p.get("cpu") for p in peers}
    head = ["ε", "set", "table", *SHOWN, "lowest", "CPU seconds"]
    rows = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for epsilon, name in sorted({(e, s) for s, e, _ in known}):
        for maker in (OURS, *sorted(set(found) - {OURS})):
            its = {c: r for c, r in found[maker].items() if c[:2] == (name, epsilon)}
            if not its:
                continue
            groups = [[r for c, r in its.items() if c[3] in GROUPS[g].split()] for g in SHOWN]
            means = [f"{mean(g):.2f}" if g else "" for g in groups]
            told = [*means, f"{min(its.values()):.2f}", f"{took.get((epsilon, name, maker)) or ''}"]
            rows.append(f"| {epsilon} | {name} | {maker} | {' | '.join(told)} |")
    out.write_text("\n".join([TITLE, *rows, "", ahead(found), ""]), encoding="utf-8")


def ahead(found: dict[str, dict[Cell, float]]) -> str:
    """In how many cells ours is at least the best of the peers."""
    best: dict[Cell, float] = {}
    for maker, its in found.items():
        for cell, ratio in its.items():
            if maker != OURS and cell in found[OURS]:
                best[cell] = max(ratio, best.get(cell, -np.inf))
    n_ahead = sum(found[OURS][cell] >= ratio for cell, ratio in best.items())
    told = f"Ours is ahead of the best peer in {n_ahead} of {len(best)} cells"
    return f"{told} (a set, a model, a seed)."


TITLE = """# Other private synthesizers

A release's cohort beside tables that others invent, as many records as real ones: dpmm 0.1.9 as it
comes, and with 20 bins of equal width (*even*). Same split, same ε, δ = 1e-5, one run each, by the
judges of [recipients.md](recipients.md), which explains the groups of models. `peers.py` has the
command. A release, rows included, took 8 (flchain), 27 (Framingham) and 26 (stroke) CPU seconds.
"""


def main() -> None:
    """Measure what is lacking, then write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    for flag in ("judge", "plain", "data", "python", "ours", "results", "out"):
        parser.add_argument(f"--{flag}", type=Path, required=True)
    parser.add_argument("--sets", type=lambda s: s.split(","), default=SETS)
    parser.add_argument("--peers", type=lambda s: s.split(","), default=PEERS)
    parser.add_argument("--epsilons", type=lambda s: s.split(","), default=["1"])
    parser.add_argument("--seeds", type=lambda s: s.split(","), default=["0"])
    options = parser.parse_args()
    cases = [
        {"peer": peer, "set": name, "epsilon": epsilon, "seed": int(seed)}
        for epsilon, seed, name, peer in itertools.product(
            options.epsilons, options.seeds, options.sets, options.peers
        )
    ]
    ours = [json.loads(line) for line in options.ours.read_text().splitlines()]
    write(resumed(options.results, cases, lambda case: measure(case, options)), ours, options.out)


if __name__ == "__main__":
    main()
