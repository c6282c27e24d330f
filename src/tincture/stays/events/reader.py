"""From a batch of events to rows of the outcomes, variables, hours and values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tincture.arrays import Floats, Integers, Mask
from tincture.errors import TableError
from tincture.public.columns import Column
from tincture.stays.events.clocks import Clock, Counted
from tincture.stays.events.coded import Coded, Statics, refuse_timed, refuse_untimed
from tincture.stays.events.members import KEY, STAY, Members
from tincture.stays.events.names import CODE, LEVEL, VARIABLE, Names
from tincture.stays.events.tables import without_categories
from tincture.stays.events.values import Missing, Values, Words

HOUR, VALUE, TEXT = "hour", "value", "text"


@dataclass(frozen=True)
class Form:
    """Column names of a long table of events, and what its times count.

    ``unit`` is "second", "minute", "hour" or "day" since the start of the stay, or "datetime".
    """

    stay: str
    time: str = "minute"
    variable: str = "variable"
    value: str = "value"
    unit: str = "minute"


@dataclass(frozen=True)
class Reading:
    """How events are read; all of it is declared.

    Attributes
    ----------
    form : Form
        The names of the columns, for sentences.
    clock : Clock
    missing : callable
        Words for missing of a column, by its name.
    statics : tuple of Column
        Static columns sought among the events without a time.
    words : mapping of str to mapping
        Words of a variable that count as numbers.
    is_coded : bool
        Whether the events are codes, as in MEDS.
    may_repeat : bool
        Whether a stay may have several rows of outcomes, each with a window of its own.
    """

    form: Form = Form(STAY, HOUR, VARIABLE, VALUE, "hour")
    clock: Clock = field(default_factory=Counted)
    missing: Missing = lambda name: ()
    statics: tuple[Column, ...] = ()
    words: Mapping[str, Words] = field(default_factory=dict)
    is_coded: bool = False
    may_repeat: bool = False


class Events(NamedTuple):
    """Read events: row of the outcomes, place of the variable, hours and value of each."""

    rows: Integers
    codes: NDArray[np.int16]
    hours: Floats
    values: Floats


class Reader:
    """Reads batches of events.

    Parameters
    ----------
    who : sequence of int, float or str
        Stay of each row of the outcomes, as `tincture.public.cells.identity` gives it.
    variables : sequence of Column
    reading : Reading
    """

    def __init__(self, who: Sequence[Any], variables: Sequence[Column], reading: Reading) -> None:
        self._members, self._variables, self._reading = Members(who), variables, reading
        missing = reading.missing
        self._names = Names([c.name for c in variables], reading.statics, missing)
        if self._members.has_repeats and not reading.may_repeat:
            raise TableError(
                "The outcomes name a stay twice; expected one row a stay. If each row is a label "
                "with a window of its own, name the column of the stay as the unit to protect: "
                f"--unit {reading.form.stay}."
            )
        self._values = Values(variables, missing, reading.words)
        self._coded = Coded(self._values) if reading.is_coded else None
        self._statics = Statics(reading.statics, missing, len(self._members))

    def read(self, batch: pl.DataFrame) -> Iterator[Events]:
        """The events of stays of the outcomes and of variables; static columns are kept.

        Parameters
        ----------
        batch : polars.DataFrame
            Columns ``stay``, ``hour`` (the time as it stands), ``variable``, ``value`` and, of
            codes, perhaps ``text``.

        Raises
        ------
        TableError
            If a cell cannot be read; never quoting it.
        """
        form, clock = self._reading.form, self._reading.clock
        mine = self._members.among(without_categories(batch), form.stay)
        mine = self._names.among(mine, form.variable)
        if mine.is_empty():
            return
        times, is_untimed = clock.read(mine[HOUR].alias(clock.name))
        mine, times = self._without_statics(mine, times, is_untimed)
        codes, keys = mine[CODE].to_numpy(), mine[KEY].to_numpy()
        values = self._read_values(codes, mine)
        known = ~np.isnan(values)
        if not known.all():
            codes, keys, times, values = codes[known], keys[known], times[known], values[known]
        for some, rows in self._members.rows(keys):
            yield Events(rows, codes[some], clock.hours(times[some], rows), values[some])

    def _read_values(self, codes: NDArray[np.int16], mine: pl.DataFrame) -> Floats:
        cells = mine[VALUE].alias(self._reading.form.value)
        if self._coded is None:
            return self._values.read(codes, cells)
        return self._coded.read(codes, cells, mine[TEXT] if TEXT in mine.columns else None)

    def _without_statics(
        self, mine: pl.DataFrame, times: NDArray[Any], is_untimed: Mask
    ) -> tuple[pl.DataFrame, NDArray[Any]]:
        """The events of variables, all of which have a time."""
        if not self._reading.is_coded and is_untimed.any():
            raise TableError(
                f"Some events have no time in the column {self._reading.clock.name!r}; complete or "
                "remove them."
            )
        if not self._reading.is_coded:
            return mine, times
        codes, n = mine[CODE].to_numpy(), len(self._variables)
        is_static = codes >= n
        if (odd := is_untimed & ~is_static).any():
            refuse_untimed(self._variables[codes[odd][0]])
        if (odd := is_static & ~is_untimed).any():
            refuse_timed(self._reading.statics[codes[odd][0] - n])
        if not is_static.any():
            return mine, times
        still = mine.filter(pl.Series(is_static))
        self._statics.enter(
            still[KEY].to_numpy(),
            still[CODE].to_numpy() - n,
            still[LEVEL],
            still[VALUE].alias(self._reading.form.value),
            still[TEXT] if TEXT in still.columns else None,
        )
        return mine.filter(pl.Series(~is_static)), times[~is_static]

    def statics(self) -> dict[str, NDArray[Any]]:
        """Static columns found among the events, one value a row of the outcomes.

        Raises
        ------
        TableError
            If nothing tells one of them.
        """
        return self._statics.columns(self._members.key_of_row)
