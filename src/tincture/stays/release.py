"""The release of condensed stays: long events, outcomes, Data Package, ledger, data card."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tincture.arrays import Floats
from tincture.errors import ReleaseError
from tincture.io.frames import to_frame, to_pandas
from tincture.io.released import plain, resource_schema
from tincture.privacy.ledger import Ledger
from tincture.public.schema import Schema
from tincture.public.tasks import Task
from tincture.report.card import Words
from tincture.spine.release import PACKAGE, Release
from tincture.stays.formats.source import END, HOURS, START, Form
from tincture.stays.layout import Grid, Layout
from tincture.stays.meds import Study, Tables, require_copies
from tincture.stays.words import LEFT_OUT, NOTHING_SEEN, words_of

EVENTS, OUTCOMES = "condensed.parquet", "outcomes.parquet"
COHORT, COHORT_OUTCOMES = "cohort.parquet", "cohort_outcomes.parquet"
EPOCH = datetime(2000, 1, 1)  # invented stays that need dates all begin here


@dataclass(frozen=True)
class CondensedSeries(Release):
    """Invented stays that can be handed on, and all that must be known of them.

    Attributes
    ----------
    events : polars.DataFrame
        One measurement a row, in the form that the real events had.
    outcomes : polars.DataFrame
        One stay a row: static columns and the target.
    cohort : tuple of polars.DataFrame, or None
        Events and outcomes of many more, with the same columns; no stay has a number of the others.
    schema, task, settings, ledger
        As of every `Release`.
    """

    events: pl.DataFrame
    outcomes: pl.DataFrame
    cohort: Tables | None = None
    kind, command, unnamed = "stays", "tincture condense-series", "stays"

    @property
    def labelled(self) -> pl.DataFrame:
        """The outcomes."""
        return self.outcomes

    @property
    def own(self) -> CondensedSeries:
        """The same with the schema that its own cells, and not the real ones, are read by."""
        return replace(self, schema=plain(self.schema))

    @property
    def left_out(self) -> list[str]:
        """Variables and static columns that are not invented, as nobody was seen to have them."""
        return list(self.settings.get("left_out", ()))

    @property
    def beside(self) -> dict[str, Any]:
        """What is left out."""
        return {"left_out": self.left_out}

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is left out, if anything, and whether nothing is left."""
        told = (f"{LEFT_OUT}: {', '.join(self.left_out)}",) if self.left_out else ()
        return told if self.events.height else (*told, NOTHING_SEEN)

    @property
    def fingerprint(self) -> str:
        """Of events and outcomes, in whatever version of Parquet they lie."""
        told = hashlib.sha256()
        for frame in self.files.values():
            told.update(frame.write_csv().encode())
        return told.hexdigest()

    @property
    def files(self) -> dict[str, pl.DataFrame]:
        """What stands in each data file."""
        made = {EVENTS: self.events, OUTCOMES: self.outcomes}
        if self.cohort is not None:
            made |= dict(zip((COHORT, COHORT_OUTCOMES), self.cohort, strict=True))
        return made

    def frames(self, kind: str = "pandas") -> tuple[Any, Any]:
        """Events and outcomes as ``"pandas"`` or ``"polars"`` frames."""
        return _framed((self.events, self.outcomes), kind)

    def cohort_frames(self, kind: str = "pandas") -> tuple[Any, Any]:
        """Those of the cohort in the same way.

        Raises
        ------
        ReleaseError
            If there is none.
        """
        if self.cohort is None:
            raise ReleaseError("The release holds no cohort; it was made without.")
        return _framed(self.cohort, kind)

    def data(self) -> dict[str, bytes]:
        """Events and outcomes, as Parquet."""
        return {path: _parquet(frame) for path, frame in self.files.items()}

    def copies(self, also: Sequence[str]) -> dict[str, bytes]:
        """As a MEDS data set: the condensed stays are its split for training."""
        require_copies(also)
        if not also:
            return {}
        stay, time, variable, value = self.settings["columns"]
        form = Form(stay, time, variable, value, self.settings["time_unit"])
        hours, name = self.settings["hours"], self.package()["name"]
        study = Study(name, self.own.schema, self.case, form, hours, EPOCH)
        splits = {"train": (self.events, self.outcomes)}
        return study.files(splits if self.cohort is None else splits | {"cohort": self.cohort})

    def resources(self) -> list[dict[str, Any]]:
        """Of all tables; those of the cohort have the schema of the others."""
        declared = {OUTCOMES: self.schema, COHORT_OUTCOMES: self.schema}
        return [_resource(path, frame, declared.get(path)) for path, frame in self.files.items()]

    def own_facts(self) -> dict[str, Any]:
        """The schema of the real stays, and how many invented ones there are beside."""
        people = 0 if self.cohort is None else len(self.cohort[1])
        return {"schema": self.schema.to_dict(), "cohort": people}

    @classmethod
    def read(cls, path: Path, package: Mapping[str, Any], ledger: Ledger) -> CondensedSeries:
        """From the files that `save` wrote."""
        about = package["tincture"]

        def tables(*names: str) -> Tables:
            events, outcomes = (pl.read_parquet(path / name, glob=False) for name in names)
            return events, outcomes

        has_cohort = COHORT in [r["path"] for r in package["resources"]]
        return cls(
            *tables(EVENTS, OUTCOMES),
            tables(COHORT, COHORT_OUTCOMES) if has_cohort else None,
            schema=Schema.from_dict(about["schema"], where=str(path / PACKAGE)),
            task={"target": about["task"]["target"], **about["task"]},
            settings=dict(about["settings"]),
            ledger=ledger,
        )

    def words(self, package: Mapping[str, Any], ledger: Mapping[str, Any]) -> Words:
        """The words of stays."""
        return words_of(package, ledger)


def written(
    points: Grid,
    outcomes: Floats,
    layout: Layout,
    schema: Schema,
    task: Task,
    form: Form,
    *,
    first: int = 1,
) -> Tables:
    """Points as the two tables of a release, numbered from ``first``, in the form of the real."""
    grid, statics = layout.parts(points)
    stays, bins, codes = np.nonzero(np.isfinite(grid))  # in the order of stays and times
    values = np.empty(len(stays))
    for code in range(len(layout.variables)):
        mine = codes == code
        values[mine] = layout.value(grid[stays[mine], bins[mine], code].astype(np.float64), code)
    hours = (np.arange(layout.n_bins) + 0.5) * layout.hours / layout.n_bins
    events = pl.DataFrame(
        {
            form.stay: stays + first,
            form.time: _times(hours, form.unit).gather(bins),
            form.variable: pl.Series(layout.names, dtype=pl.String).gather(codes),
            form.value: values,
        }
    )
    cells = task.values(outcomes)
    if layout.statics is not None:
        cells |= layout.statics.decode(statics.astype(np.float64))
    rows = to_frame(cells, schema)
    rows.insert_column(0, pl.Series(form.stay, np.arange(len(points)) + first))
    if form.unit == "datetime":
        ends = [EPOCH, EPOCH + timedelta(hours=layout.hours)]
        rows = rows.with_columns(pl.lit(ends[0]).alias(START), pl.lit(ends[1]).alias(END))
    return events, rows


def _times(hours: Floats, unit: str) -> pl.Series:
    if unit == "datetime":
        return pl.Series(
            [EPOCH + timedelta(hours=float(h)) for h in hours], dtype=pl.Datetime("us")
        )
    times = hours / HOURS[unit]
    whole = unit in ("second", "minute")
    return pl.Series(np.round(times).astype(np.int64) if whole else np.round(times, 4))


def _framed(tables: Tables, kind: str) -> tuple[Any, Any]:
    if kind == "polars":
        return tables
    events, outcomes = map(to_pandas, tables)
    return events, outcomes


def _resource(path: str, frame: pl.DataFrame, schema: Schema | None) -> dict[str, Any]:
    """A file of the release; what was declared of its columns is told with their types."""
    known = {} if schema is None else {f["name"]: f for f in resource_schema(schema)["fields"]}
    fields = [known.get(c, {}) | {"name": c, "type": _type(t)} for c, t in frame.schema.items()]
    name = path.removesuffix(".parquet").replace("_", "-")
    return {"name": name, "path": path, "format": "parquet", "schema": {"fields": fields}}


def _type(kind: pl.DataType) -> str:
    if kind.is_temporal():
        return "datetime"
    if kind.is_integer():
        return "integer"
    return "number" if kind.is_float() else "boolean" if kind == pl.Boolean else "string"


def _parquet(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()
