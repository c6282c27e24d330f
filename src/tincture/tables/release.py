"""The condensed table: rows, schema, ledger, settings; saved as a Frictionless Data Package."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from tincture.errors import ReleaseError
from tincture.io.copies import copied
from tincture.io.frames import read_table, to_columns, to_frame, to_pandas
from tincture.io.released import copied_schema, declared, of_records, plain, resource_schema
from tincture.privacy.ledger import Ledger
from tincture.public.origins import with_origin
from tincture.public.schema import Schema
from tincture.public.tasks import of_cause
from tincture.report.card import Words
from tincture.spine.release import PACKAGE, Release
from tincture.tables.loading import scripts
from tincture.tables.words import words_of

DATA = "condensed.csv"
COHORT = "cohort.csv"
CLOCK = "%Y-%m-%dT%H:%M:%S"


@dataclass(frozen=True)
class CondensedTable(Release):
    """Invented rows that can be handed on, and all that must be known of them.

    Attributes
    ----------
    rows : polars.DataFrame
        In schema order.
    models : tuple of str
        The models the rows were made for.
    schema : Schema
        Of the rows, features and outcome, as it was declared for the records.
    task : dict
        ``kind`` ("classification" or "survival"), the outcome columns by their role, and of two
        levels the ``case``, or of an event of several the ``cause``.
    settings : dict
        Settings and versions of the run.
    ledger : Ledger
        Every private question asked, and what it cost.
    cohort : polars.DataFrame or None
        Many invented people, with the same columns.
    """

    rows: pl.DataFrame
    models: tuple[str, ...]
    cohort: pl.DataFrame | None = None
    kind, command, unnamed = "rows", "tincture condense", "table"

    @property
    def labelled(self) -> pl.DataFrame:
        """The rows."""
        return self.rows

    def to_frame(self, kind: str = "pandas") -> Any:
        """The rows as a ``"pandas"`` or ``"polars"`` frame."""
        return _framed(self.rows, kind)

    def cohort_frame(self, kind: str = "pandas") -> Any:
        """The cohort in the same way.

        Raises
        ------
        ReleaseError
            If there is none.
        """
        if self.cohort is None:
            raise ReleaseError("The release holds no cohort; it was made without.")
        return _framed(self.cohort, kind)

    @property
    def files(self) -> dict[str, pl.DataFrame]:
        """What stands in each data file."""
        return {DATA: self.rows} | ({} if self.cohort is None else {COHORT: self.cohort})

    def data(self) -> dict[str, bytes]:
        """The rows, and the cohort, as CSV."""
        return {path: csv_bytes(frame) for path, frame in self.files.items()}

    def resources(self) -> list[dict[str, Any]]:
        """Of the rows, and of the cohort, with their one schema."""
        return [
            {
                "name": path.removesuffix(".csv"),
                "path": path,
                "format": "csv",
                "mediatype": "text/csv",
                "encoding": "utf-8",
                "schema": resource_schema(self.schema),
            }
            for path in self.files
        ]

    def scripts(self) -> dict[str, bytes]:
        """For R, Python, Stata and SPSS."""
        return scripts(copied_schema(self.schema), list(self.files))

    def copies(self, also: Sequence[str]) -> dict[str, bytes]:
        """Of the rows, and of the cohort."""
        tables = {path.removesuffix(".csv"): frame for path, frame in self.files.items()}
        return copied(tables, copied_schema(self.schema), also)

    def own_facts(self) -> dict[str, Any]:
        """How the cells of records were written, the models served, and how many people.

        Of people also how many differ in more than the outcome.
        """
        about = {"records": of_records(self.schema), "models": list(self.models)}
        if self.cohort is None:
            return {**about, "cohort": 0}
        kinds = self.cohort.drop(self.outcome.columns, strict=False).n_unique()
        return {**about, "cohort": len(self.cohort), "kinds": kinds}

    @classmethod
    def read(cls, path: Path, package: Mapping[str, Any], ledger: Ledger) -> CondensedTable:
        """From the files that `save` wrote."""
        about = package["tincture"]
        described = declared(package["resources"][0]["schema"], about.get("records"))
        whole, origin = Schema.from_dict(described, where=str(path / PACKAGE)), about["settings"]
        dated = with_origin(whole, origin["origin"]) if "origin" in origin else whole
        schema = of_cause(dated, about["task"])
        has_cohort = COHORT in [r["path"] for r in package["resources"]]
        return cls(
            rows=_read(path / DATA, schema),
            cohort=_read(path / COHORT, schema) if has_cohort else None,
            schema=schema,
            task={k: v if k in ("case", "cause") else str(v) for k, v in about["task"].items()},
            models=tuple(str(m) for m in about["models"]),
            ledger=ledger,
            settings=_settings(about["settings"]),
        )

    def words(self, package: Mapping[str, Any], ledger: Mapping[str, Any]) -> Words:
        """The words of rows."""
        return words_of(package, ledger)


def _framed(frame: pl.DataFrame, kind: str) -> Any:
    if kind not in ("pandas", "polars"):
        raise ReleaseError(f'The frame kind {kind!r} is not known; use "pandas" or "polars".')
    if kind == "polars":
        return frame
    return to_pandas(frame)


def csv_bytes(frame: pl.DataFrame) -> bytes:
    """Released rows as CSV, with dates and times by ISO 8601."""
    buffer = io.BytesIO()
    times = [s for s in frame if isinstance(s.dtype, pl.Datetime)]
    frame = frame.with_columns(
        s.dt.strftime(f"{CLOCK}{'Z' if s.dtype == pl.Datetime('us', 'UTC') else ''}") for s in times
    )
    frame.write_csv(buffer)
    return buffer.getvalue()


def _read(path: Path, schema: Schema) -> pl.DataFrame:
    return to_frame(to_columns(read_table(path), plain(schema), schema.names), schema)


def _settings(told: Mapping[str, Any]) -> dict[str, Any]:
    """Settings, none of which may lack that a card or another release like this one needs."""
    needed = {k: told[k] for k in ("version", "method", "weights", "effort")}
    return {**told, **needed, "n_rows": int(told["n_rows"])}
