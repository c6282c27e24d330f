"""What whoever sees only the outside of runs can tell of one record: kills and resumes included.

    python benchmarks/black_box.py --runs 200 --seed 0 --out benchmarks/black_box.md

A table and the same table with one odd record more are condensed again and again by the command
line, half of the runs being killed at a random moment and resumed until they end. How a run went
and what it released is its outcome. On half of the outcomes the best event is chosen, on the other
half ε is bounded from below (Clopper and Pearson 1934, 95%); a right build exceeds the ε that it
was asked for in at most one such table of twenty.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from scipy import stats

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from commands import prepare
from helpers import make_table
from test_kill import Forks

TESTS = Path(__file__).parents[1] / "tests"
EPSILON, DELTA = 1.0, 1e-5
LONGEST = 1.5  # seconds until a kill
ALONE = {"NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
HEAD = """# One record, seen from outside

`python benchmarks/black_box.py --runs {runs} --seed {seed} --out benchmarks/black_box.md`:
{runs} runs of a table of 800 records and as many of the same table with one odd record more, ε = 1,
δ = 1e-5; half of all runs are killed at a random moment and resumed.

| | without | with the record |
|---|---|---|
"""


@dataclass(frozen=True)
class Outcome:
    """How one run went, and what it released.

    Attributes
    ----------
    codes : tuple of int
        Exit codes of the command and of its resumptions.
    skeleton : str
        Files of the release without rows and noisy numbers; empty where nothing was released.
    figures : tuple of float
        Of the rows: share that died, mean age, share of the ward of the odd record.
    """

    codes: tuple[int, ...]
    skeleton: str = ""
    figures: tuple[float, ...] = (math.nan,) * 3


def outcome(forks: Forks, folder: Path, delay: float | None) -> Outcome:
    """Condense until it ends, as a custodian would."""
    (folder / "budget.json").write_text(json.dumps({"epsilon": EPSILON, "delta": DELTA}))
    codes = [int(forks.run(folder, delay=delay)["code"])]
    while codes[-1] == -9 and len(codes) < 5:
        codes.append(int(forks.run(folder, resume=(folder / "out.unfinished").exists())["code"]))
    out = folder / "out"
    if not out.exists():
        return Outcome(tuple(codes))
    rows = pl.read_csv(out / "condensed.csv")
    ledger = json.loads((out / "ledger.json").read_text())
    for entry in ledger["entries"]:
        for key in ("clip", "size"):  # of an answer that depends on noisy ones
            entry.pop(key)
    package = json.loads((out / "datapackage.json").read_text())
    figures = (
        float(rows["died"].mean() or 0),  # type: ignore[arg-type]
        float(rows["age"].mean() or 0),  # type: ignore[arg-type]
        float((rows["ward"] == "surg").mean() or 0),
    )
    names = sorted(p.name for p in out.iterdir())
    return Outcome(tuple(codes), json.dumps([names, ledger, package], sort_keys=True), figures)


def bound(first: list[Outcome], second: list[Outcome]) -> tuple[float, str]:
    """A lower bound of ε, and the event that gave it."""
    events: dict[str, Callable[[Outcome], bool]] = {
        "ended well": lambda o: o.codes[-1] == 0,
        "ended otherwise": lambda o: o.codes[-1] != 0,
    }
    for j, name in enumerate(("died", "age", "ward")):
        seen = [o.figures[j] for o in [*first, *second] if o.figures[j] == o.figures[j]]
        for q in (0.1, 0.3, 0.5, 0.7, 0.9):
            cut = float(np.quantile(seen, q))
            events[f"{name} > {cut:.3g}"] = lambda o, j=j, c=cut: o.figures[j] > c
            events[f"{name} <= {cut:.3g}"] = lambda o, j=j, c=cut: o.figures[j] <= c
    best, told = 0.0, "none"
    for a, b in ((first, second), (second, first)):
        half = len(a) // 2
        chosen = max(events, key=lambda e: _apart(events[e], a[:half], b[:half]))
        found = _lower(events[chosen], a[half:], b[half:])
        if found > best:
            best, told = found, chosen
    return best, told


def _apart(event: Callable[[Outcome], bool], a: list[Outcome], b: list[Outcome]) -> float:
    return math.log((sum(map(event, a)) + 1) / (sum(map(event, b)) + 1))


def _lower(event: Callable[[Outcome], bool], a: list[Outcome], b: list[Outcome]) -> float:
    """log((p − δ)/q) at the ends of intervals that both hold with 95%, for two events."""
    level = 0.05 / 4
    k, n, m = sum(map(event, a)), len(a), sum(map(event, b))
    low = float(stats.beta.ppf(level, k, n - k + 1)) if k else 0.0
    high = float(stats.beta.ppf(1 - level, m + 1, len(b) - m)) if m < len(b) else 1.0
    return math.log(max(low - DELTA, 1e-9) / high)


def world(runs: int, table: pl.DataFrame, rng: np.random.Generator) -> list[Outcome]:
    """Outcomes of one table."""
    with tempfile.TemporaryDirectory() as home:
        records = Path(home) / "records"
        records.mkdir()
        prepare(records, table)
        with subprocess.Popen(
            [sys.executable, TESTS / "forks.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | ALONE,
            text=True,
        ) as process:
            forks = Forks(process, records)
            assert process.stdin
            found = []
            for number in range(runs):
                folder = Path(home) / f"{number}"
                folder.mkdir()
                delay = float(rng.uniform(0, LONGEST)) if number % 2 else None
                found.append(outcome(forks, folder, delay))
            process.stdin.close()
    return found


def main() -> None:
    """Run both worlds and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    table = make_table(800).with_columns(pl.col("age").cast(pl.String))
    odd = table[:1].with_columns(
        age=pl.lit("1e2"), ward=pl.lit("surg"), died=pl.lit(1, pl.Int64), lactate=pl.lit(20.0)
    )
    worlds = [world(options.runs, t, rng) for t in (table, pl.concat([table, odd]))]
    found, event = bound(*worlds)
    ends = [sum(o.codes[-1] == 0 for o in w) for w in worlds]
    killed = [sum(o.codes[0] == -9 for o in w) for w in worlds]
    lost = [sum(o.codes[-1] == 8 for o in w) for w in worlds]
    kinds = [{o.skeleton for o in w if len(o.codes) == 1 and o.skeleton} for w in worlds]
    text = HEAD.format(runs=options.runs, seed=options.seed) + "\n".join(
        [
            f"| killed once at least | {killed[0]} | {killed[1]} |",
            f"| released in the end | {ends[0]} | {ends[1]} |",
            f"| first answer lost, so refused | {lost[0]} | {lost[1]} |",
            f"| kinds of release but for rows and noise | {len(kinds[0])} | {len(kinds[1])} |",
            "",
            f"Both have the same kinds: {'yes' if kinds[0] == kinds[1] else 'NO'}. Largest lower "
            f"bound of ε: {found:.2f} (event: {event}), asked for {EPSILON:g}.",
        ]
    )
    print(text)
    if options.out is not None:
        options.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
