"""What a recipient's plain regression says of a release, beside what real records say."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from helpers import make_condenser, make_table
from tincture.evaluation.metrics.survival import kaplan_meier
from tincture.evaluation.scores import CEILING, COHORT, CONDENSED, RANDOM, Evaluation
from tincture.kernels import glm
from tincture.report.in_house import in_house_page
from tincture.report.summary import InHouse
from tincture.tables.bench import evaluate
from tincture.tables.condenser import Condenser


def checked(found: Evaluation) -> dict[tuple[str, str], float]:
    return {(c.name, c.trained_on): c.value for c in found.checks}


def told(found: Evaluation, source: str) -> dict[str, float]:
    return {r.term: r.figure.value for r in found.ratios if r.trained_on == source}


@pytest.fixture(scope="module")
def found(condensed: Condenser) -> Evaluation:
    return evaluate(condensed.table_, make_table(400), make_table(200, seed=1))


def test_real_ratios_are_those_of_a_formula(found: Evaluation) -> None:
    """Every level against the first, "(missing)" last; amounts filled by medians, per deviation."""
    table = make_table(400)
    amounts = [table[n].cast(pl.Float64).fill_null(table[n].median()) for n in ("age", "lactate")]
    amounts.append(table["sodium"].fill_null(table["sodium"].median()))
    ward, diabetes = (table[n].cast(pl.String).fill_null("(missing)") for n in ("ward", "diabetes"))
    levels = [ward == "med", ward == "surg", ward == "(missing)"]
    levels += [diabetes == "true", diabetes == "(missing)"]
    x = np.column_stack([c.to_numpy().astype(np.float64) for c in (*amounts, *levels)])
    expected = glm.fit(x[None], table["died"].to_numpy()).coef[0, 0]
    ratios = told(found, CEILING)
    for k, name in enumerate(("age", "lactate", "sodium")):
        own = next(v for term, v in ratios.items() if term.startswith(f"{name}, per "))
        assert own == pytest.approx(math.exp(expected[k] * x[:, k].std()), rel=1e-4)
    assert ratios["ward surg : icu"] == pytest.approx(math.exp(expected[4]), rel=1e-4)
    diabetic = [
        v for term, v in ratios.items() if term.startswith("diabetes") and "miss" not in term
    ]
    assert diabetic == pytest.approx([math.exp(expected[6])], rel=1e-4)


def test_only_real_ratios_have_intervals(found: Evaluation) -> None:
    sources = {CONDENSED, COHORT, CEILING, RANDOM}
    assert {r.trained_on for r in found.ratios} == sources
    for r in found.ratios:
        assert math.isfinite(r.figure.low) == (r.trained_on == CEILING)
        if r.trained_on == CEILING:
            assert r.figure.low < r.figure.value < r.figure.high


def test_records_handed_out_as_rows_say_what_records_say(condensed: Condenser) -> None:
    train = make_table(400)
    same = replace(condensed.table_, rows=train.select(condensed.table_.schema.names))
    found = evaluate(same, train, make_table(200, seed=1))
    checks = checked(found)
    assert checks["beta", CONDENSED] == pytest.approx(0, abs=1e-9)
    assert checks["sign", CONDENSED] == 1
    assert checks["beta", COHORT] > 0.01
    assert told(found, CONDENSED) == pytest.approx(told(found, CEILING))


def test_a_files_own_auroc_is_told_beside_the_held_out_one(condensed: Condenser) -> None:
    """As whoever cross-validates a pipeline on the file would find it."""
    rows, test = make_table(300, seed=2), make_table(300, seed=1)
    names = condensed.table_.schema.names
    held = replace(condensed.table_, rows=rows.select(names))
    ours = checked(evaluate(held, make_table(300), test))["cv_gap", CONDENSED]
    amounts, levels = ["age", "lactate", "sodium"], ["ward", "diabetes"]
    pipeline = make_pipeline(
        ColumnTransformer(
            [
                ("a", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), amounts),
                ("l", OneHotEncoder(handle_unknown="ignore"), levels),
            ]
        ),
        LogisticRegression(max_iter=5000),
    )
    text = [pl.col(n).cast(pl.String).fill_null("(missing)") for n in levels]
    x, asked = (
        t.select(*amounts, *text).to_pandas().astype(dict.fromkeys(amounts, float))
        for t in (rows, test)
    )
    y = rows["died"].to_numpy()
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    own = cross_val_predict(pipeline, x, y, cv=folds, method="predict_proba")[:, 1]
    there = pipeline.fit(x, y).predict_proba(asked)[:, 1]
    gap = roc_auc_score(y, own) - roc_auc_score(test["died"], there)
    assert ours == pytest.approx(gap, abs=1e-4)


def test_curves_of_survival_are_compared_at_real_quantiles() -> None:
    table = make_table(300)
    outcome = {"target": None, "time": "days", "event": "event"}
    made = make_condenser(**outcome, drop=["died", "stage", "patient"], models=["cox"]).fit(table)
    found = evaluate(made.table_, table, make_table(200, seed=1))
    rows = made.table_.rows
    curves = [kaplan_meier(t["days"].to_numpy(), t["event"].to_numpy()) for t in (rows, table)]
    at = np.quantile(table["days"].to_numpy(), np.linspace(0.05, 0.95, 19))
    ours = checked(found)
    # Days lie within the bounds of the schema, so that records are read as they are written.
    assert ours["km", CONDENSED] == pytest.approx(np.abs(curves[0](at) - curves[1](at)).max())
    assert {"beta", "km"} <= {name for name, _ in ours}
    assert found.value("coxph", CEILING, "C-index") > 0.55


def test_of_several_classes_there_is_no_plain_regression() -> None:
    made = make_condenser(target="stage", drop=["died", "days", "event", "patient"])
    found = evaluate(made.fit(make_table(200)).table_, make_table(200), make_table(200, seed=1))
    assert {s.model for s in found.scores} == {"logistic"}
    assert not found.ratios
    assert not found.checks


def test_models_of_quadratic_time_learn_from_a_part_and_say_so(condensed: Condenser) -> None:
    train = make_table(5200)
    found = evaluate(condensed.table_, train, make_table(100, seed=1), models=["neighbours"])
    rows = {(f.model, f.trained_on): f.rows for f in found.fits}
    assert (rows["neighbours", CEILING], rows["glm", CEILING]) == (5000, 5200)
    assert "neighbours learned from 5,000 drawn at random at most" in found.note


def test_the_page_and_the_json_hold_ratios_and_what_they_are_not(found: Evaluation) -> None:
    page = in_house_page(InHouse("T", "promise", found))
    for text in ("p-values", "Ratios of the plain regression", "cv_gap", "ward surg : icu"):
        assert text in page
    json_of = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert "no figure computed on invented rows" in json_of["advice"]
    assert {c["name"] for c in json_of["checks"]} >= {"beta", "sign"}
    assert len(json_of["ratios"]) == len(found.ratios)
