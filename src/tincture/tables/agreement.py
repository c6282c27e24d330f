"""How records agree with their schema: what would be clipped, is missing, or would be refused.

It is an un-noised look at real records, taken through `Vault.disclose`: it stays in the house, and
no bound may be chosen by it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tincture.arrays import Integers
from tincture.errors import SchemaError, TableError
from tincture.io.frames import to_columns
from tincture.privacy.ledger import Ledger
from tincture.privacy.query import Records, Sealed
from tincture.privacy.vault import Vault
from tincture.public.columns import Column
from tincture.public.schema import Schema

NOTICE = "In-house: computed from real records (ε = ∞); do not release"
ADVICE = (
    "Bounds and levels that are chosen by these figures would tell of the records: change only "
    "what public knowledge says was wrong."
)
PURPOSE = "how records agree with the schema"
AS_DECLARED, MISSING, BELOW, ABOVE, REFUSED = range(5)
MOST = 5_000  # different cells of a column that are tried one by one


@dataclass(frozen=True, slots=True)
class Agreement:
    """What becomes of one column's cells.

    Attributes
    ----------
    column : str
    missing, below, above, refused : int
        Cells that are missing; that lie below the minimum or above the maximum, and would be
        clipped; and that would make the table be refused.
    says : str
        Why, as condensing would tell, if it would refuse the column; else empty.
    """

    column: str
    missing: int = 0
    below: int = 0
    above: int = 0
    refused: int = 0
    says: str = ""


@dataclass(frozen=True, slots=True)
class Agreements:
    """Of all columns that the schema declares, in its order.

    Attributes
    ----------
    records : int
    columns : tuple of Agreement
    """

    records: int
    columns: tuple[Agreement, ...]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        columns = [asdict(column) for column in self.columns]
        return {
            "notice": NOTICE,
            "advice": ADVICE,
            "epsilon": "inf",
            "records": self.records,
            "columns": columns,
        }


def agreements(frame: pl.DataFrame, schema: Schema, in_house: Path | None = None) -> Agreements:
    """Look at records, in-house, before they are condensed.

    Parameters
    ----------
    frame : polars.DataFrame
        As `tincture.io.frames.read_table` gives it.
    schema : Schema
    in_house : path, optional
        File to which the look is added before it is taken.

    Raises
    ------
    ReleaseError
        If that file lies inside a release, or cannot be written.
    """
    vault = Vault(lambda source: _sealed(source, schema), frame, Ledger.in_house(in_house))
    fates = vault.disclose(PURPOSE).points.astype(np.int64)
    columns = []
    for name, column in zip(schema.names, fates.T, strict=True):
        _, missing, below, above, refused = np.bincount(column, minlength=REFUSED + 1).tolist()
        columns.append(Agreement(name, missing, below, above, refused, vault.form[name]))
    return Agreements(len(fates), tuple(columns))


def _sealed(frame: pl.DataFrame, schema: Schema) -> Sealed:
    """What becomes of each cell, and by column, what condensing would say."""
    found = {column.name: _fates(frame, schema, column) for column in schema.columns}
    fates = np.stack([fates for fates, _ in found.values()], axis=1).astype(np.float32)
    nothing = np.zeros((len(fates), 1))
    records = Records(fates, nothing.astype(np.float32), nothing)
    return Sealed(records, form={name: says for name, (_, says) in found.items()})


def _fates(frame: pl.DataFrame, schema: Schema, column: Column) -> tuple[Integers, str]:
    refused = np.full(len(frame), REFUSED)
    try:
        column.require_public()
        if column.name not in frame.columns:
            to_columns(frame, schema, [column.name])
    except (SchemaError, TableError) as error:
        return refused, str(error)
    cells = frame.select(column.name)
    free = replace(schema, columns=(replace(column, required=False),), rules=())
    try:
        fates, says = _read(cells, free), ""
    except TableError as error:
        fates, says = _apart(cells, free), str(error)
    if column.required and (fates == MISSING).any():
        fates = np.where(fates == MISSING, REFUSED, fates)
        says = says or f"Column {column.name!r} is required but has missing values."
    return fates, says


def _read(cells: pl.DataFrame, schema: Schema) -> Integers:
    """Of cells that can all be read.

    Raises
    ------
    TableError
    """
    (column,) = schema.columns
    values = to_columns(cells, schema, schema.names)[column.name]
    if column.is_categorical:
        return np.where(np.asarray(values, dtype=np.int64) < 0, MISSING, AS_DECLARED)
    x, (low, high) = np.asarray(values, dtype=np.float64), column.bounds
    kinds = [np.isnan(x), x < low, x > high]
    return np.select(kinds, [MISSING, BELOW, ABOVE], AS_DECLARED).astype(np.int64)


def _apart(cells: pl.DataFrame, schema: Schema) -> Integers:
    """Of cells of which some cannot: each different one is tried by itself; of too many, none."""
    (name,) = schema.names
    first: dict[Any, int] = {}
    try:
        each = [first.setdefault((type(c), c), i) for i, c in enumerate(cells[name].to_list())]
    except TypeError:  # lists, as no cell of ours
        return np.full(len(cells), REFUSED)
    if len(first) > MOST:
        return np.full(len(cells), REFUSED)
    fates = {}
    for i in first.values():
        try:
            (fates[i],) = _read(cells[i], schema).tolist()
        except TableError:
            fates[i] = REFUSED
    return np.array([fates[i] for i in each], dtype=np.int64)
