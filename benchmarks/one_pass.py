"""Many records in parts: how fast they pass, the run around the pass, and the memory of both.

    python benchmarks/one_pass.py make FOLDER --rows 10000000 --parts 40
    python benchmarks/one_pass.py pass FOLDER
    python benchmarks/one_pass.py pass FOLDER --workers 2
    python benchmarks/one_pass.py run FOLDER
    python benchmarks/one_pass.py usual FOLDER

``usual`` condenses 50,000 of the records as one table. Each prints a line of JSON.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tincture.io.parts import Partitioned
from tincture.privacy.ledger import Ledger
from tincture.privacy.vault import Vault
from tincture.public.schema import Schema
from tincture.tables.condenser import Condenser

AMOUNTS = {f"lab{i}": (0.1, 100.0 * (i + 1)) for i in range(11)}
WHO = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
LEVELS = {f"group{i}": [f"{'abcdef'[k]}{i}" for k in range(2 + i % 4)] for i in range(6)}


def schema() -> Schema:
    """Age and eleven amounts, half of them on a logarithmic scale; seven columns of levels."""
    fields: list[dict[str, Any]] = [
        {"name": "age", "type": "integer", "constraints": {"minimum": 18, "maximum": 100}}
    ]
    for i, (name, (low, high)) in enumerate(AMOUNTS.items()):
        bounds = {"minimum": low, "maximum": high}
        scale = {"tincture:scale": "log"} if i % 2 else {}
        fields.append({"name": name, "type": "number", "constraints": bounds, **scale})
    fields += [{"name": n, "type": "string", "categories": v} for n, v in LEVELS.items()]
    fields.append({"name": "diabetes", "type": "boolean"})
    died = {"name": "died", "type": "integer", "categories": [0, 1]}
    fields.append({**died, "constraints": {"required": True}})
    return Schema.from_dict({"name": "many", "fields": fields})


def part(n: int, rng: np.random.Generator) -> pl.DataFrame:
    """Records, a twentieth of whose cells are missing."""
    age = rng.integers(18, 101, n)
    columns: dict[str, Any] = {"age": age}
    risk = (age - 60) / 15
    for i, (name, (low, high)) in enumerate(AMOUNTS.items()):
        drawn = np.round(np.clip(rng.lognormal(np.log(high) / 2, 0.8, n), low, high), 2)
        risk = risk + (np.log(drawn) - np.log(high) / 2) * (0.6 - 0.1 * i)
        columns[name] = drawn
    for i, (name, levels) in enumerate(LEVELS.items()):
        codes = rng.integers(len(levels), size=n)
        risk = risk + 0.3 * (codes == 0) * (i % 2)
        columns[name] = pl.Series(levels).gather(codes)
    columns["diabetes"] = rng.uniform(size=n) < 0.3
    for name in columns:
        gone = pl.Series(rng.uniform(size=n) < 0.05)
        columns[name] = pl.select(pl.when(~gone).then(pl.Series(columns[name]))).to_series()
    table = pl.DataFrame(columns)
    return table.with_columns(died=pl.Series((risk + rng.logistic(size=n) > 1.5).astype(int)))


def make(folder: Path, rows: int, parts: int) -> None:
    """Write the parts."""
    folder.mkdir(parents=True)
    for i, n in enumerate(np.diff(np.linspace(0, rows, parts + 1).astype(int))):
        part(int(n), np.random.default_rng(i)).write_parquet(folder / f"part-{i:04}.parquet")


def condenser(n_records: int | None) -> Condenser:
    """The whole portfolio, with a private release."""
    return Condenser(schema=schema(), target="died", epsilon=1.0, delta=1e-5, n_records=n_records)


def measured(what: str, folder: Path, workers: int | None) -> dict[str, Any]:
    """Seconds, records a second and the peak memory of this process, or of the largest worker."""
    lazy = pl.scan_parquet(folder / "*.parquet")
    n: int = lazy.select(pl.len()).collect().item()
    source: Any = Partitioned(folder, workers=workers)
    if what == "usual":
        n = 50_000
        source = lazy.head(n).collect()
    made = condenser(None if what == "usual" else n)
    job = made.job()
    ledger = Ledger(job.plan())  # which takes seconds the first time, and then none
    start, before = time.perf_counter(), worked()
    if what == "pass":
        Vault(job.seal, source, ledger)
    else:
        made.fit(source)
    took, cpu = time.perf_counter() - start, worked() - before
    ours, theirs = (resource.getrusage(who).ru_maxrss / 1024 for who in WHO)
    told = {"what": what, "rows": n, "seconds": round(took, 1), "cpu": round(cpu, 1)}
    peaks = {"peak_mb": round(ours), "worker_mb": round(theirs), "workers": workers}
    return {**told, **peaks, "rows_a_second": round(n / took)}


def worked() -> float:
    """CPU-seconds of this process, and of workers that have ended."""
    used = [resource.getrusage(who) for who in WHO]
    return sum(u.ru_utime + u.ru_stime for u in used)


def main() -> None:
    """As the first argument says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["make", "pass", "run", "usual"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--parts", type=int, default=40)
    parser.add_argument("--workers", type=int)
    given = parser.parse_args()
    if given.what == "make":
        make(given.folder, given.rows, given.parts)
    else:
        print(json.dumps(measured(given.what, given.folder, given.workers)))


if __name__ == "__main__":
    main()
