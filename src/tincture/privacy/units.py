"""Units of records, as the vault holds them and shows them to a query."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np

from tincture.arrays import Integers
from tincture.privacy.query import Labels, Records, Sealed


class Held(Protocol):
    """Records that can be taken out by their places, which rise."""

    def __len__(self) -> int: ...

    def take(self, rows: Integers | slice) -> Records:
        """Some of them."""


@dataclass(frozen=True)
class Units:
    """Records, those of a unit one after the other.

    Attributes
    ----------
    records : Records, or others that can be taken
    lengths : ndarray of int64, shape (n_units,)
        How many records each unit has.
    labels : mapping
        Columns that no query sees, by name.
    """

    records: Held
    lengths: Integers
    labels: Mapping[str, Labels] = field(default_factory=dict)

    @classmethod
    def of(cls, sealed: Sealed) -> Units:
        """In the order of the persons' numbers, or as they are where each is a unit of its own."""
        if sealed.person is None:
            return cls(sealed.records, np.ones(len(sealed.records), dtype=np.int64), sealed.beside)
        order = np.argsort(sealed.person, kind="stable")  # one person's together: sums of runs
        _, lengths = np.unique(sealed.person[order], return_counts=True)
        labels = {n: Labels(b.names, b.codes[order]) for n, b in sealed.beside.items()}
        return cls(sealed.records.take(order), lengths, labels)

    def __len__(self) -> int:
        return len(self.lengths)

    @cached_property
    def starts(self) -> Integers:
        """Place of the first record of each."""
        return np.cumsum(self.lengths) - self.lengths

    def taken(self, some: Integers) -> tuple[Records, Integers]:
        """The records of some units, and how many each has."""
        lengths = self.lengths[some]
        before = np.repeat(np.cumsum(lengths) - lengths, lengths)
        rows = np.arange(lengths.sum()) - before + np.repeat(self.starts[some], lengths)
        return self.records.take(rows), lengths

    def blocks(self, some: Integers, size: int) -> Iterator[tuple[Records, Integers]]:
        """Those of some units in blocks of about so many records, no unit being cut."""
        if len(some) == 0:
            return
        filled = np.cumsum(self.lengths[some]) // size
        for part in np.split(some, np.flatnonzero(np.diff(filled)) + 1):
            yield self.taken(part)
