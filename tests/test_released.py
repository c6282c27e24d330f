"""A package describes its own cells; what it says of records, and what codes mean, come along."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given

from helpers import make_condenser, make_table
from series_helpers import SCHEMA as OF_STAYS
from series_helpers import make_stays, stays_condenser
from test_schema import SCHEMAS
from tincture.errors import SchemaError
from tincture.evaluation.scores import CEILING
from tincture.io.files import slug
from tincture.io.released import declared, of_records, plain, resource_schema
from tincture.public.schema import Schema
from tincture.stays.bench import evaluate_series
from tincture.stays.release import CondensedSeries
from tincture.tables.bench import evaluate
from tincture.tables.release import CondensedTable

NAME = re.compile(r"[a-z0-9._-]+")  # of the Data Package standard, version 1
HOW_WRITTEN = {"decimalChar", "groupChar", "bareNumber", "trueValues", "falseValues"}
HOW_WRITTEN |= {"tincture:limits", "format"}

# A registry that writes 7,5 for lactate, J and N, -9 for unknown; and 99 for an unknown age.
FIELDS: list[dict[str, Any]] = [
    {
        "name": "age",
        "type": "integer",
        "constraints": {"minimum": 18, "maximum": 100},
        "missingValues": ["", {"value": "99", "label": "age unknown"}, "-1"],
    },
    {
        "name": "lactate",
        "type": "number",
        "constraints": {"minimum": 0.2, "maximum": 20},
        "decimalChar": ",",
        "tincture:limits": True,
    },
    {"name": "diabetes", "type": "boolean", "trueValues": ["J"], "falseValues": ["N"]},
    {
        "name": "sex",
        "type": "integer",
        "categories": [{"value": 1, "label": "man | male"}, {"value": 2, "label": "woman"}],
    },
    {
        "name": "died",
        "type": "integer",
        "categories": [{"value": 0}, {"value": 1, "label": "dead"}],
    },
]
DESCRIPTOR: dict[str, Any] = {
    "name": "Registre n° 7, Zürich",
    "title": "Registre n° 7",
    "fields": FIELDS,
    "missingValues": ["", {"value": "-9", "label": "not asked"}],
}
SCHEMA = Schema.from_dict(DESCRIPTOR)


def registry(n: int = 300, seed: int = 0) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The same records plain, and as the registry writes them."""
    table = make_table(n, seed).select("age", "lactate", "diabetes", "died")
    rng = np.random.default_rng(seed)
    gone = rng.random(n) < 0.1
    table = table.with_columns(
        age=pl.when(pl.Series(gone)).then(None).otherwise(pl.col("age")),
        sex=pl.Series(rng.integers(1, 3, n)),
    ).with_columns(age=pl.when(pl.col("age") == 99).then(98).otherwise("age"))
    written = table.with_columns(
        age=pl.col("age").fill_null(99),
        lactate=pl.col("lactate").cast(pl.String).str.replace(".", ",", literal=True),
        diabetes=pl.col("diabetes").replace_strict({True: "J", False: "N"}),
    )
    return table, written.with_columns(pl.col("lactate", "diabetes").fill_null("-9"))


@given(SCHEMAS)
def test_a_schema_comes_back_from_the_two_parts_of_a_package(schema: Schema) -> None:
    levels = {str(v) for c in schema.columns for v in c.levels}
    assume(not levels & set(schema.missing_values))
    parts = json.loads(json.dumps([resource_schema(schema), of_records(schema)]))
    assert Schema.from_dict(declared(*parts)) == schema
    assert "name" not in parts[0] or NAME.fullmatch(parts[0]["name"])


def test_the_resource_describes_released_cells_and_the_package_the_records() -> None:
    resource, records = resource_schema(SCHEMA), of_records(SCHEMA)
    assert Schema.from_dict(declared(resource, records)) == SCHEMA
    fields = {f["name"]: f for f in resource["fields"]}
    assert not any(HOW_WRITTEN & field.keys() for field in fields.values())
    assert resource["missingValues"] == ["", "-9"]
    assert fields["age"]["missingValues"] == ["", "-1"]  # a released age may well be 99
    assert fields["sex"]["constraints"] == {"enum": [1, 2]}
    assert fields["sex"]["categories"][1] == {"value": 2, "label": "woman"}
    assert records["fields"]["lactate"] == {"decimalChar": ",", "tincture:limits": True}
    assert records["fields"]["diabetes"] == {"trueValues": ["J"], "falseValues": ["N"]}
    assert records["name"] == DESCRIPTOR["name"]
    # Whoever reads the resource alone reads plain cells.
    assert {c.notation for c in Schema.from_dict(resource).columns} == {
        plain(SCHEMA)["age"].notation
    }


def test_a_word_for_missing_that_released_amounts_may_be_is_left_out_of_the_file() -> None:
    amounts = {"name": "x", "type": "number", "constraints": {"minimum": -10, "maximum": 10}}
    words: dict[str, Any]
    words = {"fields": [amounts, amounts | {"name": "y"}], "missingValues": ["-9", "NA", "99"]}
    words["fields"][1]["missingValues"] = ["-99"]
    resource = resource_schema(Schema.from_dict(words))
    assert resource["missingValues"] == ["", "-9", "NA", "99"]
    assert [f["missingValues"] for f in resource["fields"]] == [["", "NA", "99"], ["", "-99"]]


def test_a_release_reads_its_rows_plainly_and_records_as_they_are_written(tmp_path: Path) -> None:
    (table, written), (_, others) = registry(), registry(seed=1)
    made = make_condenser(schema=SCHEMA, drop=[]).fit(written)
    made.save(tmp_path / "out")
    loaded = CondensedTable.load(tmp_path / "out")
    assert loaded.schema == made.table_.schema == SCHEMA
    assert loaded.rows.equals(made.table_.rows)
    assert loaded.fingerprint == made.table_.fingerprint
    found = evaluate(loaded, written, others, by=["sex", "age:60"], pictures=True)
    # The ceiling is that of the same records written plainly.
    bare = Schema.from_dict({"fields": [{**f} for f in plain(SCHEMA).to_dict()["fields"]]})
    other = make_condenser(schema=bare, drop=[]).fit(table)
    told = evaluate(other.table_, table, registry(seed=1)[0])
    for metric in ("AUROC", "Brier"):
        value = told.value("logistic", CEILING, metric)
        assert found.value("logistic", CEILING, metric) == pytest.approx(value, abs=1e-12)
    assert {g.label for g in found.groups} == {
        "all",
        "sex = 1 (man | male)",
        "sex = 2 (woman)",
        "age < 60",
        "age ≥ 60",
    }
    assert next(b for b in found.bars if b.column == "died").labels == ("0", "1 (dead)")


def test_both_cards_of_rows_tell_what_the_codes_mean(tmp_path: Path) -> None:
    make_condenser(schema=SCHEMA, drop=[]).fit(registry()[1]).save(tmp_path / "out")
    text = (tmp_path / "out" / "README.md").read_text()
    table = text.partition("## What the codes mean")[2].partition("## Use")[0]
    assert table.split("|---|---|---|\n")[1].strip().splitlines()[:5] == [
        "| age | 99 | missing: age unknown |",
        r"| sex | 1 | man \| male |",
        "| sex | 2 | woman |",
        "| died | 1 | dead |",
        "| any column | -9 | missing: not asked |",
    ]
    assert "in this release, what is missing is empty" in table
    page = (tmp_path / "out" / "card.html").read_text()
    assert "<h2>What the codes mean</h2>" in page
    assert '<th scope="row">sex</th><td>1</td><td>man | male</td>' in page
    assert '<th scope="row">age</th><td>99</td><td>missing: age unknown</td>' in page


def test_a_card_without_labels_has_no_table_of_codes(condensed: Any, tmp_path: Path) -> None:
    condensed.save(tmp_path / "out")
    for name in ("README.md", "card.html"):
        assert "What the codes mean" not in (tmp_path / "out" / name).read_text()


def test_stays_tell_them_too_and_read_their_own_cells_plainly(tmp_path: Path) -> None:
    described = OF_STAYS.to_dict() | {"name": "Séjours (2)"}
    fields = {f["name"]: f for f in described["fields"]}
    fields["age"] |= {"groupChar": ".", "decimalChar": ",", "missingValues": ["60"]}
    fields["sex"]["categories"] = [{"value": "f", "label": "woman"}, "m"]
    events, outcomes = make_stays()
    written = outcomes.with_columns(pl.col("age").round(0).cast(pl.Int64).cast(pl.String))
    made = stays_condenser(Schema.from_dict(described)).fit(events, written)
    made.save(tmp_path / "out")
    loaded = CondensedSeries.load(tmp_path / "out")
    assert loaded.schema == made.table_.schema
    assert loaded.schema["age"].notation.group == "."
    assert loaded.own.schema == plain(loaded.schema)
    package = json.loads((tmp_path / "out" / "datapackage.json").read_text())
    assert package["name"] == "sejours-2-condensed"
    told = {f["name"]: f for f in package["resources"][1]["schema"]["fields"]}
    assert told["sex"]["categories"] == [{"value": "f", "label": "woman"}, {"value": "m"}]
    assert told["sex"]["constraints"] == {"enum": ["f", "m"]}
    assert not any(HOW_WRITTEN & field.keys() for field in told.values())
    assert "| sex | f | woman |" in (tmp_path / "out" / "README.md").read_text()
    assert "<td>f</td><td>woman</td>" in (tmp_path / "out" / "card.html").read_text()
    found = evaluate_series(loaded, events, written[:150], written[150:], networks=[])
    assert found.value("logistic", CEILING, "AUROC") > 0.6


def test_a_site_is_called_by_its_label_where_a_schema_tells_it(condensed: Any) -> None:
    sites = [{"value": 7, "label": "North"}, {"value": 8, "label": "South"}]
    site = {"name": "site", "type": "integer", "categories": sites, "missingValues": ["-9"]}
    schema = Schema.from_dict({"fields": [site]})
    train, test = (
        make_table(n, seed=s).with_columns(site=pl.Series([7, 8, -9] * (n // 3)))
        for n, s in ((300, 0), (390, 1))
    )
    train = train.filter(pl.col("site") != 8)
    found = evaluate(condensed.table_, train, test, by=["site"], schema=schema)
    about = {g.label: g.is_external for g in found.groups}
    assert about == {"all": False, "site = 7 (North)": False, "site = 8 (South)": True}
    found = evaluate(condensed.table_, train, test, by=["site"])
    assert "site = 7" in {g.label for g in found.groups}


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("Étude n° 1, 2024", "etude-n-1-2024"),
        ("Größe & Gewicht", "grosse-gewicht"),
        ("ward_2.1-b", "ward_2.1-b"),
        ("  --  ", "table"),
        ("患者", "table"),
        ("ŁÓDŹ ½", "lodz-1-2"),
        ("a/b\\c\n", "a-b-c"),
    ],
)
def test_a_slug_is_a_name_that_every_reader_allows(text: str, made: str) -> None:
    assert slug(text) == made
    assert NAME.fullmatch(made)
    assert slug(made) == made


def test_the_names_of_a_release_are_slugs_and_its_title_has_the_words(tmp_path: Path) -> None:
    make_condenser(schema=SCHEMA, drop=[]).fit(registry()[1]).save(tmp_path / "out")
    package = json.loads((tmp_path / "out" / "datapackage.json").read_text())
    assert package["name"] == "registre-n-7-zurich-condensed"
    assert package["resources"][0]["schema"]["name"] == "registre-n-7-zurich"
    assert package["title"].startswith("Registre n° 7: condensed")
    assert CondensedTable.load(tmp_path / "out").schema.name == DESCRIPTOR["name"]


def test_levels_that_stand_in_two_places_must_be_the_same() -> None:
    field = {"name": "x", "type": "integer", "categories": [{"value": 1, "label": "a"}, 2]}
    same = Schema.from_dict({"fields": [field | {"constraints": {"enum": [2, 1]}}]})
    assert same["x"].titles == ("1 (a)", "2")
    for other in ([1, 3], [1, 2, 3], "12"):
        with pytest.raises(SchemaError, match='"categories" and "enum"'):
            Schema.from_dict({"fields": [field | {"constraints": {"enum": other}}]})
