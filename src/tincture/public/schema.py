"""What is publicly known of a table: a Frictionless Table Schema.

Names, types, bounds and levels are declared by a person and never inferred from records; all that
is done to a record before it is protected follows from them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, cast

from tincture.errors import SchemaError
from tincture.public.notation import LIMITS, PLAIN, TIMES, Notation
from tincture.public.words import Lookup, key_of

Level = str | int | float | bool
Labels = tuple[str | None, ...]
Type = Literal["number", "integer", "string", "boolean", "date", "datetime"]
TYPES: tuple[Type, ...] = ("number", "integer", "string", "boolean", "date", "datetime")
PROFILE = "https://datapackage.org/profiles/2.0/tableschema.json"
REVIEWED = "tincture:reviewed"
LARGEST = 1e15  # beyond it floats do not hold whole numbers
DECIMALS = "tincture:decimals"
SCALE = "tincture:scale"


@dataclass(frozen=True, slots=True)
class Column:
    """One field of the table.

    Parameters
    ----------
    name : str
        As in the table's header.
    type : {"number", "integer", "string", "boolean", "date", "datetime"}
        Frictionless type; dates and times tell when stays begin and are no features.
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
    def bounds(self) -> tuple[float, float]:
        """Minimum and maximum of a numeric column that has no gap."""
        if self.minimum is None or self.maximum is None:
            raise SchemaError(_gap_sentence(self))
        return self.minimum, self.maximum

    @property
    def places(self) -> int:
        """Decimal places of a released value."""
        if self.type == "integer":
            return 0
        if self.decimals is not None:
            return self.decimals
        low, high = self.bounds
        return max(0, 3 - math.floor(math.log10(high - low)))

    @property
    def is_log(self) -> bool:
        """Whether the search steps in ratios instead of differences."""
        if self.is_categorical:
            return False
        low, high = self.bounds
        if self.scale is not None:
            return self.scale == "log"
        return low > 0 and high / low >= 50


@dataclass(frozen=True, slots=True)
class Schema:
    """The columns of a table and how it writes a missing value."""

    columns: tuple[Column, ...]
    missing_values: tuple[str, ...] = ("",)
    name: str | None = None
    title: str | None = None
    reviewed: bool = True
    missing_labels: Labels = ()
    index: dict[str, Column] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "index", {c.name: c for c in self.columns})

    def __contains__(self, name: object) -> bool:
        return name in self.index

    def __getitem__(self, name: str) -> Column:
        if name not in self.index:
            raise SchemaError(f"The schema has no column {name!r}; it has {_listed(self.names)}.")
        return self.index[name]

    @property
    def names(self) -> list[str]:
        """Column names in order."""
        return [c.name for c in self.columns]

    def missing_of(self, name: str) -> tuple[str, ...]:
        """Words for missing of a column, whether it is declared or not."""
        own = self.index[name].missing_values if name in self.index else None
        return self.missing_values if own is None else own

    def select(self, names: Iterable[str]) -> Schema:
        """The same schema with only these columns, in schema order."""
        keep = set(names)
        return replace(self, columns=tuple(c for c in self.columns if c.name in keep))

    def require_public(self, names: Iterable[str]) -> None:
        """Refuse an unreviewed schema, and columns whose bounds or levels are not declared.

        Raises
        ------
        SchemaError
            Naming the column and what to add.
        """
        if not self.reviewed:
            raise SchemaError(
                f'The schema is marked "{REVIEWED}": false, as a whole or in a field, because '
                "types, bounds or levels were proposed from records; check each bound and level, "
                "and each type, against public knowledge, then remove the mark or set it to true."
            )
        for name in names:
            if self[name].type in TIMES:
                raise SchemaError(
                    f"Column {name!r} is a {self[name].type}, which nothing can be learned from "
                    "yet; turn it into a number, such as days since a public date, or leave it "
                    "out (--drop)."
                )
            if self[name].gap:
                raise SchemaError(_gap_sentence(self[name]))

    @classmethod
    def load(cls, path: str | Path) -> Schema:
        """Read a schema from a JSON or YAML file.

        Raises
        ------
        SchemaError
            If the file cannot be read or is not a Table Schema.
        """
        path = Path(path)
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SchemaError(f"Cannot read the schema {path}: {_reason(error)}.") from None
        return cls.from_dict(_parse(text, path), where=str(path))

    @classmethod
    def from_dict(cls, descriptor: Any, *, where: str = "the schema") -> Schema:
        """Build a schema from a Frictionless descriptor.

        Raises
        ------
        SchemaError
            If a field is malformed; the sentence names it.
        """
        if not isinstance(descriptor, dict) or not isinstance(descriptor.get("fields"), list):
            raise SchemaError(f'{where} is not a Table Schema: it needs a list under "fields".')
        columns = tuple(_column(f, i, where) for i, f in enumerate(descriptor["fields"]))
        if not columns:
            raise SchemaError(f'{where} lists no column under "fields".')
        names = [c.name for c in columns]
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise SchemaError(f"{where} lists {_listed(twice)} twice; column names must be unique.")
        words, meanings = _missing_words(descriptor.get("missingValues", [""]), where)
        for key in ("name", "title"):
            if not isinstance(descriptor.get(key), str | None):
                raise SchemaError(f'{where}: "{key}" must be text.')
        for column in columns:
            own = column.missing_values
            _refuse_both(column, words if own is None else own, where)
        reviewed = _is_reviewed(descriptor, where)
        _refuse_unknown(descriptor, (REVIEWED,), where)
        about = descriptor.get("name"), descriptor.get("title")
        made = cls(columns, words, *about, reviewed, meanings)
        if not _is_json(made.to_dict()):
            raise SchemaError(
                f"{where} holds what JSON cannot, such as a date or half a character; write it as "
                "text, in quotes."
            )
        return made

    def to_dict(self) -> dict[str, Any]:
        """The Frictionless descriptor, ready for JSON."""
        head = {"$schema": PROFILE, "name": self.name, "title": self.title}
        out: dict[str, Any] = {k: v for k, v in head.items() if v is not None}
        out["fields"] = [_descriptor(c) for c in self.columns]
        out["missingValues"] = _with_labels(self.missing_values, self.missing_labels)
        if not self.reviewed:
            out[REVIEWED] = False
        return out


def _parse(text: str, path: Path) -> Any:
    if path.suffix.lower() in (".yaml", ".yml"):
        import yaml

        try:
            return yaml.safe_load(text)
        except (yaml.YAMLError, ValueError, RecursionError):
            raise SchemaError(f"The schema {path} is not valid YAML.") from None
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        line = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise SchemaError(f"The schema {path} is not valid JSON{line}.") from None


def _is_json(content: Any) -> bool:
    """Whether a release could be written."""
    try:
        json.dumps(content, ensure_ascii=False).encode()
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def _refuse_unknown(raw: dict[str, Any], known: Sequence[str], at: str) -> None:
    """Refuse keys that look like ours and say nothing, as a slip of the pen would."""
    odd = [k for k in raw if str(k).startswith("tincture:") and k not in known]
    if odd:
        raise SchemaError(f"{at}: {odd[0]!r} is not known here; use {_listed(known)}.")


def _missing_words(raw: Any, at: str) -> tuple[tuple[str, ...], Labels]:
    """Words for missing and their meanings."""
    listed = raw if isinstance(raw, list) else [None]
    read = [w.get("value") if isinstance(w, dict) else w for w in listed]
    if not all(isinstance(w, str | int | float) and not isinstance(w, bool) for w in read):
        raise SchemaError(f'{at}: "missingValues" must be a list of strings.')
    return tuple(str(w).strip() for w in read), _labels(listed)


def _is_reviewed(descriptor: dict[str, Any], where: str) -> bool:
    """Whether the schema says so as a whole, or where it says nothing, each of its fields."""
    marks = [part.get(REVIEWED) for part in (descriptor, *descriptor["fields"])]
    if not all(isinstance(mark, bool | None) for mark in marks):
        raise SchemaError(f'{where}: "{REVIEWED}" must be true or false.')
    return bool(marks[0]) if marks[0] is not None else False not in marks


def _refuse_both(column: Column, missing: Sequence[str], where: str) -> None:
    """Refuse a level that means missing too, in whatever spelling."""
    gone = Lookup(((w, 0) for w in ("", *missing)), is_truth_number=False)
    truths = (*column.notation.true, *column.notation.false)
    both = [v for v in (*column.levels, *truths) if gone.of(v) is not None]
    if both:
        raise SchemaError(
            f"{where}, column {column.name!r}: {both[0]!r} is a level and means missing too; "
            "rename one."
        )


def _column(raw: Any, position: int, where: str) -> Column:
    if not isinstance(raw, dict) or not isinstance(raw.get("name"), str) or not raw["name"]:
        raise SchemaError(f'{where}: field {position + 1} needs a "name".')
    name = raw["name"]
    at = f"{where}, column {name!r}"
    _refuse_unknown(raw, (LIMITS, DECIMALS, SCALE, REVIEWED), at)
    kind = raw.get("type", "string")
    if kind not in TYPES:
        raise SchemaError(f"{at}: type {kind!r} is not known; use one of {_listed(TYPES)}.")
    constraints = raw.get("constraints") or {}
    if not isinstance(constraints, dict):
        raise SchemaError(f'{at}: "constraints" must be an object.')
    low, high = (_bound(constraints.get(k), k, kind, at) for k in ("minimum", "maximum"))
    if low is not None and high is not None and not low < high:
        raise SchemaError(f"{at}: the minimum must be below the maximum; exchange or correct them.")
    listed = _listed_levels(raw.get("categories"), constraints.get("enum"), at)
    categories = _categories(listed, kind, at)
    own = raw.get("missingValues")
    words, meanings = (None, ()) if own is None else _missing_words(own, at)
    decimals, scale = raw.get(DECIMALS), raw.get(SCALE)
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
        labels=_labels(listed or []),
        missing_values=words,
        missing_labels=meanings,
        notation=Notation.of(raw, kind, at),
    )


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


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond the floats
        return False


def _listed_levels(categories: Any, enum: Any, at: str) -> Any:
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


def _labels(listed: Sequence[Any]) -> Labels:
    """Labels of words that are given as objects, or nothing where there are none."""
    found = [c.get("label") if isinstance(c, dict) else None for c in listed]
    labels = tuple(label if isinstance(label, str) and label else None for label in found)
    return labels if any(labels) else ()


def _with_labels(words: Sequence[Level], labels: Labels) -> list[Any]:
    """A list of words, or where one has a label, of objects: the standard allows no mixture."""
    if not labels:
        return list(words)
    named = zip(words, labels, strict=True)
    return [{"value": w} | ({} if label is None else {"label": label}) for w, label in named]


def _descriptor(column: Column) -> dict[str, Any]:
    whole = column.type == "integer"
    bounds = {
        k: int(v) if whole and float(v).is_integer() else v
        for k, v in (("minimum", column.minimum), ("maximum", column.maximum))
        if v is not None
    }
    constraints: dict[str, Any] = {**bounds, **({"required": True} if column.required else {})}
    out: dict[str, Any] = {"name": column.name, "type": column.type}
    if column.categories is not None:
        out["categories"] = _with_labels(column.categories, column.labels)
    if column.ordered:
        out["categoriesOrdered"] = True
    if constraints:
        out["constraints"] = constraints
    if column.missing_values is not None:
        out["missingValues"] = _with_labels(column.missing_values, column.missing_labels)
    out |= column.notation.to_dict()
    optional = {
        "unit": column.unit,
        "description": column.description,
        DECIMALS: column.decimals,
        SCALE: column.scale,
        "role": column.role,
    }
    return out | {k: v for k, v in optional.items() if v is not None}


def _gap_sentence(column: Column) -> str:
    return (
        f"Column {column.name!r} has no public bounds or levels; add {column.gap} to its field in "
        "the schema, from public knowledge and not from the records, or leave the column out."
    )


def _listed(names: Sequence[str], most: int = 12) -> str:
    shown = ", ".join(repr(n) for n in names[:most])
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return "it is not UTF-8 text"
