"""Columns as statistical packages hold them: under names they allow, with labels of codes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import polars as pl

from tincture.io.files import UNFOLDED
from tincture.public.columns import Column, Level
from tincture.public.words import number_of

EXACT = 1e15  # beyond it not all packages tell whole numbers apart
LONG = 2_147_483_620  # the largest whole number that Stata labels
SHORT = 8  # bytes of a text that SPSS declares missing
SHOWN = {"date": "SDATE10", "datetime": "DATETIME20"}  # 2015/03/01, 01-MAR-2015 07:30:00


@dataclass(frozen=True, slots=True)
class Limits:
    """What a package allows.

    Parameters
    ----------
    title : str
        Its name.
    name, label, level, text : int
        Bytes of a variable's name, of its label, of the label of a code, and of a text.
    missing : int
        How many codes may be declared missing; a run of whole numbers stands for all but one.
    is_ascii : bool
        Whether names are of the letters a to z.
    start : str
        What a name may begin with beside letters.
    labels_text, labels_fractions : bool
        Whether text, or a number that is not whole, takes a label as a code does.
    reserved : str
        Names that are taken, whatever their case, as a regular expression.
    """

    title: str
    name: int
    label: int
    level: int
    text: int
    missing: int
    is_ascii: bool
    start: str
    labels_text: bool
    labels_fractions: bool
    reserved: str


SPSS = Limits(
    "SPSS", 64, 120, 120, 32_767, 3, False, "", True, True,
    "all|and|by|eq|ge|gt|le|lt|ne|not|or|to|with",
)  # fmt: skip
STATA = Limits(
    "Stata", 32, 80, 80, 2_045, 0, False, "_", False, False,
    "_all|_b|_coef|_cons|_n|_pi|_pred|_rc|_skip|byte|double|float|if|in|int|long|strl|str[0-9]*"
    "|using|with",
)  # fmt: skip
SAS = Limits(
    "SAS", 8, 40, 40, 200, 0, True, "_", False, False,
    "_all_|_character_|_error_|_n_|_numeric_|_null_",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Variable:
    """A column in a package.

    Parameters
    ----------
    column : Column
    name : str
        That the package allows.
    label : str
        What it means, if that is declared; where its name had to be changed, that stands first.
    codes : dict
        Labels of its levels: whole numbers, numbers or text, as the package holds them.
    missing : dict
        Codes that mean missing, if the package can be told any, and their labels.
    """

    column: Column
    name: str
    label: str
    codes: dict[str | float, str]
    missing: dict[str | float, str]

    @property
    def is_renamed(self) -> bool:
        """Whether the package does not allow its own name."""
        return self.name != self.column.name

    @property
    def labels(self) -> dict[str | float, str]:
        """Of levels, and of codes that mean missing."""
        return self.codes | {code: label for code, label in self.missing.items() if label}

    @property
    def blanks(self) -> list[str | float | tuple[float, float]]:
        """What SPSS is told is missing: three codes, or all from one to another and one beside."""
        codes = list(self.missing)
        run = _run({c for c in codes if not isinstance(c, str) and c == int(c)})
        if len(codes) <= SPSS.missing or len(run) < SPSS.missing or self._holds(run[0], run[-1]):
            return list(codes[: SPSS.missing])
        return [(run[0], run[-1]), *[c for c in codes if c not in run][:1]]

    def _holds(self, low: float, high: float) -> bool:
        """Whether a row may have a value between these."""
        levels, lowest, highest = self.column.levels, self.column.minimum, self.column.maximum
        if lowest is not None and highest is not None:
            return lowest <= high and low <= highest
        return any(low <= float(level) <= high for level in levels)

    @property
    def kind(self) -> pl.DataType:
        """What holds its values."""
        return kind_of(self.column)

    @property
    def measure(self) -> Literal["nominal", "ordinal", "scale"]:
        """Level of measurement, in the words of SPSS."""
        if not self.column.is_categorical:
            return "scale"
        return "ordinal" if self.column.ordered else "nominal"

    @property
    def width(self) -> int:
        """Bytes of its longest text."""
        texts = map(str, (*self.column.levels, *self.missing))
        return max(1, *(len(text.encode()) for text in texts))

    @property
    def shown(self) -> str:
        """Format that shows a number with its decimal places, or a date, in the words of SPSS."""
        column = self.column
        if column.is_time:
            return SHOWN[column.type]
        values = [
            float(v) for v in (*column.levels, column.minimum, column.maximum) if v is not None
        ]
        if column.is_categorical:
            places = 0 if self.kind == pl.Int32 else 4
        else:
            places = column.places
        whole = max((len(f"{abs(v):.0f}") for v in values), default=8)
        width = min(whole + 1 + (places + 1 if places else 0), 40)
        return f"F{width}.{min(places, 16)}"


def kind_of(column: Column) -> pl.DataType:
    """What holds the values: text, dates, times, whole numbers of 32 bits, or numbers."""
    if column.is_time:
        return pl.Date() if column.type == "date" else pl.Datetime("us")
    levels = column.levels
    numbers = [v for v in levels if not isinstance(v, str)]
    if column.type == "string" or any(isinstance(v, int) and abs(v) >= EXACT for v in numbers):
        return pl.String()
    ends = [float("inf") if end is None else end for end in (column.minimum, column.maximum)]
    values = list(map(float, numbers)) if column.is_categorical else ends
    whole = column.type == "integer" or (
        column.is_categorical and all(v.is_integer() for v in values)
    )
    is_short = whole and all(abs(v) <= LONG for v in values)
    return pl.Int32() if is_short else pl.Float64()


def variables(columns: Iterable[Column], limits: Limits) -> list[Variable]:
    """The columns of a table as a package holds them.

    Parameters
    ----------
    columns : iterable of Column
    limits : Limits
        Of the package.
    """
    listed = list(columns)
    names = _names([c.name for c in listed], limits)
    return [
        Variable(c, name, _label(c, name, limits), _codes(c, limits), _missing(c, limits))
        for c, name in zip(listed, names, strict=True)
    ]


def held(frame: pl.DataFrame, made: Iterable[Variable]) -> pl.DataFrame:
    """The values of a table under these names, of the kinds that packages hold.

    A package knows no zone: what has one is told on the clock of UTC.
    """
    return frame.select(pl.col(v.column.name).cast(v.kind).alias(v.name) for v in made)


def one_line(text: str) -> str:
    """Text for people without ends of lines and control characters."""
    seen = "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text)
    return " ".join(seen.split())


def cut(text: str, most: int) -> str:
    """The first bytes of a text, whole characters of it."""
    return text.encode()[:most].decode(errors="ignore")


def _names(names: list[str], limits: Limits) -> list[str]:
    """Each by itself, then apart from the others: those that may stay as they are stay."""
    allowed = [_allowed(name, limits) for name in names]
    stay = {a.casefold() for a, name in zip(allowed, names, strict=True) if a == name}
    taken: set[str] = set()
    made = []
    for name, own in zip(names, allowed, strict=True):
        folded, n = own.casefold(), 1
        while folded in taken or (own != name and folded in stay):
            n += 1
            tail = f"_{n}"
            own = cut(_allowed(name, limits), limits.name - len(tail)).rstrip("_") + tail
            folded = own.casefold()
        taken.add(folded)
        made.append(own)
    return made


def _allowed(name: str, limits: Limits) -> str:
    """The name, or one that the package allows in its place."""
    text = name
    if limits.is_ascii:  # letters without their accents
        folded = unicodedata.normalize("NFKD", name.translate(UNFOLDED))
        text = "".join(c for c in folded if not unicodedata.combining(c))
    clean = "".join(c if _is_of_names(c, limits) else " " for c in text)
    if " " in clean:
        clean = "_".join(clean.split()).strip("_")
    if not clean or not (clean[0].isalpha() or clean[0] in limits.start):
        clean = f"v{clean}" if clean[:1].isdigit() else f"v_{clean.lstrip('_')}".rstrip("_")
    if len(clean.encode()) > limits.name:
        clean = cut(clean, limits.name).rstrip("_") or "v"
    if re.fullmatch(limits.reserved, clean, re.IGNORECASE):
        clean = f"{cut(clean, limits.name - 2)}_v"
    return clean


def _is_of_names(character: str, limits: Limits) -> bool:
    is_letter = character.isalpha() and (character.isascii() or not limits.is_ascii)
    return is_letter or character == "_" or (character.isascii() and character.isdigit())


def _label(column: Column, name: str, limits: Limits) -> str:
    told = [] if name == column.name else [column.name]
    text = ": ".join(filter(None, [*told, column.meaning]))
    return cut(one_line(text), limits.label)


def _codes(column: Column, limits: Limits) -> dict[str | float, str]:
    """Labels of levels; of the two truth values too, as packages hold them as 1 and 0."""
    kind = kind_of(column)
    if kind == pl.Float64() and not limits.labels_fractions:
        return {}
    if kind == pl.String() and not limits.labels_text:
        return {}
    labels = column.labels
    if column.type == "boolean":
        labels = tuple(a or b for a, b in zip(labels or (None, None), _truths(column), strict=True))
    pairs = zip(column.levels, labels, strict=False)
    return {_code(v, kind): cut(one_line(label), limits.level) for v, label in pairs if label}


def _missing(column: Column, limits: Limits) -> dict[str | float, str]:
    """Of text also the empty one, as a blank is; dates have none."""
    kind = kind_of(column)
    labels = column.missing_labels or ("",) * len(column.missing_values or ())
    told = zip(column.missing_values or (), labels, strict=True)
    found: dict[str | float, str] = {"": ""} if kind == pl.String() else {}
    for word, label in told:
        code = word if kind == pl.String() else _number(word, kind)
        if code is not None and not column.is_time and not _is_long(code):
            found.setdefault(code, cut(one_line(label or ""), limits.level))
    return found if limits.missing else {}


def _run(codes: set[float]) -> list[float]:
    """The longest run of whole numbers, each one more than that before it."""
    longest: list[float] = []
    run: list[float] = []
    for code in sorted(codes):
        run = [*run, code] if run and code == run[-1] + 1 else [code]
        longest = max(longest, run, key=len)
    return longest


def _number(word: str, kind: pl.DataType) -> float | None:
    number = number_of(word)
    if number is None or not abs(number) <= LONG:
        return None
    return float(number) if kind == pl.Float64() else int(number) if number == int(number) else None


def _is_long(code: str | float) -> bool:
    return isinstance(code, str) and len(code.encode()) > SHORT


def _truths(column: Column) -> list[str]:
    return [str(level).lower() for level in column.levels]


def _code(level: Level, kind: pl.DataType) -> str | float:
    if kind == pl.String():
        return str(level)
    return int(level) if kind == pl.Int32() else float(level)
