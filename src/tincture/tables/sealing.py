"""How rows of a table become records: encoded inside the vault."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from tincture.arrays import Floats, Integers
from tincture.errors import TableError
from tincture.io.frames import person_digests, to_columns
from tincture.io.parts import Partitioned
from tincture.privacy.query import Records, Sealed
from tincture.public.encoding import Encoding
from tincture.public.tasks import Task
from tincture.spine.sealing import Sealing

PIECE = 16_384  # records of a part that are encoded at once, which bounds the memory it takes


@dataclass(frozen=True, slots=True)
class TableSealing(Sealing):
    """By which a frame is sealed: the encoding of its features, and the task of its outcomes."""

    encoding: Encoding
    task: Task

    def __call__(self, table: Any) -> Sealed:
        """Encode a pandas or polars frame.

        Raises
        ------
        TableError
            If it disagrees with the schema; never quoting a cell.
        """
        sealed = self.part(table)
        self.task.check_together(sealed.records.outcomes)
        return sealed

    def part(self, table: Any) -> Sealed:
        """Encode a frame of some of the records, which need not have each outcome.

        Raises
        ------
        TableError
        """
        return self.sealed(self.read(table), table)

    def read(self, table: Any) -> Records:
        """Encode a frame of some of the records.

        Raises
        ------
        TableError
        """
        names = [c.name for c in self.encoding.columns]
        values = to_columns(table, self.schema, [*names, *self.task.columns])
        self.task.check(values)
        points, outcomes = self.encoding.encode(values), self.task.outcomes(values)
        return records_of(self.encoding, points, outcomes)

    def parts(self, source: Partitioned) -> Iterator[Sealed]:
        """Encode the parts of a table in turn; what all of them must be is checked at the end.

        Persons are numbered as they appear.

        Raises
        ------
        TableError
            Also if a person has records in two parts.
        """
        ends, persons, key = [], [], secrets.token_bytes(32)
        size = PIECE if self.unit is None else None
        for name, table in source.tables(size, self.schema.dialect):
            told = ""
            try:
                sealed, who = self._part(table, key)
            except TableError as error:  # whose sentence quotes no cell
                told = str(error)
            if told:
                raise TableError(f"In the part {name}: {told}")
            persons.append(who)
            outcomes = sealed.records.outcomes
            ends.append(outcomes[[*outcomes.argmin(axis=0), *outcomes.argmax(axis=0)]])
            yield sealed
        if not persons:
            raise TableError("The parts hold no record; expected one record a row.")
        everyone = np.concatenate(persons)
        if len(np.unique(everyone)) < len(everyone):
            raise TableError(
                f"Some persons ({self.unit!r}) have records in two parts; put all records of a "
                "person into one part."
            )
        self.task.check_together(np.concatenate(ends))

    def _part(self, table: Any, key: bytes) -> tuple[Sealed, Integers]:
        """Some records, and a digest of each person among them."""
        records = Records.joined(self.read(piece) for piece in table.iter_slices(PIECE))
        if self.unit is None:
            return Sealed(records), np.zeros(0, dtype=np.int64)
        found = person_digests(table, self.unit, key, self.schema.missing_of(self.unit))
        who, first, back = np.unique(found, return_index=True, return_inverse=True)
        order = np.argsort(first)
        return Sealed(records, np.argsort(order)[back]), who[order]


def records_of(encoding: Encoding, points: Floats, outcomes: Floats) -> Records:
    """Encoded rows, real or invented, as a vault holds them."""
    design = encoding.design(points).astype(np.float32)
    return Records(points.astype(np.float32), design, outcomes)
