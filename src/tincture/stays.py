"""Stays: irregular measurements binned to a grid of the unit cube, by the schema alone.

A stay has at most one value a variable and bin (the last counts, of several at once the largest),
placed between the public bounds as `encoding.Amount` places it, and one point of static columns.
What is known of the variables is declared in the schema (``"role": "variable"``), never inferred.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tincture.encoding import Amount, Encoding
from tincture.errors import SchemaError, SettingError, TableError
from tincture.frames import to_columns
from tincture.schema import Column, Schema

Floats = NDArray[np.float64]
Grid = NDArray[np.float32]
Use = Callable[[pl.DataFrame], None]
MAX_BINS = 500
STAY, HOUR, VARIABLE, VALUE = "stay", "hour", "variable", "value"
MOMENT = "moment"  # the hour as the grid keeps it


@dataclass(frozen=True)
class Layout:
    """Variables, static columns and window of a set of stays.

    Attributes
    ----------
    variables : tuple of Column
        As declared.
    statics : Encoding or None
        Of the static columns, if there are any.
    hours : float
        Length of the window; later measurements are left out.
    n_bins : int
    """

    variables: tuple[Column, ...]
    statics: Encoding | None
    hours: float
    n_bins: int

    @classmethod
    def of(
        cls, schema: Schema, *, target: str, stay: str, hours: float, bin_hours: float
    ) -> Layout:
        """Read the layout from the schema.

        Raises
        ------
        SchemaError
            If no column has the role "variable", or one has no public bounds.
        SettingError
            If the window is not a whole number of bins.
        """
        n_bins = _bins(hours, bin_hours)
        chosen = {r: [c for c in schema.columns if c.role == r] for r in ("variable", "static")}
        if not chosen["variable"]:
            raise SchemaError(
                'The schema declares no variable; add "role": "variable" to the fields that are '
                'measured over time, and "role": "static" to those known once a stay.'
            )
        statics = [c for c in chosen["static"] if c.name not in (target, stay)]
        schema.require_public([c.name for c in [*chosen["variable"], *statics]])
        encoding = Encoding([replace(c, required=False) for c in statics]) if statics else None
        return cls(tuple(chosen["variable"]), encoding, hours, n_bins)

    @property
    def shape(self) -> tuple[int, int]:
        """Bins and variables of a stay."""
        return self.n_bins, len(self.variables)

    @property
    def names(self) -> list[str]:
        """Of the variables."""
        return [c.name for c in self.variables]

    @property
    def n_static(self) -> int:
        """Coordinates of the static columns."""
        return self.statics.width if self.statics else 0

    @property
    def width(self) -> int:
        """Numbers of a stay."""
        return self.n_bins * len(self.variables) + self.n_static

    def points(self, grid: Grid, statics: Floats) -> Grid:
        """Grid (n, bins, variables) and statics (n, n_static) side by side, (n, width)."""
        return np.concatenate([grid.reshape(len(grid), -1), statics], axis=1, dtype=np.float32)

    def parts(self, points: Grid) -> tuple[Grid, Grid]:
        """Grid and statics of points (n, width)."""
        cut = self.n_bins * len(self.variables)
        return points[:, :cut].reshape(len(points), *self.shape), points[:, cut:]

    def place(self, values: Floats, codes: NDArray[np.int64]) -> Floats:
        """Values of the variables ``codes`` to places in [0, 1], clipped to the public bounds."""
        places = np.empty(len(values))
        for code, column in enumerate(self.variables):
            mine = codes == code
            places[mine] = _amount(column).encode(values[mine])[:, 0]
        return places

    def value(self, places: Floats, code: int) -> Floats:
        """Places of one variable back to values, rounded as the schema says."""
        column = self.variables[code]
        values = _amount(column).decode(places[..., None])
        if not column.is_categorical:
            return values
        levels = np.sort([float(level) for level in column.levels])
        return np.asarray(levels[np.abs(values[..., None] - levels).argmin(axis=-1)])


def _amount(column: Column) -> Amount:
    """A variable as a bounded amount; levels must be numbers."""
    if not column.is_categorical:
        return Amount(replace(column, required=True))
    try:
        levels = [float(level) for level in column.levels]
    except ValueError:
        raise SchemaError(
            f"The variable {column.name!r} has levels that are words; a measured value must be a "
            "number. Code its levels as numbers, or leave the variable out."
        ) from None
    free = replace(column, type="number", categories=None, required=True)
    return Amount(replace(free, minimum=min(levels), maximum=max(levels)))


def _bins(hours: float, bin_hours: float) -> int:
    if not (0 < bin_hours <= hours < np.inf):
        raise SettingError("The window and its bins must be positive, and a bin no longer.")
    n_bins = round(hours / bin_hours)
    if not 1 <= n_bins <= MAX_BINS or abs(n_bins * bin_hours - hours) > 1e-6 * hours:
        raise SettingError(
            f"A window of {hours:g} h does not hold a whole number of bins of {bin_hours:g} h (at "
            f"most {MAX_BINS}); change --hours or --bin."
        )
    return n_bins


@dataclass(frozen=True)
class Stays:
    """Binned stays, in the order of their outcomes.

    Attributes
    ----------
    grid : float32 ndarray of shape (n, bins, variables)
        Places in [0, 1], NaN where nothing was recorded.
    outcomes : Any
        Frame of one row a stay: static columns and the target.
    layout : Layout
    """

    grid: Grid
    outcomes: Any
    layout: Layout

    def __len__(self) -> int:
        return len(self.grid)

    def statics(self, schema: Schema) -> Floats:
        """Static columns as points (n, n_static)."""
        encoding = self.layout.statics
        if encoding is None:
            return np.zeros((len(self), 0))
        free = replace(schema, columns=tuple(replace(c, required=False) for c in schema.columns))
        return encoding.encode(to_columns(self.outcomes, free, [c.name for c in encoding.columns]))


def bin_stays(
    each: Callable[[Use], None], stays: Sequence[str], outcomes: Any, layout: Layout
) -> Stays:
    """Bin events batch by batch, so that memory does not grow with their number.

    Parameters
    ----------
    each : callable
        Hands every batch of events to the function it is given: columns ``stay`` (text), ``hour``
        and ``value`` (floats), ``variable`` (text). Events of other stays or variables, outside
        the window or without a finite value are ignored.
    stays : sequence of str
        Identifiers in the order of ``outcomes``; unique.
    outcomes : frame
    layout : Layout

    Raises
    ------
    TableError
        If no event belongs to any stay.
    """
    if len(set(stays)) < len(stays):
        raise TableError("The outcomes name a stay twice; expected one row a stay.")
    grid = np.full((len(stays), *layout.shape), np.nan, dtype=np.float32)
    latest = np.full(grid.shape, -np.inf, dtype=np.float32)
    rows = pl.DataFrame({STAY: stays, "row": np.arange(len(stays))})
    columns = pl.DataFrame({VARIABLE: layout.names, "code": np.arange(len(layout.names))})
    n_known = 0

    def enter(batch: pl.DataFrame) -> None:
        nonlocal n_known
        known = (
            batch.filter(
                pl.col(HOUR).is_between(0, layout.hours) & pl.col(VALUE).is_finite(),
            )
            .join(rows, on=STAY)
            .join(columns, on=VARIABLE)
            .with_columns(pl.col(HOUR).cast(pl.Float32).alias(MOMENT))
            .sort(MOMENT, VALUE, HOUR)
        )
        n_known += known.height
        _enter(known, grid.reshape(-1), latest.reshape(-1), layout)

    each(enter)
    if n_known == 0:
        raise TableError(
            "No event belongs to a stay of the outcomes and a variable of the schema within the "
            "window; compare identifiers, names and the unit of time."
        )
    return Stays(grid, outcomes, layout)


def _enter(known: pl.DataFrame, grid: Grid, latest: Grid, layout: Layout) -> None:
    """Write the last event a cell into the flat grid, unless a later one is there already.

    Of events at one moment the largest counts, whatever their order: where a batch ends depends on
    other stays, which must not change this one (docs/promise.md, lemma 4).
    """
    n_bins, n_variables = layout.shape
    hours, codes = known[HOUR].to_numpy(), known["code"].to_numpy()
    bins = np.minimum((hours * n_bins / layout.hours).astype(np.int64), n_bins - 1)
    cells = (known["row"].to_numpy() * n_bins + bins) * n_variables + codes
    # Sorted by moment and value, so the first of the reversed cells is the one that counts.
    cells, first = np.unique(cells[::-1], return_index=True)
    last = len(codes) - 1 - first
    moments = known[MOMENT].to_numpy()[last]
    places = layout.place(known[VALUE].to_numpy()[last], codes[last]).astype(np.float32)
    same = (moments == latest[cells]) & (places > grid[cells])
    newer = (moments > latest[cells]) | same
    grid[cells[newer]], latest[cells[newer]] = places[newer], moments[newer]


def carried(grid: NDArray[np.floating[Any]]) -> Floats:
    """The last value known at each bin, NaN before the first; (n, bins, variables)."""
    steps = np.arange(grid.shape[1])[None, :, None]
    last = np.maximum.accumulate(np.where(np.isfinite(grid), steps, 0), axis=1)
    return np.take_along_axis(np.asarray(grid, dtype=np.float64), last, axis=1)
