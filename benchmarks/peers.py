"""Tables of other private synthesizers beside a release's cohort, by the two judges.

    python benchmarks/peers.py --judge judge.py --plain recipients.py --data DIR \
        --python PEERS/bin/python --ours benchmarks/recipients.jsonl \
        --results benchmarks/peers.jsonl --out benchmarks/peers.md

Same split, same ε, δ = 1e-5, as many invented records as real ones. Peers take bounds and levels as
public knowledge, as Tincture does: amounts in 20 bins of equal width, decoded uniformly within; so
all of their ε goes to their model. Where a column has blanks, which peers are told without noise,
they are one more level. PEERS is an environment with
what is compared (``pip install dpmm==0.1.9``). Ours are the cohorts in the results of
``recipients.py``. What the results file holds is not run again.
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import polars as pl
from resumed import resumed
from utility import judged

from recipients import GROUPS, LEAST

PEERS = ["dpmm.PrivBayes", "dpmm.MST"]
SETS = ["stroke", "framingham_chd", "support2_hospdead", "flchain"]
BINS = 20
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
        codes = coded(train, fields)
        codes.write_csv(folder / "codes.csv")
        sizes = {f["name"]: max(n_codes(f), codes[f["name"]].max() + 1) for f in fields}
        (folder / "sizes.json").write_text(json.dumps(sizes))
        command = [options.python, Path(__file__).with_name("peers_made.py"), case["peer"]]
        command += [folder / "codes.csv", folder / "sizes.json", "--out", folder / "invented.csv"]
        command += ["--epsilon", case["epsilon"], "--seed", seed]
        start = time.perf_counter()
        subprocess.run([*map(str, command)], check=True, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - start
        invented = pl.read_csv(folder / "invented.csv")
        decoded(invented, fields, int(seed)).write_csv(folder / "table.csv")
        lines = []
        for judge in (options.judge, options.plain):
            used = argparse.Namespace(judge=judge, data=options.data)
            lines += judged(used, "score", str(folder / "table.csv"), name, "--seed", seed)
    return {"seconds": round(seconds, 1), "figures": lines}


def levels(field: dict[str, Any]) -> list[str]:
    """Of a column of levels, as text."""
    told = (c["value"] if isinstance(c, dict) else c for c in field["categories"])
    return [_text(value) for value in told]


def _text(value: Any) -> str:
    """The same for 1, 1.0 and ``1``."""
    return f"{value:g}" if isinstance(value, (int, float)) else str(value)


def n_codes(field: dict[str, Any]) -> int:
    """Levels or bins; the next code is a blank."""
    return len(levels(field)) if "categories" in field else BINS


def coded(table: pl.DataFrame, fields: list[dict[str, Any]]) -> pl.DataFrame:
    """Whole numbers for all cells."""
    out = {}
    for field in fields:
        column, blank = table[field["name"]], n_codes(field)
        if "categories" in field:
            place = {level: i for i, level in enumerate(levels(field))}
            out[field["name"]] = [blank if v is None else place[_text(v)] for v in column]
        else:
            low, high = (field["constraints"][k] for k in ("minimum", "maximum"))
            part = (column.cast(pl.Float64).fill_nan(None) - low) / (high - low)
            bins = (part.clip(0, 1) * BINS).floor().clip(0, BINS - 1)
            out[field["name"]] = bins.fill_null(blank).cast(pl.Int64).to_list()
    return pl.DataFrame(out)


def decoded(codes: pl.DataFrame, fields: list[dict[str, Any]], seed: int) -> pl.DataFrame:
    """Levels, and amounts anywhere in their bin."""
    rng, out = np.random.default_rng(seed), {}
    for field in fields:
        code, blank = codes[field["name"]].to_numpy(), n_codes(field)
        if "categories" in field:
            named = [*levels(field), None]
            out[field["name"]] = [named[i] for i in code]
            continue
        low, high = (field["constraints"][k] for k in ("minimum", "maximum"))
        amount = low + (code + rng.uniform(size=len(code))) * (high - low) / BINS
        amount = np.round(amount) if field["type"] == "integer" else amount
        out[field["name"]] = [None if i == blank else v for i, v in zip(code, amount, strict=True)]
    return pl.DataFrame(out, strict=False)


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
    found |= {
        m: {c: r for c, r in of.items() if c[:3] in known}
        for m, of in cells(ours, "cohort").items()
    }
    seconds: dict[tuple[str, str], list[float]] = defaultdict(list)
    for done in peers:
        seconds[done["case"]["set"], done["case"]["peer"]].append(done["seconds"])
    rows = [
        f"| ε | set | table | {' | '.join(SHOWN)} | lowest | seconds |",
        "|---" * (len(SHOWN) + 5) + "|",
    ]
    for epsilon, name in sorted({(e, s) for s, e, _ in known}):
        for maker in (OURS, *sorted(set(found) - {OURS})):
            its = {c: r for c, r in found[maker].items() if c[:2] == (name, epsilon)}
            if not its:
                continue
            groups = [[r for c, r in its.items() if c[3] in GROUPS[g].split()] for g in SHOWN]
            means = [f"{mean(g):.2f}" if g else "" for g in groups]
            took = seconds.get((name, maker))
            told = [*means, f"{min(its.values()):.2f}", f"{mean(took):.0f}" if took else ""]
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


TITLE = __doc__.replace("``", "`") if __doc__ else ""


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
