"""A few courses of single stays, condensed beside real, for the custodian's own page."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tincture.evaluation.pictures import Course, Track
from tincture.evaluation.scores import CEILING, CONDENSED
from tincture.privacy.query import Records
from tincture.stays.layout import Grid, Layout

N_VARIABLES = 6
N_STAYS = 4  # of each outcome and source
FEWEST = 3  # measurements of a course that is drawn, if there are such


def courses(
    layout: Layout,
    condensed: Records,
    real: Records,
    outcomes: tuple[str, ...],
    rng: np.random.Generator,
) -> tuple[Course, ...]:
    """Courses of the variables most measured in real stays, among those that condensed ones have.

    Parameters
    ----------
    layout : Layout
    condensed, real : Records
        Points and outcomes of stays.
    outcomes : tuple of str
        Names of the two classes.
    rng : Generator
        Draws the stays.
    """
    both = {CONDENSED: condensed, CEILING: real}
    grids = {name: layout.parts(records.points)[0] for name, records in both.items()}
    share = np.isfinite(grids[CEILING]).mean(axis=(0, 1))
    share[~np.isfinite(grids[CONDENSED]).any(axis=(0, 1))] = 0.0
    found = []
    for code in np.argsort(-share, kind="stable")[:N_VARIABLES]:
        if share[code] == 0:
            break
        column = layout.variables[code]
        tracks = tuple(
            track
            for name, records in both.items()
            for outcome in range(len(outcomes))
            for track in _tracks(layout, grids[name], records, name, outcome, int(code), rng)
        )
        found.append(Course(column.name, column.unit or "", layout.hours, outcomes, tracks))
    return tuple(found)


def _tracks(
    layout: Layout,
    grid: Grid,
    records: Records,
    source: str,
    outcome: int,
    code: int,
    rng: np.random.Generator,
) -> Iterator[Track]:
    """A few random stays of a class in which the variable was measured often enough."""
    known = np.isfinite(grid[..., code])
    is_of = records.outcomes[:, 0] == outcome
    enough = np.flatnonzero(is_of & (known.sum(axis=1) >= FEWEST))
    stays = enough if len(enough) else np.flatnonzero(is_of & known.any(axis=1))
    for stay in rng.permutation(stays)[:N_STAYS]:
        bins = np.flatnonzero(known[stay])
        hours = (bins + 0.5) * layout.hours / layout.n_bins
        values = layout.value(grid[stay, bins, code].astype(np.float64), code)
        yield Track(source, outcome, tuple(zip(hours.tolist(), values.tolist(), strict=True)))
