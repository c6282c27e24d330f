"""Every block of the README below a line ``<!-- run -->`` runs, in order, in one folder."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from blocks import SHELL, blocks, run_blocks
from helpers import DESCRIPTOR, make_table

README = Path(__file__).parents[1] / "README.md"


def provide(folder: Path) -> None:
    """The files that the README takes for granted: records of which ``died`` is the outcome."""
    columns = ["age", "lactate", "sodium", "sex", "diabetes", "died"]
    fields = {f["name"]: f for f in DESCRIPTOR["fields"]}
    fields["sex"] = {"name": "sex", "type": "string", "categories": ["female", "male"]}
    schema = {"name": "records", "fields": [fields[c] for c in columns]}
    (folder / "records.schema.json").write_text(json.dumps(schema))
    for name, seed in (("records", 0), ("heldout", 1)):
        table = make_table(400, seed=seed).with_row_index("sex")
        sex = pl.when(pl.col("sex") % 2 == 0).then(pl.lit("female")).otherwise(pl.lit("male"))
        table.with_columns(sex=sex).select(columns).write_csv(folder / f"{name}.csv")


def test_there_is_something_to_run_for_both_the_shell_and_python() -> None:
    languages = {b.language for b in blocks(README)}
    assert languages == {"python", *(languages & set(SHELL))}
    assert languages & set(SHELL)


@pytest.mark.slow
def test_every_marked_block_runs(tmp_path: Path) -> None:
    provide(tmp_path)
    run_blocks(README, tmp_path)
