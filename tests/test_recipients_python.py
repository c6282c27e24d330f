"""Others' Python software reads a release by its descriptor, and fits what people fit."""

from __future__ import annotations

import csv
import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from recipients import SCHEMA, files, in_python, snippet
from tincture.tables.release import CondensedTable

KINDS = ["classes", "survival"]
PLACES = [(kind, path) for kind in KINDS for path in ("condensed.csv", "cohort.csv")]
every_file = pytest.mark.parametrize(("kind", "path"), PLACES, ids=map(" ".join, PLACES))


def ran(folder: Path, path: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the code on the card makes of a file; a warning is an error here."""
    return in_python(snippet(folder, "python", path), folder, monkeypatch)


def rows_of(folder: Path, path: str) -> pl.DataFrame:
    """The rows as they were released."""
    return CondensedTable.load(folder).files[path]


def fields_of(folder: Path, path: str) -> list[dict[str, Any]]:
    package = json.loads((folder / "datapackage.json").read_text())
    (fields,) = (r["schema"]["fields"] for r in package["resources"] if r["path"] == path)
    assert isinstance(fields, list)
    return fields


@pytest.mark.parametrize("kind", KINDS)
def test_the_files_tested_here_are_those_of_the_package(
    released: dict[str, Path], kind: str
) -> None:
    assert [(kind, path) for path in files(released[kind])] == [p for p in PLACES if p[0] == kind]


@every_file
def test_the_code_on_the_card_reads_fits_and_predicts_for_new_patients(
    released: dict[str, Path], kind: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind == "survival":
        pytest.importorskip("sksurv")
    made = ran(released[kind], path, monkeypatch)
    rows = rows_of(released[kind], path)
    for name in rows.columns:
        told = made["rows"][name]
        if SCHEMA[name].is_time:
            days = (rows[name].cast(pl.Datetime("us")) - datetime(1970, 1, 1)).dt.total_seconds()
            assert str(told.dtype) == "datetime64[s]"
            told = made["in_days"](made["rows"])[name]
            np.testing.assert_allclose(told, days.to_numpy() / 86_400, rtol=1e-15)
            continue
        assert [None if v != v else v for v in told.tolist()] == rows[name].to_list()
        levels = SCHEMA[name].levels
        assert not levels or set(told.cat.categories) == set(levels)
    assert np.isfinite(made["model"].predict(made["read"]("own.csv")).astype(float)).all()


# Both languages read the cohort, and say in a line how the other file is read.
@pytest.mark.parametrize("kind", KINDS)
def test_the_code_in_both_languages_reads_one_file(released: dict[str, Path], kind: str) -> None:
    for language in ("python", "r"):
        code = snippet(released[kind], language)
        assert re.search("^rows (=|<-) cohort  # or condensed\n", code, re.MULTILINE)


@every_file
def test_statsmodels(
    released: dict[str, Path], kind: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = pytest.importorskip("statsmodels.api")
    made = ran(released[kind], path, monkeypatch)
    rows = made["rows"]
    amounts = made["prepare"].transform(rows)[:, : len(made["amounts"])]
    exog = np.column_stack([amounts, rows["sex"] == 1])
    if kind == "classes":
        died, family = rows["died here"] == "yes", api.families.Binomial()
        fitted = api.GLM(died, api.add_constant(exog), family=family).fit()
    else:
        fitted = api.PHReg(rows["days"], exog, status=rows["event"].astype(int)).fit()
    assert np.isfinite(fitted.params).all()


@pytest.mark.parametrize("path", ["condensed.csv", "cohort.csv"])
def test_lifelines(released: dict[str, Path], path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lifelines = pytest.importorskip("lifelines")
    made = ran(released["survival"], path, monkeypatch)
    made["prepare"].set_output(transform="pandas")
    table = made["prepare"].fit_transform(made["rows"])
    table = table.loc[:, table.std() > 0]
    seen = made["rows"]["event"] == 1
    told = table.assign(days=made["rows"]["days"], seen=seen)
    model = lifelines.CoxPHFitter(penalizer=0.1).fit(told, "days", "seen")
    new = made["prepare"].transform(made["read"]("own.csv"))
    assert np.isfinite(model.predict_partial_hazard(new)).all()
    curve = lifelines.KaplanMeierFitter().fit(made["rows"]["days"], seen)
    assert 0 < curve.predict(30) < 1


@pytest.mark.parametrize("path", ["condensed.csv", "cohort.csv"])
def test_scikit_survival(
    released: dict[str, Path], path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ensemble = pytest.importorskip("sksurv.ensemble")
    made = ran(released["survival"], path, monkeypatch)
    outcome = made["Surv"].from_arrays(made["rows"]["event"] == 1, made["rows"]["days"])
    forest = ensemble.RandomSurvivalForest(n_estimators=10, random_state=0)
    forest.fit(made["prepare"].transform(made["rows"]), outcome)
    new = made["prepare"].transform(made["read"]("own.csv"))
    assert np.isfinite(forest.predict(new)).all()


@every_file
def test_duckdb(released: dict[str, Path], kind: str, path: str) -> None:
    duckdb = pytest.importorskip("duckdb")
    names = {"string": "VARCHAR", "integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN"}
    names |= {"date": "DATE", "datetime": "TIMESTAMP"}
    types = {f["name"]: names[f["type"]] for f in fields_of(released[kind], path)}
    place, rows = str(released[kind] / path), rows_of(released[kind], path)
    with duckdb.connect() as base:
        base.execute("CREATE TABLE rows AS FROM read_csv($1, types = $2)", [place, types])
        found = base.execute("FROM rows")
        assert [d[0] for d in found.description] == rows.columns
        assert found.fetchall() == rows.rows()
        outcome = "(\"died here\" = 'yes')::int" if kind == "classes" else "days"
        (slope,) = base.execute(f"SELECT regr_slope({outcome}, age) FROM rows").fetchone()
    assert slope != 0


@every_file
def test_polars(released: dict[str, Path], kind: str, path: str) -> None:
    types: dict[str, Any] = {"integer": pl.Int64, "number": pl.Float64, "boolean": pl.Boolean}
    types |= {"date": pl.Date, "datetime": pl.Datetime("us")}
    fields = fields_of(released[kind], path)
    schema = {f["name"]: types.get(f["type"]) or pl.Enum(f["constraints"]["enum"]) for f in fields}
    # The header apart: polars 2.1 reads "a ""name""" as a ""name"".
    read = pl.read_csv(released[kind] / path, schema=schema, has_header=False, skip_lines=1)
    rows = rows_of(released[kind], path)
    assert read.with_columns(pl.col(pl.Enum).cast(pl.String)).equals(rows)


@pytest.mark.parametrize("kind", KINDS)
def test_a_reader_of_data_packages_reads_all_and_catches_a_wrong_level(
    released: dict[str, Path], kind: str, tmp_path: Path
) -> None:
    frictionless = pytest.importorskip("frictionless")
    folder = released[kind]
    descriptor = json.loads((folder / "datapackage.json").read_text())
    package = frictionless.Package.from_descriptor(descriptor, basepath=str(folder))
    assert package.validate().flatten() == []
    for resource in package.resources:
        told = pl.DataFrame([row.to_dict() for row in resource.read_rows()])
        rows = rows_of(folder, resource.path)
        assert told.cast(rows.schema).equals(rows)
    for column, level in {"ward": "attic", "sex": "3", "cm": "2.0", "diabetes": "maybe"}.items():
        (resource,) = (r for r in descriptor["resources"] if r["path"] == "condensed.csv")
        with (folder / "condensed.csv").open(newline="") as file:
            heads, first, *others = csv.reader(file)
        first[heads.index(column)] = level
        with (tmp_path / "condensed.csv").open("w", newline="") as file:
            csv.writer(file).writerows([heads, first, *others])
        alone = frictionless.Resource.from_descriptor(resource, basepath=str(tmp_path))
        (error,) = alone.validate().flatten(["type", "rowNumber", "fieldName"])
        kind_of_error = "type-error" if column == "diabetes" else "constraint-error"
        assert error == [kind_of_error, 2, column]
