"""Data Packages: the Table Schema of a resource as a draft."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tincture.errors import SchemaError
from tincture.io.files import PACKAGE, slug
from tincture.public.columns import TYPES
from tincture.public.fields import listed
from tincture.public.schema import PROFILE

Raw = dict[str, Any]
READ_AS = {"year": "integer", "any": "string"}
KEPT = ("name", "title", "missingValues")


def is_package(path: Path) -> bool:
    """Whether a file is named as the standard says."""
    return path.name == PACKAGE or path.name.endswith(f".{PACKAGE}")


def draft_of(path: Path) -> Raw:
    """The draft that the one table of a package declares.

    Raises
    ------
    SchemaError
        If it cannot be read, or describes no table or several.
    """
    package = _json(path)
    resources = package.get("resources") if isinstance(package, dict) else None
    found = [r for r in resources or [] if isinstance(r, dict) and r.get("schema") is not None]
    if len(found) != 1:
        names = listed([str(r.get("name")) for r in found]) if found else "none"
        raise SchemaError(
            f"The Data Package {path} must describe one table by a schema, but has {names}; copy "
            "the resource that is meant into a package of its own."
        )
    schema = found[0]["schema"]
    if isinstance(schema, str):
        schema = _json(_beside(path, schema))
    if not isinstance(schema, dict) or not isinstance(schema.get("fields"), list):
        raise SchemaError(f'The Data Package {path} has a schema without a list under "fields".')
    return _draft(schema, str(schema.get("name") or found[0].get("name") or path.parent.name))


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        raise SchemaError(f"The file {path} cannot be read; expected JSON in UTF-8.") from None


def _beside(path: Path, name: str) -> Path:
    """A file that a package names, which the standard wants below it."""
    if "://" in name or Path(name).is_absolute() or ".." in Path(name).parts:
        raise SchemaError(f"The Data Package {path} names a schema elsewhere; put it beside it.")
    return path.parent / name


def _draft(schema: Raw, name: str) -> Raw:
    fields, left = [], []
    for raw in schema["fields"]:
        field = dict(raw) if isinstance(raw, dict) else {}
        kind = field.get("type", "string")
        field["type"] = READ_AS.get(kind, kind)
        if field["type"] in TYPES and "name" in field:
            fields.append(_opened(field))
        else:
            left.append(str(field.get("name")))
    out: Raw = {"$schema": PROFILE, **{k: schema[k] for k in KEPT if k in schema}}
    out = {"name": slug(name)} | out
    if left:
        out["description"] = f"Left out, as of no type that is read here: {', '.join(left)}."
    keys = {k: v for k, v in schema.items() if k.startswith("tincture:")}
    return out | {"fields": fields} | keys


def _opened(field: Raw) -> Raw:
    """A field with nulls where it leaves something open."""
    limits = field.get("constraints") or {}
    if "description" not in field and isinstance(field.get("title"), str):
        field["description"] = field["title"]
    if field.get("categories") is not None or "enum" in limits or field["type"] == "boolean":
        return field
    if field["type"] == "string":
        return field | {"categories": None}
    return field | {"constraints": {"minimum": None, "maximum": None} | limits}
