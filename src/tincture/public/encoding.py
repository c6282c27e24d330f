"""Table ⇄ points of the unit cube, from the schema alone.

A numeric column takes one coordinate between its public bounds (and one more that says "missing"
above ½, unless the column is required); a categorical column takes one coordinate a level, the
largest of which is meant. Any point of the cube therefore means a valid row, and *snapping* moves
it to the exact point of that row. Models see the *design*: amounts on a linear scale with NaN where
missing, levels one-hot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tincture.arrays import Floats, Integers, Mask
from tincture.public.columns import Column

Values = Mapping[str, NDArray[np.generic]]


class Kind(Protocol):
    """How one column lies in the cube; the last axis of every array runs over its coordinates."""

    @property
    def width(self) -> int:
        """Coordinates in the cube."""

    @property
    def design_width(self) -> int:
        """Columns a model sees."""

    def encode(self, values: NDArray[np.generic]) -> Floats:
        """Values (n,) to exact points (n, width); out-of-range values are clipped."""

    def decode(self, points: Floats) -> NDArray[np.generic]:
        """Points (..., width) to values (...)."""

    def snap(self, points: Floats) -> Floats:
        """The exact point of the row each point means; idempotent."""

    def design(self, snapped: Floats) -> Floats:
        """What a model sees of snapped points: (..., design_width), NaN where missing."""


@dataclass(frozen=True, slots=True)
class Amount:
    """A bounded number; values are float64 with NaN for missing."""

    column: Column

    @property
    def width(self) -> int:
        """One coordinate, and one for missingness unless required."""
        return 1 if self.column.required else 2

    @property
    def design_width(self) -> int:
        """One column."""
        return 1

    def encode(self, values: NDArray[np.generic]) -> Floats:
        """Clip to the bounds and scale; a missing value lies at the middle of the range."""
        x = np.asarray(values, dtype=np.float64)
        missing = np.isnan(x)
        low, high = self.column.bounds
        amount = self._warp(np.clip(np.where(missing, (low + high) / 2, x), low, high))
        return self._join(np.where(missing, 0.5, amount), missing)

    def decode(self, points: Floats) -> Floats:
        """Values rounded to the column's decimal places, inside its bounds."""
        low, high = self.column.bounds
        x = np.round(self._unwarp(np.clip(points[..., 0], 0.0, 1.0)), self.column.places)
        return np.where(self._missing(points), np.nan, np.clip(x, low, high))

    def snap(self, points: Floats) -> Floats:
        """Round to a value the table can hold."""
        return self.encode(self.decode(points))

    def design(self, snapped: Floats) -> Floats:
        """Position between the bounds on a linear scale."""
        low, high = self.column.bounds
        linear = (self._unwarp(snapped[..., 0]) - low) / (high - low)
        return np.where(self._missing(snapped), np.nan, linear)[..., None]

    def _missing(self, points: Floats) -> Mask:
        if self.column.required:
            return np.zeros(points.shape[:-1], dtype=bool)
        return points[..., 1] > 0.5

    def _join(self, amount: Floats, missing: Mask) -> Floats:
        parts = [amount] if self.column.required else [amount, missing.astype(np.float64)]
        return np.stack(parts, axis=-1)

    def _warp(self, x: Floats) -> Floats:
        low, high = self.column.bounds
        if self.column.is_log:
            from tincture.kernels.pointwise import log

            return np.asarray(np.minimum(log(x / low) / log(high / low), 1.0))
        return (x - low) / (high - low)

    def _unwarp(self, u: Floats) -> Floats:
        low, high = self.column.bounds
        if self.column.is_log:
            from tincture.kernels.pointwise import exp, log

            return np.asarray(low * exp(u * log(high / low)))
        return low + u * (high - low)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the public levels; values are integer codes with -1 for missing."""

    column: Column

    @property
    def width(self) -> int:
        """One coordinate a level, and one for missing unless required."""
        return len(self.column.levels) + (not self.column.required)

    @property
    def design_width(self) -> int:
        """As in the cube: one-hot, missing being a level of its own."""
        return self.width

    def encode(self, values: NDArray[np.generic]) -> Floats:
        """One-hot; missing takes the last coordinate."""
        codes = np.asarray(values, dtype=np.int64)
        if self.column.required and np.any(codes < 0):
            raise ValueError("a required level is missing")
        return np.eye(self.width)[np.where(codes < 0, self.width - 1, codes)]

    def decode(self, points: Floats) -> Integers:
        """Code of the largest coordinate."""
        best = np.argmax(points, axis=-1)
        return np.where(best >= len(self.column.levels), -1, best)

    def snap(self, points: Floats) -> Floats:
        """One-hot of the largest coordinate."""
        return np.asarray(np.eye(self.width)[np.argmax(points, axis=-1)])

    def design(self, snapped: Floats) -> Floats:
        """The one-hot itself."""
        return snapped


class Encoding:
    """The columns of a table side by side in the cube.

    Parameters
    ----------
    columns : sequence of Column
        Columns without gaps, in the table's order.
    kinds : sequence of Kind, optional
        How each column lies in the cube; by default `Amount` or `Choice`.

    Attributes
    ----------
    width, design_width : int
        Coordinates of the cube, and columns that a model sees.
    numeric : ndarray of bool, shape (design_width,)
        Which design columns are amounts (to be imputed and scaled), the rest being one-hot.
    """

    def __init__(self, columns: Sequence[Column], kinds: Sequence[Kind] | None = None) -> None:
        self.columns = tuple(columns)
        self.kinds: tuple[Kind, ...] = tuple(
            kinds or (Choice(c) if c.is_categorical else Amount(c) for c in columns)
        )
        self.slices = _slices([k.width for k in self.kinds])
        self.design_slices = _slices([k.design_width for k in self.kinds])
        self.width = sum(k.width for k in self.kinds)
        self.design_width = sum(k.design_width for k in self.kinds)
        self.numeric = np.concatenate(
            [np.full(k.design_width, not isinstance(k, Choice)) for k in self.kinds]
        )

    def encode(self, values: Values) -> Floats:
        """Values by column name, each (n,), to exact points (n, width)."""
        parts = [k.encode(values[c.name]) for c, k in zip(self.columns, self.kinds, strict=True)]
        return np.concatenate(parts, axis=-1)

    def decode(self, points: Floats) -> dict[str, NDArray[np.generic]]:
        """Points (n, width) to values by column name."""
        return {
            c.name: k.decode(points[..., s])
            for c, k, s in zip(self.columns, self.kinds, self.slices, strict=True)
        }

    def snap(self, points: Floats) -> Floats:
        """The exact points (..., width) of the rows that these points mean."""
        parts = [k.snap(points[..., s]) for k, s in zip(self.kinds, self.slices, strict=True)]
        return np.concatenate(parts, axis=-1)

    def design(self, snapped: Floats) -> Floats:
        """What models see of snapped points: (..., design_width)."""
        parts = [k.design(snapped[..., s]) for k, s in zip(self.kinds, self.slices, strict=True)]
        return np.concatenate(parts, axis=-1)

    def lawful(self, exact: Floats) -> Floats:
        """Exact points (..., width) of rows that obey every rule; here there is none."""
        return exact

    def designs(self, tables: Floats, owner: Integers, outcomes: Floats) -> Floats:
        """What models see of tables of prototypes (R, P, width), row by row, (R, m, design_width).

        Parameters
        ----------
        owner : ndarray of int64, shape (m,)
            Prototype of each row.
        outcomes : ndarray of shape (m, outcome width)
            Of each row, which its rules may bind.
        """
        return self.design(tables)[:, owner]


def _slices(widths: Sequence[int]) -> list[slice]:
    ends = np.cumsum([0, *widths])
    return [slice(int(a), int(b)) for a, b in pairwise(ends)]
