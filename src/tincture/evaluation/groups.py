"""Subgroups of the held-out records: by levels, by cut points, by site."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from tincture.arrays import Mask
from tincture.errors import SettingError
from tincture.privacy.query import Labels
from tincture.public.cells import Field
from tincture.public.columns import Column
from tincture.public.dates import moment_of, told
from tincture.public.encoding import Values
from tincture.public.schema import Schema

MIN_GROUP = 20  # records below which a subgroup's figure says nothing
MOST_SITES = 200
Member = tuple[str, Mask]


@dataclass(frozen=True, slots=True)
class ByFeature:
    """Subgroups by the levels of a feature, or by cut points of an amount."""

    column: Column
    cuts: tuple[float, ...]

    def members(self, values: Values) -> Iterator[Member]:
        """Each subgroup's label and who is in it, leaving out the tiny ones."""
        name = self.column.name
        own = np.asarray(values[name], dtype=np.float64)
        if self.cuts:
            edges = [-np.inf, *self.cuts, np.inf]
            parts = [
                (_between(low, high, self.column), (own >= low) & (own < high))
                for low, high in pairwise(edges)
            ]
        else:
            levels = enumerate(self.column.titles)
            parts = [(f"= {level}", own == code) for code, level in levels]
        return _large((f"{name} {label}", inside) for label, inside in parts)


@dataclass(frozen=True, slots=True)
class BySite:
    """Subgroups by a column that is no feature, such as the hospital: each in turn.

    What the schema of the records declares of it may be known.
    """

    column: str
    declared: Column | None = None

    def title(self, name: str) -> str:
        """A site as people read it."""
        place = None if self.declared is None else Field(self.declared).place(name)
        if self.declared is None or place is None or place < 0:
            return f"{self.column} = {name}"
        return f"{self.column} = {self.declared.titles[place]}"

    def members(self, labels: Labels) -> Iterator[Member]:
        """Each site's label and who is in it, leaving out the tiny ones.

        Raises
        ------
        SettingError
            If the column tells so many things apart that it is no site.
        """
        if len(labels.names) > MOST_SITES:
            raise SettingError(
                f"Column {self.column!r} has more than {MOST_SITES} different values; subgroups "
                "need a column with few."
            )
        parts = ((name, labels.codes == code) for code, name in enumerate(labels.names))
        return _large((self.title(name), inside) for name, inside in parts)


def parse(
    texts: Sequence[str], features: Sequence[Column], schema: Schema, outcome: Sequence[str]
) -> list[ByFeature | BySite]:
    """Read what to look at subgroups by, before a record is seen.

    Parameters
    ----------
    texts : sequence of str
        ``"sex"``, ``"age:40,60,80"``, or the name of a column that is no feature.
    features : sequence of Column
        Of one value a record.
    schema : Schema
        Of the records; it may declare columns that are no feature.
    outcome : sequence of str
        Columns that no group may be made by.

    Raises
    ------
    SettingError
    """
    return [_parse(text, features, schema, outcome) for text in texts]


def _parse(
    text: str, features: Sequence[Column], schema: Schema, outcome: Sequence[str]
) -> ByFeature | BySite:
    name, _, tail = text.partition(":")
    column = next((c for c in features if c.name == name), None)
    if column is None:
        if tail or name in outcome:
            raise no_column(name, features)
        return BySite(name, _declared(name, schema))
    found = [_cut(word, column) for word in tail.split(",")] if tail else []
    if not all(math.isfinite(c) for c in found):
        kind = f"{column.type}s, written as its bounds are" if column.is_time else "numbers"
        raise SettingError(f"The cut points of --by {text!r} must be {kind}.")
    cuts = tuple(sorted(set(found)))
    if column.is_categorical == bool(cuts):
        hint = "no cut points" if cuts else f"cut points, as in {name}:{_usual(column)}"
        raise SettingError(f"Subgroups by {name!r} need {hint}.")
    return ByFeature(column, cuts)


def _cut(word: str, column: Column) -> float:
    """A cut point, NaN where it is none."""
    if column.is_time:
        read = moment_of(word.strip(), column)
        return read[0] if read is not None and read[1] == column.is_zoned else math.nan
    try:
        return float(word)
    except ValueError:
        return math.nan


def _usual(column: Column) -> str:
    """Cut points as one might give them."""
    return told(column, sum(column.bounds) // 2) if column.is_time else "40,60,80"


def no_column(name: str, features: Sequence[Column]) -> SettingError:
    """Of a column that is neither a feature nor stands beside the held-out records."""
    known = ", ".join(c.name for c in features) or "none"
    return SettingError(
        f"The release has no feature {name!r} to look at subgroups by; it has {known}. A column "
        "that is no feature, such as a site, must stand in the held-out records, and takes no cut "
        "points."
    )


def _declared(name: str, schema: Schema) -> Column | None:
    """A column with its words for missing, wherever they stand."""
    if name not in schema:
        return None
    return replace(schema[name], missing_values=schema.missing_of(name), missing_labels=())


def _large(parts: Iterator[Member]) -> Iterator[Member]:
    return ((label, inside) for label, inside in parts if inside.sum() >= MIN_GROUP)


def _between(low: float, high: float, column: Column) -> str:
    if np.isinf(low):
        return f"< {told(column, high)}"
    if np.isinf(high):
        return f"≥ {told(column, low)}"
    return f"{told(column, low)} to < {told(column, high)}"
