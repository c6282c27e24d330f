"""How a table in parts passes the vault: one after the other here, or by several workers."""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate
from typing import NamedTuple, TypeVar

import numpy as np
import polars as pl

from tincture.arrays import Floats, Integers
from tincture.errors import TableError
from tincture.io.cluster import opened
from tincture.io.frames import person_digests
from tincture.io.parts import Part, Partitioned
from tincture.privacy.query import Records, Sealed
from tincture.privacy.stream import Passage, Passed, in_turn
from tincture.tables.sealing import TableSealing

PIECE = 16_384  # records of a part that are encoded at once, which bounds the memory it takes
T = TypeVar("T")
NOBODY = np.zeros(0, dtype=np.int64)


class Seen(NamedTuple):
    """What is remembered of some records until all are seen.

    Attributes
    ----------
    n_records : int
    n_units : int
    who : ndarray of int64
        A digest of each person among them.
    ends : ndarray of shape (n, outcome width), optional
        Outcomes, of which each column's least and greatest are among them.
    """

    n_records: int
    n_units: int
    who: Integers
    ends: Floats | None = None


@dataclass(frozen=True, slots=True)
class Number:
    """How many records there may be.

    Parameters
    ----------
    least : int
        Rows to make, of which there must be more.
    is_asked : bool
        Whether a person asked for so many rows.
    most : float
        For which the memory is meant.
    """

    least: int = 0
    is_asked: bool = False
    most: float = math.inf

    def refuse_few(self, n_records: int) -> None:
        """Raise a `TableError` if there are too few."""
        if n_records <= self.least:
            raise TableError(
                f"The table has no more records than the {self.least} rows "
                f"{'asked for' if self.is_asked else 'made at least'}; condensing "
                "needs many times more records than rows."
            )

    def refuse_many(self, n_records: int) -> None:
        """Raise a `TableError` if there are too many."""
        if n_records > self.most:
            raise TableError(
                "The parts hold more than twice as many records as was said (--about); say "
                "about how many there are."
            )


@dataclass(frozen=True, slots=True)
class Sealer:
    """Seals the parts of a table, one by one; with a part, it is all that a worker needs.

    Parameters
    ----------
    sealing : TableSealing
    key : bytes
        Of the digests of persons, which are alike in all parts under it.
    """

    sealing: TableSealing
    key: bytes = field(repr=False, default_factory=partial(secrets.token_bytes, 32))

    def sealed(self, part: Part) -> Iterator[tuple[Sealed, Seen]]:
        """The records of a part, those of a person in one piece.

        Raises
        ------
        TableError
            If it cannot be read, or disagrees with the schema.
        """
        size = PIECE if self.sealing.unit is None else None
        for table in part.tables(size, self.sealing.schema.dialect):
            yield _in_part(part, self._sealed, table)

    def measured(self, part: Part) -> Seen:
        """All that is remembered of a part but its outcomes, which need more time.

        Raises
        ------
        TableError
        """
        if self.sealing.unit is None:
            n_records = part.count(self.sealing.schema.dialect)
            return Seen(n_records, n_records, NOBODY)
        seen = []
        for table in part.tables(None, self.sealing.schema.dialect):
            who = np.unique(_in_part(part, self._digests, table))
            seen.append(Seen(len(table), len(who), who))
        return _joined(seen)

    def passed(self, passage: Passage, numbered: tuple[Part, int]) -> tuple[Passed, Seen]:
        """What is left of a part, whose first unit has this number, and what is remembered.

        Raises
        ------
        TableError
        """
        (part, first), seen = numbered, list[Seen]()
        pieces = in_turn(_noted(self.sealed(part), seen), first)
        return passage.joined(pieces(passage)), _joined(seen)

    def _sealed(self, table: pl.DataFrame) -> tuple[Sealed, Seen]:
        records = Records.joined(self.sealing.read(piece) for piece in table.iter_slices(PIECE))
        outcomes, n_records = records.outcomes, len(records)
        ends = outcomes[[*outcomes.argmin(axis=0), *outcomes.argmax(axis=0)]]
        if self.sealing.unit is None:
            return Sealed(records), Seen(n_records, n_records, NOBODY, ends)
        found = self._digests(table)
        who, first, back = np.unique(found, return_index=True, return_inverse=True)
        person = np.argsort(np.argsort(first))[back]  # numbered as they appear
        return Sealed(records, person), Seen(n_records, len(who), who, ends)

    def _digests(self, table: pl.DataFrame) -> Integers:
        unit = str(self.sealing.unit)
        return person_digests(table, unit, self.key, self.sealing.schema.missing_of(unit))


@dataclass(frozen=True, slots=True)
class TableParts:
    """A table in parts that is to pass a vault.

    Parameters
    ----------
    source : Partitioned
    sealer : Sealer
    number : Number
    """

    source: Partitioned
    sealer: Sealer
    number: Number = Number()

    def passed(self, passage: Passage) -> Iterator[Passed]:
        """What is left of the parts in their order; of a `tincture.privacy.stream.Stream`.

        Raises
        ------
        TableError
            If a part cannot be read or disagrees with the schema, if a person has records in two
            parts, or if all parts together are not what a table must be.
        SettingError
            If workers are wanted that cannot be had.
        """
        return self._by_workers(passage) if self.source.is_spread else self._here(passage)

    def _here(self, passage: Passage) -> Iterator[Passed]:
        """In one pass of this process; what all parts must be is checked at its end."""
        seen: list[Seen] = []
        yield from in_turn(_noted(self._pieces(), seen))(passage)
        self._check_units(seen)
        self._check_outcomes(seen)

    def _pieces(self) -> Iterator[tuple[Sealed, Seen]]:
        parts, n_records = self.source.listed(), 0
        for done, part in enumerate(parts):
            self.source.tell(done, len(parts))
            for sealed, seen in self.sealer.sealed(part):
                n_records += seen.n_records
                self.number.refuse_many(n_records)
                yield sealed, seen

    def _by_workers(self, passage: Passage) -> Iterator[Passed]:
        """In two passes: coins follow from the numbers of units, which the first one finds."""
        parts, seen = self.source.listed(), list[Seen]()
        with opened(self.source.workers, self.source.scheduler) as workers:
            for done, measured in enumerate(workers.each(self.sealer.measured, parts), 1):
                self.source.tell(done, 2 * len(parts))
                seen.append(measured)
            self._check_units(seen)
            firsts = list(accumulate((some.n_units for some in seen), initial=0))
            numbered = list(zip(parts, firsts[:-1], strict=True))
            task = partial(self.sealer.passed, passage)
            for i, (left, again) in enumerate(workers.each(task, numbered)):
                self.source.tell(len(parts) + i + 1, 2 * len(parts))
                if again.n_units != seen[i].n_units:
                    raise TableError(f"The part {parts[i].name} changed while it was read.")
                seen[i] = again
                yield left
        self._check_outcomes(seen)

    def _check_units(self, seen: Sequence[Seen]) -> None:
        n_records, everyone = sum(s.n_records for s in seen), [s.who for s in seen]
        if n_records == 0:
            raise TableError("The parts hold no record; expected one record a row.")
        self.number.refuse_many(n_records)
        who = np.concatenate(everyone)
        if len(np.unique(who)) < len(who):
            raise TableError(
                f"Some persons ({self.sealer.sealing.unit!r}) have records in two parts; put all "
                "records of a person into one part."
            )
        self.number.refuse_few(n_records)

    def _check_outcomes(self, seen: Sequence[Seen]) -> None:
        ends = [some.ends for some in seen if some.ends is not None]
        self.sealer.sealing.task.check_together(np.concatenate(ends))


def _noted(pieces: Iterator[tuple[Sealed, Seen]], seen: list[Seen]) -> Iterator[Sealed]:
    """Pieces alone, while what is to be remembered of each is written down."""
    for sealed, some in pieces:
        seen.append(some)
        yield sealed


def _joined(seen: Sequence[Seen]) -> Seen:
    """Of several pieces."""
    who, ends = [s.who for s in seen], [s.ends for s in seen if s.ends is not None]
    return Seen(
        sum(s.n_records for s in seen),
        sum(s.n_units for s in seen),
        np.concatenate([NOBODY, *who]),
        np.concatenate(ends) if ends else None,
    )


def _in_part(part: Part, read: Callable[[pl.DataFrame], T], table: pl.DataFrame) -> T:
    """What is read of a table, or the sentence why it is not, which quotes no cell."""
    try:
        return read(table)
    except TableError as error:
        told = str(error)
    raise TableError(f"In the part {part.name}: {told}")
