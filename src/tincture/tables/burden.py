"""What many levels and columns cost, told from public settings before anything is spent.

The rule of thumb is drawn through ``benchmarks/speed.md``; a release can show a level only where
one of its rows has it.
"""

from __future__ import annotations

from collections.abc import Sequence

from tincture.errors import SettingError
from tincture.public.columns import Column
from tincture.tables.sizing import USUAL, coded_columns

MANY = 200  # coded columns, or levels of one column, from which advice is given
MOST = 500  # levels of a column that are condensed without being asked for
GROUPS = 50  # levels that merging should leave at most
SHOWN = 3  # columns for which merging is proposed


def advice(columns: Sequence[Column], rows: int | None = None, effort: float = 1.0) -> str:
    """What to expect of a run with so many columns, and what to merge; empty for usual tables.

    Parameters
    ----------
    columns : sequence of Column
        Features; of those whose levels are not declared yet nothing is said.
    rows : int, optional
        Rows to make; by default 100.
    effort : float
    """
    coded = coded_columns(columns)
    if coded < MANY:
        return ""
    n = USUAL if rows is None else rows
    taken = _time(seconds(coded, n, effort))
    told = (
        f"Amounts, and levels but the first of each column, are {coded:,} coded columns: expect "
        f"about {taken} for {n} rows at effort {effort:g} and one quick model, more with more "
        "rows, effort or models, and that noise drowns what single levels tell"
    )
    longest = sorted(columns, key=lambda c: len(c.levels), reverse=True)[:SHOWN]
    wide = [_merging(c) for c in longest if len(c.levels) > GROUPS]
    return f"{told}; {', '.join([*wide, 'or leave columns out (--drop)'])}."


def require_bearable(columns: Sequence[Column], *, many_levels: bool = False) -> None:
    """Refuse a column of so many levels that a run takes very long and shows few of them.

    Raises
    ------
    SettingError
        Proposing what to merge, and how to go on nonetheless.
    """
    for column in columns:
        if len(column.levels) > MOST and not many_levels:
            raise SettingError(
                f"The column {column.name!r} has {len(column.levels):,} levels, of which a release "
                "of some hundred rows can show a few, and which would take about "
                f"{_time(seconds(coded_columns(columns), USUAL, 1.0))} at effort 1; "
                f"{_merging(column)} (in the records and the schema alike), leave it out (--drop "
                f"{column.name}), or go on nonetheless (--many-levels)."
            )


def _merging(column: Column) -> str:
    """A proposal from the levels alone, which are public."""
    n = len(column.levels)
    told = f"merge the {n:,} levels of {column.name!r}"
    if found := groups(column):
        length, left = found
        first = "first character" if length == 1 else f"first {length} characters"
        return f"{told}, such as by their {first} to {left}"
    return f"{told}, such as the rare ones into one"


def groups(column: Column) -> tuple[int, int] | None:
    """How many characters of its levels, from the first, leave most groups that are few; and these.

    As of codes of a hierarchy, such as ICD-10. None where no beginning does.
    """
    words = [str(level) for level in column.levels]
    found, most = None, 1
    for length in range(1, max(map(len, words), default=0)):
        left = len({word[:length] for word in words})
        if most < left <= min(GROUPS, len(words) // 2):
            found, most = (length, left), left
    return found


def seconds(coded: int, rows: int, effort: float) -> float:
    """The time that a run for logistic regression should take where nothing else runs."""
    return 10 + 0.03 * coded + 1.3e-4 * coded**2 + 1.2e-3 * coded * rows * effort


def _time(taken: float) -> str:
    """In words, to one figure."""
    if taken < 90:
        return "a minute"
    minutes = taken / 60
    return f"{minutes:.0f} minutes" if minutes < 90 else f"{minutes / 60:.0f} hours"
