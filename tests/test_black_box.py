"""Whoever sees only what the command line does and leaves behind is told nothing of one record.

How runs end and what they release, but for rows and noise, is the same with an odd record and
without; `benchmarks/black_box.py` looks at rows too, and at kills.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from commands import condensing, prepare, run
from helpers import make_table

TABLE = make_table(200).with_columns(pl.col("age", "lactate").cast(pl.String))
ODD: list[dict[str, str | None]] = [
    {"age": "1e2", "lactate": "20.0"},
    {"age": " 44", "lactate": ""},
    {"age": "-9.0", "lactate": "nan", "ward": None},
    {"age": "TRUE", "lactate": "1e300"},
]


def outside(folder: Path, table: pl.DataFrame, **flags: Any) -> tuple[Any, ...]:
    """Exit codes of a run and of attempts to resume it, words, files, and what does not differ."""
    folder.mkdir()
    prepare(folder, table)
    settings = {"epsilon": 1, "budget": folder / "budget.json", "quiet": True} | flags
    (folder / "budget.json").write_text(json.dumps({"epsilon": 1, "delta": 1e-5}))
    said = [run(*condensing(folder, **settings))]
    for _ in range(2):
        if said[-1].code != 0:
            said.append(run(*condensing(folder, **settings, resume=True)))
    told = [(s.code, s.out, s.err.replace(str(folder), "")) for s in said]
    budget = json.loads((folder / "budget.json").read_text())
    spent = [(r["epsilon"], r["delta"]) for r in budget["releases"]]
    out = folder / "out"
    if not out.exists():
        return told, spent
    ledger = json.loads((out / "ledger.json").read_text())
    for entry in ledger["entries"]:
        for key in ("clip", "size"):  # which may follow from noisy answers
            entry.pop(key)
    package = json.loads((out / "datapackage.json").read_text())
    for people in ("cohort", "kinds"):  # as many as were counted through noise
        package["tincture"].pop(people, None)
    for shares in (package["tincture"], package["tincture"]["settings"]):
        shares.pop("prevalence")  # a noisy answer, and what follows from it
        shares.pop("prevalence_error", None)
    card = re.sub(
        r"## How often the outcome.*?(?=## )", "", (out / "README.md").read_text(), flags=re.DOTALL
    )
    card = re.sub(r"[\d.]+(?= \|)", "", card)  # clips
    return told, spent, sorted(p.name for p in out.iterdir()), ledger, package, card


@pytest.mark.parametrize("method", ["proxy", "direct"])
def test_runs_with_and_without_an_odd_record_look_alike(method: str, tmp_path: Path) -> None:
    base = outside(tmp_path / "without", TABLE, method=method)
    assert base[0][0][0] == 0
    for number, cells in enumerate(ODD):
        odd = TABLE[:1].with_columns(pl.lit(v, pl.String).alias(k) for k, v in cells.items())
        more = pl.concat([odd, TABLE])
        assert outside(tmp_path / f"{number}", more, method=method) == base
