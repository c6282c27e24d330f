"""Conditions as the schema tells them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from tincture.errors import SchemaError, SettingError
from tincture.public.case import place_of
from tincture.public.columns import Column
from tincture.public.dates import moment_of
from tincture.public.rules.conditions import Among, Condition, Missing, Within

LIMITS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")


def condition_of(column: Column, told: Any, at: str) -> Condition:
    """Read what a rule says of a column.

    Raises
    ------
    SchemaError
    """
    at = f"{at}, column {column.name!r}"
    if told is None:
        if column.required:
            raise SchemaError(f"{at}: the field is required, so that it cannot be missing.")
        return Missing(column)
    if column.is_categorical:
        words = told if isinstance(told, list) else [told]
        if not words:
            raise SchemaError(f"{at}: the list of levels is empty; name one at least.")
        return Among(column, frozenset(level_of(column, word, at) for word in words))
    if isinstance(told, Mapping):
        return _range(column, told, at)
    number = _number(column, told, "the amount", at)
    return Within(column, number, number)


def level_of(column: Column, word: Any, at: str) -> int:
    """The place of a level, named by itself or by its label.

    Raises
    ------
    SchemaError
    """
    try:
        if isinstance(word, str | int | float):
            return place_of(column, word)
    except SettingError:
        pass
    raise SchemaError(
        f"{at}: {word!r} is not one of its levels; name one of {', '.join(column.titles)}."
    )


def _range(column: Column, told: Mapping[str, Any], at: str) -> Within:
    if not told or not set(told) <= set(LIMITS):
        raise SchemaError(f"{at}: a range is told by {', '.join(LIMITS)}.")
    limits = {key: _number(column, value, f'"{key}"', at) for key, value in told.items()}
    low = limits.get("minimum", -math.inf)
    high = limits.get("maximum", math.inf)
    if "exclusiveMinimum" in limits:
        low = max(low, math.nextafter(limits["exclusiveMinimum"], math.inf))
    if "exclusiveMaximum" in limits:
        high = min(high, math.nextafter(limits["exclusiveMaximum"], -math.inf))
    if low > high:
        raise SchemaError(f"{at}: the range is empty; exchange or correct its ends.")
    return Within(column, low, high)


def _number(column: Column, value: Any, what: str, at: str) -> float:
    if column.is_time:
        read = moment_of(value, column)
        if read is None or read[1] != column.is_zoned:
            raise SchemaError(f"{at}: {what} must be a {column.type}, written as its bounds are.")
        return read[0]
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= 1e15:
        return float(value)
    raise SchemaError(f"{at}: {what} must be a finite number.")
