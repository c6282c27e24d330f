"""Outcomes: what a task refuses, and what anchored discordance is."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import SCHEMA, make_table
from tincture.errors import SchemaError, TableError
from tincture.frames import to_columns
from tincture.schema import Schema
from tincture.tasks import Classification, Survival, apportion

SURVIVAL = Survival("days", "event", 0.0, 365.0)


def ranked(rng: np.random.Generator, n: int, *, ties: bool) -> tuple[np.ndarray, np.ndarray]:
    """Outcomes (n, 2) and risks (1, n, 1), rounded so that they tie or not."""
    time = np.round(rng.uniform(1, 30, n)) if ties else rng.permutation(n) + 1.0
    event = rng.uniform(size=n) < 0.6
    risk = np.round(rng.normal(size=n), 0) if ties else rng.permutation(n).astype(float)
    return np.stack([time, event], axis=1), risk[None, :, None]


@pytest.mark.parametrize("ties", [False, True])
def test_anchored_discordance_equals_a_sum_by_hand(rng: np.random.Generator, ties: bool) -> None:
    records, risks = ranked(rng, 15, ties=ties)
    anchors, anchor_risks = ranked(rng, 40, ties=ties)
    task = SURVIVAL.anchored(np.zeros((40, 1)), anchors)
    expected = []
    for (t, e), r in zip(records, risks[0, :, 0], strict=True):
        wrong = 0.0
        for (at, ae), ar in zip(anchors, anchor_risks[0, :, 0], strict=True):
            if (e and t < at) or (ae and at < t):
                lead = r - ar if t < at else ar - r
                wrong += 1 / (1 + np.exp(lead / anchor_risks.std()))
        expected.append(wrong / 40)
    np.testing.assert_allclose(task.loss(risks, records, anchor_risks)[0], expected)


def test_where_the_order_is_clear_it_is_one_minus_harrells_c(rng: np.random.Generator) -> None:
    # Comparing each record with one anchor whose risk is far off leaves only right or wrong.
    metrics = pytest.importorskip("sksurv.metrics")
    records, risks = ranked(rng, 40, ties=False)
    anchor = np.array([[20.5, 1.0], [20.5, 1.0]])
    task = SURVIVAL.anchored(np.zeros((2, 1)), anchor)
    anchor_risks = 19.5 + np.array([-0.01, 0.01])[None, :, None]
    loss = task.loss(risks, records, anchor_risks)[0]
    for record, risk, got in zip(records, risks[0, :, 0], loss, strict=True):
        pair = np.stack([record, anchor[0]])
        if record[1] == 0 and record[0] < anchor[0, 0]:
            assert got == 0.0  # not comparable
            continue
        c, *_ = metrics.concordance_index_censored(pair[:, 1] > 0, pair[:, 0], [risk, 19.5])
        assert got == pytest.approx(1 - c, abs=1e-9)


def test_an_order_and_its_reverse_share_what_is_comparable(rng: np.random.Generator) -> None:
    metrics = pytest.importorskip("sksurv.metrics")
    n = 60
    records, risks = ranked(rng, n, ties=False)
    task = SURVIVAL.anchored(np.zeros((n, 1)), records)
    right, reverse, none = (
        float(task.loss(r, records, r).mean()) for r in (risks, -risks, 0 * risks)
    )
    _, agreeing, disagreeing, *_ = metrics.concordance_index_censored(
        records[:, 1] > 0, records[:, 0], risks[0, :, 0]
    )
    comparable = 2 * (agreeing + disagreeing) / n**2  # each pair is met from both its ends
    assert right + reverse == pytest.approx(comparable)
    assert none == pytest.approx(comparable / 2)
    truth = -records[:, 0][None, :, None]
    assert task.loss(truth, records, truth).mean() < min(right, reverse, none)


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
        Classification("died", 2).check(to_columns(table, SCHEMA, ["died"]))


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
        SURVIVAL.check(to_columns(table, SCHEMA, ["days", "event"]))


def survival_schema(time: dict[str, object], event: dict[str, object]) -> Schema:
    return Schema.from_dict({"fields": [{"name": "t", **time}, {"name": "e", **event}]})


DAYS = {"type": "number", "constraints": {"minimum": 0, "maximum": 9}}


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
        (DAYS, {"type": "integer", "categories": [1, 2]}, "0, 1"),
        (DAYS, {"type": "string", "categories": ["0", "1"]}, "0, 1"),
    ],
)
def test_a_survival_outcome_must_be_declared(
    time: dict[str, object], event: dict[str, object], sentence: str
) -> None:
    with pytest.raises(SchemaError, match=sentence):
        Survival.of(survival_schema(time, event), "t", "e")


@pytest.mark.parametrize("event", [{"type": "boolean"}, {"type": "integer", "categories": [0, 1]}])
def test_an_event_is_a_boolean_or_zero_and_one(event: dict[str, object]) -> None:
    assert Survival.of(survival_schema(DAYS, event), "t", "e").high == 9


def test_a_target_needs_levels() -> None:
    for name in ("age", "patient"):
        with pytest.raises(SchemaError, match="no levels"):
            Classification.of(SCHEMA, name)
    assert Classification.of(SCHEMA, "stage").n_classes == 3


def test_the_shared_table_passes_every_task() -> None:
    values = to_columns(make_table(100), SCHEMA, ["died", "stage", "days", "event"])
    for task in (Classification("died", 2), Classification("stage", 3), SURVIVAL):
        task.check(values)
