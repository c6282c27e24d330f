"""Pairs of data sets that differ by one unit, in which no other unit may add another vector.

    python benchmarks/differential.py --pairs 10000 --seed 0 --out benchmarks/differential.md

Each pair is written in a format drawn at random, with odd cells, dates and types in the added
unit, read, sealed at a block size drawn at random, and asked the questions of a real run, the one
with one BLAS thread, the other with two (tests/differential.py).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from differential import TABLES, Outcome, differ
from differential_stays import STAYS

HEAD = """# One unit more, and every other unit's lattice vector

`python benchmarks/differential.py --pairs {pairs} --seed {seed} --out benchmarks/differential.md`:
pairs of data sets of 40 units (12 where each is a file) that differ by one, with odd cells, names,
dates and types in the added one. Every other unit's vector must be the same, bit for bit, in all
questions of a real run, at block sizes of 7, up to two below and above the number of units, and
4,096, with one BLAS thread and with two. A larger set may be refused, by all readers or by none.

| data | format | pairs | refused | values compared | differing |
|---|---|---|---|---|---|
"""


def main() -> None:
    """Try, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    found: dict[tuple[str, str], list[Outcome]] = defaultdict(list)
    start = time.perf_counter()
    with ProcessPoolExecutor(options.workers, mp_context=get_context("spawn")) as pool:
        numbers = [(options.seed, number) for number in range(options.pairs)]
        for outcome in pool.map(pair, numbers, chunksize=100):
            found[outcome.family, outcome.reader].append(outcome)
    lines = [_line(*key, some) for key, some in sorted(found.items())]
    everything = [o for some in found.values() for o in some]
    text = HEAD.format(pairs=options.pairs, seed=options.seed) + "\n".join(
        [*lines, _line("**all**", "", everything)]
    )
    print(f"{text}\n\n{time.perf_counter() - start:.0f} s")
    if options.out is not None:
        options.out.write_text(text + "\n", encoding="utf-8")


def pair(number: tuple[int, int]) -> Outcome:
    """One pair, by its seed and number."""
    families = [*TABLES, *STAYS]
    rng, family = np.random.default_rng(number), families[number[1] % len(families)]
    with tempfile.TemporaryDirectory() as folder:
        outcome = differ(family, rng, Path(folder))
    if outcome.differing:
        print(f"pair {number}: {outcome}", flush=True)
    return outcome


def _line(family: str, reader: str, some: list[Outcome]) -> str:
    refused = sum(o.is_refused for o in some)
    values, differing = (sum(getattr(o, k) for o in some) for k in ("values", "differing"))
    return f"| {family} | {reader} | {len(some)} | {refused} | {values:,} | {differing} |"


if __name__ == "__main__":
    main()
