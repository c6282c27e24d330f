"""What to expect of rows and of stays, told before anything is spent, and after the counts."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import series_helpers as series
from commands import run
from helpers import SCHEMA, make_table
from tincture.errors import SettingError
from tincture.privacy.accounting import MOST_DELTA, MOST_EPSILON, Mechanism, weakness
from tincture.privacy.booking import Answer
from tincture.privacy.ledger import Ledger
from tincture.privacy.query import Query
from tincture.public.encoding import Encoding
from tincture.public.tasks import Classification, Survival, Task
from tincture.spine.job import Tell
from tincture.stays import expectation as of_stays
from tincture.stays.condenser import SeriesCondenser
from tincture.stays.expectation import ALWAYS, MOST, TYPICAL, Outlook
from tincture.stays.histograms import CELLS
from tincture.stays.method import search, usual_plan
from tincture.stays.occupancy import RECORDED, Occupancy
from tincture.stays.words import NOTHING_SEEN
from tincture.tables.condenser import Condenser
from tincture.tables.expectation import FEWEST, GOOD, POOR, RULE, expectation, verdict
from tincture.tables.sizing import rows_for


def test_the_sentence_about_rows_names_the_limit_that_holds() -> None:
    encoding = Encoding([SCHEMA[name] for name in SCHEMA.names if name != "died"])
    few, why = rows_for(encoding, ["glm"], 4.0, 230.0)
    assert few == 115
    assert "one row for two people is made at most" in why
    # Each of several classes wants rows of its own, whatever models are served.
    assert rows_for(encoding, ["tree"], 400.0, 23000.0, several=True)[0] > 100
    assert rows_for(encoding, ["tree"], 400.0, 23000.0)[0] == 100
    many, why = rows_for(encoding, ["glm"], 400.0, 23000.0)
    assert many == 500
    assert "100 to 500 are made" in why
    # Half of an odd number is no row short, and no more rows are made than people were counted.
    assert rows_for(encoding, ["logistic"], 50.0, 119.9999)[0] == 60
    assert [rows_for(encoding, ["glm"], 1.0, n)[0] for n in (-300.0, 9.2, 30.0)] == [4, 9, 20]
    assert "so few people were counted" in rows_for(encoding, ["glm"], 1.0, 9.2)[1]


@given(st.integers(1, 500), st.floats(0.01, 20))
def test_more_columns_or_less_epsilon_need_more_people(n_columns: int, epsilon: float) -> None:
    needed = RULE.people_for(GOOD, n_columns, epsilon)
    assert needed >= RULE.people_for(POOR, n_columns, epsilon) >= 1
    assert RULE.people_for(GOOD, 2 * n_columns, epsilon) >= needed
    assert RULE.people_for(GOOD, n_columns, epsilon / 2) >= needed
    assert len(str(needed).rstrip("0")) == 1  # one figure: it is a rule of thumb


def test_the_sentence_names_the_settings_and_what_to_do() -> None:
    said = expectation(29, 1.0)
    assert "29 columns at ε = 1" in said
    assert "drop columns" in said
    assert len(re.findall(r"people|fewer than", said)) == 2
    assert "Without privacy" in expectation(29, math.inf)
    assert "direct" in expectation(29, 1.0, "direct")


def test_a_condenser_tells_it_without_records() -> None:
    settings: dict[str, Any] = {
        "schema": SCHEMA,
        "epsilon": 1.0,
        "delta": 1e-5,
        "drop": ["patient", "days"],
    }
    told = Condenser(target="died", **settings).expectation()
    assert f"With {len(SCHEMA.names) - 3} columns" in told
    told = Condenser(target="stage", **settings).expectation()
    assert "people are of each class, and less than" in told
    assert "direct" in Condenser(target="died", method="direct", **settings).expectation()
    with pytest.raises(SettingError):
        Condenser(**settings).expectation()


@given(st.integers(1, 500), st.floats(0.01, 20))
def test_the_verdict_agrees_with_what_was_said_before(n_columns: int, epsilon: float) -> None:
    good, poor = (RULE.people_for(share, n_columns, epsilon) for share in (GOOD, POOR))
    # By the fewest people there may be: two deviations of the noise below the count.
    for noise in (0.0, 10.0):
        told = [
            verdict(max(n, least) + 2 * noise, noise, n_columns, epsilon)
            for n, least in ((good, FEWEST), (poor, FEWEST), (poor / 10 - 1, 0), (0, FEWEST - 1))
        ]
        assert f"enough for {GOOD:.0%}" in told[0]
        assert ["Warning" in said for said in told] == [False, False, True, True]


def test_the_verdict_tells_its_noise_and_promises_nothing_that_noise_may_have_made() -> None:
    said = verdict(80.0, 19.0, 24, 1.0)
    assert said.startswith("Warning: through noise, about 80 ± 40 people")
    assert "Warning" not in verdict(80.0, 0.5, 24, 1.0)


@pytest.mark.parametrize(
    "task", [Classification.of(SCHEMA, "died"), Survival.of(SCHEMA, "days", "event")]
)
def test_the_rarer_outcome_is_counted(task: Task) -> None:
    counts = np.ones(task.n_cells)
    counts[-1] = 7.0
    rest = task.n_cells // 2
    assert task.rarer(counts) == rest


def test_a_run_tells_both_sentences() -> None:
    said: list[str] = []
    settings: dict[str, Any] = {
        "schema": SCHEMA,
        "epsilon": 1.0,
        "delta": 1e-5,
        "drop": ["patient", "days"],
    }
    made = Condenser(target="died", models=["logistic"], n_rows=8, effort=0.05, **settings)
    made.fit(make_table(400), notice=said.append)
    assert said[0] == made.expectation()
    assert re.search(r"hrough noise, about \d+0 ± \d+0 people", said[1])
    assert len(said) == 2


@pytest.mark.parametrize(
    ("epsilon", "delta", "part"),
    [
        (50.0, 1e-5, "5e+21 times"),
        (800.0, 1e-5, "more than 1e300"),
        (1.0, 0.01, "1.0% of the time"),
    ],
)
def test_a_promise_that_says_next_to_nothing_is_named(
    epsilon: float, delta: float, part: str
) -> None:
    said: list[str] = []
    made = Condenser(
        schema=SCHEMA,
        target="died",
        models=["logistic"],
        n_rows=8,
        effort=0.05,
        drop=["patient", "days"],
        epsilon=epsilon,
        delta=delta,
    )
    made.fit(make_table(200), notice=said.append)
    assert said[0] == made.expectation()
    assert said[1].startswith("Warning: ")
    assert part in said[1]


@pytest.mark.parametrize("epsilon", [0.1, MOST_EPSILON, math.inf])
def test_usual_promises_are_not_warned_of(epsilon: float) -> None:
    assert weakness(epsilon, MOST_DELTA) is None


def outlook(epsilon: float, n_variables: int = 3) -> Outlook:
    few = series.LAYOUT.variables[:1] * n_variables
    return Outlook(replace(series.LAYOUT, variables=few), usual_plan(epsilon, 1e-5))


def make_series(**changes: Any) -> SeriesCondenser:
    settings: dict[str, Any] = {
        "schema": series.SCHEMA,
        "target": "died",
        "n_rows": 8,
        "hours": 12,
        "effort": 0,
    }
    return SeriesCondenser(**(settings | {"epsilon": 4.0, "delta": 1e-5} | changes))


@pytest.mark.parametrize(
    ("strength", "cells", "rate"), [(MOST, 1, 1.0), (ALWAYS, 32, 1.0), (TYPICAL, 32, 0.5)]
)
def test_a_variable_is_seen_from_as_many_stays_as_is_said(
    strength: float, cells: int, rate: float
) -> None:
    # Without luck: the exact answer of stays that are alike, beside the noise of the plan.
    told, occupancy = outlook(1.0), Occupancy(series.LAYOUT)
    noise = told.plan.mechanism(occupancy.question).noise_multiplier * occupancy.clip
    answer = np.zeros(occupancy.size)
    answer[:cells], answer[-3] = 1 / cells, RECORDED * rate
    seen = {}
    for n in (told.stays_for(strength), told.stays_for(strength) // 2):
        seen[n] = occupancy.scale(n * answer, noise, float(n)).present.tolist()
    assert list(seen.values()) == [[True, False, False], [False] * 3]
    assert CELLS == 32


@pytest.mark.parametrize("strength", [MOST, ALWAYS, TYPICAL])
def test_more_variables_or_less_epsilon_need_more_stays(strength: float) -> None:
    few, many, noisy = outlook(2.0), outlook(2.0, 30), outlook(0.5)
    assert few.stays_for(strength) < many.stays_for(strength)
    assert few.stays_for(strength) < noisy.stays_for(strength)
    assert few.stays_for(MOST) < few.stays_for(ALWAYS) < few.stays_for(TYPICAL)


def test_the_sentences_on_stays_name_the_settings_and_what_to_do() -> None:
    said = outlook(0.5).before()
    assert "3 variables and 2 static columns at ε = 0.5" in said
    assert f"fewer than {outlook(0.5).stays_for(MOST):,}" in said
    assert "more ε" in said
    assert "units (patient)" in replace(outlook(0.5), unit="patient").before()
    assert "Without privacy" in outlook(math.inf).before()


@pytest.mark.parametrize("epsilon", [0.3, 1.0, 8.0])
def test_the_counts_of_stays_are_judged_as_was_said_before(epsilon: float) -> None:
    told = outlook(epsilon)
    always, columns = told.stays_for(ALWAYS), 3 + 2
    good, poor = (
        of_stays.RULE.people_for(share, columns, epsilon)
        for share in (of_stays.GOOD, of_stays.POOR)
    )
    few = told.counted(np.array([always / 2 - 1, always / 2 - 1]))
    assert few.startswith("Warning")
    assert f"under the {always:,}" in few
    assert told.counted(np.array([always, poor / 10 - 1])).startswith("Warning")
    assert "expect about 80%" in told.counted(np.array([always + good, good]))
    assert "expect 60%" in told.counted(np.array([always + good, poor]))


class Empty:
    """Answers that are the noise's size and nothing else."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger, self.form = ledger, None

    def answer(self, query: Query, mechanism: Mechanism, *, share: float = 1.0) -> Answer:
        return Answer(np.zeros(query.size), mechanism.noise_multiplier * query.clip)


def test_a_run_that_sees_no_variable_says_so_and_still_releases() -> None:
    said: list[str] = []
    job = make_series().job()
    engine = Empty(Ledger(job.plan(), unit=job.unit))
    rng, tell = np.random.default_rng(0), Tell(notice=said.append)
    found = search(engine, job.layout, job.task, 8, rng, tell=tell)
    assert said[0].startswith("Warning: through noise")
    assert said[1:] == [NOTHING_SEEN]
    assert found.told["left_out"] == ["HR", "Lactate", "MechVent", "age", "sex"]
    assert len(found.points) == 8


def test_a_release_without_measurements_says_so_to_its_maker_and_on_its_card(
    tmp_path: Path,
) -> None:
    made = make_series(n_rows=8)
    job = made.job()
    table = made.fit(engine=Empty(Ledger(job.plan(), unit=job.unit))).table_
    assert table.events.height == 0
    assert table.remarks[-1] == NOTHING_SEEN
    table.save(tmp_path / "out")
    assert NOTHING_SEEN in (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    seen = make_series().fit(*series.make_stays()).table_
    assert NOTHING_SEEN not in (*seen.remarks, *seen.card().words.limits)


def test_a_run_on_stays_tells_both_before_and_after() -> None:
    # Heart rates of 300 stays at ε = 4 show by 8 times what is needed: no chance decides.
    said: list[str] = []
    made = make_series()
    made.fit(*series.make_stays(), notice=said.append)
    assert said[0] == made.expectation()
    assert "hrough noise, there are about" in said[1]
    assert len(said) == 2
    made = make_series(epsilon=math.inf).fit(*series.make_stays(), notice=said.append)
    assert said[2:] == [made.expectation()]


def test_the_command_prints_what_to_expect_of_stays_unless_it_is_to_be_silent(
    tmp_path: Path,
) -> None:
    for frame, name in zip(series.make_stays(), ("events.csv", "outcomes.csv"), strict=True):
        frame.write_csv(tmp_path / name)
    (tmp_path / "schema.json").write_text(json.dumps(series.SCHEMA.to_dict()))
    paths = ["--outcomes", tmp_path / "outcomes.csv", "--schema", tmp_path / "schema.json"]
    rest = "--target died --hours 12 --rows 8 --epsilon 4 --delta 1e-5 --effort 0 --out"
    command = ["condense-series", tmp_path / "events.csv", *paths, *rest.split()]
    said = run(*command, tmp_path / "told").out.splitlines()
    assert said[0] == make_series().expectation()
    assert "hrough noise" in said[1]
    assert json.loads(run(*command, tmp_path / "json", "--json").out)["rows"] == 8
    assert run(*command, tmp_path / "quiet", "--quiet").out == ""
