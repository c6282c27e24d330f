"""Stays: irregular measurements binned to a grid of the unit cube, by the schema alone.

A stay has at most one value a variable and bin (the last counts, of several at once the largest),
placed between the public bounds as `encoding.Amount` places it, and one point of static columns.
What is known of the variables is declared in the schema (``"role": "variable"``), never inferred.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tincture.arrays import Floats
from tincture.errors import SchemaError, SettingError, TableError
from tincture.io.frames import to_columns
from tincture.public.cells import identity
from tincture.public.columns import Column
from tincture.public.encoding import Amount, Encoding
from tincture.public.schema import Schema
from tincture.stays.events.reader import Events, Reader, Reading
from tincture.stays.events.values import level_numbers

Grid = NDArray[np.float32]
Use = Callable[[pl.DataFrame], None]
MAX_BINS = 500


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
        _refuse_times([*chosen["variable"], *statics])
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

    def place(self, values: Floats, codes: NDArray[np.integer[Any]]) -> Floats:
        """Values of the variables ``codes`` to places in [0, 1], clipped to the public bounds."""
        places = np.empty(len(values))
        order = np.argsort(codes, kind="stable")
        ends = np.searchsorted(codes[order], np.arange(len(self.variables) + 1))
        for code, column in enumerate(self.variables):
            mine = order[ends[code] : ends[code + 1]]
            places[mine] = _amount(column).encode(values[mine])[:, 0]
        return places

    def value(self, places: Floats, code: int) -> Floats:
        """Places of one variable back to values, rounded as the schema says."""
        column = self.variables[code]
        values = _amount(column).decode(places[..., None])
        if not column.is_categorical:
            return values
        levels = np.sort(level_numbers(column))
        return np.asarray(levels[np.abs(values[..., None] - levels).argmin(axis=-1)])


def _amount(column: Column) -> Amount:
    """A variable as a bounded amount; levels must be numbers."""
    if not column.is_categorical:
        return Amount(replace(column, required=True))
    levels = level_numbers(column)
    free = replace(column, type="number", categories=None, required=True)
    return Amount(replace(free, minimum=float(levels.min()), maximum=float(levels.max())))


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
    among_events : dict of str to ndarray
        Static columns that lie among the events and not in the outcomes, as
        `tincture.io.frames.to_columns` gives them.
    """

    grid: Grid
    outcomes: Any
    layout: Layout
    among_events: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.grid)

    def statics(self, schema: Schema) -> Floats:
        """Static columns as points (n, n_static)."""
        encoding = self.layout.statics
        if encoding is None:
            return np.zeros((len(self), 0))
        free = replace(schema, columns=tuple(replace(c, required=False) for c in schema.columns))
        told = [c.name for c in encoding.columns if c.name not in self.among_events]
        return encoding.encode(to_columns(self.outcomes, free, told) | {**self.among_events})


def bin_stays(
    each: Callable[[Use], None],
    stays: Sequence[Any],
    outcomes: Any,
    layout: Layout,
    reading: Reading | None = None,
) -> Stays:
    """Bin events batch by batch, so that memory does not grow with their number.

    Parameters
    ----------
    each : callable
        Hands every batch of events to the function it is given, as `Reader.read` takes them. Those
        of other stays or variables, or outside the window, are left out.
    stays : sequence
        Identifiers in the order of ``outcomes``, by any spelling.
    outcomes : frame
    layout : Layout
    reading : Reading, optional
        By default times are hours.

    Raises
    ------
    TableError
        If an event cannot be read, or none belongs to any stay; never quoting a cell.
    """
    reader = Reader([identity(s) for s in stays], layout.variables, reading or Reading())
    grid = np.full((len(stays), *layout.shape), np.nan, dtype=np.float32)
    latest = np.full(grid.shape, -np.inf, dtype=np.float32)
    n_known = 0

    def enter(batch: pl.DataFrame) -> None:
        nonlocal n_known
        for events in reader.read(batch):
            n_known += _enter(events, grid.reshape(-1), latest.reshape(-1), layout)

    each(enter)
    if n_known == 0:
        raise TableError(
            "No event belongs to a stay of the outcomes and a variable of the schema within the "
            "window; compare identifiers, names and the unit of time."
        )
    return Stays(grid, outcomes, layout, reader.statics())


def _refuse_times(columns: Sequence[Column]) -> None:
    for column in columns:
        if column.is_time:
            raise SchemaError(
                f"Column {column.name!r} is a {column.type}, which stays learn nothing from; turn "
                "it into a number, such as days since a public date, or take its role away."
            )


def _enter(events: Events, grid: Grid, latest: Grid, layout: Layout) -> int:
    """Write the last event a cell into the flat grid, unless a later one is there; how many count.

    Of events at one moment the largest counts, whatever their order: where a batch ends depends on
    other stays, which must not change this one (docs/promise.md, lemma 4).
    """
    inside = (events.hours >= 0) & (events.hours <= layout.hours)
    rows, codes = events.rows[inside], events.codes[inside]
    hours, values = events.hours[inside], events.values[inside]
    n_bins, n_variables = layout.shape
    bins = np.minimum((hours * n_bins / layout.hours).astype(np.int64), n_bins - 1)
    cells = (rows * n_bins + bins) * n_variables + codes
    moments = hours.astype(np.float32)
    before = latest[cells]
    np.maximum.at(latest, cells, moments)
    after = latest[cells]
    newest = moments == after
    cells, is_later = cells[newest], (before < after)[newest]
    grid[cells[is_later]] = np.nan
    np.fmax.at(grid, cells, layout.place(values[newest], codes[newest]).astype(np.float32))
    return len(rows)


def carried(grid: NDArray[np.floating[Any]]) -> Floats:
    """The last value known at each bin, NaN before the first; (n, bins, variables)."""
    steps = np.arange(grid.shape[1])[None, :, None]
    last = np.maximum.accumulate(np.where(np.isfinite(grid), steps, 0), axis=1)
    return np.take_along_axis(np.asarray(grid, dtype=np.float64), last, axis=1)
