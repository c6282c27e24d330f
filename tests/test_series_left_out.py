"""What nobody is seen to have is left out by name; how often the rest is recorded."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from commands import run
from series_helpers import LAYOUT, SCALE, SCHEMA, amount, make_stays, records
from tincture.public.schema import Schema
from tincture.public.tasks import Classification
from tincture.stays.bench import evaluate_series
from tincture.stays.condenser import SeriesCondenser
from tincture.stays.formats.source import Form
from tincture.stays.histograms import CELLS, evenly, moments, settled
from tincture.stays.occupancy import RECORDED, Occupancy, _among
from tincture.stays.release import CondensedSeries, written
from tincture.stays.summaries import Summaries
from tincture.stays.target import audit_stays

RNG = np.random.default_rng


def everything() -> tuple[dict[str, Any], pl.DataFrame, pl.DataFrame]:
    """Stays without ventilation, in a schema with a height that nobody has either."""
    described = SCHEMA.to_dict()
    described["fields"].insert(0, amount("height", 100, 230, "static"))
    events, outcomes = make_stays()
    nobody = pl.lit(None, dtype=pl.Float64).alias("height")
    return described, events, outcomes.with_columns(nobody)


@pytest.mark.parametrize("epsilon", [4.0, math.inf])
def test_what_nobody_has_is_named_and_never_invented(epsilon: float, tmp_path: Path) -> None:
    # With so few columns the teacher heeds all: each would be invented but for the answers.
    described, events, outcomes = everything()
    settings: dict[str, Any] = {"target": "died", "n_rows": 16, "hours": 12, "effort": 0}
    condenser = SeriesCondenser(
        schema=Schema.from_dict(described), epsilon=epsilon, delta=1e-5, **settings
    ).fit(events, outcomes)
    condenser.save(tmp_path / "out")
    table = CondensedSeries.load(tmp_path / "out")
    assert table.left_out == ["MechVent", "height"]
    assert set(table.events["variable"]) == {"HR", "Lactate"}
    assert table.outcomes["height"].is_null().all()
    assert table.outcomes["age"].is_not_null().all()
    for card in ("README.md", "card.html"):
        text = (tmp_path / "out" / card).read_text(encoding="utf-8")
        assert "Left out, as too seldom recorded" in text
        assert "MechVent, height" in text
    assert "height" in [c.name for c in table.schema.columns], "real stays are read as before"


def test_the_command_names_what_it_left_out(tmp_path: Path) -> None:
    described, events, outcomes = everything()
    events.write_csv(tmp_path / "events.csv")
    outcomes.write_csv(tmp_path / "outcomes.csv")
    (tmp_path / "schema.json").write_text(json.dumps(described))
    flags = {"outcomes": "outcomes.csv", "schema": "schema.json"}
    paths = [part for k, v in flags.items() for part in (f"--{k}", str(tmp_path / v))]
    rest = "--target died --hours 12 --rows 10 --epsilon 4 --delta 1e-5 --effort 0 --out"
    command = ["condense-series", tmp_path / "events.csv", *paths, *rest.split()]
    said = run(*command, tmp_path / "first")
    assert "lets see: MechVent, height" in said.out
    said = run(*command, tmp_path / "second", "--json")
    assert json.loads(said.out)["left_out"] == ["MechVent", "height"]


def test_one_stay_shows_where_nothing_is_noised_and_not_through_noise() -> None:
    occupancy = Occupancy(LAYOUT)
    some = records(200)
    grid, statics = (part.copy() for part in LAYOUT.parts(some.points))
    grid[1:, :, 1], statics[:, 3:], statics[:, 2] = np.nan, [0.0, 1.0], 0.0
    answer = occupancy.contributions(
        replace(some, points=LAYOUT.points(grid, statics.astype(float)))
    ).sum(0)
    grid[0, :, 1] = 0.5
    one = occupancy.contributions(
        replace(some, points=LAYOUT.points(grid, statics.astype(float)))
    ).sum(0)
    exact, none = (occupancy.scale(a, 0.0, 200.0) for a in (one, answer))
    assert exact.present.tolist() == [True, True, True]
    assert none.present.tolist() == [True, False, True]
    assert none.static_present.tolist() == [True, False]
    assert none.rate == pytest.approx([0.5, 0.0, 0.5], abs=0.05)
    noisy = occupancy.scale(one, 3.0, 200.0)
    assert noisy.present.tolist() == [True, False, True]
    assert noisy.held[1] == 0
    assert noisy.rate[1] == 0


def test_stays_of_which_nothing_is_seen_are_still_tables_of_their_kind() -> None:
    form = Form("stay_id", "minute", "variable", "value", "minute")
    points = LAYOUT.points(np.full((4, *LAYOUT.shape), np.nan, np.float32), np.eye(5)[[1] * 4])
    task, outcomes = Classification("died", 2), np.array([[0.0], [1.0]] * 2)
    released = SCHEMA.select(["HR", "Lactate", "MechVent", "age", "sex", "died"])
    events, rows = written(points, outcomes, LAYOUT, released, task, form)
    assert events.height == 0
    assert events["variable"].dtype == pl.String
    assert rows.height == 4


@pytest.mark.parametrize("has_statics", [True, False])
def test_a_release_without_measurements_is_scored_and_attacked_all_the_same(
    has_statics: bool,
) -> None:
    # As where noise hid every variable, and every static column as well.
    events, outcomes = make_stays()
    settings: dict[str, Any] = {"target": "died", "n_rows": 16, "hours": 12, "effort": 0}
    made = SeriesCondenser(schema=SCHEMA, epsilon=math.inf, delta=1e-5, **settings)
    table = made.fit(events, outcomes).table_
    nobody = [pl.lit(None, dtype=table.outcomes[c].dtype).alias(c) for c in ("age", "sex")]
    rest = table.outcomes if has_statics else table.outcomes.with_columns(nobody)
    empty = replace(table, events=table.events.clear(), outcomes=rest)
    real = events, outcomes[:200], outcomes[200:]
    found = evaluate_series(empty, *real, networks=[], pictures=True)
    area = found.value("logistic", "condensed", "AUROC")
    assert (area == 0.5) is not has_statics
    assert audit_stays(empty, *real, canaries=50).membership


def test_no_weight_belongs_to_what_nobody_has() -> None:
    there = np.array([True, False, True])
    basis = Summaries(LAYOUT, replace(SCALE, present=there, static_present=np.array([False, True])))
    assert basis.left_out == ["Lactate", "age"]
    weights = np.zeros(basis.size)
    for block in basis.blocks:
        weights[block] = 1.0
    assert weights.tolist() == [1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 1, 1, 1, 1]


def test_a_variable_that_shows_by_its_records_alone_is_known_as_often() -> None:
    # No cell shows; else it would have no weight, and be in no invented stay.
    answer = np.zeros(Occupancy(LAYOUT).size)
    answer[-3] = RECORDED * 0.3 * 500
    scale = Occupancy(LAYOUT).scale(answer, 10.0, 500.0)
    assert scale.present.tolist() == [True, False, False]
    assert scale.held[0] >= scale.rate[0] > 0.1


def test_histograms_are_found_in_noise_that_hides_each_cell() -> None:
    # A bell over a dozen cells, the highest of which is twice as high as the noise.
    rng, middles = RNG(0), (np.arange(CELLS) + 0.5) / CELLS
    bell = np.exp(-0.5 * np.square((middles - 0.4) / 0.1))
    bell *= 0.8 / bell.sum()
    noisy = bell + 0.05 * rng.standard_normal((200, CELLS))
    found = settled(noisy, 0.05)
    mean, sd = moments(evenly(found))
    assert np.abs(mean - 0.4).mean() < 0.05
    assert np.abs(sd - 0.1).mean() < 0.05
    assert found.sum(axis=1).mean() == pytest.approx(0.8, abs=0.1)
    assert np.square(found - bell).sum() < 0.3 * np.square(noisy - bell).sum()


def test_what_noise_does_not_explain_stays_in_a_histogram() -> None:
    cells = np.zeros((2, CELLS))
    cells[:, [3, 20]] = 0.3, 0.4  # no bell has two tops
    np.testing.assert_array_equal(settled(cells, 0.0), cells)
    np.testing.assert_allclose(settled(cells, 1e-6), cells, atol=1e-5)


@pytest.mark.slow
def test_noise_alone_shows_nothing() -> None:
    # 100,000 variables that nobody has, noise alone: fewer than one in 1,000 shows. The chance of
    # one is about 6 in 10,000, so the threshold is 4.5 deviations off: a false alarm below 10⁻⁵.
    wide = replace(LAYOUT, variables=2000 * LAYOUT.variables[:1])
    occupancy, rng = Occupancy(wide), RNG(0)
    draws = [occupancy.scale(rng.standard_normal(occupancy.size), 1.0, 1.0) for _ in range(50)]
    share = np.mean([scale.present for scale in draws])
    assert share < 1e-3


def test_a_variable_that_most_have_shows() -> None:
    # 500 stays that spend half of their time in five cells of one variable, recorded in a tenth of
    # the bins; the noise of an answer at ε = 4 on some forty variables.
    answer = np.zeros(Occupancy(LAYOUT).size)
    answer[10:15], answer[-3] = 0.1 * 500, RECORDED * 0.1 * 500
    rng, found = RNG(0), []
    for _ in range(100):
        noisy = answer + 20 * rng.standard_normal(len(answer))
        found.append(Occupancy(LAYOUT).scale(noisy, 20.0, 500.0).present[0])
    assert np.mean(found) > 0.5


def test_rates_are_shrunk_to_what_is_usual() -> None:
    rng = RNG(0)
    true = np.repeat([0.9, 0.5, 0.07, 0.01], [3, 8, 15, 8])
    for noise, worth in ((0.015, 0.7), (0.06, 0.7)):
        noisy = true + noise * rng.standard_normal((50, len(true)))
        shrunk = np.array([_among(row, noise, 0.002) for row in noisy])
        errors = [np.sqrt(np.square(rates - true).mean()) for rates in (noisy, shrunk)]
        assert errors[1] < worth * errors[0]
        assert shrunk.min() >= 0.002
    np.testing.assert_array_equal(_among(true, 0.0, 0.002), true)
    assert len(_among(true[:0], 0.1, 0.002)) == 0


def test_cells_come_before_static_columns_and_rates_come_last() -> None:
    some = records()
    told = Occupancy(LAYOUT).contributions(some)
    assert told.shape[1] == CELLS * 4 + LAYOUT.n_static + 3
    statics = told[:, CELLS * 4 : -3]
    np.testing.assert_allclose(statics, LAYOUT.parts(some.points)[1])
