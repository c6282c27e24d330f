"""What a schema file may say, and what is answered to one that is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from helpers import DESCRIPTOR, SCHEMA
from strategies import Scale
from tincture.errors import SchemaError
from tincture.public.columns import Column, Type
from tincture.public.schema import Schema

WORDS = st.text("abcdefgh ÄβZ09_", min_size=1, max_size=8)
FINITE = st.floats(-1e9, 1e9, allow_subnormal=False)


@st.composite
def columns(draw: st.DrawFn) -> Column:
    kinds: list[Type] = ["number", "integer", "string", "boolean"]
    kind = draw(st.sampled_from(kinds))
    levels: st.SearchStrategy[Any] = {
        "number": FINITE,
        "integer": st.integers(-(10**6), 10**6),
        "string": st.text(min_size=1, max_size=5).map(lambda s: "L" + s),
        "boolean": st.booleans(),
    }[kind]
    categories = st.none() | st.lists(levels, min_size=2, max_size=5, unique=True).map(tuple)
    low = high = decimals = None
    scale: Scale = None
    if kind in ("number", "integer"):
        bound = FINITE if kind == "number" else st.integers(-(10**9), 10**9).map(float)
        low, high = sorted(draw(st.tuples(bound, bound).filter(lambda b: b[0] != b[1])))
        low, high = draw(st.sampled_from([(low, high), (low, None), (None, high), (None, None)]))
        decimals = draw(st.none() | st.integers(0, 12))
        is_positive = low is not None and low > 0
        scales: list[Scale] = [None, "linear", "log"] if is_positive else [None, "linear"]
        scale = draw(st.sampled_from(scales))
    return Column(
        name=draw(WORDS),
        type=kind,
        minimum=low,
        maximum=high,
        categories=draw(categories),
        ordered=draw(st.booleans()),
        required=draw(st.booleans()),
        unit=draw(st.none() | WORDS),
        description=draw(st.none() | st.text(max_size=20)),
        decimals=decimals,
        scale=scale,
    )


SCHEMAS = st.builds(
    Schema,
    columns=st.lists(columns(), min_size=1, max_size=6, unique_by=lambda c: c.name).map(tuple),
    missing_values=st.lists(st.sampled_from(["", "NA", "-99", "?"]), unique=True).map(tuple),
    name=st.none() | WORDS,
    title=st.none() | WORDS,
    reviewed=st.booleans(),
)


@given(SCHEMAS)
def test_a_schema_survives_the_way_through_its_descriptor(schema: Schema) -> None:
    levels = {str(v) for c in schema.columns for v in c.levels}
    assume(not levels & set(schema.missing_values))  # refused on purpose, see below
    assert Schema.from_dict(json.loads(json.dumps(schema.to_dict()))) == schema


@pytest.mark.parametrize("suffix", [".json", ".yaml", ".yml"])
def test_json_and_yaml_files_read_alike(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"schema{suffix}"
    if suffix == ".json":
        path.write_text(json.dumps(DESCRIPTOR))
    else:
        import yaml

        path.write_text(yaml.safe_dump(DESCRIPTOR))
    assert Schema.load(path) == SCHEMA


def test_frictionless_spellings_are_understood() -> None:
    schema = Schema.from_dict(
        {
            "fields": [
                {"name": "a"},
                {"name": "b", "constraints": {"enum": ["x", "y"]}},
                {"name": "c", "categories": [{"value": "x", "label": "one"}, {"value": "y"}]},
            ],
            "missingValues": [{"value": "NA", "label": "not asked"}, -99],
        }
    )
    assert schema["a"].type == "string"
    assert schema["b"].levels == schema["c"].levels == ("x", "y")
    assert schema.missing_values == ("NA", "-99")


def with_field(**changes: Any) -> dict[str, Any]:
    base = {"name": "x", "type": "number", "constraints": {"minimum": 0, "maximum": 1}}
    return {"fields": [base | changes]}


def bounds(low: object, high: object, kind: str = "number") -> dict[str, Any]:
    return with_field(type=kind, constraints={"minimum": low, "maximum": high})


@pytest.mark.parametrize(
    ("descriptor", "sentence"),
    [
        (None, "needs a list"),
        ([], "needs a list"),
        ({"fields": {}}, "needs a list"),
        ({"fields": []}, "no column"),
        ({"fields": ["x"]}, 'field 1 needs a "name"'),
        ({"fields": [{"name": ""}]}, 'needs a "name"'),
        ({"fields": [{"name": "x"}, {"name": "x"}]}, "'x' twice"),
        (with_field(type="year"), "type 'year' is not known"),
        (with_field(type=["number"]), "is not known"),
        (with_field(constraints=[1]), '"constraints" must be an object'),
        (bounds(2, 1), "below the maximum"),
        (bounds(1, 1), "below the maximum"),
        (bounds("0", 1), "finite number"),
        (bounds(True, 2), "finite number"),
        (bounds(float("nan"), 1), "finite number"),
        (bounds(0, float("inf")), "finite number"),
        (bounds(0, 10**400), "finite number"),
        (bounds(-1e300, 1), "between"),
        (bounds(0.5, 9, "integer"), "whole number"),
        (with_field(categories="ab"), "list of levels"),
        (with_field(categories=[1]), "at least two"),
        (with_field(categories=[1, 1.0]), "all different"),
        (with_field(categories=[1, "a"]), "every level must be of type number"),
        (with_field(categories=[True, False]), "every level must be of type number"),
        (with_field(categories=[1, float("nan")]), "finite"),
        (with_field(type="string", categories=[1, 2]), "of type string"),
        (with_field(type="boolean", categories=[0, 1]), "of type boolean"),
        (with_field(**{"tincture:decimals": -1}), "whole number from 0 to 12"),
        (with_field(**{"tincture:decimals": 1.0}), "whole number from 0 to 12"),
        (with_field(**{"tincture:scale": "square"}), '"linear" or "log"'),
        (with_field(**{"tincture:scale": "log"}), "positive minimum"),
        (with_field() | {"missingValues": "NA"}, "list of strings"),
        (with_field() | {"missingValues": [{}]}, "list of strings"),
        (with_field() | {"tincture:reviewed": "no"}, "true or false"),
        (with_field() | {"name": 3}, '"name" must be text'),
        (
            with_field(type="string", categories=["NA", "b"]) | {"missingValues": ["NA"]},
            "is a level and means missing too",
        ),
    ],
)
def test_a_wrong_descriptor_is_refused_in_one_sentence(descriptor: Any, sentence: str) -> None:
    with pytest.raises(SchemaError) as caught:
        Schema.from_dict(descriptor)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("s.json", b"{", "not valid JSON (line 1)"),
        ("s.json", b"[" * 100_000, "not valid JSON"),
        ("s.yaml", b"a: [", "not valid YAML"),
        ("s.yaml", b"!!python/object:os.system {}", "not valid YAML"),
        ("s.json", b"\xff\xfe", "not UTF-8"),
        ("s.json", b"3", "not a Table Schema"),
    ],
)
def test_an_unreadable_file_is_named(
    tmp_path: Path, name: str, content: bytes, sentence: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SchemaError) as caught:
        Schema.load(tmp_path / name)
    assert sentence in str(caught.value)
    assert name in str(caught.value)


@pytest.mark.parametrize("name", ["absent.json", "."])
def test_an_absent_file_or_a_folder_is_no_schema(tmp_path: Path, name: str) -> None:
    with pytest.raises(SchemaError, match="Cannot read the schema"):
        Schema.load(tmp_path / name)


@pytest.mark.parametrize(
    ("field", "wanted"),
    [
        ({"type": "number"}, '"minimum" and "maximum"'),
        ({"type": "number", "constraints": {"minimum": 0, "maximum": None}}, '"maximum"'),
        ({"type": "string"}, '"categories"'),
    ],
)
def test_an_undeclared_bound_is_a_gap_that_says_what_to_add(
    field: dict[str, Any], wanted: str
) -> None:
    fields = [{"name": "x", **field}, {"name": "ok", "type": "boolean"}]
    schema = Schema.from_dict({"fields": fields})
    schema.require_public(["ok"])
    with pytest.raises(SchemaError) as caught:
        schema.require_public(["ok", "x"])
    assert wanted in str(caught.value)


def test_an_unreviewed_schema_is_refused() -> None:
    schema = Schema.from_dict(with_field() | {"tincture:reviewed": False})
    with pytest.raises(SchemaError, match="check each bound"):
        schema.require_public([])


def test_an_unknown_column_is_named_with_those_there_are() -> None:
    with pytest.raises(SchemaError, match=r"'weight'; it has 'age', 'lactate'"):
        SCHEMA["weight"]


def test_select_keeps_schema_order() -> None:
    assert SCHEMA.select(["ward", "age"]).names == ["age", "ward"]
    assert "ward" in SCHEMA
    assert "ward" not in SCHEMA.select(["age"])
