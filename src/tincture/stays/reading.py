"""Real stays, binned, from events and outcomes in any format."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl

from tincture.errors import ReleaseError, SettingError, TableError
from tincture.io.frames import has_column, read_table, to_columns
from tincture.privacy.query import Records
from tincture.public.cells import Unreadable, identities, listed
from tincture.public.columns import Column
from tincture.public.dialect import Dialect
from tincture.public.schema import Schema
from tincture.public.times import Moments, moments
from tincture.stays.events.clocks import Clock, Counted, Dated, without_words
from tincture.stays.events.reader import Reading
from tincture.stays.events.tables import polars_series
from tincture.stays.formats.opening import open_events
from tincture.stays.formats.source import DATED, END, HOURS, START, Form, Source
from tincture.stays.formats.tables import LONG
from tincture.stays.layout import Layout, Stays, bin_stays
from tincture.stays.release import CondensedSeries
from tincture.stays.sealing import records_of

INCOMPLETE = (
    "The settings of the release are incomplete; expected those that tincture condense-series "
    "wrote. Copy the release again."
)


def read_stays(
    events: Any,
    outcomes: Any,
    schema: Schema,
    layout: Layout,
    *,
    stay: str,
    time: str | None = None,
    time_unit: str | None = None,
    unit: str | None = None,
    variable: str | None = None,
    value: str | None = None,
) -> tuple[Stays, Form]:
    """Bin the stays that the outcomes name; events of others are left out.

    Parameters
    ----------
    events, outcomes : frame or path
        As for `tincture.stays.condenser.SeriesCondenser.fit`.
    schema : Schema
    layout : Layout
        Of this schema.
    stay : str
    time, time_unit : str, optional
    unit : str, optional
        Column of the person. If it is that of the stay, a stay may have several rows of outcomes.
    variable, value : str, optional
        Columns of the events' variable and value, where their names do not tell.

    Raises
    ------
    SettingError, SchemaError, TableError
    """
    source = open_events(
        events,
        stay,
        time=time,
        unit=time_unit,
        outcomes=outcomes,
        schema=schema,
        variable=variable,
        value=value,
    )
    table = _outcomes(source, outcomes, schema.dialect)
    who = identifiers(table, stay, schema.missing_of(stay))
    reading = Reading(
        source.form,
        _clock(source.form, schema, table, layout.hours),
        schema.missing_of,
        _sought(layout, table) if source.is_coded else (),
        source.words,
        source.is_coded,
        may_repeat=unit == stay,
    )
    return bin_stays(source.each, who, table, layout, reading), source.form


def read_by(form: Form) -> list[str]:
    """Columns whose declaration tells how stays are read, and that are no features."""
    return [form.stay, form.time, START, END]


def with_roles(schema: Schema, form: Form) -> Schema:
    """A schema that says of these columns what they are."""
    roles = {name: "stay" if name == form.stay else "time" for name in read_by(form)}
    return replace(
        schema,
        columns=tuple(replace(c, role=c.role or roles.get(c.name)) for c in schema.columns),
    )


def form_of(release: CondensedSeries) -> Form:
    """The form that the real events of a release had.

    Raises
    ------
    ReleaseError
    """
    about = release.settings
    try:
        stay, time, variable, value = about["columns"]
        return Form(stay, time, variable, value, about["time_unit"])
    except (KeyError, TypeError, ValueError):
        raise ReleaseError(INCOMPLETE) from None


def read_like(release: CondensedSeries, events: Any, outcomes: Any) -> Stays:
    """Stays, real or invented, by the settings of a release.

    Raises
    ------
    TableError, SettingError, SchemaError, ReleaseError
    """
    form = form_of(release)
    is_usual = (form.variable, form.value) == LONG  # those of a wide table, too
    stays, _ = read_stays(
        events,
        outcomes,
        release.schema,
        _layout_of(release),
        stay=form.stay,
        time=form.time,
        time_unit=form.unit,
        unit=release.settings.get("unit"),
        variable=None if is_usual else form.variable,
        value=None if is_usual else form.value,
    )
    return stays


def _layout_of(release: CondensedSeries) -> Layout:
    about, form = release.settings, form_of(release)
    try:
        hours, bin_hours = float(about["hours"]), float(about["bin_hours"])
    except (KeyError, TypeError, ValueError):
        raise ReleaseError(INCOMPLETE) from None
    target = release.task["target"]
    return Layout.of(
        release.schema, target=target, stay=form.stay, hours=hours, bin_hours=bin_hours
    )


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
    missing = release.schema.missing_of(column)
    here, there = (set(identifiers(s.outcomes, column, missing)) for s in (inside, outside))
    shared = elsewhere is None and here & there
    if shared or np.array_equal(inside.grid, outside.grid, equal_nan=True):
        raise TableError(
            "Some stays are both among those condensed and among those held out; expected "
            "outcomes of other stays, or other events. Keep some aside before you condense."
        )
    return inside, outside


def invented(release: CondensedSeries) -> tuple[Layout, Records]:
    """The stays of a release as a vault would hold them; they need none.

    Raises
    ------
    TableError, SettingError, SchemaError, ReleaseError
    """
    own = release.own
    layout = _layout_of(own)
    return layout, _records(own, layout, own.events, own.outcomes)


def cohort_of(release: CondensedSeries) -> Records | None:
    """Those of the cohort likewise; None where there is none."""
    if release.cohort is None:
        return None
    return _records(release.own, _layout_of(release.own), *release.cohort)


def _records(
    own: CondensedSeries, layout: Layout, events: pl.DataFrame, outcomes: pl.DataFrame
) -> Records:
    if events.is_empty():  # noise hid every variable
        nothing = np.full((len(outcomes), *layout.shape), np.nan, dtype=np.float32)
        stays = Stays(nothing, outcomes, layout)
    else:
        stays = read_like(own, events, outcomes)
    points = layout.points(stays.grid, stays.statics(own.schema))
    told = to_columns(outcomes, own.schema, own.outcome.columns)
    return records_of(points, own.outcome.outcomes(told))


def _outcomes(source: Source, outcomes: Any, dialect: Dialect) -> Any:
    if source.outcomes is not None:
        return source.outcomes
    if outcomes is None:
        raise SettingError("These events hold no outcomes; name a table of them (--outcomes).")
    if isinstance(outcomes, str | Path):
        return read_table(outcomes, dialect)
    return outcomes


def identifiers(table: Any, stay: str, missing: tuple[str, ...]) -> list[Any]:
    """The stay of each row of the outcomes, as `tincture.public.cells.identity` gives it.

    Raises
    ------
    TableError
    """
    if not has_column(table, stay):
        raise TableError(f"The outcomes have no column {stay!r}; name it by --id.")
    cells = _column(table, stay)
    try:
        who = identities(cells.to_list(), missing)
    except Unreadable:
        who = []
    if len(who) < len(cells):
        raise TableError(
            f"The column {stay!r} of the outcomes is neither text nor numbers; make it text."
        )
    if any(name is None for name in who):
        raise TableError(f"Some outcomes have no {stay!r}; remove or complete those rows.")
    return who


def _column(table: Any, name: str) -> pl.Series:
    return polars_series(nw.from_native(table, eager_only=True)[name], name)


def _times(table: Any, name: str) -> pl.Series:
    """A column in which a date stays a date, also among cells of text."""
    series = nw.from_native(table, eager_only=True)[name]
    if series.dtype == nw.Object:
        return pl.Series(name, listed(series), dtype=pl.Object)
    return polars_series(series, name)


def _sought(layout: Layout, table: Any) -> tuple[Column, ...]:
    """Static columns that the outcomes, which count first, do not have."""
    statics = layout.statics.columns if layout.statics else ()
    return tuple(c for c in statics if not has_column(table, c.name))


def _clock(form: Form, schema: Schema, table: Any, hours: float) -> Clock:
    """How the times of the events are read."""
    column = _declared(schema, form.time)
    # Words for missing are of what is declared: 99 minutes are 99 minutes.
    missing = schema.missing_of(form.time) if form.time in schema else ()
    if form.unit == DATED:
        return Dated(column, missing, *_starts(schema, table, hours))
    if column.type not in ("number", "integer"):
        column = Column(form.time, "number")
    return Counted(column, missing, HOURS[form.unit])


def _declared(schema: Schema, name: str) -> Column:
    return schema[name] if name in schema else Column(name, "number")


def _starts(schema: Schema, table: Any, hours: float) -> tuple[str, Moments]:
    """When the window of each row begins, for events that have dates, and which column tells."""
    for name, back in ((START, 0.0), (END, hours)):
        if has_column(table, name):
            given = without_words(_times(table, name), schema.missing_of(name))
            pattern = _declared(schema, name).notation.time
            found = moments(given, f"The column {name!r} of the outcomes", pattern)
            if found.values.null_count():
                raise TableError(
                    f"Some outcomes have no {name!r}, by which the dates of the events are placed; "
                    "complete or remove those rows."
                )
            shift = pl.duration(microseconds=int(back * 3.6e9))
            values = pl.select(pl.lit(found.values) - shift).to_series()
            return name, Moments(values, found.is_zoned)
    raise TableError(
        f"The events have dates; the outcomes need a column {START!r} (start of the window) or "
        f"{END!r} (its end)."
    )
