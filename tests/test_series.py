"""Stays: from events to a release."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from commands import run
from series_helpers import LAYOUT, SCHEMA, fed, make_stays
from tincture.errors import SchemaError, SettingError, TableError
from tincture.public.schema import Schema
from tincture.stays.condenser import SeriesCondenser
from tincture.stays.layout import Layout, bin_stays, carried
from tincture.stays.release import CondensedSeries


def make(**changes: Any) -> SeriesCondenser:
    settings: dict[str, Any] = {"schema": SCHEMA, "target": "died", "n_rows": 16, "hours": 12}
    usual: dict[str, Any] = {"epsilon": 4.0, "delta": 1e-5, "effort": 0}
    return SeriesCondenser(**(settings | usual | changes))


def batch(*events: tuple[str, float, str, float]) -> pl.DataFrame:
    names = {"stay": pl.String, "hour": pl.Float64, "variable": pl.String, "value": pl.Float64}
    return pl.DataFrame(events, schema=names, orient="row")


def test_the_last_event_of_a_bin_counts_whatever_the_order_of_batches() -> None:
    early, late = batch(("a", 1.2, "HR", 60.0)), batch(("a", 1.7, "HR", 90.0))
    for order in ([early, late], [late, early], [pl.concat([late, early])]):
        stays = bin_stays(fed(*order), ["b", "a"], None, LAYOUT)
        assert stays.grid[1, 1, 0] == pytest.approx(0.3)
        assert np.isfinite(stays.grid).sum() == 1


def test_odd_events_are_left_out_and_unit_errors_clipped_to_the_bounds() -> None:
    odd = batch(
        ("a", 0.5, "HR", 900.0),
        ("a", 2.5, "HR", float("nan")),
        ("a", -1.0, "HR", 60.0),
        ("a", 12.5, "HR", 60.0),
        ("a", 4.5, "unheard of", 60.0),
        ("stranger", 4.5, "HR", 60.0),
        ("a", 12.0, "HR", 150.0),
    )
    grid = bin_stays(fed(odd), ["a"], None, LAYOUT).grid
    assert grid[0, :, 0].tolist()[0] == 1.0
    assert grid[0, 11, 0] == pytest.approx(0.5)
    assert np.isfinite(grid).sum() == 2


def test_no_event_of_any_stay_is_refused() -> None:
    with pytest.raises(TableError, match="No event belongs"):
        bin_stays(fed(batch(("x", 1.0, "HR", 1.0))), ["a"], None, LAYOUT)


def test_values_are_carried_forward_and_unknown_before_the_first() -> None:
    grid = np.array([[[np.nan], [0.2], [np.nan], [0.4]]], dtype=np.float32)
    np.testing.assert_allclose(carried(grid)[0, :, 0], [np.nan, 0.2, 0.2, 0.4], atol=1e-7)


def test_a_window_holds_whole_bins() -> None:
    with pytest.raises(SettingError, match="whole number of bins"):
        Layout.of(SCHEMA, target="died", stay="stay_id", hours=48, bin_hours=7)


def test_a_schema_without_roles_is_refused() -> None:
    plain = Schema.from_dict({"fields": [{"name": "died", "type": "boolean"}]})
    with pytest.raises(SchemaError, match="declares no variable"):
        Layout.of(plain, target="died", stay="stay_id", hours=48, bin_hours=1)


@pytest.mark.parametrize("epsilon", [1.0, math.inf])
def test_a_release_comes_in_the_form_the_events_had(epsilon: float, tmp_path: Path) -> None:
    condenser = make(epsilon=epsilon).fit(*make_stays())
    condenser.save(tmp_path / "release")
    events = pl.read_parquet(tmp_path / "release/condensed.parquet")
    outcomes = pl.read_parquet(tmp_path / "release/outcomes.parquet")
    assert events.columns == ["stay_id", "minute", "variable", "value"]
    assert outcomes.columns == ["stay_id", "age", "sex", "died"]
    assert outcomes["died"].value_counts()["count"].to_list() == [8, 8]
    assert set(events["stay_id"]) <= set(outcomes["stay_id"])
    assert set(events["variable"]) <= set(LAYOUT.names)
    assert events["minute"].is_between(0, 720).all()
    ledger = json.loads((tmp_path / "release/ledger.json").read_text())
    assert ledger["unit"] == "stay"
    assert float(ledger["epsilon_spent"]) <= epsilon
    again = CondensedSeries.load(tmp_path / "release")
    assert again.events.equals(condenser.table_.events)


def test_those_who_die_differ_as_they_did() -> None:
    table = make(epsilon=math.inf, n_rows=40).fit(*make_stays()).table_
    joined = table.events.join(table.outcomes, on="stay_id")
    for variable in ("HR", "Lactate"):
        means = joined.filter(pl.col("variable") == variable).group_by("died").agg(pl.mean("value"))
        alive, dead = means.sort("died")["value"]
        assert dead > alive


def test_the_same_seed_without_noise_gives_the_same_stays() -> None:
    first, second = (make(epsilon=math.inf).fit(*make_stays()).table_ for _ in range(2))
    assert first.events.equals(second.events)
    assert first.outcomes.equals(second.outcomes)


def test_more_rows_than_stays_are_refused() -> None:
    with pytest.raises(TableError, match="no more stays"):
        make(n_rows=300).fit(*make_stays())


def test_the_command_line_condenses_stays(tmp_path: Path) -> None:
    events, outcomes = make_stays()
    events.write_csv(tmp_path / "events.csv")
    outcomes.write_csv(tmp_path / "outcomes.csv")
    (tmp_path / "schema.json").write_text(json.dumps(SCHEMA.to_dict()))
    flags = {"outcomes": "outcomes.csv", "schema": "schema.json", "out": "release"}
    paths = [part for k, v in flags.items() for part in (f"--{k}", str(tmp_path / v))]
    rest = "--id stay_id --target died --hours 12 --bin 60m --rows 10 --epsilon 4 --delta 1e-5"
    rest += " --effort 0 --cohort 5"
    said = run("condense-series", tmp_path / "events.csv", *paths, *rest.split(), "--json")
    assert said.code == 0, said.err
    assert json.loads(said.out)["rows"] == 10
    assert (tmp_path / "release/condensed.parquet").exists()
    assert len(pl.read_parquet(tmp_path / "release/cohort_outcomes.parquet")) == 5
    assert not (tmp_path / "release.unfinished").exists()
    said = run("condense-series", tmp_path / "events.csv", *paths, *rest.split(), "--bin", "x")
    assert said.code == 8 or "cannot be read" in said.err


@pytest.mark.parametrize("effort", [-1, 101, math.nan, True, "much"])
def test_an_effort_that_cannot_be_is_refused(effort: Any) -> None:
    with pytest.raises(SettingError, match="effort"):
        make(effort=effort).fit(*make_stays())


def test_without_torch_an_effort_is_refused_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    assert make(effort=None).job().settings["effort"] == 0.0
    with pytest.raises(SettingError, match=r"tincture\[deep\]"):
        make(effort=1).fit(*make_stays())
