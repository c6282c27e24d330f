"""What a cell means: a function of that cell and of its field's declaration alone.

Whether a table came as CSV, Parquet or a frame, and what stands in the rows beside it, changes
nothing (docs/promise.md, lemma 0). A cell is nothing, text, a number or a truth value; text that
reads as a number is that number.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Hashable, Sequence
from decimal import Decimal
from numbers import Real
from typing import Any, TypeVar

import narwhals as nw
import numpy as np
from numpy.typing import NDArray

from tincture.arrays import Floats, Integers
from tincture.errors import TableError
from tincture.public.columns import Column
from tincture.public.notation import PLAIN
from tincture.public.words import AMBIGUOUS as AMBIGUOUS
from tincture.public.words import LONGEST, Lookup, key_of, number_of, truth_of

Cells = NDArray[Any] | list[Any]  # numbers, NaN for nothing; or anything, None for nothing
MISSING, UNLISTED = -1, -2
EXACT = 2**53  # beyond it floats do not tell whole numbers apart
UNTOLD = "a missing code of Stata (.a to .z) that its `missingValues` do not list"
T = TypeVar("T")


class Unreadable(Exception):
    """A cell is nothing that its field can hold; tells what is wrong and never which cell."""


def cells_of(series: nw.Series[Any], name: str) -> Cells:
    """The cells of a column of any library.

    Raises
    ------
    TableError
        If the column is of a type that is neither numbers, text nor truth values.
    """
    kind = series.dtype
    if kind.is_numeric() and not kind.is_decimal():
        return _numbers(series)
    is_plain = kind in (nw.String, nw.Boolean, nw.Categorical, nw.Enum, nw.Object)
    cells = listed(series)
    if not (is_plain or kind.is_decimal() or all(cell is None for cell in cells)):
        raise TableError(
            f"Column {name!r} holds cells of type {_native_type(series)}; expected numbers, text "
            "or truth values. Turn dates and lengths of time into numbers, such as days."
        )
    return cells


def listed(series: nw.Series[Any]) -> list[Any]:
    """The cells of a column as they stand, None for nothing."""
    cells = series.to_list()
    try:
        nulls = series.is_null().to_list()
    except ArithmeticError:  # a signalling NaN among decimals, which compares with nothing
        nulls = [type(cell).__name__ in ("NAType", "NaTType") for cell in cells]
    return [None if null else cell for cell, null in zip(cells, nulls, strict=True)]


def _native_type(series: nw.Series[Any]) -> str:
    return str(getattr(series.to_native(), "dtype", series.dtype))


def _numbers(series: nw.Series[Any]) -> Cells:
    """Numbers in their own precision; as floats where some are missing and floats hold the rest."""
    nulls = series.is_null()
    if series.dtype in (nw.Int128, nw.UInt128):
        return listed(series)
    if not nulls.any():
        return np.asarray(series.to_numpy())
    if series.dtype.is_integer():
        whole = np.asarray(series.fill_null(0).to_numpy())
        if ((whole > EXACT) | (whole < -EXACT)).any():
            return listed(series)
    single = series.dtype in (nw.Float32,)
    values = np.asarray(series.fill_null(0).cast(nw.Float32 if single else nw.Float64).to_numpy())
    return np.where(nulls.to_numpy(), np.asarray(np.nan, dtype=values.dtype), values)


class Field:
    """How the cells of one column are read.

    Parameters
    ----------
    column : Column
    missing : sequence of str
        Its words for missing; empty text is one too.
    """

    def __init__(self, column: Column, missing: Sequence[str] = ()) -> None:
        self.column, notation = column, column.notation
        self._missing = Lookup(((w, 0) for w in ("", *missing)), notation, is_truth_number=False)
        words: list[tuple[Any, int]] = [(level, i) for i, level in enumerate(column.levels)]
        if column.type == "boolean" and column.levels:
            words += self._truths()
        self._levels = Lookup(words, notation)

    def _truths(self) -> list[tuple[Any, int]]:
        """Declared words for truth; where none are, 1 and 0 are such."""
        notation, levels = self.column.notation, self.column.levels
        false, true = levels.index(False), levels.index(True)
        if not (notation.true or notation.false):
            return [(1, true), (0, false)]
        return [(w, true) for w in notation.true] + [(w, false) for w in notation.false]

    def place(self, word: Any) -> int | None:
        """Place among the levels of one that a person names, AMBIGUOUS, or None."""
        return self._levels.of(word)

    def codes(self, cells: Cells) -> Integers:
        """Place of each cell among the levels, MISSING, UNLISTED or AMBIGUOUS.

        Raises
        ------
        Unreadable
        """
        self._refuse_misread(cells)
        if isinstance(cells, list):
            return np.array(each(self._code, cells), dtype=np.int64)
        values, back = np.unique(cells, return_inverse=True)
        single = _is_single(cells)
        told = as_written(values).tolist() if single else values.tolist()
        found = np.array([self._code(v, single) for v in told], dtype=np.int64)
        return found[back] if len(values) else np.zeros(0, dtype=np.int64)

    def amounts(self, cells: Cells) -> Floats:
        """Numbers, NaN where missing.

        Raises
        ------
        Unreadable
            If a cell is no number, or infinite.
        """
        self._refuse_misread(cells)
        if isinstance(cells, list):
            cells = np.array(each(self._amount, cells), dtype=np.float64)
        values = self._present(cells)
        if np.isinf(values).any():
            raise Unreadable("infinite values")
        return values

    def _present(self, cells: NDArray[Any]) -> Floats:
        """Numbers as floats, NaN for those that mean missing."""
        values = as_written(cells)
        for number in map(float, filter(math.isfinite, self._missing.numbers)):
            near = np.flatnonzero(np.abs(values - number) <= 1e-6 * abs(number))
            gone = [int(i) for i in near if key_of(float(values[i])) == key_of(number)]
            if _is_single(cells):
                gone += np.flatnonzero(cells == cells.dtype.type(number)).tolist()
            values[gone] = np.nan
        return values

    def _code(self, cell: Any, single: bool = False) -> int:
        cell = plain(cell)
        if _is_nothing(cell) or self._missing.of(cell) is not None or _is_nan(cell, self._levels):
            return MISSING
        code = self._levels.of(cell)
        if code is None and single:
            return self._code_of_single(cell)
        return UNLISTED if code is None else code

    def _code_of_single(self, cell: float) -> int:
        """Of a number in single precision, which may be short of digits of a large level."""
        for lookup, usual in ((self._missing, MISSING), (self._levels, None)):
            found = {c for n, c in lookup.numbers.items() if np.float32(n) == np.float32(cell)}
            if found:
                return usual if usual is not None else found.pop() if len(found) == 1 else AMBIGUOUS
        return UNLISTED

    def _amount(self, cell: Any) -> float:
        """A number, whether it means missing or not; NaN for nothing and for words of missing."""
        number = cell if isinstance(cell, float) else plain(cell)
        if isinstance(number, str):
            text = number.strip()
            if text in self._missing.texts:
                return np.nan
            number = number_of(text, self.column.notation)
            number = truth_of(text) if number is None else number
            if number is None:
                is_code = re.fullmatch(r"\.[a-z]", text)
                raise Unreadable(UNTOLD if is_code else "text that is not a number")
        if isinstance(number, bool) and self._missing.of_truth(number) is not None:
            return np.nan
        try:
            return np.nan if number is None else float(number)
        except OverflowError:
            return np.inf

    def _refuse_misread(self, cells: Cells) -> None:
        """A field whose text 1.500 is no 1.5 cannot be read from numbers that some reader made."""
        if not self.column.notation.hides_numbers:
            return
        is_text = (
            all(isinstance(c, str) or _is_nothing(c) for c in cells)
            if isinstance(cells, list)
            else bool(np.isnan(cells).all())
        )
        if not is_text:
            raise Unreadable('numbers, though its "groupChar" is the point; read it as text')


def as_written(cells: NDArray[Any]) -> Floats:
    """Numbers as floats; those of single precision as the shortest decimal that is meant.

    0.1 in single precision is 0.1 as text, and not 0.10000000149.
    """
    values = cells.astype(np.float64)
    if not _is_single(cells):
        return values
    fewest = np.finfo(cells.dtype).precision  # digits that it surely keeps
    left = np.flatnonzero(np.isfinite(values) & (values != 0))
    for digits in range(fewest, fewest + 4):
        exact = cells[left].astype(np.float64)
        places = digits - 1 - np.floor(np.log10(np.abs(exact)))
        # Powers of ten up to 22 are exact, so that one rounding gives the decimal's own float.
        power = 10.0 ** np.clip(np.abs(places), 0, 22)
        short = np.where(
            places >= 0, np.rint(exact * power) / power, np.rint(exact / power) * power
        )
        fits = (np.abs(places) <= 22) & (short.astype(cells.dtype) == cells[left])
        values[left[fits]] = short[fits]
        left = left[~fits]
    return values


def _is_single(cells: NDArray[Any]) -> bool:
    return cells.dtype.kind == "f" and cells.dtype.itemsize < 8


def _is_nothing(cell: Any) -> bool:
    return cell is None or (isinstance(cell, float) and cell != cell)


def _is_nan(cell: Any, levels: Lookup) -> bool:
    """Whether a text says NaN, which a column of numbers would hold as nothing."""
    if not isinstance(cell, str) or cell.strip() in levels.texts:
        return False
    number = number_of(cell.strip())
    return number is not None and number != number


def plain(cell: Any) -> Any:
    """A cell as None, text, a truth value, a whole number or a float.

    Raises
    ------
    Unreadable
    """
    if cell is None or isinstance(cell, str | bool | int | float):
        return cell
    if isinstance(cell, np.datetime64 | np.timedelta64):  # whose numbers count since when?
        raise Unreadable(f"cells of type {type(cell).__name__}")
    if isinstance(cell, np.float32 | np.float16):
        return float(as_written(np.array([cell]))[0])
    if isinstance(cell, np.generic) and not isinstance(cell, np.longdouble | np.clongdouble):
        return plain(cell.item())
    if isinstance(cell, Decimal):
        if cell.is_nan():
            return np.nan
        is_small = cell.is_finite() and cell.adjusted() < LONGEST
        return int(cell) if is_small and cell == cell.to_integral_value() else float(cell)
    if isinstance(cell, Real):
        try:
            return float(cell)
        except OverflowError:
            return np.inf
    raise Unreadable(f"cells of type {type(cell).__name__}")


def each(read: Callable[[Any], T], cells: list[Any]) -> list[T]:
    """Read cells of any kind, equal ones of one kind once."""
    known: dict[Hashable, T] = {}
    out = []
    for cell in cells:
        key = cell if cell.__class__ is str else (cell.__class__, cell)
        try:
            out.append(known[key])
        except KeyError:
            out.append(known.setdefault(key, read(cell)))
        except TypeError:  # it cannot be hashed, as no cell of ours
            out.append(read(cell))
    return out


def identity(cell: Any) -> int | float | str | None:
    """What tells one person or stay from another: a number whatever its spelling, else the text.

    007 and 7 are one, as a reader of numbers makes them.

    Raises
    ------
    Unreadable
    """
    if hasattr(cell, "isoformat"):
        return str(cell.isoformat())
    found = plain(cell)
    if isinstance(found, bool) or found is None:
        return None if found is None else str(found).lower()
    if isinstance(found, str):
        found = found.strip()
        number = number_of(found)
        if number is None:
            truth = truth_of(found)
            return (found or None) if truth is None else str(truth).lower()
        found = number
    if found != found:
        return None
    return int(found) if isinstance(found, int) or found.is_integer() else float(found)


def identities(cells: Cells, missing: Sequence[str] = ()) -> list[int | float | str | None]:
    """Identities of cells, None for a missing one.

    Raises
    ------
    Unreadable
    """
    gone = Lookup(((w, 0) for w in missing), PLAIN, is_truth_number=False)

    def one(cell: Any) -> int | float | str | None:
        found = identity(cell)
        return None if found is None or gone.of(found) is not None else found

    return each(one, cells if isinstance(cells, list) else cells.tolist())
