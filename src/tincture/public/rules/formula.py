"""A formula of columns: a small arithmetic, read into a tree and never run as code."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import numpy as np

from tincture.arrays import Floats
from tincture.errors import SchemaError
from tincture.public.rules.arithmetic import ARGUMENTS, FUNCTIONS, OPERATORS, power

LONGEST = 300  # characters
MOST_FACTORS = 16  # of a whole power, which is multiplied out
QUOTED = re.compile(r"`([^`]*)`")

Amounts = Mapping[str, Floats]
Node = Callable[[Amounts], Any]  # an array, or one number


@dataclass(frozen=True, slots=True)
class Formula:
    """What a text such as ``weight / (height / 100) ** 2`` computes.

    Attributes
    ----------
    text : str
    names : tuple of str
        Columns that stand in it.
    """

    text: str
    names: tuple[str, ...]
    _root: Node = field(compare=False, repr=False)

    @classmethod
    def of(cls, text: Any, at: str) -> Formula:
        """Read a text.

        Raises
        ------
        SchemaError
            If it is more than numbers, columns, + - * / ** and the functions named here.
        """
        reader = _Reader()
        root = reader.read(text) if isinstance(text, str) and len(text) <= LONGEST else None
        if root is None or not reader.names:
            raise SchemaError(
                f"{at}: the formula cannot be read; use columns, numbers, + - * / ** ( ) and "
                f"{', '.join(FUNCTIONS)}, and put a name that is not one plain word in backquotes."
            )
        return cls(text, tuple(dict.fromkeys(reader.names)), root)

    def of_values(self, amounts: Amounts) -> Floats:
        """Of columns (n,); NaN where one is missing or the formula has no value."""
        with np.errstate(all="ignore"):
            found = np.asarray(self._root(amounts), dtype=np.float64)
        gone = reduce(np.logical_or, [np.isnan(amounts[n]) for n in self.names])
        return np.where(gone | ~np.isfinite(found), np.nan, found)


class _Reader:
    """From a syntax tree to functions of columns; whatever is not listed here is None."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._quoted: list[str] = []

    def read(self, text: str) -> Node | None:
        """The whole text; a power may be written ^ too."""
        pieces = QUOTED.split(text)
        self._quoted = pieces[1::2]
        for i in range(1, len(pieces), 2):
            pieces[i] = f" __quoted_{i // 2} "
        pieces[::2] = [piece.replace("^", "**") for piece in pieces[::2]]
        try:
            return self._node(ast.parse("".join(pieces).strip(), mode="eval").body)
        except (SyntaxError, ValueError, OverflowError, RecursionError, MemoryError):
            return None

    def _node(self, node: ast.AST) -> Node:
        """Raises ValueError for what is not listed."""
        match node:
            case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
                return self._number(float(number))
            case ast.Name(id=name):
                return self._column(name)
            case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=int() as whole)):
                return self._whole_power(self._node(left), whole)
            case ast.BinOp(left=left, op=op, right=right):
                return self._call(OPERATORS.get(type(op)), [left, right])
            case ast.UnaryOp(op=op, operand=operand):
                return self._call(OPERATORS.get(type(op)), [operand])
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
                return self._function(name, args)
        raise ValueError

    def _number(self, number: float) -> Node:
        if not math.isfinite(number):
            raise ValueError
        return lambda amounts: number

    def _column(self, word: str) -> Node:
        start = "__quoted_"
        name = self._quoted[int(word.removeprefix(start))] if word.startswith(start) else word
        self.names.append(name)
        return lambda amounts: amounts[name]

    def _call(self, function: Callable[..., Any] | None, args: list[Any]) -> Node:
        if function is None:
            raise ValueError
        parts = [self._node(a) for a in args]
        return lambda amounts: function(*(part(amounts) for part in parts))

    def _function(self, name: str, args: list[Any]) -> Node:
        fewest, most = ARGUMENTS.get(name, (1, 1))
        if not fewest <= len(args) <= most:
            raise ValueError
        if name == "round" and len(args) == 2:
            x, places = self._node(args[0]), ast.literal_eval(args[1])
            if type(places) is not int or abs(places) > 12:
                raise ValueError
            return lambda amounts: np.round(x(amounts), places)
        return self._call(FUNCTIONS.get(name), args)

    def _whole_power(self, x: Node, whole: int) -> Node:
        if not 0 <= whole <= MOST_FACTORS:
            return lambda amounts: power(x(amounts), float(whole))
        return lambda amounts: reduce(np.multiply, [x(amounts)] * whole, 1.0)
