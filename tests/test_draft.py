"""A first schema takes nothing from the records but names and types, unless it is told to."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from commands import condensing, run
from helpers import DESCRIPTOR, make_table
from tincture.errors import SchemaError
from tincture.io.draft import draft
from tincture.public.schema import Schema

NUMBERS, NAME = ("123.456789", "987654321"), "Zx81sentinel"


def write(folder: Path, table: pl.DataFrame, suffix: str = "csv") -> Path:
    path = folder / f"Records.{suffix}"
    table.write_csv(path) if suffix == "csv" else table.write_parquet(path)
    return path


def fields(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {f["name"]: f for f in schema["fields"]}


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_without_data_only_names_and_types_are_told(suffix: str, tmp_path: Path) -> None:
    table = make_table(60).with_columns(
        lactate=pl.lit(float(NUMBERS[0])), age=pl.lit(int(NUMBERS[1])), ward=pl.lit(NAME)
    )
    path = write(tmp_path, table, suffix)
    said = run("schema", "draft", path)
    assert (said.code, said.err) == (0, "")
    for sentinel in (*NUMBERS, NAME, "p1", "icu"):
        assert sentinel not in said.out
    made = json.loads(said.out)
    assert (made["name"], made["title"]) == ("records", "Records")
    # The types of a CSV are read off its cells, so that a person must confirm them.
    if suffix == "csv":
        assert all(f.pop("tincture:reviewed") is False for f in made["fields"])
        assert 'then remove "tincture:reviewed": false' in made["description"]
    else:
        assert not {"tincture:reviewed", "description"} & made.keys()
    types = {n: f["type"] for n, f in fields(made).items()}
    assert types == {f["name"]: f["type"] for f in DESCRIPTOR["fields"]}
    blank = {"minimum": None, "maximum": None}
    for field in made["fields"]:
        rest = {k: v for k, v in field.items() if k not in ("name", "type")}
        amounts = {"constraints": blank}
        assert rest == {"string": {"categories": None}, "boolean": {}}.get(field["type"], amounts)


@pytest.mark.parametrize("name", ["records.csv", "records.tsv"])
def test_a_file_without_a_line_of_names_is_not_told(name: str, tmp_path: Path) -> None:
    # Found by the fuzzer: the first record became the names of the columns.
    text = make_table(60).with_columns(ward=pl.lit(NAME)).write_csv(include_header=False)
    (tmp_path / name).write_text(text, encoding="utf-8")
    said = run("schema", "draft", tmp_path / name)
    assert (said.code, said.out) == (4, "")
    assert "add a line of names" in said.err
    assert NAME not in said.err


def test_a_draft_is_the_same_whatever_the_records_say(tmp_path: Path) -> None:
    drafts = [draft(write(tmp_path, make_table(60, seed=seed))) for seed in (0, 1)]
    assert drafts[0] == drafts[1]


def test_a_draft_is_refused_until_it_is_completed(tmp_path: Path) -> None:
    write(tmp_path, make_table(60))
    args = {"records": tmp_path / "Records.csv"}
    made = run("schema", "draft", args["records"], "--out", tmp_path / "schema.json")
    assert (made.code, made.out, made.err) == (0, "", "")
    refused = run(*condensing(tmp_path, **args))
    assert (refused.code, 'add "categories"' in refused.err) == (3, True)
    schema = json.loads((tmp_path / "schema.json").read_text())
    for name, known in fields(DESCRIPTOR).items():
        fields(schema)[name].update(known)
    (tmp_path / "schema.json").write_text(json.dumps(schema))
    refused = run(*condensing(tmp_path, **args))
    assert (refused.code, "check each bound and level, and each type" in refused.err) == (3, True)
    for name in fields(schema):  # the last field that is checked lets the schema pass
        assert not Schema.from_dict(schema).reviewed
        fields(schema)[name].pop("tincture:reviewed")
    (tmp_path / "schema.json").write_text(json.dumps(schema))
    assert run(*condensing(tmp_path, **args)).code == 0


def test_a_proposal_is_refused_until_it_is_reviewed(tmp_path: Path) -> None:
    path = write(tmp_path, make_table(60))
    args = {"records": path, "drop": ["days", "event", "stage", "patient"]}
    run("schema", "draft", path, "--from-data", "--out", tmp_path / "schema.json")
    schema = json.loads((tmp_path / "schema.json").read_text())
    assert schema["tincture:reviewed"] is False
    refused = run(*condensing(tmp_path, **args))
    assert (refused.code, "tincture:reviewed" in refused.err) == (3, True)
    with pytest.raises(SchemaError, match="reviewed"):
        Schema.from_dict(schema).require_public([])
    schema["tincture:reviewed"] = True
    (tmp_path / "schema.json").write_text(json.dumps(schema))
    assert run(*condensing(tmp_path, **args)).code == 0


AMOUNTS: dict[str, list[float | None]] = {
    "zero": [0, 0, 0],
    "one value": [7, 7, None],
    "small": [0.0013, 0.0021, 0.0017],
    "tenths": [0.3, 0.5, 0.7],
    "negative": [-5.0, -5.0001, -7.5],
    "across": [-1e6, 0.0, 1.0],
    "large": [12345678901.5, 12345678902.5, 0.0],
    "whole": [1, 2, 13],
    "hundred": [0, 100, 55],
    "infinite": [1.0, float("inf"), 3.0],
    "nan": [1.0, float("nan"), 3.0],
}


@pytest.mark.parametrize("name", AMOUNTS)
def test_proposed_bounds_cover_the_data(name: str, tmp_path: Path) -> None:
    path = write(tmp_path, pl.DataFrame({"x": AMOUNTS[name], "y": [1, 2, 3]}), "parquet")
    made = draft(path, from_data=True)
    low, high = Schema.from_dict(made)["x"].bounds
    cells = [v for v in AMOUNTS[name] if v is not None and np.isfinite(v)]
    assert low <= min(cells) <= max(cells) <= high


@pytest.mark.parametrize("seed", range(20))
def test_proposed_bounds_cover_any_data(seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    cells = rng.normal(size=30) * 10.0 ** rng.integers(-6, 8) + rng.normal() * 10.0 ** rng.integers(
        -6, 8
    )
    made = draft(write(tmp_path, pl.DataFrame({"x": cells})), from_data=True)
    low, high = Schema.from_dict(made)["x"].bounds
    assert low <= cells.min() <= cells.max() <= high


def test_proposed_levels_are_those_of_the_data(tmp_path: Path) -> None:
    table = pl.DataFrame(
        {
            "sex": ["f", "m", None] * 20,
            "died": [0, 1, 1] * 20,
            "alive": ["True", "false", "TRUE"] * 20,
            "note": [f"{NAME}{i}" for i in range(60)],
            "same": ["x"] * 60,
        }
    )
    made = fields(draft(write(tmp_path, table), from_data=True))
    assert made["sex"] == {"name": "sex", "type": "string", "categories": ["f", "m"]}
    assert made["died"] == {"name": "died", "type": "integer", "categories": [0, 1]}
    assert made["alive"] == {"name": "alive", "type": "boolean"}
    assert made["note"]["categories"] is None
    assert made["same"]["categories"] is None
    assert NAME not in json.dumps(made)


def test_a_column_without_a_value_is_left_open(tmp_path: Path) -> None:
    path = write(tmp_path, pl.DataFrame({"x": [None, None], "y": [1.5, 2.5]}))
    made = fields(draft(path, from_data=True))
    assert made["x"] == {"name": "x", "type": "string", "categories": None}


def test_dates_and_lists_do_not_stop_a_draft(tmp_path: Path) -> None:
    table = pl.DataFrame(
        {
            "day": pl.date_range(pl.date(2020, 1, 1), pl.date(2020, 1, 3), eager=True),
            "codes": [["a"], ["b", "c"], []],
            "both": [{"a": 1}, {"a": 2}, {"a": 3}],
        }
    )
    path = write(tmp_path, table, "parquet")
    for from_data in (False, True):
        assert list(fields(draft(path, from_data=from_data))) == ["day", "codes", "both"]


R = pl.DataFrame(
    {
        "": ["1", "2", "3", "4"],
        "age": ["61", "NA", "70", "55"],
        "albumin": ["3.4", "2.9", "NA", "4"],
        "smoker": ["TRUE", "FALSE", "NA", "TRUE"],
        "ward": ["icu", "NA", "med", "icu"],
    }
)


@pytest.mark.parametrize("word", ["NA", "N/A", "NaN", "NULL", "null", "#N/A", ".", "?"])
def test_a_table_that_r_wrote_keeps_its_types_and_tells_its_word_for_missing(
    word: str, tmp_path: Path
) -> None:
    path = tmp_path / "r.csv"
    path.write_text(R.with_columns(pl.all().str.replace("NA", word, literal=True)).write_csv())
    for from_data in (False, True):
        made = draft(path, from_data=from_data)
        types = {n: f["type"] for n, f in fields(made).items()}
        assert types == {
            "age": "integer",
            "albumin": "number",
            "smoker": "boolean",
            "ward": "string",
        }
        assert made["missingValues"] == ["", word]
        assert "Column 1 has no name" in made["description"]
    assert fields(made)["ward"]["categories"] == ["icu", "med"]
    Schema.from_dict(made)  # no level means missing


def test_row_names_of_pandas_are_left_out_too(tmp_path: Path) -> None:
    table = pl.DataFrame({"x": [1.5, 2.5], "__index_level_0__": [7, 8]})
    table.write_parquet(tmp_path / "p.parquet")
    made = draft(tmp_path / "p.parquet")
    assert list(fields(made)) == ["x"]
    assert made["description"] == "Column 2 has no name, as row names have none, and is left out."


def test_text_in_parquet_stays_text_unless_cells_may_be_read(tmp_path: Path) -> None:
    pl.DataFrame({"x": ["1", "2", "NA"]}).write_parquet(tmp_path / "p.parquet")
    assert fields(draft(tmp_path / "p.parquet"))["x"]["type"] == "string"
    made = draft(tmp_path / "p.parquet", from_data=True)
    assert (fields(made)["x"]["type"], made["tincture:reviewed"]) == ("integer", False)


def test_times_in_parquet_are_told_as_such(tmp_path: Path) -> None:
    day = pl.date_range(pl.date(2020, 1, 1), pl.date(2020, 1, 3), eager=True)
    table = pl.DataFrame({"day": day, "moment": day.cast(pl.Datetime)})
    table.write_parquet(tmp_path / "p.parquet")
    types = [f["type"] for f in draft(tmp_path / "p.parquet")["fields"]]
    assert types == ["date", "datetime"]


@pytest.mark.parametrize(
    "names",
    [
        ["age", "Creatinine, serum (mg/dL)", "sex|gender\n(at birth)", "died"],
        ["age", "250.00", "401.9", "V45.1", "E885", "died"],
        ["250.00", "401.9", "428.0", "age"],
        ["age", "ward ", "Größe; cm", "[x]"],
        ["", "age", "days since 2020-01-01"],
        ["", "age"],
    ],
)
def test_names_that_people_give_are_taken(names: list[str], tmp_path: Path) -> None:
    cells = [["0", "1"] if n and n[0].isdigit() else ["5", "73"] for n in names]
    pl.DataFrame(dict(zip(names, cells, strict=True))).write_csv(tmp_path / "n.csv")
    assert list(fields(draft(tmp_path / "n.csv"))) == [n for n in names if n]


@pytest.mark.parametrize(
    "lines",
    [
        ["63,1.2,male,0", "71,0.9,female,1", "55,3.1,male,1"],
        ["F,icu,III", "M,med,I", "F,icu,III", "M,icu,II", "F,med,III", "F,icu,I"],
        ["Zx81,63,,false,2020-05-01", "Zx82,71,1.5,true,2020-05-02"],
        ["63\t1.2\tmale", "71\t0.9\tfemale"],
    ],
)
def test_a_first_line_that_may_be_a_record_is_not_told(lines: list[str], tmp_path: Path) -> None:
    (tmp_path / "n.csv").write_text("\n".join(lines))
    said = run("schema", "draft", tmp_path / "n.csv")
    assert (said.code, said.out) == (4, "")
    assert "add a line of names" in said.err
    for cell in ("63", "Zx81", "icu", "male", "1.2"):
        assert cell not in said.err.replace(str(tmp_path), "")


@pytest.mark.parametrize(
    ("name", "slug", "title"),
    [
        ("Patients 2024 (final).csv", "patients-2024-final", "Patients 2024 (final)"),
        ("records.csv.gz", "records", None),
        ("患者.csv", "table", "患者"),
    ],
)
def test_a_draft_is_named_for_every_reader(
    name: str, slug: str, title: str | None, tmp_path: Path
) -> None:
    content = b"age,sex\n61,f\n70,m\n"
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    made = draft(tmp_path / name)
    assert (made["name"], made.get("title")) == (slug, title)


# A custodian who asks for a schema hears that rules can be declared in it.
def test_the_help_tells_of_rules_between_columns() -> None:
    assert "tincture:rules" in run("schema", "draft", "-h").out
