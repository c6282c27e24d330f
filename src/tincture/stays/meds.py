"""Released stays once more as a data set of the Medical Event Data Standard, version 0.4.

Its schemas (https://github.com/Medical-Event-Data-Standard/meds) want text that is no large string
and labels without other columns, which Polars does not write; so pyarrow, an extra, does.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from tincture.errors import SettingError
from tincture.io.extras import library
from tincture.io.files import json_bytes
from tincture.public.case import Case
from tincture.public.columns import Column
from tincture.public.schema import Schema
from tincture.stays.events.names import BETWEEN
from tincture.stays.formats.source import DATED, HOURS, Form
from tincture.version import __version__

MEDS, VERSION = "meds", "0.4.1"
SUBJECT, TIME, CODE, NUMBER = "subject_id", "time", "code", "numeric_value"
Tables = tuple[pl.DataFrame, pl.DataFrame]  # events and outcomes


def require_copies(also: Sequence[str]) -> None:
    """Refuse formats that stays are not copied to, before anything is spent.

    Raises
    ------
    SettingError
    """
    if isinstance(also, str):
        raise SettingError(f'also must be a list of formats, such as ["{also}"].')
    if odd := [name for name in also if name != MEDS]:
        raise SettingError(f"Stays are not copied to the format {odd[0]!r} (--also); use {MEDS}.")
    if also:
        library("pyarrow", "A copy as meds (--also)", extra="meds")


@dataclass(frozen=True)
class Study:
    """What is needed to write stays as a data set.

    Attributes
    ----------
    name : str
    schema : Schema
        By which the cells of the stays themselves are read.
    case : Case
        The level of the outcome that a label is true of.
    form : Form
        Of the events.
    hours : float
        Length of the window, at whose end labels are.
    start : datetime
        Of all stays, where their times are not dates already.
    """

    name: str
    schema: Schema
    case: Case
    form: Form
    hours: float
    start: datetime

    def files(self, splits: Mapping[str, Tables]) -> dict[str, bytes]:
        """The data set, by path.

        Parameters
        ----------
        splits : mapping
            Events and outcomes of each split.
        """
        about = {
            "dataset_name": self.name,
            "etl_name": "tincture",
            "etl_version": __version__,
            "meds_version": VERSION,
        }
        made = {
            "metadata/dataset.json": json_bytes(about),
            "metadata/codes.parquet": _parquet(self._codes(), _types("code")),
        }
        subjects = []
        for split, (events, outcomes) in splits.items():
            made[f"data/{split}/0.parquet"] = _parquet(
                self._events(events, outcomes), _types("data")
            )
            made[f"labels/{split}/0.parquet"] = _parquet(self._labels(outcomes), _types("label"))
            subjects.append(outcomes.select(self._subject(), split=pl.lit(split)))
        made["metadata/subject_splits.parquet"] = _parquet(pl.concat(subjects), _types("split"))
        return {f"{MEDS}/{path}": content for path, content in made.items()}

    def _subject(self) -> pl.Expr:
        return pl.col(self.form.stay).cast(pl.Int64).alias(SUBJECT)

    @property
    def _columns(self) -> list[Column]:
        """Variables and static columns; the outcome is a label alone."""
        others = (self.case.column, self.form.stay)
        columns = self.schema.columns
        return [c for c in columns if c.role in ("variable", "static") and c.name not in others]

    def _events(self, events: pl.DataFrame, outcomes: pl.DataFrame) -> pl.DataFrame:
        """Static columns as events without a time, before the others of each stay."""
        form, time = self.form, pl.col(self.form.time)
        if form.unit != DATED:
            time = pl.lit(self.start) + pl.duration(
                microseconds=(time * (HOURS[form.unit] * 3.6e9)).round()
            )
        timed = events.select(
            self._subject(),
            time.cast(pl.Datetime("us")).alias(TIME),
            pl.col(form.variable).alias(CODE),
            pl.col(form.value).cast(pl.Float32).alias(NUMBER),
        )
        known = [c for c in self._columns if c.name in outcomes.columns]
        still = [self._still(outcomes, column).select(timed.columns) for column in known]
        whole = pl.concat([*still, timed])
        return whole.sort(SUBJECT, TIME, CODE, nulls_last=False, maintain_order=True)

    def _still(self, outcomes: pl.DataFrame, column: Column) -> pl.DataFrame:
        cells = outcomes.select(
            self._subject(), pl.lit(None, pl.Datetime("us")).alias(TIME), cell=column.name
        ).drop_nulls("cell")
        if not column.is_categorical:
            number = pl.col("cell").cast(pl.Float32).alias(NUMBER)
            return cells.with_columns(number, pl.lit(column.name).alias(CODE))
        words = [_code(column, level) for level in column.levels]
        levels = pl.col("cell").replace_strict(list(column.levels), words, return_dtype=pl.String)
        return cells.with_columns(levels.alias(CODE), pl.lit(None, pl.Float32).alias(NUMBER))

    def _labels(self, outcomes: pl.DataFrame) -> pl.DataFrame:
        is_case = pl.col(self.case.column) == pl.lit(self.case.level)
        end = pl.lit(self.start + timedelta(hours=self.hours))
        return outcomes.select(
            self._subject(), prediction_time=end.cast(pl.Datetime("us")), boolean_value=is_case
        )

    def _codes(self) -> pl.DataFrame:
        rows = [row for c in self._columns for row in _described(c)]
        types: Any = {CODE: pl.String, "description": pl.String, "unit": pl.String}
        codes = pl.DataFrame(rows, schema=types, orient="row")
        return codes.with_columns(parent_codes=pl.lit(None, pl.List(pl.String)))


def _code(column: Column, level: Any) -> str:
    """A static column and its level, as `tincture.stays.events.names` reads them."""
    return f"{column.name}{BETWEEN}{str(level).lower() if isinstance(level, bool) else level}"


def _described(column: Column) -> Iterator[tuple[str, str | None, str | None]]:
    """Codes of a column, what they mean and their unit."""
    if column.role == "variable" or not column.is_categorical:
        yield column.name, column.description, column.unit
        return
    labels = column.labels or (None,) * len(column.levels)
    for level, label in zip(column.levels, labels, strict=True):
        yield _code(column, level), label or column.description, None


def _types(table: str) -> Any:
    """Columns of a table of the standard, as Arrow has them."""
    import pyarrow as pa

    subject = (SUBJECT, pa.int64())
    text = pa.string()
    columns = {
        "data": [subject, (TIME, pa.timestamp("us")), (CODE, text), (NUMBER, pa.float32())],
        "label": [subject, ("prediction_time", pa.timestamp("us")), ("boolean_value", pa.bool_())],
        "split": [subject, ("split", text)],
        "code": [
            (CODE, text), ("description", text), ("parent_codes", pa.list_(text)), ("unit", text),
        ],
    }  # fmt: skip
    return pa.schema(columns[table])


def _parquet(frame: pl.DataFrame, types: Any) -> bytes:
    from pyarrow import parquet

    buffer = io.BytesIO()
    parquet.write_table(frame.select(types.names).to_arrow().cast(types), buffer)
    return buffer.getvalue()
