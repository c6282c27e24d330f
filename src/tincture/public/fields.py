"""Columns as the fields of a Frictionless Table Schema: read, refused, written."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, cast

from tincture.errors import SchemaError
from tincture.public.columns import TYPES, Column, Labels, Level, Type
from tincture.public.dates import moment_of, told
from tincture.public.notation import LIMITS, TIMES, Notation
from tincture.public.words import Lookup, key_of

REVIEWED = "tincture:reviewed"
CONFIRM = f'remove "{REVIEWED}": false, or the "yes" under "to confirm" in its code book'
LARGEST = 1e15  # beyond it floats do not hold whole numbers
DECIMALS = "tincture:decimals"
SCALE = "tincture:scale"
DAYS = "tincture:days"
ENDS = ("minimum", "maximum")


def field_read(raw: Any, position: int, where: str) -> Column:
    """A column from its field of a Table Schema.

    Raises
    ------
    SchemaError
    """
    if not isinstance(raw, dict) or not isinstance(raw.get("name"), str) or not raw["name"]:
        raise SchemaError(f'{where}: field {position + 1} needs a "name".')
    name = raw["name"]
    at = f"{where}, column {name!r}"
    refuse_unknown(raw, (LIMITS, DECIMALS, SCALE, DAYS, REVIEWED), at)
    kind = raw.get("type", "string")
    if kind not in TYPES:
        raise SchemaError(f"{at}: type {kind!r} is not known; use one of {listed(TYPES)}.")
    constraints = raw.get("constraints") or {}
    if not isinstance(constraints, dict):
        raise SchemaError(f'{at}: "constraints" must be an object.')
    notation = Notation.of(raw, kind, at)
    ends = [constraints.get(k) for k in ENDS]
    if kind in TIMES:
        low, high, is_zoned = _times(ends, Column(name, kind, notation=notation), at)
    else:
        low, high = (_bound(e, k, kind, at) for e, k in zip(ends, ENDS, strict=True))
        is_zoned = False
    if low is not None and high is not None and not low < high:
        raise SchemaError(f"{at}: the minimum must be below the maximum; exchange or correct them.")
    given = _levels_given(raw.get("categories"), constraints.get("enum"), at)
    categories = _categories(given, kind, at)
    own = raw.get("missingValues")
    words, meanings = (None, ()) if own is None else missing_words(own, at)
    decimals, scale = raw.get(DECIMALS), raw.get(SCALE)
    if kind in TIMES and (decimals, scale) != (None, None):
        raise SchemaError(f"{at}: a {kind} has no decimals and no scale; remove them.")
    if decimals is not None and (type(decimals) is not int or not 0 <= decimals <= 12):
        raise SchemaError(f'{at}: "{DECIMALS}" must be a whole number from 0 to 12.')
    if scale not in (None, "linear", "log") or (scale == "log" and (low is None or low <= 0)):
        raise SchemaError(
            f'{at}: "{SCALE}" must be "linear" or "log"; "log" needs a positive minimum.'
        )
    return Column(
        name=name,
        type=kind,
        minimum=low,
        maximum=high,
        categories=categories,
        ordered=raw.get("categoriesOrdered") is True,
        required=constraints.get("required") is True,
        unit=raw.get("unit"),
        description=raw.get("description"),
        decimals=decimals,
        scale=scale,
        role=raw["role"] if isinstance(raw.get("role"), str) else None,
        labels=_labels(given or []),
        missing_values=words,
        missing_labels=meanings,
        notation=notation,
        is_zoned=is_zoned,
        days=_days(raw, kind, at),
    )


def descriptor_of(column: Column) -> dict[str, Any]:
    """The field of a column as it was declared, ready for JSON."""
    column = column.declared
    whole = column.type == "integer"
    bounds: dict[str, Any] = {
        k: told(column, v) if column.is_time else int(v) if whole and float(v).is_integer() else v
        for k, v in (("minimum", column.minimum), ("maximum", column.maximum))
        if v is not None
    }
    constraints: dict[str, Any] = {**bounds, **({"required": True} if column.required else {})}
    out: dict[str, Any] = {"name": column.name, "type": column.type}
    if column.categories is not None:
        out["categories"] = with_labels(column.categories, column.labels)
    if column.ordered:
        out["categoriesOrdered"] = True
    if constraints:
        out["constraints"] = constraints
    if column.missing_values is not None:
        out["missingValues"] = with_labels(column.missing_values, column.missing_labels)
    out |= column.notation.to_dict()
    optional = {
        "unit": column.unit,
        "description": column.description,
        DAYS: None if column.days is None else dict(zip(ENDS, column.days, strict=True)),
        DECIMALS: column.decimals,
        SCALE: column.scale,
        "role": column.role,
    }
    return out | {k: v for k, v in optional.items() if v is not None}


def missing_words(raw: Any, at: str) -> tuple[tuple[str, ...], Labels]:
    """Words for missing and their meanings."""
    words = raw if isinstance(raw, list) else [None]
    read = [w.get("value") if isinstance(w, dict) else w for w in words]
    if not all(isinstance(w, str | int | float) and not isinstance(w, bool) for w in read):
        raise SchemaError(f'{at}: "missingValues" must be a list of strings.')
    return tuple(str(w).strip() for w in read), _labels(words)


def with_labels(words: Sequence[Level], labels: Labels) -> list[Any]:
    """A list of words, or where one has a label, of objects: the standard allows no mixture."""
    if not labels:
        return list(words)
    named = zip(words, labels, strict=True)
    return [{"value": w} | ({} if label is None else {"label": label}) for w, label in named]


def refuse_both(column: Column, missing: Sequence[str], where: str) -> None:
    """Refuse a level that means missing too, in whatever spelling."""
    gone = Lookup(((w, 0) for w in ("", *missing)), is_truth_number=False)
    truths = (*column.notation.true, *column.notation.false)
    both = [v for v in (*column.levels, *truths) if gone.of(v) is not None]
    if both:
        raise SchemaError(
            f"{where}, column {column.name!r}: {both[0]!r} is a level and means missing too; "
            "rename one."
        )


def refuse_unknown(raw: dict[str, Any], known: Sequence[str], at: str) -> None:
    """Refuse keys that look like ours and say nothing, as a slip of the pen would."""
    odd = [k for k in raw if str(k).startswith("tincture:") and k not in known]
    if odd:
        raise SchemaError(f"{at}: {odd[0]!r} is not known here; use {listed(known)}.")


def _bound(value: Any, key: str, kind: Type, at: str) -> float | None:
    if value is None or kind not in ("number", "integer"):
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not _is_finite(value):
        raise SchemaError(f'{at}: "{key}" must be a finite number.')
    if kind == "integer" and value != int(value):
        raise SchemaError(f'{at}: "{key}" must be a whole number, as the column is of integers.')
    if abs(value) > LARGEST:
        raise SchemaError(f'{at}: "{key}" must lie between -1e15 and 1e15.')
    return float(value)


def _times(ends: Sequence[Any], column: Column, at: str) -> tuple[float | None, float | None, bool]:
    """Bounds of dates or times, and whether these are moments."""
    found = [None if end is None else moment_of(end, column) for end in ends]
    for key, end, read in zip(ENDS, ends, found, strict=True):
        if end is not None and read is None:
            raise SchemaError(
                f'{at}: "{key}" must be a {column.type} as ISO 8601 writes it, such as '
                f"{'2010-01-31' if column.type == 'date' else '2010-01-31T07:00:00'}."
            )
    pattern = column.notation.time
    zoned = {is_zoned for read in found if read for is_zoned in [read[1]]}
    zoned |= set() if pattern is None else {"%z" in pattern or "%:z" in pattern}
    if len(zoned) > 1 or (column.type == "date" and True in zoned):
        raise SchemaError(
            f"{at}: bounds and cells have a zone (Z or an offset) or none, both alike, and dates "
            "have none; write all with it, or all without."
        )
    low, high = (None if read is None else read[0] for read in found)
    return low, high, True in zoned


def _days(raw: dict[str, Any], kind: str, at: str) -> tuple[float, float] | None:
    """Bounds of days since an origin."""
    given = raw.get(DAYS)
    if given is None:
        return None
    if kind not in TIMES:
        raise SchemaError(f'{at}: "{DAYS}" is of dates and times, but the type is {kind}.')
    ends: list[Any] = (
        [given.get(k) for k in ENDS] if isinstance(given, dict) and len(given) == 2 else []
    )
    whole = [float(e) for e in ends if _is_whole(e)]
    if len(whole) < 2 or not whole[0] < whole[1]:
        raise SchemaError(
            f'{at}: "{DAYS}" must have a "minimum" and a larger "maximum", each a whole number of '
            "days since the origin."
        )
    return whole[0], whole[1]


def _is_whole(value: Any) -> bool:
    """Whether it is a whole number that floats hold."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and _is_finite(value) and value == int(value) and abs(value) <= LARGEST


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond the floats
        return False


def _levels_given(categories: Any, enum: Any, at: str) -> Any:
    """The levels, wherever they stand; in two places they must be the same."""
    if categories is None or enum is None:
        return enum if categories is None else categories
    if isinstance(categories, list) and isinstance(enum, list):
        values = [c.get("value") if isinstance(c, dict) else c for c in categories]
        if len(values) == len(enum) and all(v in enum for v in values):
            return categories
    raise SchemaError(
        f'{at}: "categories" and "enum" under "constraints" list other levels; correct one.'
    )


def _categories(raw: Any, kind: Type, at: str) -> tuple[Level, ...] | None:
    if raw is None:
        return None
    if not isinstance(raw, list):
        raise SchemaError(f'{at}: "categories" must be a list of levels.')
    levels = [c.get("value") if isinstance(c, dict) else c for c in raw]
    if kind in TIMES:
        raise SchemaError(f"{at}: a {kind} has no levels; remove them or make it a string.")
    allowed: dict[str, tuple[type, ...]] = {"string": (str,), "boolean": (bool,), "integer": (int,)}
    expected = allowed.get(kind, (int, float))
    for level in levels:
        if not isinstance(level, expected) or (isinstance(level, bool) and kind != "boolean"):
            raise SchemaError(f"{at}: every level must be of type {kind}.")
        if isinstance(level, float | int) and not _is_finite(level):
            raise SchemaError(f"{at}: every level must be finite.")
        if isinstance(level, int) and abs(level) >= 2**63:
            raise SchemaError(f"{at}: a whole number has 18 digits at most; make the levels text.")
        if kind == "number" and isinstance(level, int) and float(level) != level:
            raise SchemaError(f"{at}: numbers hold 15 digits; make the levels integers or text.")
    found = tuple(cast("list[Level]", levels))
    if len(found) < 2 or len({_spelled(level) for level in found}) < len(found):
        raise SchemaError(f"{at}: levels must be at least two, all different.")
    return found


def _spelled(level: Level) -> Level:
    """What tells a level from another: no blanks around it, and of numbers no spelling."""
    if isinstance(level, str):
        return level.strip()
    return level if isinstance(level, bool) else key_of(level)


def _labels(words: Sequence[Any]) -> Labels:
    """Labels of words that are given as objects, or nothing where there are none."""
    found = [c.get("label") if isinstance(c, dict) else None for c in words]
    labels = tuple(label if isinstance(label, str) and label else None for label in found)
    return labels if any(labels) else ()


def listed(names: Sequence[str], most: int = 12) -> str:
    """Names in quotes, the first of many."""
    shown = ", ".join(repr(n) for n in names[:most])
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")
