"""A first schema of stays in MEDS, from the codes that a data set describes.

``metadata/codes.parquet`` lists codes, what they mean and perhaps their units. It may have been
written from the records, so the draft says that it was not reviewed; figures of records that some
tools add to it are not read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from tincture.errors import TableError
from tincture.io.frames import FAULTS, read_table
from tincture.public.fields import CONFIRM, REVIEWED
from tincture.public.schema import PROFILE

CODES = Path("metadata") / "codes.parquet"
UNITS = ("unit", "units")
CHECK = (
    "Codes, descriptions and units are those of metadata/codes.parquet, which may have been "
    "written from the records. Keep the codes that public knowledge names and that a model should "
    'learn from, and give each its type, bounds or levels, and the role "variable" (events with a '
    'time) or "static" (events without one; GENDER with the levels F and M reads GENDER//F and '
    "GENDER//M). The outcome is a column of the labels. Then "
    f"{CONFIRM}."
)
LABEL = {"name": "boolean_value", "type": "boolean", "description": "outcome, of the labels"}


def codes_of(path: Path) -> Path | None:
    """The codes that a folder of MEDS describes, if it is one."""
    return path / CODES if (path / CODES).is_file() else None


def draft_of(path: Path, name: str) -> dict[str, Any]:
    """A field for each code, with bounds left to confirm.

    Parameters
    ----------
    path : Path
        Of codes.parquet.
    name : str
        Of the schema.

    Raises
    ------
    TableError
        If it cannot be read, or names no code.
    """
    table = read_table(path)
    if "code" not in table.columns:
        raise TableError(f"{path} has no column 'code'; expected the metadata of MEDS.")
    unit = next((u for u in UNITS if u in table.columns), None)
    wanted = {"name": "code", "description": "description", "unit": unit}
    columns = {ours: theirs for ours, theirs in wanted.items() if theirs in table.columns}
    try:
        cells = table.select(
            pl.col(theirs).cast(pl.String).alias(ours) for ours, theirs in columns.items()
        )
        rows = cells.drop_nulls("name").unique("name", maintain_order=True).to_dicts()
    except FAULTS:
        rows = []
    if not rows:
        raise TableError(f"{path} names no code; expected text in its column 'code'.")
    fields = [_field(row) for row in rows]
    about = {"$schema": PROFILE, "name": name, "description": CHECK, REVIEWED: False}
    return {**about, "fields": [*fields, LABEL], "missingValues": [""]}


def _field(row: dict[str, str | None]) -> dict[str, Any]:
    told = {key: word for key, word in row.items() if word and word.strip()}
    bounds = {"constraints": {"minimum": None, "maximum": None}}
    return {**told, "type": "number", "role": "variable", **bounds}
