"""Dates in rules, and as days since each record's own origin."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import polars as pl
import pytest

from tincture.errors import SchemaError
from tincture.io.frames import to_columns
from tincture.io.released import declared, of_records, resource_schema
from tincture.public.origins import with_origin
from tincture.public.schema import Schema
from tincture.public.tasks import Amounts, Survival

BOUNDS = {"minimum": "2010-01-01", "maximum": "2020-12-31"}
DAYS = {"minimum": 0, "maximum": 60}
DIED = {"name": "dead", "type": "integer", "categories": [0, 1]}


def date(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": "date", "constraints": BOUNDS, "tincture:days": DAYS, **more}


def ward(*rules: Any, **more: Any) -> Schema:
    fields = [date("admitted", **more), date("discharged"), date("died"), DIED]
    return Schema.from_dict({"fields": fields, "tincture:rules": list(rules)})


RECORDS = pl.DataFrame(
    {
        "admitted": ["2015-03-01", "", "2015-03-01", "unknown"],
        "discharged": ["2015-03-11", "2015-03-11", "", "2015-03-11"],
        "died": ["2015-02-27", "2015-03-11", "2016-03-01", "2015-03-11"],
        "dead": ["1", "1", "0", "0"],
    }
)


def test_days_are_of_each_record_alone() -> None:
    schema = with_origin(ward(missingValues=["", "unknown"]), "admitted")
    assert schema.names == ["discharged", "died", "dead"]
    found = to_columns(RECORDS, schema, ["discharged", "died"])
    np.testing.assert_array_equal(found["discharged"], [10, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(found["died"], [-2, np.nan, 366, np.nan])
    for i in range(len(RECORDS)):
        alone = to_columns(RECORDS[i : i + 1], schema, ["died"])["died"]
        np.testing.assert_array_equal(alone, found["died"][i : i + 1])


def test_times_since_count_parts_of_a_day() -> None:
    clock = {"minimum": "2010-01-01T00:00:00", "maximum": "2020-12-31T00:00:00"}
    field = date("seen", type="datetime", constraints=clock)
    schema = with_origin(Schema.from_dict({"fields": [date("admitted"), field]}), "admitted")
    frame = pl.DataFrame({"admitted": ["2015-03-01"], "seen": ["2015-03-02 06:00"]})
    assert to_columns(frame, schema, ["seen"])["seen"].tolist() == [1.25]
    assert schema["seen"].type == "number" and schema["seen"].unit == "days"


def test_an_origin_that_cannot_be_is_refused() -> None:
    with pytest.raises(SchemaError, match=r"'dead' .* expected a date"):
        with_origin(ward(), "dead")
    alone = Schema.from_dict({"fields": [date("admitted"), DIED]})
    with pytest.raises(SchemaError, match="no date but the origin"):
        with_origin(alone, "admitted")
    bare = {"name": "died", "type": "date", "constraints": BOUNDS}
    made = with_origin(Schema.from_dict({"fields": [date("admitted"), bare]}), "admitted")
    with pytest.raises(SchemaError, match=r"tincture:days.*'admitted'"):
        made.require_public(["died"])
    zoned = date("died", type="datetime", constraints={"minimum": "2010-01-01T00:00Z"})
    with pytest.raises(SchemaError, match="both have a zone, or both none"):
        with_origin(Schema.from_dict({"fields": [date("admitted"), zoned]}), "admitted")


def test_an_outcome_is_a_length_of_time() -> None:
    for refused in (
        lambda: Survival.of(ward(), "died", "dead"),
        lambda: Amounts.of(ward(), "discharged"),
    ):
        with pytest.raises(SchemaError, match="--origin"):
            refused()
    schema = with_origin(ward(), "admitted")
    assert Survival.of(schema, "died", "dead").high == 60
    assert Amounts.of(schema, "discharged").column.unit == "days"


def test_a_package_keeps_how_dates_were_declared() -> None:
    schema = with_origin(
        ward({"order": ["discharged", "died"]}, format="%d.%m.%Y", missingValues=["0"]), "admitted"
    )
    told = json.loads(json.dumps([resource_schema(schema), of_records(schema)]))
    assert told[0]["fields"][0] | {"constraints": DAYS} == told[0]["fields"][0]
    again = with_origin(Schema.from_dict(declared(*told)), "admitted")
    assert again.columns == schema.columns and again.rules == schema.rules
    assert with_origin(again, "admitted") == again


def obeyed(schema: Schema, n: int = 400) -> dict[str, Any]:
    """Rows all over the fields, as the rules have them."""
    rng = np.random.default_rng(0)
    rows = {
        c.name: np.round(rng.uniform(*c.bounds, size=n))
        for c in schema.columns
        if not c.is_categorical
    }
    return dict(schema.lawful().mended(rows))


def test_dates_keep_their_order() -> None:
    schema = ward({"order": ["admitted", "discharged", "died"], "gap": 2})
    made = obeyed(schema)
    assert (made["admitted"] + 2 <= made["discharged"]).all()
    assert (made["discharged"] + 2 <= made["died"]).all()


def test_a_length_of_stay_is_derived_from_two_dates() -> None:
    clock = {"minimum": "2010-01-01T00:00:00", "maximum": "2010-03-01T00:00:00"}
    stay = {"name": "days", "type": "number", "constraints": DAYS, "tincture:decimals": 2}
    fields = [
        {"name": "discharged", "type": "datetime", "constraints": clock},
        {"name": "admitted", "type": "date", "constraints": BOUNDS},
        {"name": "due", "type": "date", "constraints": BOUNDS},
        stay,
    ]
    formulas = {"days": "discharged - admitted", "due": "admitted + 280"}
    rules = [{"derive": name, "formula": text} for name, text in formulas.items()]
    schema = Schema.from_dict({"fields": fields, "tincture:rules": rules})
    made = obeyed(schema)
    exact = made["discharged"] / 86_400 - made["admitted"]
    np.testing.assert_allclose(made["days"], exact, atol=0.0051)
    assert (made["due"] == np.minimum(made["admitted"] + 280, schema["due"].bounds[1])).all()


def test_rules_may_name_dates() -> None:
    rule = {"when": {"admitted": {"minimum": "2015-01-01"}}, "then": {"died": None}}
    schema = ward(rule)
    made = obeyed(schema)
    assert np.isnan(made["died"][made["admitted"] >= 16_436]).all()
    assert not np.isnan(made["died"][made["admitted"] < 16_436]).any()
    for wrong in (5, "2015-01-01T00:00Z", "soon"):
        with pytest.raises(SchemaError, match="must be a date"):
            ward(rule | {"when": {"admitted": wrong}})
    mixed = date("seen", type="datetime", constraints={"minimum": "2010-01-01T00:00:00"})
    mixed["constraints"] |= {"maximum": "2011-01-01T00:00:00"}
    with pytest.raises(SchemaError, match="of amounts, of dates or of datetimes"):
        Schema.from_dict(
            {"fields": [date("died"), mixed], "tincture:rules": [{"order": ["died", "seen"]}]}
        )


def test_rules_on_either_side_of_an_origin_are_kept() -> None:
    born = date("born", **{"tincture:days": {"minimum": -9000, "maximum": 0}})
    fields = [born, date("first"), date("admitted"), date("discharged"), date("died"), DIED]
    chain = ["born", "first", "admitted", "discharged", "died"]
    rules = [{"order": chain}, {"when": {"dead": 0}, "then": {"died": None}}]
    rules += [{"when": {"admitted": {"minimum": "2015-01-01"}}, "then": {"dead": 0}}]
    schema = with_origin(Schema.from_dict({"fields": fields, "tincture:rules": rules}), "admitted")
    assert [rule.names for rule in schema.rules] == [
        ("born", "first"),
        ("discharged", "died"),
        ("dead", "died"),
    ]
