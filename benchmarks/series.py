"""Condense stays with the command and let an independent judge train networks on them.

    python benchmarks/series.py --judge judge_series.py --data DATA --set physionet2012_a
        --seeds 0 1 2 --rows 80 20 --epsilons inf 4 1 --out benchmarks/series.jsonl

The judge is a script with verbs ``split`` and ``score``: it holds out 30% of the stays, trains
eleven networks on the release as its recipient would, and prints a JSON line for each: on the
condensed stays, and on the cohort, as many stays as were counted. A cell that is in --out already
is not run again.

With --repeat 14 the stays are repeated so often, with noise upon their values, and only time and
memory are measured.
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

import numpy as np
import polars as pl


def main() -> None:
    """Run every cell that is not there yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--judge", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--set", default="physionet2012_a")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--rows", type=int, nargs="+", default=[80, 20])
    parser.add_argument("--epsilons", nargs="+", default=["inf", "4", "1"])
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--effort", help="as the command's; its default if not given")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/series.jsonl"))
    given = parser.parse_args()
    lines = given.out.read_text().splitlines() if given.out.exists() else []
    known = [json.loads(line) for line in lines]
    known = [line for line in known if line.get("repeat", 1) == given.repeat]
    for seed in given.seeds:
        with tempfile.TemporaryDirectory() as folder:
            for epsilon in given.epsilons:
                for rows in given.rows:
                    cell = {"set": given.set, "seed": seed, "epsilon": epsilon, "rows": rows}
                    if given.effort is not None:
                        cell["effort"] = given.effort
                    if given.repeat > 1:
                        cell["repeat"] = given.repeat
                    if not any(cell.items() <= line.items() for line in known):
                        got = measure(given, Path(folder), cell)
                        with given.out.open("a") as file:
                            file.write(json.dumps(got) + "\n")


def measure(given: argparse.Namespace, folder: Path, cell: dict) -> dict:
    """Condense and score one cell."""
    judge = [sys.executable, str(given.judge)]
    name, seed = cell["set"], str(cell["seed"])
    if not (folder / "train.parquet").exists():
        subprocess.run([*judge, "split", name, "--seed", seed, "--out", str(folder)], check=True)
        if given.repeat > 1:
            repeat(folder, tomllib.loads((given.data / f"{name}.toml").read_text()), given.repeat)
    meta = tomllib.loads((given.data / f"{name}.toml").read_text())
    release = folder / f"release-{cell['epsilon']}-{cell['rows']}"
    command = [sys.executable, "-m", "tincture", "condense-series", str(folder / "train.parquet")]
    flags = {
        "outcomes": folder / "train_outcomes.parquet",
        "schema": given.data / f"{name}.schema.json",
        "id": meta["id"],
        "target": meta["target"],
        "rows": cell["rows"],
        "epsilon": cell["epsilon"],
        "delta": 1e-5,
        "seed": cell["seed"],
        "out": release,
    }
    if given.effort is not None:
        flags["effort"] = given.effort
    command += [str(part) for flag, value in flags.items() for part in (f"--{flag}", value)]
    start, peak = time.perf_counter(), 0.0
    with subprocess.Popen([*command, "--quiet"]) as process:
        while True:
            peak = max(peak, memory(process.pid))
            ended, status, used = os.wait4(process.pid, os.WNOHANG)  # of this process alone
            if ended:
                break
            time.sleep(0.2)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"Condensing ended with {process.returncode}.")
    spent = {
        "seconds": round(time.perf_counter() - start, 1),
        "cpu_seconds": round(used.ru_utime, 1),
        "peak_mb": round(max(peak, used.ru_maxrss / 1024)),
    }
    if given.repeat > 1:
        return cell | spent

    def score(*files: str) -> dict:
        tables = [str(release / file) for file in files]
        return scored([*judge, "score", *tables, name, "--seed", seed, "--runs", str(given.runs)])

    condensed = score("condensed.parquet", "outcomes.parquet")
    cohort = score("cohort.parquet", "cohort_outcomes.parquet")
    return cell | condensed | {"cohort": cohort} | spent


def scored(command: list[str]) -> dict:
    """What the judge says of one table."""
    said = subprocess.run(command, check=True, capture_output=True, text=True)
    models = {row["model"]: row for row in map(json.loads, said.stdout.splitlines())}
    networks = models.pop("networks")
    return {
        "networks": networks["auroc"],
        "ceiling": networks["ceiling"],
        "logistic": models.pop("logistic")["auroc"],
        "lowest": networks["lowest"],
        "each": {model: row["auroc"] for model, row in models.items()},
    }


def memory(process: int) -> float:
    """MiB that a process and those it started hold together."""
    total, waiting = 0.0, [process]
    while waiting:
        place = Path("/proc") / str(waiting.pop())
        try:
            status = (place / "status").read_text()
            held = [line for line in status.splitlines() if line.startswith("VmRSS")]
            total += sum(int(line.split()[1]) for line in held) / 1024
            waiting += map(int, (place / "task" / place.name / "children").read_text().split())
        except OSError:
            continue  # it has ended
    return total


def repeat(folder: Path, meta: dict, times: int) -> None:
    """Repeat the stays, with noise of a hundredth upon values, as others."""
    events = pl.read_parquet(folder / "train.parquet")
    outcomes = pl.read_parquet(folder / "train_outcomes.parquet")
    rng, name, value = np.random.default_rng(0), meta["id"], meta["value"]
    tables = []
    for copy in range(times):
        noise = 1 + 0.01 * rng.standard_normal(events.height)
        tables.append(
            events.with_columns(
                pl.format("{}-{}", pl.col(name), pl.lit(copy)).alias(name), pl.col(value) * noise
            )
        )
    pl.concat(tables).write_parquet(folder / "train.parquet")
    names = [pl.format("{}-{}", pl.col(name), pl.lit(c)).alias(name) for c in range(times)]
    pl.concat([outcomes.with_columns(n) for n in names]).write_parquet(
        folder / "train_outcomes.parquet"
    )


if __name__ == "__main__":
    main()
