"""Subgroups of the held-out records: by levels, by cut points, by site."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tincture.errors import SettingError
from tincture.io.frames import has_column
from tincture.privacy.query import Labels, Records
from tincture.public.cells import Field
from tincture.public.encoding import Encoding
from tincture.public.schema import Column, Schema

MIN_GROUP = 20  # records below which a subgroup's figure says nothing
MOST_SITES = 200
Member = tuple[str, NDArray[np.bool_]]


@dataclass(frozen=True, slots=True)
class ByFeature:
    """Subgroups by the levels of a feature, or by cut points of an amount."""

    column: str
    cuts: tuple[float, ...]

    def members(self, records: Records, encoding: Encoding) -> Iterator[Member]:
        """Each subgroup's label and who is in it, leaving out the tiny ones."""
        j = [c.name for c in encoding.columns].index(self.column)
        points = records.points[:, encoding.slices[j]].astype(np.float64)
        values = np.asarray(encoding.kinds[j].decode(points), dtype=np.float64)
        levels = encoding.columns[j].titles
        if self.cuts:
            edges = [-np.inf, *self.cuts, np.inf]
            parts = [
                (_between(low, high), (values >= low) & (values < high))
                for low, high in pairwise(edges)
            ]
        else:
            parts = [(f"= {level}", values == code) for code, level in enumerate(levels)]
        return _large((f"{self.column} {label}", inside) for label, inside in parts)


@dataclass(frozen=True, slots=True)
class BySite:
    """Subgroups by a column that is no feature, such as the hospital: each in turn.

    Attributes
    ----------
    column : str
    declared : Column or None
        What the schema of the records says of it, if it does.
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
    texts: Sequence[str],
    encoding: Encoding,
    outcome: Sequence[str],
    test: Any,
    beside: Schema | None = None,
) -> list[ByFeature | BySite]:
    """Read what to look at subgroups by, before a record is seen.

    Parameters
    ----------
    texts : sequence of str
        ``"sex"``, ``"age:40,60,80"``, or the name of a column that is no feature.
    encoding : Encoding
        Of the features.
    outcome : sequence of str
        Columns that no group may be made by.
    test : frame
        The held-out records, of which only the header is read.
    beside : Schema, optional
        Of the records; it may declare columns that are no feature.

    Raises
    ------
    SettingError
    """
    return [_parse(text, encoding, outcome, test, beside) for text in texts]


def _parse(
    text: str, encoding: Encoding, outcome: Sequence[str], test: Any, beside: Schema | None
) -> ByFeature | BySite:
    name, _, tail = text.partition(":")
    column = next((c for c in encoding.columns if c.name == name), None)
    if column is None:
        if name not in outcome and has_column(test, name) and not tail:
            return BySite(name, _declared(name, beside))
        known = ", ".join(c.name for c in encoding.columns)
        raise SettingError(
            f"The release has no feature {name!r} to look at subgroups by; it has {known}. A "
            "column that is no feature, such as a site, must stand in the held-out records, and "
            "takes no cut points."
        )
    try:
        cuts = tuple(sorted({float(c) for c in tail.split(",")})) if tail else ()
    except ValueError:
        cuts = (math.nan,)
    if not all(math.isfinite(c) for c in cuts):
        raise SettingError(f"The cut points of --by {text!r} must be numbers.")
    if column.is_categorical == bool(cuts):
        hint = "no cut points" if cuts else f"cut points, as in {name}:40,60,80"
        raise SettingError(f"Subgroups by {name!r} need {hint}.")
    return ByFeature(name, cuts)


def _declared(name: str, schema: Schema | None) -> Column | None:
    """A column with its words for missing, wherever they stand."""
    if schema is None or name not in schema:
        return None
    return replace(schema[name], missing_values=schema.missing_of(name), missing_labels=())


def _large(parts: Iterator[Member]) -> Iterator[Member]:
    return ((label, inside) for label, inside in parts if inside.sum() >= MIN_GROUP)


def _between(low: float, high: float) -> str:
    if np.isinf(low):
        return f"< {high:g}"
    return f"≥ {low:g}" if np.isinf(high) else f"{low:g} to < {high:g}"
