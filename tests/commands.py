"""The command line as the tests call it, and estimators that misbehave."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import polars as pl
from sklearn.base import BaseEstimator

from helpers import DESCRIPTOR, QUICK, make_table
from tincture.cli import app, main

DROPPED = ["days", "event", "stage", "patient"]
Flags = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Said:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


def run(*args: object, command: Callable[..., object] = app) -> Said:
    """Run a command in this process."""
    out, err = io.StringIO(), io.StringIO()
    code: int | str | None = 0
    with (
        mock.patch.object(sys, "argv", ["tincture", *map(str, args)]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main(command)
        except SystemExit as end:
            code = end.code
    return Said(int(code or 0), out.getvalue(), err.getvalue())


def prepare(
    folder: Path, table: pl.DataFrame | None = None, descriptor: dict[str, Any] | None = None
) -> None:
    """Write ``records.csv``, ``heldout.csv`` and ``schema.json``."""
    (make_table(80) if table is None else table).write_csv(folder / "records.csv")
    make_table(80, seed=1).write_csv(folder / "heldout.csv")
    (folder / "schema.json").write_text(json.dumps(descriptor or DESCRIPTOR))


def semicolons(table: pl.DataFrame, folder: Path) -> None:
    """Write ``own.csv`` as a spreadsheet of another country does, and ``own.json``, its schema."""
    amounts = [pl.col(pl.Float64).cast(pl.String).str.replace(".", ",", literal=True)]
    text = table.with_columns(amounts).with_columns(pl.all().cast(pl.String).fill_null("k. A."))
    (folder / "own.csv").write_bytes(text.write_csv(separator=";").encode("latin-1"))
    fields = [
        {**field, "decimalChar": ","} if field["type"] == "number" else field
        for field in DESCRIPTOR["fields"]
    ]
    own = {"dialect": {"delimiter": ";"}, "encoding": "latin-1", "missingValues": ["k. A."]}
    (folder / "own.json").write_text(json.dumps({**DESCRIPTOR, **own, "fields": fields}))


def condensing(folder: Path, **changes: Any) -> list[str]:
    """Arguments of a usual ``condense``; a flag of None or False is left out."""
    flags: Flags = {
        "schema": folder / "schema.json",
        "target": "died",
        "drop": DROPPED,
        "model": "logistic",
        "rows": 16,
        "epsilon": 1,
        "delta": 1e-5,
        "effort": QUICK,
        "out": folder / "out",
    } | changes
    args = ["condense", str(flags.pop("records", folder / "records.csv"))]
    for name, value in flags.items():
        for one in value if isinstance(value, list) else [value]:
            if one is True:
                args.append(f"--{name}")
            elif one is not None and one is not False:
                args += [f"--{name}", str(one)]
    return args


def listing(folder: Path) -> dict[str, bytes]:
    """Every file and folder below, hidden ones too, with what it holds."""
    return {
        str(p.relative_to(folder)): p.read_bytes() if p.is_file() else b""
        for p in folder.rglob("*")
    }


class Constant(BaseEstimator):
    """Predicts one probability for everybody."""

    value = 0.5

    def fit(self, x: np.ndarray, y: np.ndarray) -> Constant:
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        return np.full((len(x), len(self.classes_)), self.value)


class Nan(Constant):
    """Predicts no number."""

    value = float("nan")


class Raises(Constant):
    """Cannot be fitted, and says so in two lines."""

    def fit(self, x: np.ndarray, y: np.ndarray) -> Constant:
        raise RuntimeError("no\nfit")


class RaisesLater(Constant):
    """Can be fitted, but not asked."""

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        raise RuntimeError("no\nprediction")


class Quotes(Constant):
    """Fails on a table of any size but that of a release, and quotes it."""

    def fit(self, x: np.ndarray, y: np.ndarray) -> Constant:
        if len(x) != 16:
            raise RuntimeError(f"{x!r}")
        return super().fit(x, y)


def no_estimator() -> int:
    """Makes something that cannot be fitted."""
    return 3


def broken_factory() -> None:
    """Fails to make anything."""
    raise RuntimeError("no\nmodel")
