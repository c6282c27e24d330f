"""What to expect, told before anything is spent."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import SCHEMA, make_table
from tincture.errors import SettingError
from tincture.public.tasks import Classification, Survival, Task
from tincture.tables.condenser import Condenser
from tincture.tables.expectation import FEWEST, GOOD, POOR, expectation, people_for, verdict


@given(st.integers(1, 500), st.floats(0.01, 20))
def test_more_columns_or_less_epsilon_need_more_people(n_columns: int, epsilon: float) -> None:
    needed = people_for(GOOD, n_columns, epsilon)
    assert needed >= people_for(POOR, n_columns, epsilon) >= 1
    assert people_for(GOOD, 2 * n_columns, epsilon) >= needed
    assert people_for(GOOD, n_columns, epsilon / 2) >= needed
    assert len(str(needed).rstrip("0")) == 1  # one figure: it is a rule of thumb


def test_the_sentence_names_the_settings_and_what_to_do() -> None:
    said = expectation(29, 1.0)
    assert "29 columns at ε = 1" in said
    assert "drop columns" in said
    assert len(re.findall(r"people|fewer than", said)) == 2
    assert "Without privacy" in expectation(29, math.inf)
    assert "direct" in expectation(29, 1.0, "direct")


def test_a_condenser_tells_it_without_records() -> None:
    settings = {"schema": SCHEMA, "epsilon": 1.0, "delta": 1e-5, "drop": ["patient", "days"]}
    told = Condenser(target="died", **settings).expectation()
    assert f"With {len(SCHEMA.names) - 3} columns" in told
    assert "direct" in Condenser(target="stage", **settings).expectation()
    with pytest.raises(SettingError):
        Condenser(**settings).expectation()


@given(st.integers(1, 500), st.floats(0.01, 20))
def test_the_verdict_agrees_with_what_was_said_before(n_columns: int, epsilon: float) -> None:
    good, poor = (people_for(share, n_columns, epsilon) for share in (GOOD, POOR))
    assert f"enough for {GOOD:.0%}" in verdict(max(good, FEWEST), n_columns, epsilon)
    assert "Warning" not in verdict(max(poor, FEWEST), n_columns, epsilon)
    assert verdict(poor / 10 - 1, n_columns, epsilon).startswith("Warning")
    assert verdict(FEWEST - 1, n_columns, epsilon).startswith("Warning")


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
    settings = {"schema": SCHEMA, "epsilon": 1.0, "delta": 1e-5, "drop": ["patient", "days"]}
    made = Condenser(target="died", models=["logistic"], n_rows=8, effort=0.05, **settings)
    made.fit(make_table(400), notice=said.append)
    assert said[0] == made.expectation()
    assert re.search(r"hrough noise, about \d+0 people", said[1])
    assert len(said) == 2
