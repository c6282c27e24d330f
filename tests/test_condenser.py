"""The whole way, from a frame of records to a release that holds none of them."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.naive_bayes import GaussianNB
from sklearn.utils import get_tags

from helpers import DESCRIPTOR, FEATURES, OTHERS, SCHEMA, make_condenser, make_table
from tincture.errors import (
    BudgetError,
    ModelError,
    ReleaseError,
    SchemaError,
    SettingError,
    TableError,
    TinctureError,
)
from tincture.privacy.budget import Budget
from tincture.public.schema import Schema
from tincture.report.papers.filed import PAPERS
from tincture.tables.condenser import Condenser
from tincture.tables.release import CondensedTable


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
    assert isinstance(make_condenser().fit(make_table().to_pandas()).to_frame(), pd.DataFrame)
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
    first = make_condenser().fit(make_table()).to_frame()
    second = make_condenser().fit(make_table().to_pandas()).to_frame("polars")
    assert first.equals(second)


@pytest.mark.parametrize("models", [["logistic"], ["tree"]])
def test_without_noise_the_seed_decides_every_row(models: list[str]) -> None:
    first, again, other = (
        make_condenser(models=models, seed=s).fit(make_table()) for s in (3, 3, 4)
    )
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
        {"target": "stage", "drop": [*OTHERS["stage"], "patient"], "models": ["tree"],
         "epsilon": 1.0, "balance": "ward"},
        {"target": None, "time": "days", "event": "event", "models": ["cox"],
         "drop": ["died", "stage", "patient"]},
        {"unit": "patient", "drop": OTHERS["died"]},
        {"models": [GaussianNB()]},
        {"method": "direct"},
        {"method": "proxy", "models": None, "epsilon": 1.0},
        {"method": "proxy", "models": None, "epsilon": 1.0, "target": None,
         "time": "days", "event": "event", "drop": ["died", "stage", "patient"]},
        {"method": "proxy", "unit": "patient", "drop": OTHERS["died"], "epsilon": 1.0,
         "models": ["logistic", "tree"], "weights": {"tree": 3}},
    ],
    ids=["three classes", "three classes, tree", "survival", "persons", "estimator", "direct",
         "proxy, portfolio", "proxy, survival portfolio", "proxy, persons"],
)  # fmt: skip
def test_every_kind_of_outcome_ends_in_valid_rows(changes: dict[str, Any], tmp_path: Path) -> None:
    made = make_condenser(**changes).fit(make_table())
    assert len(made.table_) == 16
    assert_valid(made.table_.rows, made.table_.schema)
    assert "patient" not in made.table_.schema
    made.save(tmp_path / "out")
    assert CondensedTable.load(tmp_path / "out").rows.equals(made.table_.rows)


def test_the_unit_is_named_in_the_promise() -> None:
    made = make_condenser(unit="patient", drop=OTHERS["died"], epsilon=2.0).fit(make_table())
    assert "all records of one patient" in made.ledger.promise


def test_a_release_is_a_valid_folder_and_loads_as_what_was_saved(
    condensed: Condenser, tmp_path: Path
) -> None:
    folder = tmp_path / "release"
    condensed.save(folder)
    data = {"condensed.csv", "cohort.csv"}
    names = data | {"datapackage.json", "ledger.json", "README.md", "card.html"}
    names |= {paper.name for paper in PAPERS} | {"load.R", "load.py", "load.do", "load.sps"}
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


@pytest.mark.parametrize("name", ["condensed.csv", "cohort.csv", "datapackage.json", "ledger.json"])
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


def test_parameters_are_those_that_scikit_learn_finds() -> None:
    class Theirs(BaseEstimator):
        __init__ = Condenser.__init__

    made, theirs = (
        kind(schema=SCHEMA, epsilon=1.0, delta=1e-5, target="died") for kind in (Condenser, Theirs)
    )
    assert made.get_params() == theirs.get_params()
    assert list(made.get_params()) == list(theirs.get_params())
    assert get_tags(made) == get_tags(theirs)
    assert "n_rows" not in repr(made)
    with pytest.raises(SettingError, match="has no setting 'rows'"):
        made.set_params(rows=3)


# They take a second and 60 to 100 MB, of which a run would have nothing.
def test_a_run_imports_neither_scikit_learn_nor_pandas_nor_an_accountant(tmp_path: Path) -> None:
    make_table(60).write_parquet(tmp_path / "records.parquet")
    (tmp_path / "schema.json").write_text(json.dumps(DESCRIPTOR))
    script = (
        "import sys; import polars as pl; from tincture import Condenser; "
        "Condenser(schema='schema.json', epsilon=1.0, delta=1e-5, target='died', n_rows=16, "
        "drop=['days', 'event', 'stage', 'patient'], effort=0.01, models=['logistic'])"
        ".fit(pl.read_parquet('records.parquet')); "
        "heavy = {'sklearn', 'pandas', 'pyarrow', 'dp_accounting', 'scipy.stats'}; "
        "sys.exit(' '.join(heavy & sys.modules.keys()) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True)
    assert done.stderr == b""
    assert done.returncode == 0


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
        ({"weights": {"tree": 2}}, SettingError, "not among the models logistic"),
        ({"weights": {"logistic": 0}}, SettingError, "above 0"),
        ({"weights": {"logistic": math.nan}}, SettingError, "above 0"),
        ({"weights": {"logistic": math.inf}}, SettingError, "above 0"),
        ({"weights": {"logistic": "2"}}, SettingError, "above 0"),
        ({"weights": [2.0]}, SettingError, "must map names"),
        ({"balance": ["ward"]}, SettingError, "not among the features"),
        ({"effort": 0}, SettingError, "effort"),
        ({"effort": math.nan}, SettingError, "effort"),
        ({"effort": 101}, SettingError, "effort"),
        ({"effort": True}, SettingError, "Effort must be a number"),
        ({"target": None}, SettingError, "Name a target"),
        ({"time": "days"}, SettingError, "Name a target"),
        ({"target": None, "time": "days"}, SettingError, "Name a target"),
        ({"drop": [*FEATURES, *OTHERS["died"], "patient"]}, SettingError, "No column is left"),
        ({"drop": ["died", "patient"]}, SettingError, "'died' is the outcome, and cannot be"),
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
        make_condenser(**changes).fit(
            make_table(), budget=budget.path, journal=tmp_path / "run" / "journal"
        )
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
    assert budget.left() == (3.0, 1e-4)
    assert [p.name for p in tmp_path.iterdir()] == ["budget.json"]


def test_a_release_beyond_the_budget_asks_nothing(tmp_path: Path) -> None:
    budget = Budget(tmp_path / "budget.json")
    budget.create(1.5, 1e-4)
    make_condenser(epsilon=1.0).fit(make_table(), budget=budget.path)
    assert budget.left()[0] == 0.5
    with pytest.raises(BudgetError, match="is left"):
        make_condenser(epsilon=1.0).fit(
            make_table(), budget=budget.path, journal=tmp_path / "r" / "j"
        )
    assert budget.left()[0] == 0.5
    assert not (tmp_path / "r").exists()


def test_a_schema_may_be_given_as_a_file(tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text(json.dumps(DESCRIPTOR))
    made = make_condenser(schema=tmp_path / "s.json").fit(make_table())
    assert made.to_frame().equals(make_condenser().fit(make_table()).to_frame())
