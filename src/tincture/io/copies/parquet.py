"""A table as Parquet whose fields tell what they mean, in pandas as ``attrs`` of the frame."""

from __future__ import annotations

import io
import json
from typing import Any

import polars as pl

from tincture.public.columns import Column
from tincture.public.schema import Schema


def parquet_bytes(frame: pl.DataFrame, schema: Schema, stem: str) -> bytes:
    """The file; text is a dictionary of the declared levels, which readers take as categories.

    Parameters
    ----------
    frame : polars.DataFrame
    schema : Schema
        Of its own cells.
    stem : str
        Not used, as the file holds one table.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = [schema[name] for name in frame.columns]
    arrays = [_array(frame[c.name], c, pa) for c in columns]
    fields = [
        pa.field(c.name, array.type, metadata=_told(c))
        for c, array in zip(columns, arrays, strict=True)
    ]
    attrs = {
        "titles": {c.name: c.meaning for c in columns if c.meaning},
        "labels": {c.name: _labels(c) for c in columns if c.labels},
    }
    # pandas keeps the attributes of a frame under this key.
    about = {"PANDAS_ATTRS": json.dumps(attrs, ensure_ascii=False)}
    table = pa.Table.from_arrays(arrays, schema=pa.schema(fields, metadata=about))
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()


def _array(values: pl.Series, column: Column, pa: Any) -> Any:
    if column.type != "string":
        return values.to_arrow()
    place = {level: i for i, level in enumerate(column.levels)}
    codes = pa.array([place.get(v) for v in values.to_list()], pa.int32())
    return pa.DictionaryArray.from_arrays(codes, pa.array(column.levels, pa.string()))


def _told(column: Column) -> dict[str, str] | None:
    """Meaning, unit and labels, each where there is one."""
    labels = json.dumps(_labels(column), ensure_ascii=False) if column.labels else None
    told = {"description": column.description, "unit": column.unit, "labels": labels}
    return {k: v for k, v in told.items() if v} or None


def _labels(column: Column) -> dict[str, str]:
    pairs = zip(column.levels, column.labels, strict=True)
    return {str(level): label for level, label in pairs if label}
