"""Dates as days since an origin: each record's own, such as the day of its admission.

What a record without an origin means depends on that record alone: its days are missing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tincture.arrays import Floats
from tincture.errors import SchemaError
from tincture.public.columns import DAY, Column
from tincture.public.rules import Rule, rules_read
from tincture.public.schema import Schema


def with_origin(schema: Schema, name: str, drop: Sequence[str] = ()) -> Schema:
    """The schema of a run on days since a date or time, which is left out itself.

    Every other date and time becomes days, between the bounds of its ``tincture:days``. Rules are
    kept where they hold of days too: an order on either side of the origin, differences.

    Parameters
    ----------
    schema : Schema
    name : str
        Of the origin.
    drop : sequence of str
        Columns that the run leaves out, which stay as they are.

    Raises
    ------
    SchemaError
        If there is no such column, it is no date or time, or some dates have a zone and some none.
    """
    if any(c.since is not None and c.since[1].name == name for c in schema.columns):
        return schema  # of a release, which is of days already
    origin = schema[name]
    if not origin.is_time:
        raise SchemaError(
            f"The origin {name!r} (--origin) is declared as {origin.type}; expected a date or "
            "datetime, of which days are counted."
        )
    origin = replace(origin, missing_values=schema.missing_of(name), missing_labels=())
    columns = tuple(
        _since(c, origin) if c.is_time and c.name not in drop else c
        for c in schema.columns
        if c.name != name
    )
    if all(c.since is None for c in columns):
        raise SchemaError(
            f"The schema has no date but the origin {name!r} (--origin) to count days of; leave "
            "the origin out, or declare another date."
        )
    used = {c.name: c for c in columns if c.name not in drop}
    rules = tuple(_rules(schema.rules, used, name))
    return replace(schema, columns=columns, rules=rules)


def _since(column: Column, origin: Column) -> Column:
    if column.is_zoned != origin.is_zoned:
        raise SchemaError(
            f"The column {column.name!r} and the origin {origin.name!r} (--origin) must both have "
            "a zone, or both none; correct their bounds or formats, or leave it out (--drop)."
        )
    low, high = column.days or (None, None)
    is_whole = (column.type, origin.type) == ("date", "date")
    told = f"days since {origin.name}"
    return Column(
        column.name,
        "integer" if is_whole else "number",
        low,
        high,
        required=column.required,
        unit="days",
        description=f"{column.description}; {told}" if column.description else told,
        role=column.role,
        missing_values=column.missing_values,
        missing_labels=column.missing_labels,
        since=(column, origin),
    )


def days_since(
    column: Column, amounts: NDArray[np.generic], origins: NDArray[np.generic]
) -> Floats:
    """Days from each record's origin to its date, NaN where either is missing."""
    if column.since is None:
        raise ValueError("the column counts from no origin")
    own, origin = column.since
    ends = (np.asarray(x) * (DAY / c.per_day) for x, c in ((amounts, own), (origins, origin)))
    there, here = ends  # in seconds, which are whole
    return np.asarray((there - here) / DAY)


def _rules(rules: tuple[Rule, ...], columns: dict[str, Column], origin: str) -> Iterator[Rule]:
    """Those that hold of days as of dates."""
    where = f"the schema, with days since {origin!r} (--origin)"
    for rule in rules:
        for told in _parts(json.loads(rule.told), origin):
            names = told.get("order", rule.names)
            if all(n in columns and not columns[n].gap for n in names):
                yield from rules_read([told], columns, where)


def _parts(told: dict[str, Any], origin: str) -> list[dict[str, Any]]:
    """An order as its parts on either side of the origin; any other rule as it is."""
    chain = told.get("order", ())
    if origin not in chain:
        return [told]
    place = chain.index(origin)
    sides = chain[:place], chain[place + 1 :]
    return [told | {"order": side} for side in sides if len(side) > 1]
