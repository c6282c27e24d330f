"""What records would meet at the door is told before, in-house, and by the vault's own way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from commands import listing, prepare, run
from helpers import DESCRIPTOR, SCHEMA, make_table
from tincture.errors import TableError
from tincture.io.frames import to_columns
from tincture.public.schema import Schema
from tincture.tables.agreement import MOST, Agreement, agreements

FIELDS: list[dict[str, Any]] = [
    {"name": "age", "type": "integer", "constraints": {"minimum": 18, "maximum": 105}},
    {"name": "sex", "type": "integer", "categories": [1, 2]},
    {"name": "hb", "type": "number", "constraints": {"minimum": 5, "maximum": 20}},
    {"name": "died", "type": "boolean", "constraints": {"required": True}},
    {"name": "gone", "type": "boolean"},
    {"name": "open", "type": "string"},
]
CELLS: dict[str, list[Any]] = {
    "age": ["17", "200", "18", "-9", "105"],
    "sex": ["1", "2.0", "3", "", "Zx81"],
    "hb": ["4.9", "5", "", "12,5", "-9.0"],
    "died": ["0", "1", "", "true", "1"],
    "open": ["Zx81"] * 5,
}


def found(frame: pl.DataFrame, fields: list[dict[str, Any]]) -> dict[str, Agreement]:
    schema = Schema.from_dict({"fields": fields, "missingValues": ["", "-9"]})
    return {c.column: c for c in agreements(frame, schema).columns}


def test_each_cell_has_its_fate() -> None:
    told = found(pl.DataFrame(CELLS), FIELDS)
    counts = {n: (c.missing, c.below, c.above, c.refused) for n, c in told.items()}
    assert counts == {
        "age": (1, 1, 1, 0),
        "sex": (1, 0, 0, 2),
        "hb": (2, 1, 0, 1),
        "died": (0, 0, 0, 1),
        "gone": (0, 0, 0, 5),
        "open": (0, 0, 0, 5),
    }
    assert not told["age"].says
    assert "a level that the schema does not list" in told["sex"].says
    assert "required" in told["died"].says
    assert "no column 'gone'" in told["gone"].says
    assert "no public bounds or levels" in told["open"].says
    assert "Zx81" not in str(told)


# Nothing is called refused that condensing takes, and nothing taken that it refuses.
@pytest.mark.parametrize("name", ["age", "sex", "hb", "died"])
def test_the_look_agrees_with_the_door(name: str) -> None:
    (field,) = (f for f in FIELDS if f["name"] == name)
    schema = Schema.from_dict({"fields": [field], "missingValues": ["", "-9"]})
    for cell in CELLS[name]:
        frame = pl.DataFrame({name: [cell]})
        try:
            to_columns(frame, schema, [name])
            is_taken = True
        except TableError:
            is_taken = False
        assert (found(frame, [field])[name].refused == 0) is is_taken


def test_a_column_of_words_without_end_is_refused_as_a_whole() -> None:
    words = pl.DataFrame({"hb": [f"word {i}" for i in range(MOST + 1)]})
    assert found(words, [FIELDS[2]])["hb"].refused == MOST + 1


def test_clean_records_are_said_to_be() -> None:
    table = make_table(60)
    told = agreements(table, SCHEMA.select(n for n in SCHEMA.names if not SCHEMA[n].gap))
    assert told.records == 60
    assert not any(c.says or c.refused for c in told.columns)


def test_the_command_tells_and_writes_the_look_down(tmp_path: Path) -> None:
    prepare(tmp_path, make_table(60).with_columns(age=pl.lit(7)))
    before = listing(tmp_path)
    said = run("schema", "check", tmp_path / "records.csv", tmp_path / "schema.json")
    assert (said.code, said.err) == (0, "")
    assert "do not release" in said.out and "60 (100.0%)" in said.out
    assert "would tell of the records" in said.out
    after = listing(tmp_path)
    look = after.pop("schema.json.in-house.jsonl")
    assert json.loads(look)["epsilon"] == "inf"
    assert after == before
    said = run("schema", "check", tmp_path / "records.csv", tmp_path / "schema.json", "--json")
    made = json.loads(said.out)
    assert (made["epsilon"], made["columns"][0]["below"]) == ("inf", 60)


def test_the_command_tells_that_a_schema_waits_to_be_confirmed(tmp_path: Path) -> None:
    prepare(tmp_path, make_table(60))
    command = ("schema", "check", tmp_path / "records.csv", tmp_path / "schema.json")
    assert "to confirm" not in run(*command).out
    waiting = json.dumps(DESCRIPTOR | {"tincture:reviewed": False})
    (tmp_path / "schema.json").write_text(waiting)
    said = run(*command)
    assert (said.code, 'the "yes" under "to confirm"' in said.out) == (0, True)


def test_no_look_is_left_in_a_release(tmp_path: Path) -> None:
    prepare(tmp_path)
    inside = tmp_path / "release"
    inside.mkdir()
    for name in ("datapackage.json", "ledger.json"):
        (inside / name).write_text("{}")
    (inside / "schema.json").write_text(json.dumps(DESCRIPTOR))
    said = run("schema", "check", tmp_path / "records.csv", inside / "schema.json")
    assert (said.code, "inside the release" in said.err) == (8, True)
