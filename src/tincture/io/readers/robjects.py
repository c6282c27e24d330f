"""A data frame that R saved (.rds, .RData), parsed by rdata; columns are made here.

rdata's own frames lose dates and zones. Factors become their levels as text, integers stay whole
with NA as no cell, times are told on the clock of their zone, tagged NAs of haven are the text
``.a``. A column of another kind (a list, a matrix, complex numbers) is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tincture.arrays import Floats, Mask
from tincture.errors import TableError
from tincture.io.extras import library
from tincture.io.readers.formats import BZIP2, GZIP, XZ, Format, Source
from tincture.io.readers.guard import read_with, require_different
from tincture.io.readers.meanings import meanings
from tincture.io.readers.packed import unpacked
from tincture.io.readers.table import Table, as_text, column
from tincture.public.fields import listed

WHOLE = "a whole file of R"
MANY = 200_000_000  # numbers that a formula of a few bytes may stand for
LATIN1, UTF8 = 4, 8  # flags of a text
LEAST = -(2**63)  # NA of integer64
TAG = np.uint64(32), np.uint64(0xFF)  # where haven keeps the letter of a missing value in a NaN
KINDS = {"STR": "string", "LGL": "boolean", "INT": "integer", "REAL": "number"}
DTYPES = {"LGL": pl.Boolean, "INT": pl.Int64, "REAL": pl.Float64}


def read_r(source: Source) -> Table:
    """Read the one data frame of a file, or that which is named.

    Raises
    ------
    TableError
        If the file is damaged or unpacks to too much, or the data frame cannot be told.
    SettingError
        If rdata is not installed.
    """
    path = source.path
    parser = library("rdata.parser", f"Reading {path}")
    packing: Format | None = next((p for p in (GZIP, BZIP2, XZ) if p.fits(source.head)), None)
    content = read_with(path, lambda: unpacked(path, packing), WHOLE)
    form = ".rda" if re.match(rb"RD[ABX][23]", content) else ".rds"
    altrep = _bounded(parser.DEFAULT_ALTREP_MAP)
    found = read_with(
        path,
        lambda: parser.parse_data(content, extension=form, altrep_constructor_dict=altrep),
        WHOLE,
    )
    frame = found.object
    if form == ".rda":
        frame = _chosen(source, {n: o for n, o in _pairs(found.object) if _is_frame(o)})
    elif source.part is not None:
        raise TableError(f"The file {path} holds one object; leave out #{source.part}.")
    if not _is_frame(frame):
        raise TableError(f"The file {path} holds no data frame; save one by saveRDS(frame, file).")
    encoding = found.extra.encoding or "utf-8"
    vectors = read_with(path, lambda: list(_vectors(frame, encoding)), WHOLE)
    require_different(path, [v.name for v in vectors])
    return read_with(path, lambda: _table(vectors), WHOLE)


def _bounded(usual: Mapping[bytes, Callable[[Any], Any]]) -> dict[bytes, Callable[[Any], Any]]:
    """What expands short forms of vectors, but none that a few bytes make huge."""

    def expand(name: bytes) -> Callable[[Any], Any]:
        def one(state: Any) -> Any:
            if state.value[0] > MANY:
                raise ValueError
            return usual[name](state)

        return one

    return dict(usual) | {n: expand(n) for n in usual if n.startswith(b"compact")}


def _chosen(source: Source, frames: Mapping[str, Any]) -> Any:
    path = source.path
    if source.part is not None and source.part in frames:
        return frames[source.part]
    if len(frames) == 1 and source.part is None:
        return next(iter(frames.values()))
    raise TableError(
        f"The file {path} holds "
        + (f"the data frames {listed(list(frames))}" if frames else "no data frame")
        + f"; expected one, or its name, as in {path.name}#NAME."
    )


def _pairs(node: Any) -> Iterator[tuple[str, Any]]:
    """Names and values of a list of pairs, as attributes are one."""
    while node is not None and node.info.type.name == "LIST":
        tag = node.tag
        while tag.info.type.name == "REF":
            tag = tag.referenced_object
        value, node = node.value
        yield tag.value.value.decode(), value


def _is_frame(thing: Any) -> bool:
    return thing.info.type.name == "VEC" and "data.frame" in Vector("", thing).classes


def _vectors(frame: Any, encoding: str) -> Iterator[Vector]:
    names = Vector("", frame, encoding).words("names")
    for name, thing in zip(names, frame.value, strict=True):
        yield Vector(name or "", thing, encoding)


def _table(vectors: Sequence[Vector]) -> Table:
    plain = [v for v in vectors if v.type in KINDS and "dim" not in v.about]
    columns = [v.column() for v in plain]
    if len({len(c) for c in columns}) != 1:
        raise ValueError
    return Table(pl.DataFrame(columns), {v.name: v.field() for v in plain})


@dataclass(frozen=True)
class Vector:
    """A vector of R with its attributes.

    Parameters
    ----------
    name : str
    thing : rdata.parser.RObject
    encoding : str
        Of text that does not tell its own.
    """

    name: str
    thing: Any
    encoding: str = "utf-8"

    @property
    def type(self) -> str:
        """As R calls its kind."""
        return str(self.thing.info.type.name)

    @cached_property
    def about(self) -> dict[str, Any]:
        """The attributes."""
        return dict(_pairs(self.thing.attributes))

    @cached_property
    def classes(self) -> list[str | None]:
        """Words of the class."""
        return self.words("class")

    def words(self, attribute: str) -> list[str | None]:
        """An attribute that is text."""
        thing = self.about.get(attribute)
        return [] if thing is None or thing.info.type.name != "STR" else self._texts(thing)

    def _texts(self, thing: Any) -> list[str | None]:
        return [None if t.value is None else t.value.decode(self._codec(t)) for t in thing.value]

    def _codec(self, text: Any) -> str:
        flags = text.info.gp
        return "latin-1" if flags & LATIN1 else "utf-8" if flags & UTF8 else self.encoding

    def column(self) -> pl.Series:
        """As a column of a table."""
        if self.type == "STR":
            return pl.Series(self.name, self._texts(self.thing), dtype=pl.String)
        values, gone = self._numbers()
        if "factor" in self.classes:
            levels = pl.Series(self.name, [*self.words("levels"), None], dtype=pl.String)
            return levels.gather(np.where(gone, len(levels) - 1, values.astype(np.int64) - 1))
        if (clock := self._clock()) is not None:
            pairs = zip(values.tolist(), gone.tolist(), strict=True)
            return column(self.name, [None if g else _dated(v, clock) for v, g in pairs])
        if tags := self._tags():
            texts = [None if g else as_text(v) for v, g in zip(values.tolist(), gone, strict=True)]
            for place, letter in tags.items():
                texts[place] = f".{letter}"
            return pl.Series(self.name, texts, dtype=pl.String)
        dtype = pl.Int64 if "integer64" in self.classes else DTYPES[self.type]
        made = pl.Series(self.name, np.where(gone, values.dtype.type(0), values)).cast(dtype)
        return made.set(pl.Series(gone), None) if gone.any() else made

    def _numbers(self) -> tuple[NDArray[Any], Mask]:
        """Values, and which of them are no cells."""
        values = np.ma.getdata(self.thing.value)
        if "integer64" in self.classes:
            whole = np.ascontiguousarray(values).view(np.int64)
            return whole, whole == LEAST
        return values, np.isnan(values) if self.type == "REAL" else self._mask()

    def _mask(self) -> Mask:
        return np.asarray(np.ma.getmaskarray(self.thing.value))

    def _tags(self) -> dict[int, str]:
        """Places of the tagged NAs of haven, and their letters."""
        if self.type != "REAL" or "integer64" in self.classes:
            return {}
        return tags_of(np.ma.getdata(self.thing.value))

    def _clock(self) -> Callable[[float], date] | None:
        """What makes a date or time, on the clock of its zone."""
        if "Date" in self.classes:
            return lambda days: (datetime(1970, 1, 1) + timedelta(days // 1)).date()
        if "POSIXct" not in self.classes:
            return None
        zone = ZoneInfo(next(iter(self.words("tzone")), None) or "UTC")
        start = datetime(1970, 1, 1, tzinfo=UTC)
        return lambda s: (start + timedelta(seconds=s)).astimezone(zone).replace(tzinfo=None)

    def field(self) -> dict[str, Any]:
        """What R says of it, as keys of a field of a Table Schema."""
        kind = KINDS[self.type]
        if self._clock() is not None:
            kind = "date" if "Date" in self.classes else "datetime"
        about = next(iter(self.words("label")), None)
        if "factor" in self.classes:
            levels = self.words("levels")
            field = meanings("string", {}, description=about)
            field |= {"categories": levels} if len(levels) > 1 else {}
            return field | ({"categoriesOrdered": True} if "ordered" in self.classes else {})
        tags, missing = set(self._tags().values()), self._missing()
        return meanings(kind, self._labels(), tags=tags, missing=missing, description=about)

    def _labels(self) -> dict[Any, str]:
        """Of haven's labelled vectors: values, or letters of missing values, and their labels."""
        thing = self.about.get("labels")
        if thing is None or thing.info.type.name not in KINDS:
            return {}
        inner = Vector("", thing, self.encoding)
        values = inner._texts(thing) if inner.type == "STR" else np.ma.getdata(thing.value).tolist()
        tags = inner._tags()
        named = zip(values, inner.words("names"), strict=True)
        return {tags.get(i, value): label or "" for i, (value, label) in enumerate(named)}

    def _missing(self) -> list[tuple[Any, Any]]:
        """Of haven's: user-missing values, and their range."""
        values, ends = self.about.get("na_values"), self.about.get("na_range")
        found = []
        if values is not None:
            inner = Vector("", values, self.encoding)
            cells = inner._texts(values) if inner.type == "STR" else values.value.tolist()
            found += [(v, v) for v in cells]
        if ends is not None and ends.info.type.name in ("INT", "REAL"):
            low, high = ends.value.tolist()
            found.append((low, high))
        return found


def _dated(count: float, clock: Callable[[float], date]) -> date | float:
    """A date; the number where the years 1 to 9999 have none such."""
    try:
        return clock(count)
    except OverflowError:
        return count


def tags_of(values: Floats) -> dict[int, str]:
    """Places of NaNs in which haven keeps a letter, and the letters."""
    letters = (np.ascontiguousarray(values).view(np.uint64) >> TAG[0]) & TAG[1]
    return {int(i): chr(int(letters[i])) for i in np.flatnonzero(np.isnan(values) & (letters > 0))}
