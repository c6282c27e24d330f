"""Releases of stays as MEDS data sets, by the schemas of the standard; drafts from its codes."""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from commands import run
from series_helpers import SCHEMA, grid_of, make_stays, stays_condenser
from tincture.errors import SettingError, TableError
from tincture.io.draft import draft
from tincture.public.case import Case
from tincture.public.schema import Schema
from tincture.stays.formats.source import Form
from tincture.stays.meds import Study
from tincture.stays.release import EPOCH, CondensedSeries


def described() -> Schema:
    fields = SCHEMA.to_dict()["fields"]
    fields[0] |= {"unit": "/min", "description": "heart rate"}
    fields[4] |= {
        "categories": [{"value": "f", "label": "female"}, {"value": "m", "label": "male"}]
    }
    return Schema.from_dict({"name": "icu", "fields": fields})


@pytest.fixture(scope="module")
def made() -> CondensedSeries:
    return stays_condenser(described(), n_rows=8, cohort=30).fit(*make_stays()).table_


def test_every_table_is_valid_by_the_standard(made: CondensedSeries, tmp_path: Path) -> None:
    meds = pytest.importorskip("meds")
    from pyarrow import parquet

    made.save(tmp_path / "release", ["meds"])
    root = tmp_path / "release/meds"
    for split in ("train", "cohort"):
        meds.DataSchema.validate(
            parquet.read_table(root / meds.data_subdirectory / split / "0.parquet")
        )
        meds.LabelSchema.validate(parquet.read_table(root / "labels" / split / "0.parquet"))
    splits = parquet.read_table(root / meds.subject_splits_filepath)
    meds.SubjectSplitSchema.validate(splits)
    codes = parquet.read_table(root / meds.code_metadata_filepath)
    meds.CodeMetadataSchema.validate(codes)
    meds.DatasetMetadataSchema.validate(
        json.loads((root / meds.dataset_metadata_filepath).read_text())
    )
    # What validate does not look at: whole subjects, in order of time; codes that are described.
    events = pl.read_parquet(root / "data/**/*.parquet")
    assert set(events["code"]) <= set(codes["code"].to_pylist())
    train = pl.read_parquet(root / "data/train/0.parquet")
    assert train["subject_id"].is_sorted()
    by_subject = train.group_by("subject_id", maintain_order=True).agg("time")["time"]
    assert all(times.is_sorted(nulls_last=False) for times in by_subject)
    assert len(splits) == 38
    told = {row["code"]: row for row in codes.to_pylist()}
    assert told["HR"] | {"parent_codes": None} == {
        "code": "HR", "description": "heart rate", "parent_codes": None, "unit": "/min",
    }  # fmt: skip
    assert told["sex//f"]["description"] == "female"


def test_the_data_set_reads_back_as_the_release(made: CondensedSeries, tmp_path: Path) -> None:
    made.save(tmp_path / "release", ["meds"])
    root = tmp_path / "release/meds"
    labels = pl.read_parquet(root / "labels/train/0.parquet")
    assert labels["boolean_value"].to_list() == [v == 1 for v in made.outcomes["died"]]
    assert set(labels["prediction_time"]) == {EPOCH + timedelta(hours=12)}
    fields = [*SCHEMA.to_dict()["fields"][:-1], {"name": "boolean_value", "type": "boolean"}]
    grid = grid_of(root, labels, Schema.from_dict({"fields": fields}), target="boolean_value",
                   stay="subject_id")  # fmt: skip
    expected = grid_of(made.events, made.outcomes)
    np.testing.assert_allclose(grid, expected, rtol=1e-6)
    assert CondensedSeries.load(tmp_path / "release").events.equals(made.events)


def test_static_columns_are_events_without_a_time(made: CondensedSeries) -> None:
    pytest.importorskip("pyarrow")
    files = made.copies(["meds"])
    events = pl.read_parquet(files["meds/data/train/0.parquet"])
    still = events.filter(pl.col("time").is_null())
    first = made.outcomes.row(0, named=True)
    mine = still.filter(pl.col("subject_id") == first["stay_id"])
    assert dict(mine.select("code", "numeric_value").iter_rows()) == {
        "age": pytest.approx(first["age"]), f"sex//{first['sex']}": None,
    }  # fmt: skip


def test_truth_values_codes_and_a_declared_outcome_are_written_as_they_are_read() -> None:
    pytest.importorskip("pyarrow")
    fields: list[dict[str, Any]] = [
        {"name": "hr", "type": "number", "role": "variable"},
        {"name": "smokes", "type": "boolean", "role": "static"},
        {"name": "ward", "type": "integer", "role": "static", "categories": [1, 2]},
        {"name": "fate", "type": "string", "role": "static", "categories": ["lives", "dies"]},
    ]
    fields[0] |= {"constraints": {"minimum": 0, "maximum": 300}}
    schema = Schema.from_dict({"fields": fields})
    outcomes = pl.DataFrame(
        {"id": [1, 2], "smokes": [True, None], "ward": [2, 1], "fate": ["dies", "lives"]}
    )
    start = EPOCH + timedelta(days=3)
    events = pl.DataFrame({"id": [2], "at": [start], "item": ["hr"], "result": [80.1]})
    case, form = Case("fate", "lives"), Form("id", "at", "item", "result", "datetime")
    study = Study("icu", schema, case, form, 24.0, EPOCH)
    files = study.files({"train": (events, outcomes)})
    found = pl.read_parquet(files["meds/data/train/0.parquet"])
    assert found.select("subject_id", "code").rows() == [
        (1, "smokes//true"), (1, "ward//2"), (2, "ward//1"), (2, "hr"),
    ]  # fmt: skip
    assert found["time"].to_list() == [None, None, None, start]
    assert found["numeric_value"][3] == np.float32(80.1)
    labels = pl.read_parquet(files["meds/labels/train/0.parquet"])
    assert labels["boolean_value"].to_list() == [False, True]
    codes = pl.read_parquet(files["meds/metadata/codes.parquet"])["code"].to_list()
    assert codes == ["hr", "smokes//false", "smokes//true", "ward//1", "ward//2"]


def test_a_format_that_stays_lack_or_that_needs_more_is_refused(
    made: CondensedSeries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd: Any = "meds"
    for also, said in ((["sav"], "'sav'.*use meds"), (odd, "must be a list")):
        with pytest.raises(SettingError, match=said):
            made.save(tmp_path / "release", also)
    monkeypatch.setitem(sys.modules, "pyarrow", None)  # as if it were not installed
    with pytest.raises(SettingError, match=r"needs pyarrow.*tincture\[meds\]"):
        made.save(tmp_path / "release", ["meds"])
    assert not (tmp_path / "release").exists()
    flags = "--schema none --target x --epsilon 1 --delta 1e-5 --also meds --out".split()
    ended = run("condense-series", tmp_path / "none", *flags, tmp_path / "release")
    assert "needs pyarrow" in ended.err


def test_the_command_line_writes_a_data_set(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    events, outcomes = make_stays(60)
    events.write_parquet(tmp_path / "e.parquet")
    outcomes.write_parquet(tmp_path / "o.parquet")
    (tmp_path / "s.json").write_text(json.dumps(SCHEMA.to_dict()))
    flags = ["--outcomes", tmp_path / "o.parquet", "--schema", tmp_path / "s.json"]
    flags += "--target died --hours 12 --rows 8 --cohort 0 --epsilon inf --delta 0".split()
    flags += ["--effort", "0", "--also", "meds", "--out", tmp_path / "release"]
    said = run("condense-series", tmp_path / "e.parquet", *flags)
    assert said.code == 0, said.err
    assert (tmp_path / "release/meds/data/train/0.parquet").is_file()
    assert not (tmp_path / "release/meds/data/cohort").exists()
    package = json.loads((tmp_path / "release/datapackage.json").read_text())
    assert "meds/metadata/codes.parquet" in package["tincture"]["files"]


# A draft.
def write_codes(root: Path, **columns: Any) -> Path:
    (root / "metadata").mkdir(parents=True)
    pl.DataFrame(columns).write_parquet(root / "metadata/codes.parquet")
    return root


def test_codes_become_fields_of_a_draft_and_their_figures_do_not(tmp_path: Path) -> None:
    root = write_codes(
        tmp_path / "My set",
        code=["LAB//lactate", "VITAL//hr", None, "VITAL//hr"],
        description=["lactate in blood", None, "x", "again"],
        parent_codes=[["LOINC/2524-7"], None, None, None],
        units=["mmol/L", " ", None, None],
        **{"values/max": [31.4159, 299.0, 0.0, 0.0], "code/n_occurrences": [3, 4, 5, 6]},
    )
    found = draft(root)
    bounds = {"minimum": None, "maximum": None}
    field = {"type": "number", "role": "variable", "constraints": bounds}
    assert found["fields"][:-1] == [
        {"name": "LAB//lactate", "description": "lactate in blood", "unit": "mmol/L", **field},
        {"name": "VITAL//hr", **field},
    ]
    assert found["name"] == "my-set"
    assert found["tincture:reviewed"] is False
    assert "31.4" not in json.dumps(found)
    # Bounds and the mark are left to a person; then the schema is one.
    for field in found["fields"][:-1]:
        field["constraints"] = {"minimum": 0, "maximum": 300}
    del found["tincture:reviewed"]
    assert Schema.from_dict(found)["LAB//lactate"].unit == "mmol/L"
    said = run("schema", "draft", root, "--out", tmp_path / "draft.json")
    assert said.code == 0, said.err
    assert json.loads((tmp_path / "draft.json").read_text()) == draft(root)


def test_codes_that_cannot_be_read_are_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="no column 'code'"):
        draft(write_codes(tmp_path / "a", name=["x"]))
    with pytest.raises(TableError, match="names no code"):
        draft(write_codes(tmp_path / "b", code=[[1], [2]]))
    path = write_codes(tmp_path / "c", code=["x"]) / "metadata/codes.parquet"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(TableError, match="cannot be read"):
        draft(tmp_path / "c")
