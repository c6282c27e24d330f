"""Whose an event is: identifiers of stays, whatever their spelling, and the rows they mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tincture.arrays import Integers
from tincture.public.cells import identity
from tincture.stays.events.tables import different

STAY, KEY = "stay", "key"
LARGE = (pl.UInt64, pl.Int128, pl.UInt128)  # hold more than 64 bits and a sign
EXPANDED = 1_000_000  # events times rows at once


class Members:
    """The stays that the outcomes name.

    Parameters
    ----------
    who : sequence of int, float or str
        Identity of each row, as `tincture.public.cells.identity` gives it. A stay may have
        several rows.
    """

    def __init__(self, who: Sequence[Any]) -> None:
        self._keys: dict[Any, int] = {}
        keys = np.array([self._keys.setdefault(w, len(self._keys)) for w in who], dtype=np.int64)
        self.key_of_row = keys
        self._order = np.argsort(keys, kind="stable")
        self._counts = np.bincount(keys, minlength=len(self._keys))
        self._starts = np.cumsum(self._counts) - self._counts
        whole = {w: k for w, k in self._keys.items() if isinstance(w, int) and abs(w) < 2**63}
        self._numbers = pl.DataFrame(
            {STAY: list(whole), KEY: list(whole.values())}, schema={STAY: pl.Int64, KEY: pl.Int64}
        )
        self._read: dict[str, int | None] = {}  # of text seen before

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def has_repeats(self) -> bool:
        """Whether a stay has several rows."""
        return len(self._keys) < len(self.key_of_row)

    def among(self, batch: pl.DataFrame, name: str) -> pl.DataFrame:
        """The events of these stays, with the place of each in a column ``key``.

        Parameters
        ----------
        batch : polars.DataFrame
            With a column ``stay``.
        name : str
            Of this column in the table, for sentences.

        Raises
        ------
        TableError
            If the identifiers are neither text nor numbers.
        """
        kind = batch[STAY].dtype
        if kind.is_integer() and kind not in LARGE:
            whole = batch.with_columns(pl.col(STAY).cast(pl.Int64, strict=False))
            return whole.join(self._numbers, on=STAY)
        words, listed = different(batch[STAY].alias(name))
        found = pl.Series(KEY, [self._place(cell) for cell in listed], dtype=pl.Int64)
        return batch.join(pl.DataFrame([words.alias(STAY), found]).drop_nulls(), on=STAY)

    def _place(self, cell: Any) -> int | None:
        if not isinstance(cell, str):
            return None if cell is None else self._keys.get(identity(cell))
        if cell not in self._read:
            self._read[cell] = self._keys.get(identity(cell))
        return self._read[cell]

    def rows(
        self, keys: Integers, at_once: int = EXPANDED
    ) -> Iterator[tuple[NDArray[np.intp] | slice, Integers]]:
        """Places of events and the rows that they count for, at most so many pairs at once."""
        if not self.has_repeats:
            yield slice(None), keys
            return
        size = max(1, at_once // int(self._counts.max()))
        for start in range(0, len(keys), size):
            some = keys[start : start + size]
            counts = self._counts[some]
            event = np.repeat(np.arange(len(some)), counts)
            nth = np.arange(len(event)) - np.repeat(np.cumsum(counts) - counts, counts)
            yield start + event, self._order[self._starts[some][event] + nth]
