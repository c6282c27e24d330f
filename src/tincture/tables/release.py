"""The condensed table: rows, schema, ledger, settings; saved as a Frictionless Data Package."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from tincture.errors import ReleaseError, TinctureError
from tincture.io.files import json_bytes, slug, write_folder
from tincture.io.frames import read_table, to_columns, to_frame
from tincture.io.released import declared, of_records, plain, resource_schema
from tincture.privacy.ledger import Ledger
from tincture.public.case import Case, place_of
from tincture.public.schema import Schema
from tincture.public.tasks import Classification, Survival, Task
from tincture.report.card import data_card
from tincture.report.page import card_page
from tincture.report.summary import Card

DATA = "condensed.csv"
PACKAGE = "datapackage.json"
LEDGER = "ledger.json"
CARD = "README.md"
PAGE = "card.html"
PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
ROLES = {"classification": ("target",), "survival": ("time", "event")}


@dataclass(frozen=True)
class CondensedTable:
    """Invented rows that can be handed on, and all that must be known of them.

    Attributes
    ----------
    rows : polars.DataFrame
        In schema order.
    schema : Schema
        Of the rows, features and outcome, as it was declared for the records.
    task : dict
        ``kind`` ("classification" or "survival"), the outcome columns by their role, and of two
        levels the ``case``.
    models : tuple of str
        The models the rows were made for.
    settings : dict
        Settings and versions of the run.
    ledger : Ledger
        Every private question asked, and what it cost.
    """

    rows: pl.DataFrame
    schema: Schema
    task: Mapping[str, Any]
    models: tuple[str, ...]
    ledger: Ledger
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return self.rows.height

    def to_frame(self, kind: str = "pandas") -> Any:
        """The rows as a ``"pandas"`` or ``"polars"`` frame."""
        if kind not in ("pandas", "polars"):
            raise ReleaseError(f'The frame kind {kind!r} is not known; use "pandas" or "polars".')
        if kind == "polars":
            return self.rows
        import pandas as pd

        return pd.DataFrame({s.name: s.to_numpy() for s in self.rows})

    def save(self, path: str | Path) -> None:
        """Write the release as a new folder, whole or not at all.

        Raises
        ------
        ReleaseError
            If the folder exists or cannot be written.
        """
        package = self.package()
        ledger = self.ledger.to_dict()
        write_folder(
            Path(path),
            {
                DATA: self._csv(),
                PACKAGE: json_bytes(package),
                LEDGER: json_bytes(ledger),
                CARD: data_card(package, ledger).encode(),
                PAGE: card_page(Card.of(package, ledger)).encode(),
            },
        )

    @classmethod
    def load(cls, path: str | Path) -> CondensedTable:
        """Read a release.

        Raises
        ------
        ReleaseError
            If a file is absent or does not belong to a release.
        """
        path = Path(path)
        package, ledger = _read_json(path / PACKAGE), _read_json(path / LEDGER)
        try:
            about = package["tincture"]
            described = declared(package["resources"][0]["schema"], about.get("records"))
            schema = Schema.from_dict(described, where=str(path / PACKAGE))
            rows = read_table(path / DATA)
            return cls(
                rows=to_frame(to_columns(rows, plain(schema), schema.names), schema),
                schema=schema,
                task=_task(about["task"], schema),
                models=tuple(str(m) for m in about["models"]),
                ledger=Ledger.from_dict(ledger),
                settings=_settings(about["settings"]),
            )
        except TinctureError as error:
            raise ReleaseError(f"The release {path} is damaged: {error}") from None
        except (AttributeError, LookupError, TypeError, ValueError, OverflowError):
            raise ReleaseError(
                f"The release {path} is damaged; expected the files that `tincture condense` wrote."
            ) from None

    @property
    def fingerprint(self) -> str:
        """Of the rows; tells releases apart."""
        return hashlib.sha256(self._csv()).hexdigest()

    def card(self) -> Card:
        """What the data card is drawn from; holds no row."""
        return Card.of(self.package(), self.ledger.to_dict())

    def package(self) -> dict[str, Any]:
        """The Data Package descriptor."""
        name = self.schema.name or "table"
        return {
            "$schema": PROFILE,
            "name": f"{slug(name)}-condensed",
            "title": f"{self.schema.title or name}: condensed to {len(self)} invented rows",
            "description": self.ledger.promise,
            "resources": [
                {
                    "name": "condensed",
                    "path": DATA,
                    "format": "csv",
                    "mediatype": "text/csv",
                    "encoding": "utf-8",
                    "schema": resource_schema(self.schema),
                }
            ],
            "tincture": {
                "task": dict(self.task),
                "records": of_records(self.schema),
                "models": list(self.models),
                "settings": dict(self.settings),
            },
        }

    def _csv(self) -> bytes:
        buffer = io.BytesIO()
        self.rows.write_csv(buffer)
        return buffer.getvalue()


def told_task(schema: Schema, told: Mapping[str, Any]) -> Task:
    """The task that a release tells.

    Raises
    ------
    SchemaError, SettingError
    """
    if told["kind"] == "classification":
        return Classification.of(schema, told["target"], _told_level(schema, told))
    return Survival.of(schema, told["time"], told["event"], _told_level(schema, told))


def told_case(schema: Schema, told: Mapping[str, Any]) -> Case:
    """What figures of a release are about.

    Raises
    ------
    SchemaError, SettingError
    """
    column, level = schema[told[ROLES[told["kind"]][-1]]], _told_level(schema, told)
    return Case.of(column, None if level is None else place_of(column, level))


def _told_level(schema: Schema, told: Mapping[str, Any]) -> Any:
    """The level that a release names; the last of two if it was made before one could be named."""
    levels = schema[told[ROLES[told["kind"]][-1]]].levels
    return levels[-1] if len(levels) == 2 and told.get("case") is None else told.get("case")


def outcome_told(schema: Schema, task: Classification | Survival) -> dict[str, Any]:
    """A task for a package: its kind, columns by their role, and of two levels the case."""
    told = {"kind": task.name, **dict(zip(ROLES[task.name], task.columns, strict=True))}
    levels = schema[task.columns[-1]].levels
    return told | ({"case": levels[int(not task.is_turned)]} if len(levels) == 2 else {})


def _task(told: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
    """The outcome that a release names, which its schema has with that case."""
    task = {str(k): v if k == "case" else str(v) for k, v in told.items()}
    told_task(schema, task)
    return task


def _settings(told: Mapping[str, Any]) -> dict[str, Any]:
    """Settings, none of which may lack that a card or another release like this one needs."""
    needed = {k: told[k] for k in ("version", "method", "weights", "effort")}
    return {**told, **needed, "n_rows": int(told["n_rows"])}


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        content = None
    if not isinstance(content, dict):
        raise ReleaseError(f"{path.parent} is not a release: {path.name} is absent or unreadable.")
    return content
