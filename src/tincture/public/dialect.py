"""How a file of text is written, as the standard's Table Dialect declares it, and its encoding."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tincture.errors import SchemaError

# What every file of ours is, so that a dialect may say it, and nothing else.
FIXED: Mapping[str, tuple[Any, ...]] = {
    "header": (True,),
    "headerRows": ([1],),
    "doubleQuote": (True,),
    "lineTerminator": ("\r\n", "\n"),
    "skipInitialSpace": (False, True),  # blanks around a cell never count
}
ABOUT = ("$schema", "profile", "name", "title", "description", "csvddfVersion")


@dataclass(frozen=True, slots=True)
class Dialect:
    """How cells of a text are told apart; other formats need none.

    Parameters
    ----------
    delimiter : str or None
        Between cells; by default a comma, or a tab where the file's name says .tsv.
    quote : str
        Around a cell that holds a delimiter (``quoteChar``).
    encoding : str or None
        By its Python name; by default UTF-8, or what a byte order mark tells.
    """

    delimiter: str | None = None
    quote: str = '"'
    encoding: str | None = None

    @classmethod
    def of(cls, dialect: Any, encoding: Any, where: str) -> Dialect:
        """Read the two keys of a resource or schema.

        Raises
        ------
        SchemaError
            If one of their keys is not known here, or says what cannot be read.
        """
        raw = {} if dialect is None else dialect
        if not isinstance(raw, dict):
            raise SchemaError(f'{where}: "dialect" must be an object, as {{"delimiter": ";"}}.')
        for key, value in raw.items():
            if key in ("delimiter", "quoteChar", *ABOUT) or value in FIXED.get(key, ()):
                continue
            known = ", ".join(("delimiter", "quoteChar", *FIXED))
            raise SchemaError(
                f'{where}: {key!r} of the "dialect" says what cannot be read; of {known} the first '
                "two are free. Write the file anew, or correct the dialect."
            )
        delimiter, quote = _mark(raw, "delimiter", where), _mark(raw, "quoteChar", where) or '"'
        if delimiter == quote:
            raise SchemaError(f'{where}: "delimiter" and "quoteChar" must differ.')
        return cls(delimiter, quote, _encoding(encoding, where))

    def to_dict(self) -> dict[str, Any]:
        """The keys as they were declared, ready for JSON."""
        own: dict[str, str] = {} if self.delimiter is None else {"delimiter": self.delimiter}
        own |= {} if self.quote == '"' else {"quoteChar": self.quote}
        out: dict[str, Any] = {"dialect": own} if own else {}
        return out | ({} if self.encoding is None else {"encoding": self.encoding})


DIALECT = Dialect()


def _mark(raw: Mapping[str, Any], key: str, where: str) -> str | None:
    value = raw.get(key)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) != 1 or not value.isascii() or value in "\r\n":
        raise SchemaError(f'{where}: "{key}" must be one character, such as ";" or "\\t".')
    return value


def _encoding(value: Any, where: str) -> str | None:
    if value is None:
        return None
    try:
        codecs.lookup(value)
        "".encode(value)  # some codecs are of bytes, and no encodings
    except (LookupError, TypeError, ValueError):
        pass
    else:
        return str(value)
    raise SchemaError(f'{where}: "encoding" must be one that is known, such as "windows-1252".')
