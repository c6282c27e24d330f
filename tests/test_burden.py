"""Many levels and columns are told of, and merging is proposed, before anything is spent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from commands import condensing, listing, prepare, run
from helpers import make_table
from tincture.public.columns import Column
from tincture.public.fields import field_read
from tincture.tables.burden import GROUPS, MANY, MOST, advice, groups, seconds

ICD = [f"{a}{i:02d}.{k}" for a in "ABCEIJKN" for i in range(15) for k in range(10)]


def levels(words: list[str], name: str = "icd") -> dict[str, Any]:
    return {"name": name, "type": "string", "categories": words}


def column(words: list[str]) -> Column:
    return field_read(levels(words), 0, "here")


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (ICD, (2, 16)),
        (ICD[:150], (3, 15)),
        ([f"{i:03d}" for i in range(300)], (2, 30)),
        ([f"drug {i}" for i in range(60)], (6, 10)),
        ([chr(0x4E00 + i) for i in range(200)], None),
    ],
)
def test_groups_are_as_many_as_a_beginning_leaves_and_few(
    words: list[str], found: tuple[int, int] | None
) -> None:
    assert groups(column(words)) == found


def test_usual_tables_hear_nothing_and_wide_ones_what_to_expect() -> None:
    amounts = [Column(f"x{i}", "number", 0, 1) for i in range(MANY)]
    assert advice(amounts[1:]) == ""
    told = advice(amounts, 40, 0.5)
    assert "200 coded columns" in told and "40 rows at effort 0.5" in told
    assert "merge" not in told and "--drop" in told
    assert "merge the 300 levels of 'icd'" in advice([*amounts, column(ICD[:300])])
    # A column whose levels are not declared yet counts once.
    assert advice([Column("y", "string")] * (MANY - 1)) == ""


def test_more_rows_effort_or_columns_take_longer() -> None:
    usual = seconds(300, 100, 1.0)
    assert usual < min(seconds(600, 100, 1.0), seconds(300, 200, 1.0), seconds(300, 100, 2.0))


def test_a_column_of_very_many_levels_is_refused_before_anything_is_spent(tmp_path: Path) -> None:
    assert len(ICD) > MOST > GROUPS
    table = make_table(80).with_columns(icd=pl.Series(ICD[:80]))
    fields = [{"name": "died", "type": "integer", "categories": [0, 1]}, levels(ICD)]
    prepare(tmp_path, table, {"fields": fields})
    before = listing(tmp_path)
    said = run(*condensing(tmp_path, drop=None))
    assert (said.code, said.out) == (2, "")
    assert "1,200 levels" in said.err and "their first 2 characters to 16" in said.err
    assert "--drop icd" in said.err and "--many-levels" in said.err
    assert listing(tmp_path) == before
    # Whoever goes on meets the next check, and no longer this one.
    on = {"many-levels": True, "rows": 81, "epsilon": "inf"}
    said = run(*condensing(tmp_path, drop=None, **on))
    assert (said.code, "no more records than the 81 rows" in said.err) == (4, True)


def test_a_draft_and_a_look_tell_it_too(tmp_path: Path) -> None:
    (tmp_path / "book.csv").write_text(
        "name,type,levels,missing codes\nicd,string," + "; ".join(ICD[:300]) + ",\n"
    )
    said = run("schema", "draft", tmp_path / "book.csv", "--out", tmp_path / "s.json")
    assert (said.code, "299 coded columns" in said.err) == (0, True)
    pl.DataFrame({"icd": ICD[:9]}).write_csv(tmp_path / "r.csv")
    said = run("schema", "check", tmp_path / "r.csv", tmp_path / "s.json")
    assert (said.code, "299 coded columns" in said.err) == (0, True)
    assert json.loads((tmp_path / "s.json.in-house.jsonl").read_text())["epsilon"] == "inf"
