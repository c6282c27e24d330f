"""Many releases from several processes at once, against one budget file.

    python benchmarks/soak.py --processes 8 --releases 25 --out benchmarks/soak.md

Each process condenses an invented table again and again at ε = 0.1, a few killed on the way. The
budget holds half of what all ask for. All the while the file is read: it must be whole, hold
every entry it has held before, and never promise more than there is.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

FIELDS = [
    {"name": "age", "type": "integer", "constraints": {"minimum": 18, "maximum": 100}},
    {"name": "ward", "type": "string", "categories": ["icu", "med", "surg"]},
    {"name": "died", "type": "integer", "categories": [0, 1], "constraints": {"required": True}},
]
EPSILON, DELTA = 0.1, 1e-6


def inputs(folder: Path) -> None:
    """A table and its schema."""
    rng = np.random.default_rng(0)
    age = rng.integers(18, 101, 300)
    died = (age + rng.normal(0, 20, 300) > 70).astype(int)
    ward = rng.choice(["icu", "med", "surg"], 300)
    pl.DataFrame({"age": age, "ward": ward, "died": died}).write_csv(folder / "records.csv")
    (folder / "schema.json").write_text(json.dumps({"fields": FIELDS}))


def worker(folder: Path, number: int, releases: int) -> dict[int, int]:
    """Make releases one after the other; how often each exit code came."""
    codes: dict[int, int] = {}
    rng = np.random.default_rng(number)
    for i in range(releases):
        command = [
            *(sys.executable, "-m", "tincture", "condense", str(folder / "records.csv")),
            *("--schema", str(folder / "schema.json"), "--target", "died", "--model", "logistic"),
            *("--rows", "8", "--effort", "0.002", "--epsilon", str(EPSILON), "--delta", str(DELTA)),
            *("--budget", str(folder / "budget.json"), "--out", str(folder / f"r{number}-{i}")),
            "--quiet",
        ]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        if rng.uniform() < 0.1:
            time.sleep(float(rng.uniform(0, 8)))
            process.kill()
        code = process.wait()
        codes[code] = codes.get(code, 0) + 1
    return codes


def watched(path: Path, jobs: object) -> tuple[int, int]:
    """Read the file until all is done: looks taken, and those at which something was wrong."""
    looks = wrong = 0
    before: set[str] = set()
    while not jobs.ready():
        content = json.loads(path.read_text())
        runs = [r["run"] for r in content.get("releases", [])]
        spent = sum(r["epsilon"] for r in content.get("releases", []))
        is_right = spent <= content["epsilon"] * (1 + 1e-9) and before <= set(runs)
        wrong += not (is_right and len(runs) == len(set(runs)))
        looks, before = looks + 1, set(runs)
        jobs.wait(0.01)
    return looks, wrong


def main() -> None:
    """Run, check, write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--releases", type=int, default=25)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    asked = options.processes * options.releases
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home)
        inputs(folder)
        budget = folder / "budget.json"
        cap = {"epsilon": EPSILON * (asked // 2), "delta": DELTA * asked, "releases": []}
        budget.write_text(json.dumps(cap))
        began = time.perf_counter()
        with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
            jobs = pool.starmap_async(
                worker, [(folder, i, options.releases) for i in range(options.processes)]
            )
            looks, wrong = watched(budget, jobs)
            codes: dict[int, int] = {}
            for told in jobs.get():
                for code, count in told.items():
                    codes[code] = codes.get(code, 0) + count
        seconds = time.perf_counter() - began
        reserved = len(json.loads(budget.read_text())["releases"])
        made = len(list(folder.glob("r*/ledger.json")))
    lines = [
        "# Budgets under many processes",
        "",
        f"`python benchmarks/soak.py --processes {options.processes} --releases "
        f"{options.releases}`: {asked} requests of ε = {EPSILON}, a budget for {asked // 2}; about "
        "a tenth of the processes killed.",
        "",
        "| made | reserved | budget holds | looks at the file | of them wrong | exit codes | s |",
        "|---|---|---|---|---|---|---|",
        f"| {made} | {reserved} | {asked // 2} | {looks} | {wrong} | "
        f"{dict(sorted(codes.items()))} | {seconds:.0f} |",
    ]
    print("\n".join(lines))
    if options.out:
        options.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    sys.exit(bool(wrong or made > reserved or reserved > asked // 2))


if __name__ == "__main__":
    main()
