"""The plain code book: one line a column, for a person to read and to fill in.

A line named ``*`` tells of the whole table. What has no column of its own stands under "other" in
JSON, so that a schema comes back from its book as it was.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from tincture.errors import SchemaError
from tincture.io.books.listing import Entry, listed, written
from tincture.io.books.rules import rule_told, rule_written, subject_of
from tincture.io.books.sheet import Lines
from tincture.io.files import slug
from tincture.public.columns import TYPES
from tincture.public.fields import DECIMALS, LARGEST, REVIEWED, SCALE
from tincture.public.rules import KEY
from tincture.public.schema import PROFILE
from tincture.public.words import number_of

TABLE = "*"
WAITS = "to confirm"
ALWAYS = ("name", "meaning", "type", "unit", "lowest", "highest", "levels", "missing codes", "rule")
SOMETIMES = ("ordered", "required", "decimals", "scale", WAITS, "other")
ALIKE = {
    "column": "name",
    "variable": "name",
    "description": "meaning",
    "label": "meaning",
    "minimum": "lowest",
    "maximum": "highest",
    "categories": "levels",
    "levels and labels": "levels",
    "missing": "missing codes",
    "rules": "rule",
}
KNOWN = (*ALWAYS, *SOMETIMES)
FEWEST = 4  # headings by which a code book is known
TEXTS = {"meaning": "description", "unit": "unit"}
BOUNDS = {"lowest": "minimum", "highest": "maximum"}
YES, NO = ("yes", "true", "x", "1"), ("", "no", "false", "0")
KINDS = (("ordered", "categoriesOrdered"), ("required", "required"))
Row = dict[str, str]
Raw = dict[str, Any]


def _heading(cell: str) -> str:
    name = " ".join(cell.replace("_", " ").split()).casefold()
    return ALIKE.get(name, name)


def is_book(first: Sequence[str]) -> bool:
    """Whether a first line is that of a plain code book."""
    known = {_heading(cell) for cell in first} & {*KNOWN}
    return "name" in known and len(known) >= FEWEST and bool(known & {"lowest", "levels"})


def to_lines(descriptor: Raw) -> tuple[Lines, list[tuple[int, int]]]:
    """The book of a Table Schema, and the cells of it that a person has yet to fill in.

    Parameters
    ----------
    descriptor : mapping
        Of a schema or of a draft.
    """
    rows = [_table_row(descriptor), *(_row(field) for field in descriptor["fields"])]
    place = {row["name"]: i for i, row in enumerate(rows)}
    rules = descriptor.get(KEY) or []
    homes = [place.get(subject_of(rule), 0) for rule in rules]
    if homes != sorted(homes):  # their order counts, and a book is read from above
        homes = [0] * len(rules)
    for home, rule in zip(homes, rules, strict=True):
        told = (rows[home].get("rule"), rule_written(rule))
        rows[home]["rule"] = "\n".join(filter(None, told))
    heads = [*ALWAYS, *(key for key in SOMETIMES if any(row.get(key) for row in rows))]
    open_ = [
        (i + 1, heads.index(key))
        for i, row in enumerate(rows)
        for key in ("levels",) * (row.get("type") == "string") + tuple(BOUNDS) * _is_amount(row)
        if not row.get(key)
    ]
    open_ += [(i + 1, heads.index(WAITS)) for i, row in enumerate(rows) if row[WAITS]]
    return [heads, *([row.get(key, "") for key in heads] for row in rows)], open_


def _is_amount(row: Row) -> bool:
    return row.get("type") not in (None, "string", "boolean") and not row.get("levels")


def _table_row(descriptor: Raw) -> Row:
    rest = {k: v for k, v in descriptor.items() if k not in ("$schema", "fields", KEY)}
    words = rest.pop("missingValues", [""])
    row = {"name": TABLE, "missing codes": "" if words == [""] else written(_entries(words))}
    return row | _shared(rest)


def _row(field: Raw) -> Row:
    rest = {k: v for k, v in field.items() if v is not None}
    limits = {k: v for k, v in (rest.pop("constraints", None) or {}).items() if v is not None}
    row = {"name": rest.pop("name"), "type": rest.pop("type", "string")}
    for key, own in BOUNDS.items():
        row[key] = _told(limits.pop(own, None))
    enum, levels = limits.pop("enum", None), rest.pop("categories", None)
    levels = enum if levels is None else levels
    row["levels"] = "" if levels is None else written(_entries(levels))
    if "missingValues" in rest:
        row["missing codes"] = written(_entries(rest.pop("missingValues")))
    for (key, own), where in zip(KINDS, (rest, limits), strict=True):
        row[key] = "yes" if where.pop(own, False) is True else ""
    row["decimals"], row["scale"] = _told(rest.pop(DECIMALS, None)), rest.pop(SCALE, "")
    if limits:
        rest["constraints"] = limits
    return row | _shared(rest)


def _shared(rest: Raw) -> Row:
    """What a line tells of a field and of the table alike."""
    row = {key: rest.pop(own) for key, own in TEXTS.items() if isinstance(rest.get(own), str)}
    row[WAITS] = "yes" if rest.pop(REVIEWED, True) is False else ""
    row["other"] = json.dumps(rest, ensure_ascii=False) if rest else ""
    return row


def _entries(words: Sequence[Any]) -> list[Entry]:
    pairs = [(w.get("value"), w.get("label")) if isinstance(w, dict) else (w, None) for w in words]
    return [Entry(_told(value), label) for value, label in pairs]


def _told(value: Any) -> str:
    """A word or a number as text."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) <= LARGEST:
        value = int(value)
    return value if isinstance(value, str) else json.dumps(value)


def from_lines(lines: Lines, path: Path) -> Raw:
    """The Table Schema that a book tells, with nulls where it leaves something open.

    Raises
    ------
    SchemaError
        Telling the line, and what is expected.
    """
    heads = [_heading(cell) for cell in lines[0]]
    schema: Raw = {"$schema": PROFILE, "name": slug(path.stem)}
    fields: list[Raw] = []
    rules: list[Any] = []
    for i, line in enumerate(lines[1:], start=2):
        row = {h: cell for h, cell in zip(heads, line, strict=False) if cell.strip()}
        at = f"The code book {path}, line {i}"
        rules += [rule_told(text, at) for text in row.get("rule", "").split("\n") if text.strip()]
        if row.get("name") == TABLE and i == 2:
            schema = {"$schema": PROFILE, **_table(row, at)}
        elif "name" in row:
            fields.append(_field(row, at))
        elif row:
            raise SchemaError(f"{at}: it has no name; name the column it tells of.")
    odd = [cell for cell, head in zip(lines[0], heads, strict=True) if head not in KNOWN and cell]
    if odd:
        schema["description"] = f"Columns of the code book that are not read: {', '.join(odd)}."
    words = schema.pop("missingValues", [""])
    return schema | {"fields": fields, "missingValues": words} | ({KEY: rules} if rules else {})


def _table(row: Row, at: str) -> Raw:
    words = row.get("missing codes")
    own = {} if words is None else {"missingValues": _words(words, str)}
    return _rest(row, at) | own


def _field(row: Row, at: str) -> Raw:
    at = f"{at} ({row['name']!r})"
    entries = listed(row["levels"]) if "levels" in row else None
    kind = row.get("type", "").strip() or _kind(row, entries)
    if kind not in TYPES:
        raise SchemaError(f"{at}: the type {kind!r} is not known; use one of {', '.join(TYPES)}.")
    out: Raw = {"name": row["name"], "type": kind} | _rest(row, at)
    is_open = kind not in ("string", "boolean") and entries is None
    limits = out.pop("constraints", {}) | _bounds(row, kind, is_open, at)
    for (key, own), where in zip(KINDS, (out, limits), strict=True):
        if _is_yes(row.get(key, ""), f"{at}, {key}"):
            where[own] = True
    if entries is not None:
        out["categories"] = _words(row["levels"], str if kind == "string" else _value)
    elif kind == "string":
        out["categories"] = None
    more: Raw = {"constraints": limits} if limits else {}
    readers: dict[str, tuple[str, Callable[[str], Any]]] = {
        "missing codes": ("missingValues", partial(_words, read=str)),
        "decimals": (DECIMALS, number_of),
        "scale": (SCALE, str),
    }
    return (
        out | more | {own: read(row[k].strip()) for k, (own, read) in readers.items() if k in row}
    )


def _bounds(row: Row, kind: str, is_open: bool, at: str) -> Raw:
    """Those told, and null where one is left open."""
    told = {own: (key, row[key].strip()) for key, own in BOUNDS.items() if key in row}
    return {
        own: _bound(told[own][1], kind, f"{at}, {told[own][0]}") if own in told else None
        for own in BOUNDS.values()
        if own in told or is_open
    }


def _kind(row: Row, entries: list[Entry] | None) -> str:
    """The type of a column for which a book tells none."""
    if entries is None:
        return "number" if row.keys() & BOUNDS.keys() else "string"
    return "integer" if all(isinstance(number_of(e.word), int) for e in entries) else "string"


def _rest(row: Row, at: str) -> Raw:
    out: Raw = {}
    if "other" in row:
        try:
            other = json.loads(row["other"])
        except ValueError:
            other = None
        if not isinstance(other, dict):
            raise SchemaError(f'{at}: what stands under "other" must be an object in JSON.')
        out |= other
    out |= {own: row[key] for key, own in TEXTS.items() if key in row}
    if _is_yes(row.get(WAITS, ""), f"{at}, {WAITS}"):
        out[REVIEWED] = False
    return out


def _bound(text: str, kind: str, at: str) -> Any:
    if kind in ("date", "datetime"):
        return text
    number = number_of(text)
    if number is None or kind in ("string", "boolean"):
        raise SchemaError(
            f"{at}: {text!r} is no bound of a {kind}; write a number, such as 18 or 0.5, where "
            "the column is an amount."
        )
    return number


def _is_yes(cell: str, at: str) -> bool:
    word = cell.strip().casefold()
    if word not in (*YES, *NO):
        raise SchemaError(f"{at}: {cell.strip()!r} is neither yes nor no.")
    return word in YES


def _words(cell: str, read: Callable[[str], Any]) -> list[Any]:
    entries = listed(cell)
    if not any(e.label for e in entries):
        return [read(e.word) for e in entries]
    return [
        {"value": read(e.word)} | ({} if e.label is None else {"label": e.label}) for e in entries
    ]


def _value(word: str) -> Any:
    """A level that is no text."""
    truth = {"true": True, "false": False}.get(word)
    number = number_of(word) if truth is None else truth
    return word if number is None else number
