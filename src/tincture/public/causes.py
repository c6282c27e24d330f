"""One event among several that compete: a level is the event, and all others count as censored.

Hazards are then cause-specific: of those whom no event has met yet, how fast this one comes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from tincture.arrays import Integers
from tincture.errors import SchemaError
from tincture.public.case import place_of
from tincture.public.columns import Column
from tincture.public.schema import Schema


def with_cause(schema: Schema, event: str, cause: Any) -> tuple[Schema, Any]:
    """The schema of a run on one cause, and the case of its event.

    Of more than two levels the column becomes 1 where a record has the cause, else 0; its cells
    are still read by the levels declared.

    Raises
    ------
    SettingError
        If the cause is none of them.
    SchemaError
        If a rule tells apart what is one now.
    """
    column = schema[event].declared
    if not column.levels:
        return schema, cause  # refused as an event by the task
    place = place_of(column, cause, "cause")
    if len(column.levels) == 2:
        return schema, column.levels[place]
    if any(event in rule.names for rule in schema.rules):
        raise SchemaError(
            f"A rule of the schema binds the event {event!r}, of whose levels a release tells the "
            "cause (--cause) alone; remove the rule."
        )
    columns = [_of_cause(column, place) if c.name == event else c for c in schema.columns]
    return replace(schema, columns=tuple(columns)), 1


def _of_cause(column: Column, place: int) -> Column:
    """Of levels 0 and 1, which tell what they mean."""
    titles, level = column.titles, column.levels[place]
    label = column.labels[place] if column.labels else None
    name = level if isinstance(level, str) else f"{column.name} {level}"
    others = " or ".join(t for i, t in enumerate(titles) if i != place)
    told = f"1: the event, in records {titles[place]}; 0: censored, in records {others}"
    return Column(
        column.name,
        "integer",
        categories=(0, 1),
        required=column.required,
        description=f"{column.description}; {told}" if column.description else told,
        role=column.role,
        labels=("censored", label or name),
        missing_values=column.missing_values,
        missing_labels=column.missing_labels,
        cause_of=(column, place),
    )


def is_cause(codes: Integers, place: int) -> Integers:
    """Codes of all levels to 1 for the cause and 0 for any other; below 0 they stay."""
    return np.where(codes < 0, codes, codes == place)
