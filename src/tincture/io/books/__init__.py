"""Code books in and out: what a dictionary declares becomes a draft of a schema, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tincture.io.books import meds, package, plain, redcap
from tincture.io.books.sheet import book_bytes, read_book
from tincture.io.files import slug
from tincture.public.rules import KEY
from tincture.public.schema import Schema

__all__ = ("book_of", "described")


def described(path: Path) -> dict[str, Any] | None:
    """The draft of a schema that a code book tells, or None where the file is none.

    Read are a plain code book, a REDCap data dictionary, a Data Package and the codes of a MEDS
    data set. What they leave open is null in the draft.

    Raises
    ------
    SchemaError
        If it is a code book that cannot be read, or tells what no schema can hold.
    """
    found = _described(path)
    if found is not None:
        require_sound(found, str(path))
    return found


def _described(path: Path) -> dict[str, Any] | None:
    if (codes := meds.codes_of(path)) is not None:
        return meds.draft_of(codes, slug(path.resolve().name))
    if package.is_package(path):
        return package.draft_of(path)
    lines = read_book(path, lambda first: redcap.is_book(first) or plain.is_book(first))
    if lines is None:
        return None
    drafted = redcap.from_lines if redcap.is_book(lines[0]) else plain.from_lines
    return drafted(lines, path)


def require_sound(descriptor: Any, where: str) -> None:
    """Refuse what could not become a schema once all that is open is filled in.

    Raises
    ------
    SchemaError
    """
    rules = descriptor.get(KEY) if isinstance(descriptor, dict) else None
    bare = descriptor if rules is None else {k: v for k, v in descriptor.items() if k != KEY}
    schema = Schema.from_dict(bare, where=where)
    if rules and not any(column.gap for column in schema.columns):
        Schema.from_dict(descriptor, where=where)


def book_of(descriptor: Any, suffix: str, where: str = "the schema") -> bytes:
    """The plain code book of a schema, or of a draft of one.

    Parameters
    ----------
    descriptor : mapping
        A Table Schema.
    suffix : str
        ``.csv`` or ``.xlsx``.
    where : str
        What a sentence about it begins with.

    Raises
    ------
    SchemaError, SettingError
    """
    require_sound(descriptor, where)
    return book_bytes(*plain.to_lines(descriptor), suffix)
