"""Figures agree with the usual libraries, intervals cover, subgroups are who they say."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, roc_auc_score

from helpers import SCHEMA, make_condenser, make_table
from tincture.encoding import Encoding
from tincture.errors import ModelError, SettingError
from tincture.estimators import Condenser
from tincture.evaluation import CEILING, CONDENSED, RANDOM, evaluate, table_task
from tincture.metrics import auroc, brier, concordance
from tincture.models import prepare
from tincture.tasks import Survival

Floats = NDArray[np.float64]
SOURCES = {CONDENSED, CEILING, RANDOM}


def drawn(rng: np.random.Generator, n: int, n_classes: int = 2) -> tuple[Floats, NDArray[np.int64]]:
    """Probabilities with ties, and labels that follow them."""
    probability = np.round(rng.dirichlet(np.ones(n_classes), n), 1)
    probability[:, -1] = 1 - probability[:, :-1].sum(axis=1)
    probability = np.abs(probability) / np.abs(probability).sum(axis=1, keepdims=True)
    label = (rng.uniform(size=(n, 1)) > probability.cumsum(axis=1)[:, :-1]).sum(axis=1)
    return probability, label


@pytest.mark.parametrize("seed", range(5))
def test_auroc_and_brier_are_those_of_scikit_learn(seed: int) -> None:
    probability, label = drawn(np.random.default_rng(seed), 300)
    area, score = auroc(probability, label), brier(probability, label)
    assert area.value == pytest.approx(roc_auc_score(label, probability[:, 1]), abs=1e-9)
    assert score.value == pytest.approx(brier_score_loss(label, probability[:, 1]), abs=1e-9)
    for figure in (area, score):
        assert 0 <= figure.low < figure.value < figure.high <= 1


@pytest.mark.parametrize("seed", range(3))
def test_with_more_classes_each_stands_against_the_rest(seed: int) -> None:
    probability, label = drawn(np.random.default_rng(seed), 300, 3)
    expected = roc_auc_score(label, probability, multi_class="ovr", average="macro")
    assert auroc(probability, label).value == pytest.approx(expected, abs=1e-9)
    square = np.square(probability - np.eye(3)[label]).sum(axis=1).mean()
    assert brier(probability, label).value == pytest.approx(square, abs=1e-9)


def censored(rng: np.random.Generator, n: int) -> tuple[Floats, Floats, Floats]:
    """Risk, time and event, with ties in risk and no ties in time."""
    risk = np.round(rng.normal(size=n), 1)
    time = rng.exponential(np.exp(-risk))
    censoring = rng.exponential(1.0, n)
    return risk, np.minimum(time, censoring), (time <= censoring).astype(float)


@pytest.mark.parametrize("seed", range(5))
def test_concordance_is_that_of_scikit_survival(seed: int) -> None:
    metrics = pytest.importorskip("sksurv.metrics")
    risk, time, event = censored(np.random.default_rng(seed), 200)
    expected = metrics.concordance_index_censored(event > 0.5, time, risk)[0]
    assert concordance(risk, time, event).value == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_concordance_is_that_of_lifelines(seed: int) -> None:
    utils = pytest.importorskip("lifelines.utils")
    risk, time, event = censored(np.random.default_rng(seed), 200)
    expected = utils.concordance_index(time, -risk, event)
    assert concordance(risk, time, event).value == pytest.approx(expected, abs=1e-9)


def test_what_cannot_be_computed_is_no_number() -> None:
    probability = np.full((3, 2), 0.5)
    assert np.isnan(auroc(probability, np.ones(3, dtype=np.int64)).value)
    assert np.isnan(auroc(np.full((3, 3), 1 / 3), np.ones(3, dtype=np.int64)).value)
    assert np.isnan(brier(probability[:0], np.empty(0, dtype=np.int64)).value)
    assert np.isnan(concordance(np.ones(3), np.arange(3.0) + 1, np.zeros(3)).value)


# 400 tables; a 95% interval that covers 94% of the time is called short with probability 4e-6
# (fewer than 360 covered), and one that covers 98.5% is called long with probability 0.2%.
TABLES, SHORT = 400, 360


def test_intervals_cover_the_truth(rng: np.random.Generator) -> None:
    probability, label = drawn(rng, 200_000)
    risk, time, event = censored(rng, 20_000)
    truth = [
        auroc(probability, label).value,
        brier(probability, label).value,
        concordance(risk, time, event).value,
    ]
    covered = np.zeros(3)
    for _ in range(TABLES):
        p, y = drawn(rng, 250)
        r, t, e = censored(rng, 250)
        figures = [auroc(p, y), brier(p, y), concordance(r, t, e)]
        covered += [f.low <= v <= f.high for f, v in zip(figures, truth, strict=True)]
    assert (covered >= SHORT).all(), covered
    assert (covered < TABLES).all(), covered


def test_every_source_model_and_figure_is_there(condensed: Condenser) -> None:
    train, test = make_table(300), make_table(200, seed=1)
    found = evaluate(condensed.table_, train, test, models=["logistic", "tree"])
    assert {(s.model, s.trained_on, s.metric) for s in found.scores} == {
        (m, t, f) for m in ("logistic", "tree") for t in SOURCES for f in ("AUROC", "Brier")
    }
    rows = {s.trained_on: s.rows for s in found.scores}
    assert (rows[CONDENSED], rows[CEILING]) == (16, 300)
    assert 15 <= rows[RANDOM] <= 18
    first = found.scores[0]
    value = found.value(first.model, first.trained_on, first.metric)
    assert value == first.figure.value
    with pytest.raises(KeyError):
        found.value("logistic", CONDENSED, "accuracy")
    with pytest.raises(KeyError):
        found.value("logistic", CONDENSED, "AUROC", "ward = icu")


def test_an_evaluation_is_marked_in_house(condensed: Condenser) -> None:
    found = evaluate(condensed.table_, make_table(200), make_table(200, seed=1))
    told = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert "do not release" in told["notice"]
    assert told["looks"] == ["train-on-real ceiling", "held-out scores"]
    assert set(condensed.ledger.to_dict()["entries"][0]) == {
        "question",
        "size",
        "clip",
        "noise_multiplier",
        "sampling_rate",
    }
    asked = {e.question for e in condensed.ledger.entries}
    assert not asked & set(told["looks"])


def test_the_ceiling_is_a_plain_fit_on_all_records(condensed: Condenser) -> None:
    train, test = make_table(400), make_table(300, seed=1)
    found = evaluate(condensed.table_, train, test)
    task = table_task(condensed.table_)
    columns = [c for c in condensed.table_.schema.columns if c.name != "died"]
    encoding = Encoding(columns)

    def design(table: pl.DataFrame) -> Floats:
        from tincture.frames import to_columns

        values = to_columns(table, SCHEMA, [c.name for c in columns])
        return encoding.design(encoding.encode(values)).astype(np.float32).astype(np.float64)

    assert task.columns == ("died",)
    ready = prepare(design(train)[None], encoding.numeric)
    model = LogisticRegression(max_iter=5000).fit(ready.x[0], train["died"].to_numpy())
    predicted = model.predict_proba(ready.apply(design(test), 0))[:, 1]
    expected = roc_auc_score(test["died"].to_numpy(), predicted)
    assert found.value("logistic", CEILING, "AUROC") == pytest.approx(expected, abs=1e-9)
    expected = brier_score_loss(test["died"].to_numpy(), predicted)
    assert found.value("logistic", CEILING, "Brier") == pytest.approx(expected, abs=1e-9)


def test_the_same_seed_draws_the_same_random_rows(condensed: Condenser) -> None:
    train, test = make_table(300), make_table(200, seed=1)
    values = [
        evaluate(condensed.table_, train, test, seed=seed).value("logistic", RANDOM, "AUROC")
        for seed in (0, 0, 1)
    ]
    assert values[0] == values[1] != values[2]


def test_subgroups_by_levels_and_by_cut_points(condensed: Condenser) -> None:
    train, test = make_table(300), make_table(400, seed=1)
    found = evaluate(condensed.table_, train, test, by=["ward", "diabetes", "age:40,70"])
    assert {s.group for s in found.scores} == {
        "all",
        *(f"ward = {w}" for w in ("icu", "med", "surg")),
        "diabetes = False",
        "diabetes = True",
        "age < 40",
        "age 40 to < 70",
        "age ≥ 70",
    }
    old = evaluate(condensed.table_, train, test.filter(pl.col("age") >= 70))
    for source in SOURCES:
        alone = old.value("logistic", source, "AUROC")
        inside = found.value("logistic", source, "AUROC", "age ≥ 70")
        assert inside == pytest.approx(alone, abs=1e-12)


def test_a_tiny_subgroup_is_left_out(condensed: Condenser) -> None:
    test = make_table(200, seed=1)
    few = test.filter(pl.col("ward") == "icu").head(19)
    rest = test.filter(pl.col("ward").is_null() | (pl.col("ward") != "icu"))
    found = evaluate(condensed.table_, make_table(300), pl.concat([few, rest]), by=["ward"])
    assert {s.group for s in found.scores} == {"all", "ward = med", "ward = surg"}


@pytest.mark.parametrize(
    ("by", "says"),
    [
        ("fate", "no feature 'fate'"),
        ("died", "no feature 'died'"),
        ("", "no feature ''"),
        ("age", "need cut points, as in age:40,60,80"),
        ("age:", "need cut points"),
        ("age:old", "must be numbers"),
        ("age:40,,60", "must be numbers"),
        ("age:nan", "must be numbers"),
        ("ward:2", "need no cut points"),
    ],
)
def test_a_bad_subgroup_is_refused_before_a_record_is_seen(
    by: str, says: str, condensed: Condenser
) -> None:
    with pytest.raises(SettingError, match=says):
        evaluate(condensed.table_, None, None, by=[by])


@pytest.mark.usefixtures("few_rounds")
def test_survival_is_scored_by_concordance() -> None:
    table = make_table(300)
    made = make_condenser(
        target=None, time="days", event="event", drop=["died", "stage", "patient"], models=["cox"]
    ).fit(table)
    assert isinstance(table_task(made.table_), Survival)
    found = evaluate(made.table_, table, make_table(200, seed=1), by=["diabetes"])
    assert {s.metric for s in found.scores} == {"C-index"}
    assert found.value("cox", CEILING, "C-index") > 0.55


def test_a_model_that_fails_quotes_no_record(condensed: Condenser) -> None:
    from commands import Quotes

    with pytest.raises(ModelError, match=r"trained on all real records failed") as caught:
        evaluate(condensed.table_, make_table(100), make_table(100), models=[Quotes])
    assert caught.value.__cause__ is caught.value.__context__ is None
