"""What labelled levels and words for missing mean, as the schema declares it."""

from __future__ import annotations

from typing import NamedTuple

from tincture.public.columns import Labels
from tincture.public.schema import Schema

ANY = "any column"
EMPTY_HERE = (
    "A word for missing stands in records alone: in this release, what is missing is empty."
)


class Code(NamedTuple):
    """A level or a word for missing that means something to people."""

    column: str
    cell: str
    means: str
    is_missing: bool


def codes_of(schema: Schema) -> tuple[Code, ...]:
    """All levels and words for missing with a label, column by column."""
    found: list[Code] = []
    for c in schema.columns:
        found += _labelled(c.name, c.levels, c.labels, False)
        found += _labelled(c.name, c.missing_values or (), c.missing_labels, True)
    return (*found, *_labelled(ANY, schema.missing_values, schema.missing_labels, True))


def _labelled(
    column: str, cells: tuple[object, ...], labels: Labels, is_missing: bool
) -> list[Code]:
    pairs = zip(cells, labels, strict=False)  # no labels, where none was given
    return [Code(column, str(v) or "nothing", label, is_missing) for v, label in pairs if label]
