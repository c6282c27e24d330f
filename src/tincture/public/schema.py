"""What is publicly known of a table: a Frictionless Table Schema.

Names, types, bounds and levels are declared by a person and never inferred from records; all that
is done to a record before it is protected follows from them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tincture.errors import SchemaError
from tincture.public.columns import Column, Labels
from tincture.public.dialect import DIALECT, Dialect
from tincture.public.fields import (
    CONFIRM,
    REVIEWED,
    descriptor_of,
    field_read,
    listed,
    missing_words,
    refuse_both,
    refuse_unknown,
    with_labels,
)
from tincture.public.notation import PLAIN
from tincture.public.rules import KEY, Rule, Rules, rules_read

PROFILE = "https://datapackage.org/profiles/2.0/tableschema.json"
UNREVIEWED = (
    f'The schema is marked "{REVIEWED}": false, as a whole or in a field, because types, bounds or '
    "levels were proposed from records; check each bound and level, and each type, against public "
    f"knowledge, then {CONFIRM}."
)


@dataclass(frozen=True, slots=True)
class Schema:
    """The columns of a table, how it writes a missing value, and rules that all rows obey."""

    columns: tuple[Column, ...]
    missing_values: tuple[str, ...] = ("",)
    name: str | None = None
    title: str | None = None
    reviewed: bool = True
    missing_labels: Labels = ()
    rules: tuple[Rule, ...] = ()
    dialect: Dialect = DIALECT
    index: dict[str, Column] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "index", {c.name: c for c in self.columns})

    def __contains__(self, name: object) -> bool:
        return name in self.index

    def __getitem__(self, name: str) -> Column:
        if name not in self.index:
            raise SchemaError(f"The schema has no column {name!r}; it has {listed(self.names)}.")
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
        """The same schema with only these columns, in schema order, and the rules among them."""
        keep = set(names)
        rules = tuple(rule for rule in self.rules if keep.issuperset(rule.names))
        return replace(self, columns=tuple(c for c in self.columns if c.name in keep), rules=rules)

    def written_as(self, own: Schema, where: str) -> Schema:
        """The same columns, whose cells are written as another schema says: marks, words, dialect.

        Parameters
        ----------
        own : Schema
            Of whoever keeps the records.
        where : str
            What an error calls it.

        Raises
        ------
        SchemaError
            If it declares anything else of a column that is declared here.
        """
        columns = tuple(own.index.get(c.name, c) for c in self.columns)
        odd = [
            c.name
            for c, o in zip(self.columns, columns, strict=True)
            if _what(c.declared) != _what(o)
        ]
        odd += [name for name in self.names if name not in own]
        if odd:
            raise SchemaError(
                f"{where} declares {listed(odd)} otherwise than was agreed, or not at all; it may "
                "say how cells are written (dialect, decimal mark, words for missing), and nothing "
                "else."
            )
        words, meanings = own.missing_values, own.missing_labels
        return replace(
            self,
            columns=columns,
            dialect=own.dialect,
            missing_values=words,
            missing_labels=meanings,
        )

    def lawful(self, held: Iterable[str] = ()) -> Rules:
        """The rules together, to be obeyed without a change of the columns held.

        Raises
        ------
        SchemaError
            If they contradict each other.
        """
        together = Rules(self.columns, self.rules, frozenset(held))
        together.check()
        return together

    def require_public(self, names: Iterable[str]) -> None:
        """Refuse an unreviewed schema, and columns whose bounds or levels are not declared.

        Raises
        ------
        SchemaError
            Naming the column and what to add.
        """
        if not self.reviewed:
            raise SchemaError(UNREVIEWED)
        for name in names:
            self[name].require_public()

    @classmethod
    def load(cls, path: str | Path) -> Schema:
        """Read a schema from a JSON or YAML file.

        Raises
        ------
        SchemaError
            If the file cannot be read or is not a Table Schema.
        """
        return cls.from_dict(descriptor_at(path), where=str(path))

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
        columns = tuple(field_read(f, i, where) for i, f in enumerate(descriptor["fields"]))
        if not columns:
            raise SchemaError(f'{where} lists no column under "fields".')
        names = [c.name for c in columns]
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise SchemaError(f"{where} lists {listed(twice)} twice; column names must be unique.")
        words, meanings = missing_words(descriptor.get("missingValues", [""]), where)
        for key in ("name", "title"):
            if not isinstance(descriptor.get(key), str | None):
                raise SchemaError(f'{where}: "{key}" must be text.')
        for column in columns:
            own = column.missing_values
            refuse_both(column, words if own is None else own, where)
        reviewed = _is_reviewed(descriptor, where)
        refuse_unknown(descriptor, (REVIEWED, KEY), where)
        rules = rules_read(descriptor.get(KEY), {c.name: c for c in columns}, where)
        about = descriptor.get("name"), descriptor.get("title")
        dialect = Dialect.of(descriptor.get("dialect"), descriptor.get("encoding"), where)
        made = cls(columns, words, *about, reviewed, meanings, rules, dialect)
        if not _is_json(made.to_dict()):
            raise SchemaError(
                f"{where} holds what JSON cannot, such as a date or half a character; write it as "
                "text, in quotes."
            )
        made.lawful()
        return made

    def to_dict(self) -> dict[str, Any]:
        """The Frictionless descriptor, ready for JSON."""
        head = {"$schema": PROFILE, "name": self.name, "title": self.title}
        out: dict[str, Any] = {k: v for k, v in head.items() if v is not None}
        out |= self.dialect.to_dict()
        out["fields"] = [descriptor_of(c) for c in self.columns]
        out["missingValues"] = with_labels(self.missing_values, self.missing_labels)
        if self.rules:
            out[KEY] = [json.loads(rule.told) for rule in self.rules]
        if not self.reviewed:
            out[REVIEWED] = False
        return out


def descriptor_at(path: str | Path) -> Any:
    """What a JSON or YAML file holds, as it stands; `Schema.from_dict` tells what it means.

    Raises
    ------
    SchemaError
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SchemaError(f"Cannot read the schema {path}: {_reason(error)}.") from None
    return _parse(text, path)


def _what(column: Column) -> Column:
    """A column but for how it is written, and described."""
    return replace(column, notation=PLAIN, missing_values=None, missing_labels=(), description=None)


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


def _is_reviewed(descriptor: dict[str, Any], where: str) -> bool:
    """Whether the schema says so as a whole, or where it says nothing, each of its fields."""
    marks = [part.get(REVIEWED) for part in (descriptor, *descriptor["fields"])]
    if not all(isinstance(mark, bool | None) for mark in marks):
        raise SchemaError(f'{where}: "{REVIEWED}" must be true or false.')
    return bool(marks[0]) if marks[0] is not None else False not in marks


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return "it is not UTF-8 text"
