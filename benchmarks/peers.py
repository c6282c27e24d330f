"""Tables of other private synthesizers beside a release's cohort, by the two judges.

    python benchmarks/peers.py --judge judge.py --plain recipients.py --data DIR \
        --python PEERS/bin/python --ours benchmarks/recipients.jsonl \
        --results benchmarks/peers.jsonl --out benchmarks/peers.md

Same split, same ε, δ = 1e-5, as many invented records as real ones. Peers run as they come, or with
bins of equal width (``peers_made.py``), with the bounds and levels that Tincture has as public
knowledge; which columns have blanks they see without noise. PEERS is an environment with one of
``dpmm==0.1.9``, ``smartnoise-synth==1.0.8`` and ``privsyn-core==0.1.1``; its peers are asked for by
``--peers``. Ours are the cohorts in the results of ``recipients.py``. What the results file holds
is not run again.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import tomllib
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
PEERS += [f"smartnoise.{name}{bins}" for bins in ("", "-even") for name in ("MST", "AIM")]
PEERS += ["privsyn.PrivSyn-even"]
PATIENCE = 600  # CPU seconds after which a peer is stopped
SETS = ["stroke", "framingham_chd", "flchain", "acath"]
LIMITS = {"lower": "minimum", "upper": "maximum"}
SHOWN = ["asked", "plain", "few", "others"]
OURS = "Tincture, cohort"


def measure(case: dict[str, Any], options: argparse.Namespace) -> dict[str, Any]:
    """Invent one table, score it by both judges, or say why that can't be."""
    print(json.dumps(case), file=sys.stderr)
    name, seed = case["set"], str(case["seed"])
    told = tomllib.loads((options.data / f"{name}.toml").read_text())
    with tempfile.TemporaryDirectory() as place:
        table = Path(place) / "table.csv"
        judged(options, "split", name, "--seed", seed, "--out", place)
        begun = os.times()
        is_done = invent(case, options, Path(place))
        ended = os.times()
        own = ended.children_user + ended.children_system
        cpu = round(own - begun.children_user - begun.children_system)
        found: dict[str, Any] = {"figures": [], "cpu": cpu}
        if not is_done:
            return {**found, "why": f"stopped after {PATIENCE} CPU seconds"}
        if pl.read_csv(table)[told.get("target") or told["event"]].n_unique() == 1:
            return {**found, "why": "all have one outcome"}
        for judge in (options.judge, options.plain):
            used = argparse.Namespace(judge=judge, data=options.data)
            found["figures"] += judged(used, "score", str(table), name, "--seed", seed)
    return found


def invent(case: dict[str, Any], options: argparse.Namespace, folder: Path) -> bool:
    """Whether the peer made ``table.csv`` of ``train.parquet`` before patience ran out."""
    fields = json.loads((options.data / f"{case['set']}.schema.json").read_text())["fields"]
    train = pl.read_parquet(folder / "train.parquet")
    fields = [f for f in fields if f["name"] in train.columns]
    as_text(train, fields).write_csv(folder / "records.csv")
    domain = {f["name"]: domain_of(f) for f in fields}
    (folder / "domain.json").write_text(json.dumps(domain))
    command = [options.python, Path(__file__).with_name("peers_made.py"), case["peer"]]
    command += [folder / "records.csv", folder / "domain.json", "--out", folder / "table.csv"]
    command += ["--epsilon", case["epsilon"], "--seed", case["seed"]]
    made = subprocess.run(
        [*map(str, command)],
        stdout=subprocess.DEVNULL,
        preexec_fn=impatient,
        env={**os.environ, "PYTHONHASHSEED": "0"},  # PrivSyn goes through sets of names
    )
    if made.returncode == -signal.SIGXCPU:
        return False
    made.check_returncode()
    return True


def impatient() -> None:
    """Have the system stop this process once it has used up its CPU seconds."""
    resource.setrlimit(resource.RLIMIT_CPU, (PATIENCE, PATIENCE + 1))


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
    runs = {tuple(p["case"][k] for k in ("epsilon", "set", "peer")): p for p in peers}
    head = ["ε", "set", "table", *SHOWN, "lowest", "CPU seconds"]
    rows = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for epsilon, name in sorted({(e, s) for s, e, _ in known}):
        for maker in (OURS, *sorted({maker for _, _, maker in runs})):
            its = {c: r for c, r in found[maker].items() if c[:2] == (name, epsilon)}
            run = runs.get((epsilon, name, maker), {})
            if its or run:
                told = [epsilon, name, maker, *figures(its, run)]
                rows.append(f"| {' | '.join(told)} |")
    out.write_text("\n".join([TITLE, *rows, "", ahead(found), ""]), encoding="utf-8")


def figures(its: dict[Cell, float], run: dict[str, Any]) -> list[str]:
    """Means by group of models, the lowest ratio and CPU seconds, or why there are none."""
    took = str(run.get("cpu") or "")
    if not its:
        return [run["why"], *[""] * len(SHOWN), took]
    groups = [[r for c, r in its.items() if c[3] in GROUPS[g].split()] for g in SHOWN]
    return [*(f"{mean(g):.2f}" if g else "" for g in groups), f"{min(its.values()):.2f}", took]


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

A release's cohort beside tables that others invent, as many records as real ones. Same split, same
ε, δ = 1e-5, one run each, by the judges of [recipients.md](recipients.md), which explains the
groups of models. `peers.py` has the command. A release, rows included, took 8 (flchain), 27
(Framingham) and 26 (stroke) CPU seconds. What takes over 600 is stopped.

- **dpmm 0.1.9** as it comes, and with 20 bins of equal width (*even*).
- **smartnoise-synth 1.0.8** (MST, AIM) with its 10 bins of equal width within public bounds, and
  with 20 (*even*). Levels it takes from the records, without noise. It asks for mbi below 2 and so
  gets 1.1.0, which draws records in which columns that are independent given a third go together
  ([shown](../findings/mbi-comonotone-columns.sh)), and MST loses rare levels
  ([shown](../findings/smartnoise-pooled-levels.sh)). Its noise has no seed: figures vary
  by run. Not measured: AIM on Framingham and stroke.
- **privsyn-core 0.1.1** takes codes only: 20 bins of equal width. What goes together in its tables
  is not what it measured, and a column may be constant
  ([shown](../findings/privsyn-lost-dependence.sh)); where that is the outcome, no model can be
  trained. Columns come in one order of rows: stroke and hypertension have a rank correlation of
  0.60 in the table, 0.11 in the records. On stroke that happens to rank patients well.
- **mbi 2.0.0** can't be run: its wheel fits and draws from a model of noisy counts that it is
  given, and has no mechanism, noise or accounting. MST and AIM lie in its repository's
  `mechanisms` alone.
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
