"""Which of an outcome's two levels is the case: the one that figures count.

A prevalence, a precision, a calibration are of one level: of the deaths and not of the survivors.
It is the last that the schema declares, unless another is named.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tincture.arrays import Integers
from tincture.errors import SettingError
from tincture.public.cells import AMBIGUOUS, Field, Unreadable, plain
from tincture.public.columns import Column, Level


@dataclass(frozen=True, slots=True)
class Case:
    """What figures of an outcome are about.

    Attributes
    ----------
    column : str
    level : level or None
        None where each of several classes is it in turn.
    label : str or None
        What the level means to people.
    is_amount : bool
        Whether the outcome is a number, which has no levels.
    """

    column: str
    level: Level | None = None
    label: str | None = None
    is_amount: bool = False

    @classmethod
    def of(cls, column: Column, place: int | None) -> Case:
        """The level at a place among those declared, or each in turn."""
        if place is None:
            return cls(column.name, is_amount=not column.is_categorical)
        label = column.labels[place] if column.labels else None
        return cls(column.name, column.levels[place], label)

    @property
    def title(self) -> str:
        """The level as people read it: 1 (dead)."""
        if self.level is None:
            return "an amount" if self.is_amount else "each level in turn"
        return str(self.level) if self.label is None else f"{self.level} ({self.label})"

    @property
    def event(self) -> str:
        """Column and level: died = 1 (dead)."""
        return f"{self.column}{', ' if self.level is None else ' = '}{self.title}"

    @property
    def says(self) -> str:
        """The words that stand at every figure."""
        return f"{'outcome' if self.is_amount else 'case'}: {self.event}"

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        says = self.title if self.level is None else self.label
        return {"column": self.column, "level": self.level, "label": says}


def usual_case(column: Column) -> int:
    """The last level, or true: its place among the levels."""
    return column.levels.index(True) if column.type == "boolean" else len(column.levels) - 1


def place_of(column: Column, case: Any, role: str = "case") -> int:
    """The place of a level that a person names, as the records write it or by its label.

    Parameters
    ----------
    column : Column
        With levels.
    case : level or None
        None for the usual one. 1, 1.0 and "1" are one level.
    role : str
        What the level is, in words.

    Raises
    ------
    SettingError
        If it is no level, or several.
    """
    if case is None:
        return usual_case(column)
    try:
        found = Field(column).place(plain(case))
    except Unreadable:
        found = None
    if found is None and isinstance(case, str):
        words = column.labels or (None,) * len(column.levels)
        both = zip(column.levels, words, strict=True)
        named = [i for i, (v, label) in enumerate(both) if case.strip() in (str(v), label)]
        found = named[0] if len(named) == 1 else AMBIGUOUS if named else None
    if found is None or found == AMBIGUOUS:
        what = "is no level" if found is None else "means several levels"
        raise SettingError(
            f"The {role} {case!r} {what} of {column.name!r}; name one of "
            f"{', '.join(column.titles)}."
        )
    return found


def turned(codes: Integers, is_first: bool) -> Integers:
    """Codes of two levels to classes of which 1 is the case, and back; -1 stays missing.

    Parameters
    ----------
    codes : ndarray of int64
    is_first : bool
        Whether the case is the first level declared.
    """
    return np.where(codes < 0, codes, 1 - codes) if is_first else codes
