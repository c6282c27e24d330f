"""The whole way, from a frame of records to a release that holds none of them."""

from __future__ import annotations

import io
import json
import logging
import math
import traceback
import warnings
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.naive_bayes import GaussianNB

from helpers import DESCRIPTOR, FEATURES, SCHEMA, make_table
from tincture.errors import (
    BudgetError,
    ModelError,
    QueryFailed,
    ReleaseError,
    SchemaError,
    SettingError,
    TableError,
    TinctureError,
)
from tincture.estimators import Condenser
from tincture.privacy.budget import Budget
from tincture.privacy.ledger import Ledger
from tincture.schema import Schema
from tincture.table import CondensedTable

pytestmark = pytest.mark.usefixtures("few_rounds")
OTHERS = {"died": ["days", "event", "stage"], "stage": ["days", "event", "died"]}


def make(**changes: Any) -> Condenser:
    settings = {
        "schema": SCHEMA,
        "target": "died",
        "drop": [*OTHERS["died"], "patient"],
        "epsilon": math.inf,
        "delta": 1e-5,
        "models": ["logistic"],
        "n_rows": 16,
    }
    return Condenser(**(settings | changes))


def assert_valid(rows: pl.DataFrame, schema: Schema) -> None:
    """Every cell is a level, or lies inside its bounds."""
    assert rows.columns == schema.names
    for column in schema.columns:
        cells = rows[column.name].drop_nulls().to_list()
        if column.is_categorical:
            assert set(cells) <= set(column.levels)
        else:
            low, high = column.bounds
            assert all(low <= v <= high for v in cells)
            if column.type == "integer":
                assert all(isinstance(v, int) for v in cells)
        if column.required:
            assert rows[column.name].null_count() == 0


def test_the_frame_comes_back_in_the_library_it_came_in(condensed: Condenser) -> None:
    assert isinstance(condensed.to_frame(), pl.DataFrame)
    assert isinstance(condensed.to_frame("pandas"), pd.DataFrame)
    assert isinstance(make().fit(make_table().to_pandas()).to_frame(), pd.DataFrame)
    with pytest.raises(ReleaseError, match="not known"):
        condensed.to_frame("excel")


def test_a_private_result_is_valid_and_spends_what_was_asked(condensed: Condenser) -> None:
    table = condensed.table_
    assert len(table) == 16
    assert_valid(table.rows, SCHEMA.select([*FEATURES, "died"]))
    assert 0.9 < condensed.ledger.epsilon() <= 1.0
    plan = condensed.ledger.plan
    asked = [e.question for e in condensed.ledger.entries]
    assert all(asked.count(p.question) == p.count for p in plan.phases)
    # Real prevalence, up to the noise on 600 records.
    share = table.rows["died"].mean()
    assert share == pytest.approx(make_table()["died"].mean(), abs=0.15)


def test_pandas_and_polars_records_condense_alike() -> None:
    first = make().fit(make_table()).to_frame()
    second = make().fit(make_table().to_pandas()).to_frame("polars")
    assert first.equals(second)


@pytest.mark.parametrize("models", [["logistic"], ["tree"]])
def test_without_noise_the_seed_decides_every_row(models: list[str]) -> None:
    first, again, other = (make(models=models, seed=s).fit(make_table()) for s in (3, 3, 4))
    assert first.to_frame().equals(again.to_frame())
    assert not first.to_frame().equals(other.to_frame())
    assert first.ledger.epsilon() == math.inf


def test_with_noise_no_seed_repeats_a_release(condensed: Condenser) -> None:
    again = clone(condensed).fit(make_table())
    assert not again.to_frame().equals(condensed.to_frame())


@pytest.mark.parametrize(
    "changes",
    [
        {"target": "stage", "drop": [*OTHERS["stage"], "patient"]},
        {"target": "stage", "drop": [*OTHERS["stage"], "patient"], "models": ["tree"]},
        {"target": None, "time": "days", "event": "event", "models": ["cox"],
         "drop": ["died", "stage", "patient"]},
        {"unit": "patient", "drop": OTHERS["died"]},
        {"models": [GaussianNB()]},
        {"method": "direct"},
    ],
    ids=["three classes", "three classes, tree", "survival", "persons", "estimator", "direct"],
)  # fmt: skip
def test_every_kind_of_outcome_ends_in_valid_rows(changes: dict[str, Any], tmp_path: Path) -> None:
    made = make(**changes).fit(make_table())
    assert len(made.table_) == 16
    assert_valid(made.table_.rows, made.table_.schema)
    assert "patient" not in made.table_.schema
    made.save(tmp_path / "out")
    assert CondensedTable.load(tmp_path / "out").rows.equals(made.table_.rows)


def test_the_unit_is_named_in_the_promise() -> None:
    made = make(unit="patient", drop=OTHERS["died"], epsilon=2.0).fit(make_table())
    assert "all records of one patient" in made.ledger.promise


def test_a_release_is_a_valid_folder_and_loads_as_what_was_saved(
    condensed: Condenser, tmp_path: Path
) -> None:
    folder = tmp_path / "release"
    condensed.save(folder)
    names = {"condensed.csv", "datapackage.json", "ledger.json", "README.md"}
    assert {p.name for p in folder.iterdir()} == names
    assert [p.name for p in tmp_path.iterdir()] == ["release"]

    package = json.loads((folder / "datapackage.json").read_text(), parse_constant=pytest.fail)
    ledger = json.loads((folder / "ledger.json").read_text(), parse_constant=pytest.fail)
    assert package["resources"][0]["path"] == "condensed.csv"
    assert ledger["epsilon"] == 1.0 >= ledger["epsilon_spent"]
    assert len(ledger["entries"]) == sum(p["planned"] for p in ledger["phases"])
    assert len(pd.read_csv(folder / "condensed.csv")) == 16
    assert ledger["promise"] in (folder / "README.md").read_text()

    loaded = CondensedTable.load(folder)
    assert loaded.rows.equals(condensed.table_.rows)
    assert loaded.schema == condensed.table_.schema
    assert loaded.models == ("logistic",)
    assert loaded.ledger.to_dict() == condensed.ledger.to_dict()
    with pytest.raises(ReleaseError, match="exists already"):
        condensed.save(folder)


@pytest.mark.parametrize("name", ["condensed.csv", "datapackage.json", "ledger.json"])
@pytest.mark.parametrize("content", [None, b"", b"{}", b"\xff\xfe"])
def test_a_damaged_release_is_refused(
    condensed: Condenser, tmp_path: Path, name: str, content: bytes | None
) -> None:
    condensed.save(tmp_path / "release")
    path = tmp_path / "release" / name
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ReleaseError):
        CondensedTable.load(tmp_path / "release")


def test_scikit_learns_conventions_hold(condensed: Condenser) -> None:
    copy = clone(condensed)
    assert copy.get_params()["epsilon"] == 1.0
    assert copy.set_params(epsilon=2.0).epsilon == 2.0
    assert "epsilon=2.0" in repr(copy)
    assert not hasattr(copy, "table_")
    with pytest.raises(ValueError, match="not fitted"):
        copy.to_frame()


class Raises(GaussianNB):
    def fit(self, x: np.ndarray, y: np.ndarray) -> Raises:
        raise RuntimeError("cannot")


class Nan(GaussianNB):
    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        return np.full((len(x), 2), np.nan)


class Narrow(GaussianNB):
    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        return np.ones((len(x), 5))


@pytest.mark.parametrize(
    ("changes", "error", "sentence"),
    [
        ({"epsilon": 0}, SettingError, "above 0"),
        ({"epsilon": -1.0}, SettingError, "above 0"),
        ({"epsilon": math.nan}, SettingError, "above 0"),
        ({"epsilon": 1.0, "delta": 0}, SettingError, "Delta"),
        ({"delta": 1.0}, SettingError, "Delta"),
        ({"n_rows": 3}, SettingError, "expected 4 to"),
        ({"n_rows": 10**6}, SettingError, "expected 4 to"),
        ({"seed": -1}, SettingError, "seed"),
        ({"method": "magic"}, SettingError, "'magic' is not known"),
        ({"target": None}, SettingError, "Name a target"),
        ({"time": "days"}, SettingError, "Name a target"),
        ({"target": None, "time": "days"}, SettingError, "Name a target"),
        ({"drop": [*FEATURES, *OTHERS["died"], "patient"]}, SettingError, "No column is left"),
        ({"unit": "died"}, SettingError, "both the unit and an outcome"),
        ({"models": []}, SettingError, "is empty"),
        ({"models": ["oracle"]}, ModelError, "'oracle' is not known"),
        ({"models": [Raises()]}, ModelError, "'Raises' could not be fitted"),
        ({"models": [Nan()]}, ModelError, "finite"),
        ({"models": [Narrow()]}, ModelError, "'Narrow' failed"),
        ({"models": [3]}, ModelError, "no fit method"),
        ({"target": "weight"}, SchemaError, "no column 'weight'"),
        ({"target": "age"}, SchemaError, "no levels"),
        ({"drop": ["weight"]}, SchemaError, "no column 'weight'"),
        ({"drop": OTHERS["died"]}, SchemaError, "'patient' has no public bounds or levels"),
        ({"schema": "absent.json"}, SchemaError, "Cannot read"),
        ({"unit": "nobody"}, TableError, "tell persons apart"),
        ({"n_rows": 600}, TableError, "no more records"),
    ],
)  # fmt: skip
def test_a_bad_setting_is_refused_before_anything_is_asked(
    changes: dict[str, Any], error: type[TinctureError], sentence: str, tmp_path: Path
) -> None:
    budget = Budget(tmp_path / "budget.json")
    budget.create(3.0, 1e-4)
    with pytest.raises(error) as caught:
        make(**changes).fit(make_table(), budget=budget.path, journal=tmp_path / "run" / "journal")
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
    assert budget.left() == (3.0, 1e-4)
    assert [p.name for p in tmp_path.iterdir()] == ["budget.json"]


def test_a_release_beyond_the_budget_asks_nothing(tmp_path: Path) -> None:
    budget = Budget(tmp_path / "budget.json")
    budget.create(1.5, 1e-4)
    make(epsilon=1.0).fit(make_table(), budget=budget.path)
    assert budget.left()[0] == 0.5
    with pytest.raises(BudgetError, match="is left"):
        make(epsilon=1.0).fit(make_table(), budget=budget.path, journal=tmp_path / "r" / "j")
    assert budget.left()[0] == 0.5
    assert not (tmp_path / "r").exists()


class Killed(BaseException):
    """As if the process were killed."""


def bookings(path: Path) -> int:
    return sum(b'"booked"' in line for line in path.read_bytes().splitlines())


def test_a_killed_run_is_continued_and_never_counts_less(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, budget = tmp_path / "run" / "journal", Budget(tmp_path / "budget.json")
    budget.create(1.0, 1e-5)

    def fit(stop: int) -> Condenser:
        def progress(done: int, total: int) -> None:
            if done == stop:
                raise Killed

        condenser = make(epsilon=1.0)
        return condenser.fit(make_table(), journal=journal, budget=budget.path, progress=progress)

    counts = []
    for stop in (1, 3, 2):
        with pytest.raises(Killed):
            fit(stop)
        counts.append(bookings(journal))
    with monkeypatch.context() as patch:  # killed between a booking and its answer

        def keep(self: Ledger, answer: object) -> None:
            raise Killed

        patch.setattr(Ledger, "keep", keep)
        with pytest.raises(Killed):
            fit(99)
        counts.append(bookings(journal))

    finished = fit(99)
    counts.append(bookings(journal))
    assert counts == sorted(counts)
    assert counts[1] < counts[3] < counts[-1]
    planned = sum(p.count for p in finished.ledger.plan.phases)
    assert len(finished.ledger.entries) == planned == counts[-1]
    assert finished.ledger.epsilon() <= 1.0
    assert len(budget.read()["releases"]) == 1


def test_a_continued_run_ends_where_it_would_have_ended(tmp_path: Path) -> None:
    def progress(done: int, total: int) -> None:
        if done == 3:
            raise Killed

    whole = make().fit(make_table()).to_frame()
    with pytest.raises(Killed):
        make().fit(make_table(), journal=tmp_path / "j", progress=progress)
    assert make().fit(make_table(), journal=tmp_path / "j").to_frame().equals(whole)


def test_an_unfinished_run_with_other_settings_is_not_continued(tmp_path: Path) -> None:
    make().fit(make_table(), journal=tmp_path / "j")
    with pytest.raises(ReleaseError, match="other settings"):
        make(seed=9).fit(make_table(), journal=tmp_path / "j")


ODD_NUMBER, ODD_NAME = 123.456789, "Zx81sentinel"


class Betrays(GaussianNB):
    """Quotes the records as soon as it sees more than it was trained on."""

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        if len(x) > 100:
            raise RuntimeError(f"{ODD_NAME} {ODD_NUMBER} {x!r}")
        return super().predict_proba(x)


@pytest.mark.parametrize("epsilon", [1.0, math.inf])
def test_no_output_holds_a_record(
    epsilon: float, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    table = make_table().with_columns(
        sodium=pl.Series([ODD_NUMBER] * 300 + [None] * 300, dtype=pl.Float64),
        patient=pl.Series([f"{ODD_NAME}{i}" for i in range(600)]),
    )
    wrong = table.with_columns(sodium=pl.lit(ODD_NAME))
    caplog.set_level(logging.DEBUG)
    said = io.StringIO()

    def attempt(records: pl.DataFrame, name: str, **changes: Any) -> None:
        settings = {"unit": "patient", "drop": OTHERS["died"], "epsilon": epsilon}
        try:
            made = make(**(settings | changes)).fit(
                records,
                journal=tmp_path / name / "journal",
                progress=lambda done, total: print(done, total, file=said),
            )
            made.save(tmp_path / f"{name}-release")
            said.write(repr(made) + repr(made.table_.ledger) + repr(made.table_))
        except TinctureError as error:
            while error is not None:
                said.write("".join(traceback.format_exception(error)) + repr(error))
                assert error.__cause__ is None
                error = error.__context__  # type: ignore[assignment]

    with redirect_stdout(said), redirect_stderr(said), warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        attempt(table, "good")
        attempt(wrong, "bad-cell")
        attempt(table, "betrayed", models=[Betrays()])
        attempt(table.to_pandas(), "pandas")
    assert (tmp_path / "good-release" / "condensed.csv").exists()
    assert "QueryFailed" in said.getvalue()
    assert "not a number" in said.getvalue()
    output = said.getvalue() + caplog.text + "".join(str(w.message) for w in told)
    output += "".join(p.read_text() for p in tmp_path.rglob("*") if p.is_file())
    for sentinel in (ODD_NAME, str(ODD_NUMBER), "123.4567"):
        assert sentinel not in output


def test_a_model_that_fails_on_records_is_a_failed_query() -> None:
    with pytest.raises(QueryFailed, match="its cause stays there"):
        make(models=[Betrays()]).fit(make_table())


def test_a_schema_may_be_given_as_a_file(tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text(json.dumps(DESCRIPTOR))
    made = make(schema=tmp_path / "s.json").fit(make_table())
    assert made.to_frame().equals(make().fit(make_table()).to_frame())
