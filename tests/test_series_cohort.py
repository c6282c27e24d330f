"""The cohort of stays: as many as were counted, at no question; the others do not heed it."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression

from series_helpers import LAYOUT, SCALE, make_stays, stays_condenser
from tincture.errors import ReleaseError, SettingError
from tincture.public.tasks import Classification
from tincture.spine.teaching import Teacher
from tincture.stays.bench import StaysBench
from tincture.stays.cohort import populate
from tincture.stays.condenser import SeriesCondenser
from tincture.stays.embeddings import Course
from tincture.stays.imagined import imagine
from tincture.stays.release import CondensedSeries
from tincture.stays.summaries import Summaries
from tincture.stays.target import StaysTarget

BASIS = Summaries(LAYOUT, SCALE)
KNOWN = np.array([[1.0, 1.0, 1.0, 1.0], [0.2, 0.4, 0.6, 0.8], [0.5, 0.5, 0.5, 0.5]])
COURSE = Course(np.zeros((3, 4)), np.ones(3), np.full(3, 0.5), KNOWN)
DIED = Classification("died", 2)


@cache
def made(cohort: int | None = None, **changes: Any) -> SeriesCondenser:
    return stays_condenser(cohort=cohort, **changes).fit(*make_stays())


def cohort_of(condenser: SeriesCondenser) -> tuple[pl.DataFrame, pl.DataFrame]:
    events, outcomes = condenser.cohort_frames("polars")
    return events, outcomes


def test_there_are_as_many_as_were_counted_or_asked_for() -> None:
    assert len(cohort_of(made())[1]) == 300  # without noise
    # ε = 1 on counts of 2% of the budget: far more than five deviations of the noise.
    assert len(cohort_of(made(epsilon=1.0))[1]) == pytest.approx(300, abs=290)
    for n in (1, 7, 501):
        assert len(cohort_of(made(n))[1]) == n


def test_they_are_written_as_condensed_stays_are_and_mistaken_for_none() -> None:
    condenser = made()
    (events, outcomes), table = cohort_of(condenser), condenser.table_
    assert events.schema == table.events.schema
    assert outcomes.schema == table.outcomes.schema
    assert not set(outcomes["stay_id"]) & set(table.outcomes["stay_id"])
    assert set(events["stay_id"]) <= set(outcomes["stay_id"])
    assert set(events["variable"]) <= set(LAYOUT.names)
    assert events["minute"].is_between(0, 720).all()
    assert events.filter(pl.col("variable") == "HR")["value"].is_between(0, 300).all()


def test_they_are_irregular_and_as_incomplete_as_real_ones() -> None:
    # Who is never measured is told by a mean over the last third of the stay, so roughly.
    events, _ = cohort_of(made())
    real, _ = make_stays()
    for name in ("HR", "Lactate"):
        mine, theirs = (t.filter(pl.col("variable") == name) for t in (events, real))
        assert len(mine) == pytest.approx(len(theirs), rel=0.1)
        never = [300 - t["stay_id"].n_unique() for t in (mine, theirs)]
        assert never[0] == pytest.approx(never[1], abs=20)
    hours = events.filter(pl.col("variable") == "Lactate").group_by("stay_id").agg("minute")
    assert hours["minute"].n_unique() > 50


def test_as_many_die_as_in_the_release_and_the_sick_do() -> None:
    events, outcomes = cohort_of(made())
    _, real = make_stays()
    assert outcomes["died"].mean() == pytest.approx(real["died"].mean(), abs=0.01)
    joined = events.join(outcomes, on="stay_id")
    for variable in ("HR", "Lactate"):
        means = joined.filter(pl.col("variable") == variable).group_by("died").agg(pl.mean("value"))
        alive, dead = means.sort("died")["value"]
        assert dead > alive


def test_outcomes_have_the_chances_that_the_teacher_gives() -> None:
    # 3,000 outcomes that are evened: the slope is off by less than a standard error of 0.05.
    weights = np.zeros(BASIS.size)
    weights[[1, 3, BASIS.rates.start + 1, BASIS.rates.stop]] = 0.8, -0.6, 1.0, 0.5
    teacher, rng = Teacher(BASIS, weights), np.random.default_rng(0)

    def draw(n: int) -> np.ndarray:
        return imagine(BASIS, COURSE, None, n, rng)

    found = populate(draw, teacher, DIED, np.array([900.0, 100.0]), 3000, rng)
    assert found is not None
    assert found.outcomes.mean() == pytest.approx(0.1, abs=0.005)
    scores = teacher.score(found.points)
    model = LogisticRegression(C=1e6).fit(scores[:, None], found.outcomes[:, 0])
    assert model.coef_[0, 0] == pytest.approx(1.0, abs=0.15)


def test_those_who_are_measured_more_where_this_tells_die_more() -> None:
    # Lactate is measured for three hours only in those who live.
    events, outcomes = make_stays()
    dead = outcomes.filter(pl.col("died") == 1)["stay_id"]
    lactate = pl.col("variable") == "Lactate"
    some = events.filter(~lactate | pl.col("stay_id").is_in(dead) | (pl.col("minute") < 180))
    drawn, theirs = cohort_of(stays_condenser(cohort=None).fit(some, outcomes))
    counts = drawn.filter(lactate).group_by("stay_id").len().join(theirs, on="stay_id", how="right")
    mean = counts.with_columns(pl.col("len").fill_null(0)).group_by("died").agg(pl.mean("len"))
    alive, died = mean.sort("died")["len"]
    assert died > 1.5 * alive


@pytest.mark.parametrize("effort", [0, pytest.param(0.001, marks=pytest.mark.slow)])
def test_condensed_stays_do_not_depend_on_how_many_there_are(effort: float) -> None:
    if effort:
        pytest.importorskip("torch")
    none, usual = (made(n, effort=effort).table_ for n in (0, None))
    assert none.events.equals(usual.events)
    assert none.outcomes.equals(usual.outcomes)


def test_nothing_more_is_asked_for_a_cohort() -> None:
    def booked(cohort: int | None) -> tuple[list[str], list[Any], float]:
        ledger = made(cohort, epsilon=1.0).ledger
        return [e.question for e in ledger.entries], ledger.to_dict()["phases"], ledger.epsilon()

    assert booked(None) == booked(0) == booked(1000)


def test_a_cohort_is_saved_described_and_loaded(tmp_path: Path) -> None:
    condenser = made()
    condenser.save(tmp_path / "out")
    package = json.loads((tmp_path / "out" / "datapackage.json").read_text())
    events, outcomes, more, theirs = package["resources"]
    assert (more["name"], more["path"]) == ("cohort", "cohort.parquet")
    assert (theirs["name"], theirs["path"]) == ("cohort-outcomes", "cohort_outcomes.parquet")
    assert (events["schema"], outcomes["schema"]) == (more["schema"], theirs["schema"])
    assert package["tincture"]["cohort"] == 300
    loaded = CondensedSeries.load(tmp_path / "out")
    assert loaded.cohort is not None
    for mine, told in zip(cohort_of(condenser), loaded.cohort, strict=True):
        assert mine.equals(told)
    assert loaded.fingerprint == condenser.table_.fingerprint
    assert replace(loaded, cohort=None).fingerprint != loaded.fingerprint
    for name in ("README.md", "card.html"):
        assert "cohort_outcomes.parquet hold many" in (tmp_path / "out" / name).read_text()
    assert condenser.cohort_frames()[0].shape == cohort_of(condenser)[0].shape


def test_no_cohort_leaves_no_trace(tmp_path: Path) -> None:
    condenser = made(0)
    condenser.save(tmp_path / "out")
    assert not [*(tmp_path / "out").glob("cohort*")]
    assert "cohort.parquet" not in (tmp_path / "out" / "README.md").read_text()
    assert CondensedSeries.load(tmp_path / "out").cohort is None
    with pytest.raises(ReleaseError, match="no cohort"):
        condenser.cohort_frames()


def test_evaluation_and_attacks_look_at_the_condensed_stays() -> None:
    release = made().table_
    assert len(StaysBench(release, deep=False).condensed) == 16
    target = StaysTarget(release)
    assert len(target.records(release)) == 16
    assert target.job(0).settings["cohort"] == 0


@pytest.mark.parametrize("cohort", [-1, 20_001, 2.0, True, "many"])
def test_a_number_that_is_none_is_refused(cohort: Any) -> None:
    with pytest.raises(SettingError, match="cohort"):
        stays_condenser(cohort=cohort).job()


def test_dated_stays_have_a_window_each() -> None:
    events, outcomes = make_stays()
    start = pl.datetime(2020, 1, 1)
    dated = events.with_columns(time=start + pl.duration(minutes="minute")).drop("minute")
    windows = outcomes.with_columns(start=start)
    condenser = stays_condenser(cohort=20, time="time").fit(dated, windows)
    events, outcomes = cohort_of(condenser)
    assert events.schema == condenser.table_.events.schema
    assert outcomes.columns == condenser.table_.outcomes.columns
    hours = (events["time"] - outcomes["start"][0]).dt.total_hours()
    assert hours.is_between(0, 12).all()


def test_noise_that_hides_every_variable_leaves_stays_without_events() -> None:
    _, outcomes = cohort_of(made(10, epsilon=1e-3))
    assert len(outcomes) == 10
    assert math.isfinite(float(np.asarray(outcomes["stay_id"]).sum()))
