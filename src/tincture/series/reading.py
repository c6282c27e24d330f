"""Real stays, binned, from events and outcomes in any format."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl

from tincture.errors import ReleaseError, SettingError, TableError
from tincture.frames import read_table, to_columns
from tincture.privacy.vault import Records
from tincture.schema import Schema
from tincture.series.formats import END, START, Form, Source, moment, open_events
from tincture.series.release import CondensedSeries
from tincture.stays import STAY, Layout, Stays, bin_stays
from tincture.tasks import Classification

INCOMPLETE = (
    "The settings of the release are incomplete; expected those that tincture condense-series "
    "wrote. Copy the release again."
)


def read_stays(
    events: Any,
    outcomes: Any,
    schema: Schema,
    *,
    target: str,
    stay: str,
    hours: float,
    bin_hours: float,
    time: str | None = None,
    time_unit: str | None = None,
) -> tuple[Stays, Form]:
    """Bin the stays that the outcomes name; events of others are left out.

    Parameters
    ----------
    events, outcomes : frame or path
        As for `tincture.series_estimator.SeriesCondenser.fit`.
    schema : Schema
    target, stay : str
    hours, bin_hours : float
        Window from the start of the stay, and its bins.
    time, time_unit : str, optional

    Raises
    ------
    SettingError, SchemaError, TableError
    """
    layout = Layout.of(schema, target=target, stay=stay, hours=hours, bin_hours=bin_hours)
    path = Path(outcomes) if isinstance(outcomes, str | Path) else None
    source = open_events(events, stay, time=time, unit=time_unit, outcomes=path)
    table = _outcomes(source, outcomes, schema)
    names = _names(table, stay)
    starts = _starts(table, names, layout.hours) if source.form.unit == "datetime" else None
    return bin_stays(partial(source.each, starts), names, table, layout), source.form


def read_like(release: CondensedSeries, events: Any, outcomes: Any) -> Stays:
    """Stays, real or invented, by the settings of a release.

    Raises
    ------
    TableError, SettingError, SchemaError, ReleaseError
    """
    about = release.settings
    try:
        hours, bin_hours = float(about["hours"]), float(about["bin_hours"])
        stay, time, *_ = about["columns"]
        unit = about["time_unit"]
    except (KeyError, TypeError, ValueError):
        raise ReleaseError(INCOMPLETE) from None
    stays, _ = read_stays(
        events,
        outcomes,
        release.schema,
        target=release.task["target"],
        stay=stay,
        hours=hours,
        bin_hours=bin_hours,
        time=time,
        time_unit=unit,
    )
    return stays


def read_sides(
    release: CondensedSeries, events: Any, condensed: Any, held_out: Any, elsewhere: Any
) -> tuple[Stays, Stays]:
    """The stays that were condensed, and those held out, which must be others.

    Parameters
    ----------
    release : CondensedSeries
    events : frame or path
    condensed, held_out : frame or path
        Outcomes.
    elsewhere : frame or path, optional
        Events of those held out, where they do not lie among ``events``.

    Raises
    ------
    TableError, SettingError, SchemaError, ReleaseError
    """
    inside = read_like(release, events, condensed)
    outside = read_like(release, events if elsewhere is None else elsewhere, held_out)
    column = release.settings["columns"][0]
    # Elsewhere, other people's stays may have the same names.
    shared = elsewhere is None and _identifiers(inside, column) & _identifiers(outside, column)
    if shared or np.array_equal(inside.grid, outside.grid, equal_nan=True):
        raise TableError(
            "Some stays are both among those condensed and among those held out; expected "
            "outcomes of other stays, or other events. Keep some aside before you condense."
        )
    return inside, outside


def _identifiers(stays: Stays, column: str) -> set[str]:
    frame = nw.from_native(stays.outcomes, eager_only=True)
    return {str(name).strip() for name in frame[column].to_list()}


def invented_records(stays: Stays, schema: Schema, task: Classification) -> Records:
    """Invented stays as a vault would hold them; they need none."""
    points = stays.layout.points(stays.grid, stays.statics(schema))
    outcomes = task.outcomes(to_columns(stays.outcomes, schema, task.columns))
    return Records(points, np.zeros((len(stays), 0), np.float32), outcomes)


def _outcomes(source: Source, outcomes: Any, schema: Schema) -> Any:
    if source.outcomes is not None:
        return source.outcomes
    if outcomes is None:
        raise SettingError("These events hold no outcomes; name a table of them (--outcomes).")
    if isinstance(outcomes, str | Path):
        return read_table(outcomes)
    return outcomes


def _names(table: Any, stay: str) -> list[str]:
    """Identifiers of the stays as text."""
    frame = nw.from_native(table, eager_only=True)
    if stay not in frame.columns:
        raise TableError(f"The outcomes have no column {stay!r}; name it by --id.")
    if frame[stay].is_null().any():
        raise TableError(f"Some outcomes have no {stay!r}; remove or complete those rows.")
    try:
        return [str(name).strip() for name in frame[stay].cast(nw.String).to_list()]
    except pl.exceptions.PolarsError:
        raise TableError(
            f"The column {stay!r} of the outcomes is neither text nor numbers; make it text."
        ) from None


def _starts(table: Any, names: list[str], hours: float) -> pl.DataFrame:
    """When the window of each stay begins, for events that have dates."""
    frame = nw.from_native(table, eager_only=True)
    for column, back in ((START, 0.0), (END, hours)):
        if column in frame.columns:
            found = _moments(frame[column].to_list(), column)
            shift = pl.duration(microseconds=int(back * 3.6e9))
            return pl.DataFrame({STAY: names, START: found}).with_columns(pl.col(START) - shift)
    raise TableError(
        f"The events have dates; the outcomes need a column {START!r} (start of the window) or "
        f"{END!r} (its end)."
    )


def _moments(cells: list[Any], column: str) -> pl.Series:
    try:
        given = pl.Series(column, cells)
        found = pl.select(moment(pl.lit(given), given.dtype)).to_series()
    except (pl.exceptions.PolarsError, TypeError, ValueError):
        found = pl.Series([None])
    if found.is_null().all():
        raise TableError(
            f"The column {column!r} of the outcomes holds no dates; expected such as "
            "2020-05-01 07:00:00."
        )
    return found
