"""How a release's own cells are written, and where its package keeps how records are.

Released cells are plain: nothing where a value is missing, a decimal point, true and false. The
package's resource says so, for whoever reads the rows; what the schema said of the records' cells
stands beside it, under ``tincture``, for `evaluate` and `audit`, which read real records again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tincture.io.files import slug
from tincture.public.columns import Column
from tincture.public.dates import moment_of
from tincture.public.dialect import DIALECT
from tincture.public.fields import descriptor_of
from tincture.public.notation import PLAIN
from tincture.public.schema import Schema
from tincture.public.words import number_of


def plain(schema: Schema) -> Schema:
    """The same columns, written as released cells are; with it rows and stays are read again."""
    columns = tuple(
        replace(
            c, notation=PLAIN, missing_values=None, missing_labels=(), cause_of=None, since=None
        )
        for c in schema.columns
    )
    return replace(
        schema, columns=columns, missing_values=("",), missing_labels=(), dialect=DIALECT
    )


def copied_schema(schema: Schema) -> Schema:
    """The same for other software, with the words for missing as which no released value reads."""
    released, told = plain(schema), [_apart(schema, column) for column in schema.columns]
    columns = tuple(
        replace(column, missing_values=tuple(words), missing_labels=tuple(words.values()))
        for column, words in zip(released.columns, told, strict=True)
    )
    return replace(released, columns=columns)


def resource_schema(schema: Schema) -> dict[str, Any]:
    """The Table Schema of a file of released cells, for readers of any version of the standard.

    Levels stand under ``enum`` too, as no validator looks at ``categories``. Words for missing are
    text alone, and those that a released amount could read as are left out.
    """
    out = plain(schema).to_dict()
    if schema.name is not None:
        out["name"] = slug(schema.name)
    whole = _without_blank(schema.missing_values)
    for field, column in zip(out["fields"], schema.columns, strict=True):
        if column.categories is not None:
            field["constraints"] = field.get("constraints", {}) | {"enum": list(column.categories)}
        words = list(_apart(schema, column))
        if column.missing_values is not None or words != whole:
            field["missingValues"] = ["", *words]
    return out | {"missingValues": ["", *whole]}


def _without_blank(words: tuple[str, ...]) -> list[str]:
    return [w for w in words if w]


def _apart(schema: Schema, column: Column) -> dict[str, str | None]:
    """Words for missing as which no released value of a column reads, and their labels."""
    words, is_own = schema.missing_of(column.name), column.missing_values is not None
    labels = (column.missing_labels if is_own else schema.missing_labels) or (None,) * len(words)
    told = zip(words, labels, strict=True)
    return {word: label for word, label in told if word and _is_apart(word, column)}


def _is_apart(word: str, column: Column) -> bool:
    """Whether no released value of the column reads as this word for missing."""
    if column.cause_of is not None:
        return number_of(word) not in column.levels
    number = _amount(word, column)
    if number is None or column.minimum is None or column.maximum is None:
        return True
    return not column.minimum <= number <= column.maximum


def _amount(word: str, column: Column) -> float | None:
    if column.is_time:
        read = moment_of(word, replace(column, notation=PLAIN))
        return None if read is None else read[0]
    return None if column.is_categorical else number_of(word)


def of_records(schema: Schema) -> dict[str, Any]:
    """What the schema says of the cells of records alone, for the package.

    Of an event of which a release tells the cause alone, and of a date that it tells as days since
    an origin, that is the whole field; the origin's stands beside them.
    """
    described = schema.to_dict()
    fields = {}
    for field, column in zip(described["fields"], schema.columns, strict=True):
        own = {k: v for k, v in field.items() if k == "missingValues"} | column.notation.to_dict()
        if own or column.declared is not column:
            fields[column.name] = own if column.declared is column else field
    name = schema.name if schema.name is not None and slug(schema.name) != schema.name else None
    origin = next((descriptor_of(c.since[1]) for c in schema.columns if c.since), None)
    out = {"name": name, "missingValues": described["missingValues"], "fields": fields}
    out["origin"] = origin
    out |= schema.dialect.to_dict()
    return {k: v for k, v in out.items() if v is not None}


def declared(resource: Mapping[str, Any], records: Mapping[str, Any] | None) -> dict[str, Any]:
    """The schema as it was declared, from the two parts of a package.

    Parameters
    ----------
    resource : mapping
        As `resource_schema` gives it.
    records : mapping or None
        As `of_records` does; a release of before has none, and its resource is as declared.
    """
    if records is None:
        return dict(resource)
    own = records.get("fields", {})
    fields = [_field(field, own.get(field["name"], {})) for field in resource["fields"]]
    fields += [records["origin"]] if "origin" in records else []
    own_keys = ("name", "missingValues", "dialect", "encoding")
    whole = {k: records[k] for k in own_keys if k in records}
    return {**resource, **whole, "fields": fields}


def _field(field: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    if "type" in own:
        return dict(own)
    return {k: v for k, v in field.items() if k != "missingValues"} | dict(own)
