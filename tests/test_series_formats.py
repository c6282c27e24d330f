"""The same stays in each format; the recipient's network."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from series_helpers import (
    BENCHMARK,
    PHYSIONET,
    SCHEMA,
    benchmark,
    grid_of,
    make_stays,
    physionet,
    stays_condenser,
)
from tincture.errors import SettingError, TableError
from tincture.stays.condenser import SeriesCondenser
from tincture.stays.formats.opening import open_events
from tincture.stays.layout import carried


def test_parquet_csv_and_frames_give_the_same_grid(tmp_path: Path) -> None:
    events, outcomes = make_stays(30)
    events.write_parquet(tmp_path / "e.parquet")
    events.write_csv(tmp_path / "e.csv")
    hours = events.select("stay_id", "variable", "value", hours=pl.col("minute") / 60)
    expected = grid_of(events, outcomes)
    for form in (tmp_path / "e.parquet", tmp_path / "e.csv", events.to_pandas(), hours):
        np.testing.assert_allclose(grid_of(form, outcomes), expected, atol=1e-6)


def meds_of(events: pl.DataFrame, start: datetime) -> pl.DataFrame:
    """Events in MEDS columns, of stays that all begin at one time."""
    return events.select(
        subject_id="stay_id",
        time=pl.lit(start) + pl.duration(minutes="minute"),
        code="variable",
        numeric_value="value",
    )


def test_meds_events_are_measured_from_the_start_of_the_window(tmp_path: Path) -> None:
    events, outcomes = make_stays(30)
    start = datetime(2020, 5, 1, 7)
    meds_of(events, start).write_parquet(tmp_path / "0.parquet")
    labels = outcomes.rename({"stay_id": "subject_id"})
    begun = labels.with_columns(start=start)
    grid = grid_of(tmp_path, begun, stay="subject_id")
    np.testing.assert_allclose(grid, grid_of(events, outcomes), atol=1e-6)
    with pytest.raises(TableError, match="prediction_time"):
        grid_of(tmp_path, labels, stay="subject_id")


def test_dates_may_be_texts(tmp_path: Path) -> None:
    # Found: texts of dates, in CSV files, were an internal error.
    events, outcomes = make_stays(30)
    start = pl.lit(datetime(2020, 5, 1, 7))
    meds = meds_of(events, datetime(2020, 5, 1, 7)).with_columns(
        pl.col("time").dt.to_string("%Y-%m-%d %H:%M:%S")
    )
    labels = outcomes.rename({"stay_id": "subject_id"})
    settings: dict[str, Any] = {
        "schema": SCHEMA,
        "target": "died",
        "stay": "subject_id",
        "hours": 12,
        "n_rows": 8,
    }
    condenser = SeriesCondenser(**settings, epsilon=math.inf, delta=0, effort=0)
    meds.write_csv(tmp_path / "events.csv")
    labels.with_columns(start.alias("start")).write_csv(tmp_path / "outcomes.csv")
    from_texts = condenser.fit(tmp_path / "events.csv", tmp_path / "outcomes.csv").table_
    meds = meds.with_columns(pl.col("time").str.to_datetime())
    from_dates = condenser.fit(meds, labels.with_columns(start.alias("start"))).table_
    assert from_texts.outcomes.equals(from_dates.outcomes)
    with pytest.raises(TableError, match="not read as a time"):
        condenser.fit(meds, labels.with_columns(start="sex"))


def test_a_meds_release_has_dates_again(tmp_path: Path) -> None:
    events, outcomes = make_stays()
    start = datetime(2020, 5, 1, 7)
    meds = meds_of(events, start)
    labels = outcomes.rename({"stay_id": "subject_id"}).with_columns(
        prediction_time=pl.lit(start + timedelta(hours=12))
    )
    table = stays_condenser(stay="subject_id", n_rows=8, delta=0).fit(meds, labels).table_
    assert table.events.columns == ["subject_id", "time", "code", "numeric_value"]
    assert table.events["time"].dtype == pl.Datetime("us")
    assert "prediction_time" in table.outcomes.columns


def test_raw_physionet_records_are_condensed(tmp_path: Path) -> None:
    physionet(tmp_path)
    condenser = SeriesCondenser(
        schema=PHYSIONET, target="in_hospital_death", n_rows=8, epsilon=math.inf, delta=0, effort=0
    ).fit(tmp_path, tmp_path / "outcomes/Outcomes-a.txt")
    joined = condenser.table_.events.join(condenser.table_.outcomes, on="stay_id")
    means = joined.group_by("in_hospital_death").agg(pl.mean("value")).sort("in_hospital_death")
    assert means["value"][1] > means["value"][0]


@pytest.mark.parametrize("word", ["1e300", "inf", "nan", "-7", "0.5"])
def test_a_descriptor_that_is_no_code_is_unknown(word: str, tmp_path: Path) -> None:
    physionet(tmp_path)  # found: a gender beyond the largest whole number was an internal error
    path = tmp_path / "132500.txt"
    path.write_text(path.read_text().replace("Gender,0", f"Gender,{word}"))
    found = open_events(tmp_path, "stay_id").outcomes
    assert found is not None
    genders = dict(found.select("stay_id", "gender").iter_rows())
    assert genders["132501"] == "male"
    assert genders["132500"] is None


def test_the_benchmark_layout_is_read(tmp_path: Path) -> None:
    benchmark(tmp_path)
    table = (
        SeriesCondenser(
            schema=BENCHMARK, target="y_true", n_rows=8, epsilon=math.inf, delta=0, effort=0
        )
        .fit(tmp_path)
        .table_
    )
    assert set(table.events["variable"]) <= set(BENCHMARK.names)
    assert table.events.columns == ["stay_id", "hour", "variable", "value"]


def test_a_file_that_lacks_bytes_is_refused_without_the_words_of_the_reader(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    # Several row groups: a reader that stops at the damage would have some of the events.
    events, outcomes = make_stays(30)
    events.write_parquet(tmp_path / "e.parquet", row_group_size=100)
    content = (tmp_path / "e.parquet").read_bytes()
    for lost in (10, 100, 3000):
        (tmp_path / "e.parquet").write_bytes(content[:300] + content[300 + lost :])
        with pytest.raises(TableError, match="cannot be read"):
            grid_of(tmp_path / "e.parquet", outcomes)
    assert capfd.readouterr().err == ""


def test_what_cannot_be_read_is_refused_in_a_sentence(tmp_path: Path) -> None:
    events, _ = make_stays(30)
    with pytest.raises(TableError, match="do not exist"):
        open_events(tmp_path / "none", "stay_id")
    with pytest.raises(TableError, match="holds no events"):
        open_events(tmp_path, "stay_id")
    with pytest.raises(TableError, match="no column 'id'"):
        open_events(events, "id")
    (tmp_path / "torn.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(TableError, match="cannot be read"):
        open_events(tmp_path / "torn.parquet", "stay_id")
    with pytest.raises(SettingError, match="--time-unit"):
        open_events(events.rename({"minute": "time"}), "stay_id")


@pytest.mark.slow
def test_a_network_learns_from_condensed_stays_what_holds_for_others() -> None:
    torch = pytest.importorskip("torch")
    condenser = stays_condenser(n_rows=40, epsilon=4.0).fit(*make_stays(1500))
    events, outcomes = make_stays(600, seed=9)

    def channels(events: pl.DataFrame, outcomes: pl.DataFrame) -> np.ndarray:
        return carried(grid_of(events, outcomes))[:, :, :2]

    mine, real = (
        channels(condenser.table_.events, condenser.table_.outcomes),
        channels(events, outcomes),
    )
    mean, sd = np.nanmean(mine, (0, 1)), np.nanstd(mine, (0, 1))
    x, t = (torch.tensor(np.nan_to_num((g - mean) / sd)).float() for g in (mine, real))
    y = torch.tensor(condenser.table_.outcomes["died"].to_numpy()).float()
    torch.manual_seed(0)
    gru, head = torch.nn.GRU(2, 16, batch_first=True), torch.nn.Linear(16, 1)
    steps = torch.optim.Adam([*gru.parameters(), *head.parameters()], 0.01)
    for _ in range(100):
        loss = torch.nn.functional.binary_cross_entropy_with_logits(head(gru(x)[0][:, -1])[:, 0], y)
        steps.zero_grad()
        loss.backward()
        steps.step()
    from sklearn.metrics import roc_auc_score

    with torch.no_grad():
        score = head(gru(t)[0][:, -1])[:, 0].numpy()
    assert roc_auc_score(outcomes["died"].to_numpy(), score) > 0.75
