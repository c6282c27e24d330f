"""Every source, model and group is scored, the ceiling is a plain fit, groups are who they say."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from helpers import SCHEMA, make_condenser, make_table
from tincture.arrays import Floats
from tincture.errors import ModelError, SettingError
from tincture.evaluation.scores import CEILING, COHORT, CONDENSED, RANDOM
from tincture.models.prepared import Tables
from tincture.public.encoding import Encoding
from tincture.public.tasks import Survival
from tincture.tables.bench import LOOKS, evaluate
from tincture.tables.condenser import Condenser

SOURCES = {CONDENSED, COHORT, CEILING, RANDOM}
FIGURES = {"AUROC", "AUPRC", "Brier", "calibration slope", "calibration intercept"}
FIGURES |= {"observed / predicted"}


def test_every_source_model_and_figure_is_there(condensed: Condenser) -> None:
    train, test = make_table(300), make_table(200, seed=1)
    found = evaluate(condensed.table_, train, test, models=["logistic", "tree"])
    assert {(s.model, s.trained_on, s.metric) for s in found.scores} == {
        (m, t, f) for m in ("logistic", "tree", "glm") for t in SOURCES for f in FIGURES
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
    assert told["looks"] == ["train-on-real ceiling", "held-out scores", *LOOKS["classification"]]
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
    task = condensed.table_.outcome
    columns = [c for c in condensed.table_.schema.columns if c.name != "died"]
    encoding = Encoding(columns)

    def design(table: pl.DataFrame) -> Floats:
        from tincture.io.frames import to_columns

        values = to_columns(table, SCHEMA, [c.name for c in columns])
        return encoding.design(encoding.encode(values)).astype(np.float32).astype(np.float64)

    assert task.columns == ("died",)
    ready = Tables(design(train)[None], encoding.numeric).scaled
    model = LogisticRegression(max_iter=5000).fit(ready.x[0], train["died"].to_numpy())
    predicted = model.predict_proba(ready.apply(design(test), 0))[:, 1]
    expected = roc_auc_score(test["died"].to_numpy(), predicted)
    assert found.value("logistic", CEILING, "AUROC") == pytest.approx(expected, abs=1e-9)
    expected = brier_score_loss(test["died"].to_numpy(), predicted)
    assert found.value("logistic", CEILING, "Brier") == pytest.approx(expected, abs=1e-9)


def test_trees_split_ties_as_those_of_a_recipient_do(condensed: Condenser) -> None:
    train, test = make_table(400), make_table(300, seed=1)
    told = condensed.table_.schema.names
    amounts, levels = ["age", "lactate", "sodium"], ["ward", "diabetes"]
    assert set(told) == {*amounts, *levels, "died"}

    def frame(t: pl.DataFrame) -> pd.DataFrame:
        text = [pl.col(n).cast(pl.String).fill_null("(missing)") for n in levels]
        return t.select(*amounts, *text).to_pandas().astype(dict.fromkeys(amounts, float))

    columns = ColumnTransformer(
        [
            ("amounts", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), amounts),
            ("levels", OneHotEncoder(handle_unknown="ignore"), levels),
        ]
    )
    models = {
        "tree": DecisionTreeClassifier(max_depth=5, random_state=0),
        "forest": RandomForestClassifier(n_estimators=300, random_state=0),
    }
    found = evaluate(condensed.table_, train, test, models=list(models))
    for name, model in models.items():
        for trained_on, table in ((CONDENSED, condensed.table_.rows), (CEILING, train)):
            fitted = make_pipeline(columns, model).fit(frame(table), table["died"])
            expected = roc_auc_score(test["died"], fitted.predict_proba(frame(test))[:, 1])
            assert found.value(name, trained_on, "AUROC") == pytest.approx(expected, abs=1e-6)


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


@pytest.mark.parametrize(
    ("settings", "says"),
    [({"by": "ward"}, "be a list"), ({"seed": -1}, "seed is -1"), ({"models": []}, "is empty")],
)
def test_what_would_tell_nothing_is_refused_before_a_record_is_seen(
    settings: dict[str, Any], says: str, condensed: Condenser
) -> None:
    with pytest.raises(SettingError, match=says):
        evaluate(condensed.table_, None, None, **settings)


def of_survival() -> Condenser:
    outcome = {"target": None, "time": "days", "event": "event"}
    return make_condenser(**outcome, drop=["died", "stage", "patient"], models=["cox"])


def test_survival_is_scored_by_order_and_by_risk_over_time() -> None:
    table = make_table(300)
    made = of_survival().fit(table)
    assert made.table_.task["kind"] == Survival.name
    found = evaluate(made.table_, table, make_table(200, seed=1), by=["diabetes"])
    times = {m for m in {s.metric for s in found.scores} if m.startswith("risk by ")}
    assert {s.metric for s in found.scores} - times == {"C-index", "integrated Brier"}
    assert len(times) == 3
    assert 0 < found.value("cox", CEILING, "integrated Brier") < 0.25
    assert found.value("cox", CEILING, "C-index") > 0.55


def test_predicted_risk_is_compared_at_the_times_asked_for() -> None:
    table = make_table(300)
    made = of_survival().fit(table)
    found = evaluate(made.table_, table, make_table(600, seed=1), at=[90, 30.5], pictures=True)
    told = [s.metric for s in found.scores if (s.model, s.trained_on) == ("cox", CEILING)][2:]
    assert told == [f"risk by {t}, predicted − observed" for t in ("30.5", "90")]
    # The ceiling is fitted on records of the same kind, and so nearly calibrated.
    assert abs(found.value("cox", CEILING, told[1])) < 0.1
    assert [c.kind for c in found.charts] == ["steps", "calibration", "calibration"]
    curves = {line.name: line.points for line in found.charts[0].lines}
    assert curves.keys() == {CONDENSED, COHORT, CEILING}
    for points in curves.values():
        assert points[0] == (0.0, 1.0)
        assert all(a[1] >= b[1] for a, b in pairwise(points))


@pytest.mark.parametrize("at", [[0.0], [-1.0], [float("nan")], [30.0]])
def test_times_that_mean_nothing_are_refused(at: list[float], condensed: Condenser) -> None:
    with pytest.raises(SettingError, match="--at"):
        evaluate(condensed.table_, None, None, at=at)


def with_site(table: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    """Records of several hospitals in turn; the column is neither a feature nor in the schema."""
    sites = [names[i % len(names)] for i in range(table.height)]
    return table.with_columns(site=pl.Series(sites))


def test_each_site_is_scored_in_turn_and_an_unseen_one_is_external(condensed: Condenser) -> None:
    train = with_site(make_table(300), ["north", "south"])
    test = with_site(make_table(400, seed=1), ["south", "west"])
    found = evaluate(condensed.table_, train, test, by=["site"])
    about = {g.label: g for g in found.groups}
    assert {label: g.records for label, g in about.items()} == {
        "all": 400,
        "site = south": 200,
        "site = west": 200,
    }
    assert [label for label, g in about.items() if g.is_external] == ["site = west"]
    died = test.filter(pl.col("site") == "west")["died"].sum()
    assert about["site = west"].events == died
    alone = evaluate(condensed.table_, train, test.filter(pl.col("site") == "west"))
    for source in SOURCES:
        inside = found.value("logistic", source, "AUROC", "site = west")
        assert inside == pytest.approx(alone.value("logistic", source, "AUROC"), abs=1e-12)
    assert found.looks[2:4] == ("site of records", "site of training records")
    unknown = evaluate(condensed.table_, make_table(300), test, by=["site"])
    assert all(g.is_external for g in unknown.groups if g.label != "all")


def test_a_column_of_many_values_is_no_site(condensed: Condenser) -> None:
    with pytest.raises(SettingError, match="more than 200 different values"):
        evaluate(
            condensed.table_,
            make_table(300),
            with_site(make_table(400, seed=1), [f"p{i}" for i in range(201)]),
            by=["site"],
        )


def test_a_group_that_the_overall_figure_hides_is_called_out(condensed: Condenser) -> None:
    # In one ward the outcome is turned round, which the rows of the release know nothing of. They
    # are drawn here, not condensed, so that no noise decides whether the test passes.
    release = condensed.table_
    rows = make_table(300, seed=2).select(release.schema.names)

    def turned(table: pl.DataFrame) -> pl.DataFrame:
        icu = pl.col("ward") == "icu"
        died = pl.when(icu).then(1 - pl.col("died")).otherwise(pl.col("died"))
        return table.with_columns(died=died)

    found = evaluate(
        replace(release, rows=rows),
        turned(make_table(900)),
        turned(make_table(900, seed=1)),
        models=[DecisionTreeClassifier(max_depth=5, random_state=0)],
        by=["ward"],
    )
    name = "DecisionTreeClassifier"
    gaps = {(g.group, g.metric): g for g in found.gaps if g.model == name}
    assert {g.group for g in found.left_behind} == {"ward = icu"}
    icu = gaps["ward = icu", "AUROC"]
    assert icu.excess.low > 0.02
    best, ours = (found.value(name, s, "AUROC", "ward = icu") for s in (CEILING, CONDENSED))
    assert icu.figure.value == pytest.approx(best - ours, abs=1e-12)
    assert gaps["all", "AUROC"].excess.value == gaps["all", "AUROC"].excess.high == 0
    best, ours = (found.value(name, s, "Brier", "ward = icu") for s in (CEILING, CONDENSED))
    assert gaps["ward = icu", "Brier"].figure.value == pytest.approx(ours - best, abs=1e-12)


def test_how_long_each_fit_took_is_told(condensed: Condenser) -> None:
    found = evaluate(condensed.table_, make_table(300), make_table(200, seed=1))
    rows = {f.trained_on: f.rows for f in found.fits}
    assert rows == {s.trained_on: s.rows for s in found.scores}
    assert all(0 < f.seconds < 5 for f in found.fits)


def test_only_the_first_of_slow_fits_is_repeated(condensed: Condenser) -> None:
    """The first may load or compile code, which is no part of its time."""
    from commands import Constant

    fits: list[int] = []

    class Slow(Constant):
        def fit(self, x: Floats, y: Floats) -> Constant:
            fits.append(len(x))
            time.sleep(0.11)
            return super().fit(x, y)

    found = evaluate(condensed.table_, make_table(300), make_table(200, seed=1), models=[Slow])
    rows = [f.rows for f in found.fits if f.model == "Slow"]
    assert fits == [rows[0], *rows]


def test_distributions_are_shares_of_every_column(condensed: Condenser) -> None:
    train = make_table(300)
    found = evaluate(condensed.table_, train, make_table(200, seed=1), pictures=True)
    assert [b.column for b in found.bars] == condensed.table_.schema.names
    for bars in found.bars:
        assert len(bars.labels) == len(bars.condensed) == len(bars.real)
        assert sum(bars.condensed) == pytest.approx(1)
        assert sum(bars.real) == pytest.approx(1)
        assert 0 <= bars.distance <= 1
    ward = next(b for b in found.bars if b.column == "ward")
    assert ward.labels == ("icu", "med", "surg", "missing")
    assert ward.real[0] == pytest.approx((train["ward"] == "icu").sum() / 300)
    assert ward.real[3] == pytest.approx(train["ward"].null_count() / 300)
    assert [c.kind for c in found.charts] == ["roc", "calibration"] * 2
    for line in found.charts[0].lines:
        assert (line.points[0], line.points[-1]) == ((0.0, 0.0), (1.0, 1.0))
    assert not evaluate(condensed.table_, train, make_table(200, seed=1)).bars


def test_a_model_that_fails_quotes_no_record(condensed: Condenser) -> None:
    from commands import Quotes

    with pytest.raises(ModelError, match=r"trained on cohort failed") as caught:
        evaluate(condensed.table_, make_table(100), make_table(100), models=[Quotes])
    assert caught.value.__cause__ is caught.value.__context__ is None
