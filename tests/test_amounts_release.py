"""A release of an amount: made, saved, judged, attacked, resumed and read by its card."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.ensemble import RandomForestRegressor

from commands import condensing, prepare, run
from helpers import SCHEMA, make_condenser, make_table
from recipients import in_python, in_r, snippet
from tincture import CondensedTable, evaluate
from tincture.errors import SettingError
from tincture.public.schema import Schema
from tincture.tables.condenser import Condenser
from tincture.tables.target import audit

DROPPED = ["died", "event", "stage", "patient"]
AMOUNT: dict[str, Any] = {"target": None, "outcome": "days", "drop": DROPPED, "models": None}


def fitted(records: pl.DataFrame | None = None, **changes: Any) -> Condenser:
    return make_condenser(**AMOUNT | changes).fit(make_table() if records is None else records)


@pytest.fixture(scope="module", params=["direct", "proxy"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("amounts") / "release"
    fitted(method=request.param, n_rows=40).save(path)
    return path


def test_rows_hold_amounts_within_their_bounds_and_of_the_real_mean(folder: Path) -> None:
    made = CondensedTable.load(folder)
    days = made.rows["days"]
    assert days.is_between(0, 365).all()
    assert made.models == ("linear", "tree", "forest", "boosting")
    real = float(make_table()["days"].to_numpy().mean())
    assert made.settings["prevalence"] == pytest.approx(real, rel=0.05)
    assert made.prevalence == pytest.approx(real, rel=0.1)


# A row of the proxy method has the mean that the teacher tells, and no scatter around it.
def test_outcomes_of_rows_scatter_less_than_those_of_people(folder: Path) -> None:
    made = CondensedTable.load(folder)
    if made.cohort is None:
        pytest.skip("the direct method has no teacher")
    assert made.rows["days"].to_numpy().std() < 0.8 * made.cohort["days"].to_numpy().std()
    assert "scatter less than real ones" in (folder / "README.md").read_text()


# Everyone of a cohort has a twin, alike but for the amount; a forest grown on them is worth nine
# tenths of one grown on the records, and amounts are spread as wide as counted.
def test_a_cohort_of_twins_teaches_a_forest() -> None:
    train, test = make_table(1500, seed=3), make_table(1500, seed=4)
    made = fitted(records=train, n_rows=20, models=["linear"])
    people, features = made.cohort_frame("polars"), ["age", "lactate", "sodium", "ward", "diabetes"]
    assert (people.group_by(features).len()["len"] % 2 == 0).all()
    assert people["days"].to_numpy().std() == pytest.approx(train["days"].to_numpy().std(), rel=0.1)

    def learned(table: pl.DataFrame) -> float:
        def seen(some: pl.DataFrame) -> np.ndarray:
            return some[features].to_dummies("ward").to_numpy().astype(float)

        forest = RandomForestRegressor(100, random_state=0)  # which takes missing cells
        forest.fit(seen(table), table["days"].to_numpy())
        return float(forest.score(seen(test), test["days"].to_numpy()))

    assert learned(people) > 0.9 * learned(train)


def test_the_package_and_the_card_tell_an_amount(folder: Path) -> None:
    package = json.loads((folder / "datapackage.json").read_text())["tincture"]
    assert package["task"] == {"kind": "amounts", "outcome": "days"}
    card = (folder / "README.md").read_text()
    assert "| Outcome | days; an amount |" in card
    assert "What the outcome is on average" in card
    assert "How often" not in card


def test_the_code_on_the_card_runs_in_python(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = in_python(snippet(folder, "python"), folder, monkeypatch)
    assert np.isfinite(found["amount"]).all()
    assert "LinearRegression" in snippet(folder, "python")


def test_the_code_on_the_card_runs_in_r(folder: Path) -> None:
    code = snippet(folder, "r")
    assert "model <- lm(`days` ~ ., filled)" in code
    assert in_r(f"{code}\ncat(all(is.finite(amount)))", folder) == "TRUE"


def test_a_declared_logarithm_is_what_the_card_fits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    descriptor = SCHEMA.to_dict()
    lactate = next(f for f in descriptor["fields"] if f["name"] == "lactate")
    lactate["tincture:scale"] = "log"
    table = make_table().drop_nulls()
    settings = AMOUNT | {"outcome": "lactate", "drop": [*DROPPED, "days"], "n_rows": 40}
    schema = Schema.from_dict(descriptor)
    make_condenser(**settings | {"schema": schema}).fit(table).save(tmp_path / "out")
    found = in_python(snippet(tmp_path / "out", "python"), tmp_path / "out", monkeypatch)
    assert (found["amount"] > 0).all()
    assert "lm(log(`lactate`) ~ ., filled)" in snippet(tmp_path / "out", "r")


def test_an_evaluation_figures_in_the_unit_of_the_outcome(folder: Path) -> None:
    train, test = make_table(), make_table(300, seed=1)
    found = evaluate(folder, train, test, by=["diabetes"], pictures=True)
    best = found.figure("linear", "all real records", "R2")
    assert 0 < best.low < best.value < best.high < 1
    wrong = found.figure("linear", "all real records", "mean absolute error")
    assert 10 < wrong.low < wrong.value < wrong.high < 120
    days = test["days"].to_numpy()
    guess = float(np.abs(days - days.mean()).mean())
    assert wrong.value < guess
    assert {g.metric for g in found.gaps} == {"R2"}
    assert found.groups[1].counts == "days above its median"
    assert found.says_case == "outcome: days, an amount"
    assert {s.rows for s in found.scores if s.trained_on == "random real rows"} == {40}


@pytest.mark.parametrize("method", ["direct", "proxy"])
def test_attacks_take_an_amount(method: str, tmp_path: Path) -> None:
    fitted(method=method, models=["linear"], n_rows=20).save(tmp_path / "release")
    found = audit(
        tmp_path / "release", make_table(), make_table(300, seed=1), references=2, canaries=50
    )
    assert found.membership
    assert all(0 <= a.area.value <= 1 for a in found.membership)


def test_the_command_line_takes_an_amount(tmp_path: Path) -> None:
    prepare(tmp_path)
    flags: dict[str, Any] = {"target": None, "outcome": "days", "drop": DROPPED, "model": "tree"}
    said = run(*condensing(tmp_path, **flags))
    assert (said.code, "outcome: days, an amount" in said.out) == (0, True)
    assert "There is no rule of thumb for amounts" in said.out
    refused = run(*condensing(tmp_path, **flags | {"outcome": "ward"}, out=tmp_path / "two"))
    assert (refused.code, "name it by --target" in refused.err) == (3, True)
    page = tmp_path / "page.html"
    args = ["evaluate", tmp_path / "out", "--train", tmp_path / "records.csv", "--report", page]
    said = run(*args, "--test", tmp_path / "heldout.csv")
    assert (said.code, "R2" in said.out, "R2 is the share" in page.read_text()) == (0, True, True)


def test_a_continued_run_ends_where_it_would_have_ended(tmp_path: Path) -> None:
    class Killed(BaseException):
        """As if the process were killed."""

    def progress(done: int, total: int) -> None:
        if done == 3:
            raise Killed

    whole = fitted(epsilon=math.inf).to_frame()
    settings = AMOUNT | {"epsilon": math.inf}
    with pytest.raises(Killed):
        make_condenser(**settings).fit(make_table(), journal=tmp_path / "j", progress=progress)
    assert (
        make_condenser(**settings)
        .fit(make_table(), journal=tmp_path / "j")
        .to_frame()
        .equals(whole)
    )


@pytest.mark.parametrize(
    "changes", [{"target": "died"}, {"time": "days", "event": "event"}, {"case": 1}]
)
def test_an_outcome_stands_alone(changes: dict[str, Any]) -> None:
    with pytest.raises(SettingError):
        make_condenser(**AMOUNT | changes).job()
