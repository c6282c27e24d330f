"""Tables of events: long, an event a row; or wide, a time a row and a variable a column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import polars as pl

from tincture.errors import SettingError, TableError
from tincture.stays.events.members import STAY
from tincture.stays.events.names import VARIABLE, declared
from tincture.stays.events.reader import HOUR, TEXT, VALUE
from tincture.stays.events.tables import without_categories
from tincture.stays.formats.presets import OPERATORS, PRESETS, Columns
from tincture.stays.formats.source import (
    BATCH,
    DATED,
    HOURS,
    Form,
    Source,
    Wanted,
    sink,
    types_of,
)
from tincture.stays.layout import Use

CLOCKS = ("minute", "minutes", "hour", "hours", "Hours", "time", "Time", "charttime")
LONG = ("variable", "value")  # usual columns of name and value
IN_MEDS = {"subject_id", "time", "code"}
MEDS = Columns(("time",), "code", "numeric_value", text="text_value")
KNOWN = [  # columns of presets that tell themselves
    (columns, preset.form.unit)
    for preset in PRESETS
    for columns in preset.tables.values()
    if columns.variable or columns.times[0] not in CLOCKS
]
WHOSE, WHEN = "\0stay", "\0time"  # beside columns of variables, which may have any name


def open_tables(frames: list[pl.LazyFrame], wanted: Wanted, where: str) -> Source:
    """Tables of one form: MEDS, one that a preset knows, or any that is long or wide.

    Raises
    ------
    TableError, SettingError
    """
    kinds = [types_of(frame, where) for frame in frames]
    columns, unit = _columns(kinds[0], wanted)
    for name in (wanted.stay, columns.times[0], columns.variable, columns.value):
        if name and any(name not in known for known in kinds):
            raise TableError(
                f"{where} have no column {name!r}; expected {wanted.stay!r}, a time (--time "
                f"names it), {columns.variable or LONG[0]!r} and {columns.value or LONG[1]!r} "
                "(--variable, --value), or a column for each declared variable."
            )
    names = LONG if columns.is_wide else (columns.variable, columns.value)
    form = Form(wanted.stay, columns.times[0], *names, unit)

    def each(use: Use) -> None:
        for frame in frames:
            hand_on(frame, wanted.stay, columns, wanted.variables, where, use)

    return Source(form, each, is_coded=bool(columns.text))


def _columns(types: pl.Schema, wanted: Wanted) -> tuple[Columns, str]:
    """The columns of a table by its header, and what its times count."""
    columns, unit = _known(types, wanted)
    if wanted.time is not None and wanted.time != columns.times[0]:
        columns, unit = replace(columns, times=(wanted.time,)), None
    time = columns.times[0]
    if wanted.unit is not None or time not in types:  # which is refused
        return columns, wanted.unit or "hour"
    is_dated = bool(columns.text) or time in wanted.dated
    return columns, DATED if is_dated else unit or _unit(time, types[time])


def _known(types: pl.Schema, wanted: Wanted) -> tuple[Columns, str | None]:
    """Columns that are told, of MEDS, usual ones, of a preset, or of declared variables."""
    told = (wanted.variable, wanted.value)
    is_told = told != (None, None)
    if told == (MEDS.variable, MEDS.value) or (not is_told and IN_MEDS <= set(types)):
        return MEDS, None
    time = next((t for t in CLOCKS if t in types), CLOCKS[0])
    usual = Columns((time,), wanted.variable or LONG[0], wanted.value or LONG[1])
    if not is_told and set(LONG) <= set(types):
        return usual, None
    for columns, unit in KNOWN:
        names = (columns.variable, columns.value)
        if told in ((None, None), names) and {columns.times[0], *names} - {""} <= set(types):
            return columns, unit
    others = [name for name in types if name not in (wanted.stay, wanted.time or time)]
    if not is_told and declared(others, wanted.variables):
        return Columns((time,)), None
    return usual, None


def _unit(name: str, kind: pl.DataType) -> str:
    if kind.is_temporal():
        return "hour" if isinstance(kind, pl.Duration | pl.Time) else DATED
    word = name.lower().rstrip("s")
    if word not in HOURS:
        raise SettingError(
            f"What the column {name!r} counts is not plain; say --time-unit minute (or hour, day; "
            "any, if it holds lengths such as PT3H or 03:00), or --time-unit datetime if it holds "
            "dates."
        )
    return word


def hand_on(
    frame: pl.LazyFrame,
    stay: str,
    columns: Columns,
    variables: Sequence[str],
    where: str,
    use: Use,
) -> None:
    """Hand on the events of a table in batches, as `Source.each` does.

    Parameters
    ----------
    frame : polars.LazyFrame
    stay : str
        Column whose cells become ``stay``.
    columns : Columns
    variables : sequence of str
        Those of a wide table that are handed on.
    where : str
        The table, as a sentence begins with it.
    use : callable

    Raises
    ------
    TableError
    """
    types = types_of(frame, where)
    time = first_of(columns.times, types)
    if columns.is_wide:
        names = declared([n for n in types if n not in (stay, *columns.times)], variables)
        if names:
            chosen = frame.select(pl.col(stay).alias(WHOSE), time.alias(WHEN), *names)
            sink(chosen, lambda b: _unfold(b, names, use), where, max(1, BATCH // len(names)))
        return
    if columns.unmapped is not None:
        number = pl.col(columns.variable).cast(pl.Float64, strict=False)
        frame = frame.filter(number.ne_missing(columns.unmapped))
    value = pl.col(columns.value)
    if columns.operator in types:
        value = _with_operator(value, pl.col(columns.operator))
    cells = {STAY: pl.col(stay), HOUR: time, VARIABLE: pl.col(columns.variable), VALUE: value}
    if columns.text in types:
        cells[TEXT] = pl.col(columns.text)
    sink(frame.select(cell.alias(name) for name, cell in cells.items()), use, where)


def first_of(names: Sequence[str], types: Mapping[str, pl.DataType]) -> pl.Expr:
    """The first cell of a row that is not blank, of the columns that are there."""
    cells = [
        pl.when(pl.col(n).str.strip_chars() != "").then(pl.col(n))
        if types[n] == pl.String
        else pl.col(n)
        for n in names
        if n in types
    ]
    return cells[0] if len(cells) == 1 else pl.coalesce(cells)


def _with_operator(value: pl.Expr, operator: pl.Expr) -> pl.Expr:
    """Values as text such as <1.0, which "tincture:limits" reads; of odd operators no number."""
    sign = operator.cast(pl.Float64, strict=False).replace_strict(
        OPERATORS, default="?", return_dtype=pl.String
    )
    return pl.concat_str(pl.when(operator.is_null()).then(pl.lit("")).otherwise(sign), value)


def _unfold(batch: pl.DataFrame, names: list[str], use: Use) -> None:
    """Hand on the events of a wide batch, those of one type of cells together."""
    batch = without_categories(batch)
    alike: dict[pl.DataType, list[str]] = {}
    for name in names:
        alike.setdefault(batch.schema[name], []).append(name)
    for kind, some in alike.items():
        long = batch.unpivot(
            on=some, index=[WHOSE, WHEN], variable_name=VARIABLE, value_name=VALUE
        ).drop_nulls(VALUE)
        long = long.drop_nans(VALUE) if kind.is_float() else long
        use(long.rename({WHOSE: STAY, WHEN: HOUR}))
