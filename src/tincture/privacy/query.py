"""What is asked of records: one vector each, from a record alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tincture.arrays import Floats, Integers


@dataclass(frozen=True, slots=True)
class Records:
    """Encoded records as a query sees them, inside the vault only.

    Attributes
    ----------
    points : ndarray of shape (n, width)
    design : ndarray of shape (n, design_width), NaN where an amount is missing
    outcomes : ndarray of shape (n, outcome width)
    """

    points: NDArray[np.float32]
    design: NDArray[np.float32]
    outcomes: Floats

    def __len__(self) -> int:
        return len(self.outcomes)

    def take(self, rows: Integers | slice) -> Records:
        """Some of the records."""
        return Records(self.points[rows], self.design[rows], self.outcomes[rows])

    @classmethod
    def joined(cls, pieces: Iterable[Records]) -> Records:
        """All of them, one behind the other."""
        every = [(r.points, r.design, r.outcomes) for r in pieces]
        return cls(*(np.concatenate(arrays) for arrays in zip(*every, strict=True)))


@dataclass(frozen=True, slots=True)
class Labels:
    """A column that no query sees, such as the hospital: its values, and each record's (or -1)."""

    names: tuple[str, ...]
    codes: Integers


@dataclass(frozen=True, slots=True)
class Sealed:
    """What a kind of data hands to the vault at its door.

    Attributes
    ----------
    records : Records
    person : ndarray of int64, shape (n,), optional
        Whose each record is; by default each is a unit of its own.
    beside : mapping
        Columns that no query sees, by name.
    form : Any
        How the source was written, such as its column names; it is told to whoever asks, and must
        hold nothing of a record.
    """

    records: Records
    person: Integers | None = None
    beside: Mapping[str, Labels] = field(default_factory=dict)
    form: Any = None


class Query(Protocol):
    """A question about each record, answered only as a noisy sum; to be subclassed."""

    @property
    def question(self) -> str:
        """Its kind, as planned and booked."""

    @property
    def size(self) -> int:
        """Values a record contributes."""

    @property
    def clip(self) -> float:
        """L2 norm C to which a unit's contribution is shrunk."""

    def prepare(self) -> None:
        """Do all that needs no record, such as training models; by default nothing."""
        return

    def contributions(self, records: Records) -> Floats:
        """One vector a record, (n, size); row i depends on record i alone."""
