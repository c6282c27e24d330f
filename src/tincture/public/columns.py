"""What is publicly known of one column: its name, type, bounds and levels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from tincture.errors import SchemaError
from tincture.public.notation import PLAIN, TIMES, Notation

Level = str | int | float | bool
Labels = tuple[str | None, ...]
Type = Literal["number", "integer", "string", "boolean", "date", "datetime"]
DAY = 86_400  # seconds
TYPES: tuple[Type, ...] = ("number", "integer", "string", "boolean", "date", "datetime")


@dataclass(frozen=True, slots=True)
class Column:
    """One field of the table.

    Parameters
    ----------
    name : str
        As in the table's header.
    type : {"number", "integer", "string", "boolean", "date", "datetime"}
        Frictionless type. A date counts as days since 1970-01-01, a time as seconds
        (`tincture.public.dates`).
    minimum, maximum : float or None
        Public bounds, in the column's unit; records outside are clipped to them.
    categories : tuple of levels or None
        Public levels; ``ordered`` tells whether their order means anything.
    required : bool
        Whether a missing value is an error.
    decimals : int or None
        Decimal places a released value carries (``tincture:decimals``); by default four significant
        digits of the range.
    scale : {"linear", "log"} or None
        Where the search takes its steps (``tincture:scale``); by default logarithmic for positive
        ranges that span a factor of 50 or more.
    role : str or None
        In a set of stays: "variable" if measured over time, "static" if known once.
    labels : tuple of (str or None)
        What the levels mean to people, in their order, if any has a meaning.
    missing_values : tuple of str or None
        Words for missing of this field alone, instead of the table's.
    missing_labels : tuple of (str or None)
        What these words mean to people, if any has a meaning.
    notation : Notation
        How its cells are written.
    cause_of : (Column, int) or None
        The column as records have it and the place of one of its levels, where this one tells
        by 1 or 0 whether that is the level (`tincture.public.causes`).
    is_zoned : bool
        Whether times are moments, which have a zone, and no clocks on the wall.
    days : (float, float) or None
        Public bounds of the days since an origin (``tincture:days``), of a date or time.
    since : (Column, Column) or None
        The column as records have it and the origin, where this one tells the days from each
        record's origin (`tincture.public.origins`).
    """

    name: str
    type: Type
    minimum: float | None = None
    maximum: float | None = None
    categories: tuple[Level, ...] | None = None
    ordered: bool = False
    required: bool = False
    unit: str | None = None
    description: str | None = None
    decimals: int | None = None
    scale: Literal["linear", "log"] | None = None
    role: str | None = None
    labels: Labels = ()
    missing_values: tuple[str, ...] | None = None
    missing_labels: Labels = ()
    notation: Notation = PLAIN
    cause_of: tuple[Column, int] | None = None
    is_zoned: bool = False
    days: tuple[float, float] | None = None
    since: tuple[Column, Column] | None = None

    @property
    def declared(self) -> Column:
        """The column as records have it."""
        made = self.cause_of or self.since
        return self if made is None else made[0]

    @property
    def is_time(self) -> bool:
        """Whether it is of dates or times."""
        return self.type in TIMES

    @property
    def per_day(self) -> float:
        """How many of its units a day is, of a date or time."""
        return float(DAY) if self.type == "datetime" else 1.0

    @property
    def is_categorical(self) -> bool:
        """Whether values are levels rather than amounts."""
        return self.categories is not None or self.type in ("string", "boolean")

    @property
    def gap(self) -> str | None:
        """What must still be declared before the column can be protected, or None."""
        if self.is_categorical:
            return None if self.levels else '"categories": [...]'
        missing = [k for k in ("minimum", "maximum") if getattr(self, k) is None]
        if missing and self.since is not None:
            return f'"tincture:days" ({{"minimum": …, "maximum": …}}, since {self.since[1].name!r})'
        return " and ".join(f'"{k}"' for k in missing) + ' under "constraints"' if missing else None

    @property
    def levels(self) -> tuple[Level, ...]:
        """The public levels of a categorical column."""
        if self.categories is None and self.type == "boolean":
            return (False, True)
        return self.categories or ()

    @property
    def titles(self) -> tuple[str, ...]:
        """The levels as people read them: 1 (male)."""
        named = zip(self.levels, self.labels or (None,) * len(self.levels), strict=True)
        return tuple(
            str(level) if label is None else f"{level} ({label})" for level, label in named
        )

    @property
    def meaning(self) -> str:
        """What it holds and in which unit, as far as that is declared."""
        return "; ".join(dict.fromkeys(str(t) for t in (self.description, self.unit) if t))

    @property
    def bounds(self) -> tuple[float, float]:
        """Minimum and maximum of a numeric column that has no gap."""
        if self.minimum is None or self.maximum is None:
            raise SchemaError(_gap_sentence(self))
        return self.minimum, self.maximum

    @property
    def places(self) -> int:
        """Decimal places of a released value."""
        if self.type == "integer" or self.is_time:
            return 0
        if self.decimals is not None:
            return self.decimals
        low, high = self.bounds
        return max(0, 3 - math.floor(math.log10(high - low)))

    @property
    def is_log(self) -> bool:
        """Whether the search steps in ratios instead of differences."""
        if self.is_categorical or self.is_time:
            return False
        low, high = self.bounds
        if self.scale is not None:
            return self.scale == "log"
        return low > 0 and high / low >= 50

    def require_public(self) -> None:
        """Refuse a column that nothing can be learned from, or not before more is declared.

        Raises
        ------
        SchemaError
            Naming the column and what to add.
        """
        if self.gap:
            raise SchemaError(_gap_sentence(self))


def _gap_sentence(column: Column) -> str:
    return (
        f"Column {column.name!r} has no public bounds or levels; add {column.gap} to its field in "
        "the schema, from public knowledge and not from the records, or leave the column out."
    )
