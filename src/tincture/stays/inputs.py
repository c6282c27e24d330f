"""Stays as their recipient hands them to a model.

The same rules for every table, invented or real: the last value of a bin counts and is carried
forward; a second channel tells whether it was recorded in that bin; static columns are constant
channels. Each channel is standardised by the training table's own mean and deviation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from tincture.arrays import Floats, Integers, Mask
from tincture.public.columns import Column
from tincture.stays.layout import Grid, Layout, carried

CUT = 3.0  # deviations at which a channel is cut
BLOCK = 2048  # stays binned at once, which bounds the memory of double precision


class Trained(Protocol):
    """Whatever has learned from standardised stays."""

    def log_odds(self, inputs: Grid) -> Floats:
        """Of the second class, (n,), where both classes are as frequent."""


def channels(points: Grid, layout: Layout) -> Grid:
    """Values carried forward, recorded or not, and static columns.

    Parameters
    ----------
    points : ndarray of shape (n, layout.width)
        As a vault of stays holds them.
    layout : Layout

    Returns
    -------
    float32 ndarray of shape (n, bins, 2 × variables + static design columns)
        In the units of the schema; NaN where no value is known yet.
    """
    parts = [_channels(points[i : i + BLOCK], layout) for i in range(0, len(points), BLOCK)]
    return np.concatenate(parts)


def _channels(points: Grid, layout: Layout) -> Grid:
    grid, statics = layout.parts(points)
    places = carried(grid)
    for code, column in enumerate(layout.variables):
        place = places[..., code]
        known = np.isfinite(place)
        place[known] = layout.value(place[known], code)
        if _is_deed(column):
            place[~known] = 0.0
    design = np.zeros((len(points), 0))
    if layout.statics is not None:
        design = layout.statics.design(statics.astype(np.float64))
    constant = np.repeat(design[:, None], grid.shape[1], axis=1)
    return np.concatenate([places, np.isfinite(grid), constant], axis=2, dtype=np.float32)


def _is_deed(column: Column) -> bool:
    """Whether a variable is of the kind of ventilation: not recorded means not done."""
    return column.is_categorical and {float(v) for v in column.levels} == {0.0, 1.0}


def sources(layout: Layout) -> dict[str, Integers]:
    """Which channels come from each variable and static column."""
    n = len(layout.variables)
    found = {c.name: np.array([i, n + i]) for i, c in enumerate(layout.variables)}
    if layout.statics is not None:
        for column, place in zip(layout.statics.columns, layout.statics.design_slices, strict=True):
            found[column.name] = 2 * n + np.arange(place.start, place.stop)
    return found


@dataclass(frozen=True)
class Standard:
    """Mean and deviation of each channel of a training table.

    Attributes
    ----------
    mean, sd : ndarray of shape (n_channels,)
    kept : ndarray of bool, shape (n_channels,)
        Channels that vary in the table; the others are dropped, all but one where none varies.
    """

    mean: Floats
    sd: Floats
    kept: Mask

    @classmethod
    def of(cls, table: Grid) -> Standard:
        """From the channels (n, bins, n_channels) that a model is trained on."""
        moments = np.array([_moments(table[..., c]) for c in range(table.shape[2])])
        mean, sd = moments.T
        kept = sd > 1e-6 * np.maximum(1.0, np.abs(mean))
        if not kept.any():  # models need a channel, if only to learn nothing from
            kept[0], sd[0] = True, 1.0
        return cls(mean, sd, kept)

    def __call__(self, table: Grid) -> Grid:
        """Standardised and cut channels, 0 where nothing is known; float32 (n, bins, kept)."""
        mean, sd = (v[self.kept].astype(np.float32) for v in (self.mean, self.sd))
        out = table[..., self.kept]
        out -= mean
        out /= sd
        np.clip(out, -CUT, CUT, out=out)
        return np.nan_to_num(out, copy=False)

    def places(self, channels: Integers) -> Integers:
        """Where some channels lie among those that are kept."""
        among = np.cumsum(self.kept) - 1
        return np.asarray(among[channels[self.kept[channels]]])


def _moments(values: Grid) -> tuple[float, float]:
    known = values[np.isfinite(values)].astype(np.float64)
    return (float(known.mean()), float(known.std())) if len(known) else (0.0, 0.0)


def influence(model: Trained, inputs: Grid, places: Integers) -> float:
    """Mean |change of the log odds| when some channels are held at the training table's mean.

    Parameters
    ----------
    model : Trained
    inputs : float32 ndarray of shape (n, bins, channels)
        Standardised, so that the mean is 0.
    places : ndarray of int
    """
    if len(places) == 0:
        return 0.0
    held = inputs.copy()
    held[..., places] = 0.0
    return float(np.abs(model.log_odds(held) - model.log_odds(inputs)).mean())
