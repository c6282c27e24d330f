"""Outcomes: what a task refuses, how it is told, and what the anchored Brier score is."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import SCHEMA, make_table
from tincture.errors import SchemaError, SettingError, TableError
from tincture.io.frames import to_columns
from tincture.public.case import Case
from tincture.public.encoding import Values
from tincture.public.schema import Schema
from tincture.public.tasks import (
    TASKS,
    Classification,
    Survival,
    Task,
    apportion,
    case_of,
    task_of,
    told_of,
)

SURVIVAL = Survival("days", "event", 0.0, 365.0)


def ranked(rng: np.random.Generator, n: int, *, ties: bool) -> tuple[np.ndarray, np.ndarray]:
    """Outcomes (n, 2) and risks (1, n, 1), rounded so that they tie or not."""
    time = np.round(rng.uniform(1, 30, n)) if ties else rng.permutation(n) + 1.0
    event = rng.uniform(size=n) < 0.6
    risk = np.round(rng.normal(size=n), 0) if ties else rng.permutation(n).astype(float)
    return np.stack([time, event], axis=1), risk[None, :, None]


@pytest.mark.parametrize("ties", [False, True])
def test_the_anchored_brier_score_equals_a_sum_by_hand(
    rng: np.random.Generator, ties: bool
) -> None:
    records, risks = ranked(rng, 15, ties=ties)
    anchors, anchor_risks = ranked(rng, 40, ties=ties)
    task = SURVIVAL.anchored(np.zeros((40, 1)), anchors)
    expected = []
    for (t, e), r in zip(records, risks[0, :, 0], strict=True):
        first = 1 / (1 + np.exp(anchor_risks.mean() - r))
        total = 0.0
        for at, ae in anchors:
            if e and t < at:
                total += (1 - first) ** 2
            elif ae and at < t:
                total += first**2
        expected.append(total / 40)
    np.testing.assert_allclose(task.loss(risks, records, anchor_risks)[0], expected)


def test_the_true_log_hazard_scores_better_than_a_flatter_or_a_steeper_one() -> None:
    # Exponential times with log hazard x, none censored; anchors from the same population.
    rng = np.random.default_rng(7)
    x = rng.normal(size=20_000)
    times = rng.exponential(np.exp(-x))
    records = np.stack([times, np.ones_like(times)], axis=1)
    anchors = np.stack([rng.exponential(np.exp(-rng.normal(size=2000))), np.ones(2000)], axis=1)
    task = Survival("days", "event", 0.0, 1e9).anchored(np.zeros((2000, 1)), anchors)
    centre = np.zeros((1, 2000, 1))
    flat, true, steep, reverse = (
        task.loss((k * x)[None, :, None], records, centre).mean() for k in (0.3, 1.0, 3.0, -1.0)
    )
    assert true < flat < reverse
    assert true < steep


def test_a_survival_loss_needs_anchors() -> None:
    with pytest.raises(ValueError, match="anchors"):
        SURVIVAL.loss(np.zeros((1, 2, 1)), np.ones((2, 2)), None)


def test_half_the_brier_score_of_two_classes_is_the_squared_error() -> None:
    p = np.array([[[0.7, 0.3], [0.1, 0.9]]])
    loss = Classification("died", 2).loss(p, np.array([[0.0], [0.0]]), None)
    np.testing.assert_allclose(loss, [[0.09, 0.81]])


@given(st.lists(st.floats(-50, 1000), min_size=1, max_size=20), st.integers(1, 300))
def test_shares_add_up_and_follow_the_counts(counts: list[float], total: int) -> None:
    weight = np.maximum(counts, 0.0)
    weight = weight if weight.sum() > 0 else np.ones_like(weight)
    share = apportion(np.array(counts), total)
    assert share.sum() == total
    assert (np.abs(share - weight / weight.sum() * total) < 1 + 1e-9).all()


@given(st.lists(st.floats(-50, 1000), min_size=1, max_size=8), st.integers(8, 300))
def test_every_class_seen_gets_a_row(counts: list[float], total: int) -> None:
    share = apportion(np.array(counts), total, at_least=1)
    assert share.sum() == total
    assert (share[np.array(counts) > 0] >= 1).all()


def test_earlier_events_are_more_severe_than_later_ones_and_censoring() -> None:
    outcomes = np.array([[1.0, 1], [100.0, 1], [1.0, 0], [300.0, 0]])
    severity = SURVIVAL.severity(outcomes)
    assert severity[0] > severity[1] > severity[2] > severity[3]


def checked(task: Task, values: Values) -> None:
    """Each outcome by itself, then all together."""
    task.check(values)
    task.check_together(task.outcomes(values))


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        (pl.DataFrame({"died": [0, 0, 0]}), "one class only"),
        (pl.DataFrame({"died": [0, 1, None]}), "required"),
    ],
)
def test_classes_nothing_can_be_learned_from_are_refused(
    table: pl.DataFrame, sentence: str
) -> None:
    with pytest.raises(TableError, match=sentence):
        checked(Classification("died", 2), to_columns(table, SCHEMA, ["died"]))


@pytest.mark.parametrize(
    ("days", "event", "sentence"),
    [
        ([1.0, None], [0, 1], "'days' is missing"),
        ([1.0, 2.0], [None, 1], "'event' is missing"),
        ([1.0, -2.0], [1, 1], "negative"),
        ([1.0, 2.0], [0, 0], "0 in every record"),
    ],
)
def test_times_nothing_can_be_learned_from_are_refused(
    days: list[float | None], event: list[int | None], sentence: str
) -> None:
    table = pl.DataFrame({"days": days, "event": event})
    with pytest.raises(TableError, match=sentence):
        checked(SURVIVAL, to_columns(table, SCHEMA, ["days", "event"]))


def survival_schema(time: dict[str, object], event: dict[str, object]) -> Schema:
    return Schema.from_dict({"fields": [{"name": "t", **time}, {"name": "e", **event}]})


DAYS: dict[str, object] = {"type": "number", "constraints": {"minimum": 0, "maximum": 9}}


@pytest.mark.parametrize(
    ("time", "event", "sentence"),
    [
        ({"type": "boolean"}, {"type": "boolean"}, "must be a number"),
        ({"type": "number"}, {"type": "boolean"}, "no public bounds"),
        (
            {"type": "number", "constraints": {"minimum": -1, "maximum": 9}},
            {"type": "boolean"},
            "minimum of 0",
        ),
        (DAYS, {"type": "integer", "categories": [0, 1, 2]}, r"3 levels \(0, 1, 2\).*by --cause"),
        (DAYS, {"type": "number", "constraints": {"minimum": 0, "maximum": 1}}, "two levels"),
    ],
)
def test_a_survival_outcome_must_be_declared(
    time: dict[str, object], event: dict[str, object], sentence: str
) -> None:
    with pytest.raises(SchemaError, match=sentence):
        Survival.of(survival_schema(time, event), "t", "e")


@pytest.mark.parametrize(
    "event",
    [
        {"type": "boolean"},
        {"type": "integer", "categories": [0, 1]},
        {"type": "string", "categories": ["alive", "dead"]},
    ],
)
def test_an_event_is_a_boolean_or_has_two_levels(event: dict[str, object]) -> None:
    assert Survival.of(survival_schema(DAYS, event), "t", "e").high == 9


def test_a_target_needs_levels() -> None:
    for name in ("age", "patient"):
        with pytest.raises(SchemaError, match="no levels"):
            Classification.of(SCHEMA, name)
    assert Classification.of(SCHEMA, "stage").n_classes == 3


def test_the_shared_table_passes_every_task() -> None:
    values = to_columns(make_table(100), SCHEMA, ["died", "stage", "days", "event"])
    for task in (Classification("died", 2), Classification("stage", 3), SURVIVAL):
        checked(task, values)


# A release tells its task by kind, columns and case; read again it is the same task.
@pytest.mark.parametrize(
    ("task", "case"),
    [
        (Classification.of(SCHEMA, "died"), Case("died", 1)),
        (Classification.of(SCHEMA, "died", 0), Case("died", 0)),
        (Classification.of(SCHEMA, "stage"), Case("stage")),
        (Survival.of(SCHEMA, "days", "event"), Case("event", 1)),
        (Survival.of(SCHEMA, "days", "event", 0), Case("event", 0)),
    ],
)
def test_a_task_is_read_as_it_was_told(task: Task, case: Case) -> None:
    told = told_of(SCHEMA, task)
    assert [told[role] for role in TASKS[told["kind"]].roles] == list(task.columns)
    assert task_of(SCHEMA, told) == task
    assert case_of(SCHEMA, told) == case


def test_a_task_told_without_its_case_has_the_last_of_two_levels() -> None:
    told = {"kind": "classification", "target": "died"}
    assert told_of(SCHEMA, task_of(SCHEMA, told)) == told | {"case": 1}
    assert case_of(SCHEMA, told) == Case("died", 1)


@pytest.mark.parametrize(
    ("told", "error"),
    [
        ({"kind": "ranking", "target": "died"}, KeyError),
        ({"kind": "survival", "time": "days"}, KeyError),
        ({"kind": "classification", "target": "height"}, SchemaError),
        ({"kind": "classification", "target": "died", "case": "heart"}, SettingError),
    ],
)
def test_a_task_told_wrongly_is_refused(told: dict[str, str], error: type[Exception]) -> None:
    for read in (task_of, case_of):
        with pytest.raises(error):
            read(SCHEMA, told)
