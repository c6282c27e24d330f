"""A sample of records, kept in memory piece by piece."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tincture.arrays import Floats, Integers, Mask
from tincture.privacy.query import Records

ONE = np.float32(1.0).view(np.uint32)


@dataclass(frozen=True, slots=True)
class Packed:
    """A matrix whose columns of zeros and ones take a byte a number; no bit is lost."""

    flags: NDArray[np.uint8]
    numbers: NDArray[np.float32]
    is_flag: Mask

    @classmethod
    def of(cls, matrix: NDArray[np.float32]) -> Packed:
        """Which columns are such is seen from their bits, so that −0 is kept too."""
        raw = np.ascontiguousarray(matrix).view(np.uint32)
        is_flag = ((raw == 0) | (raw == ONE)).all(axis=0)
        return cls(matrix[:, is_flag].astype(np.uint8), matrix[:, ~is_flag], is_flag)

    def take(self, rows: Integers) -> NDArray[np.float32]:
        """Some rows as they were."""
        out = np.empty((len(rows), len(self.is_flag)), dtype=np.float32)
        out[:, self.is_flag] = self.flags[rows]
        out[:, ~self.is_flag] = self.numbers[rows]
        return out


class Kept:
    """Records in pieces, in less than half of their usual memory."""

    def __init__(self) -> None:
        self._pieces: list[tuple[Packed, Packed, Floats]] = []
        self._starts = [0]

    def add(self, records: Records) -> None:
        """Put more behind those that are there."""
        packed = Packed.of(records.points), Packed.of(records.design)
        self._pieces.append((*packed, records.outcomes))
        self._starts.append(len(self) + len(records))

    def extend(self, others: Kept) -> None:
        """Put those of another behind them."""
        self._starts += [len(self) + start for start in others._starts[1:]]
        self._pieces += others._pieces

    def __len__(self) -> int:
        return self._starts[-1]

    def take(self, rows: Integers | slice) -> Records:
        """Some of the records, as they were; their places must rise."""
        places = np.arange(len(self))[rows] if isinstance(rows, slice) else rows
        cuts = np.searchsorted(places, self._starts)
        return Records.joined(
            self._of_piece(i, places[cuts[i] : cuts[i + 1]] - self._starts[i])
            for i in np.flatnonzero(np.diff(cuts)).tolist()
        )

    def _of_piece(self, i: int, places: Integers) -> Records:
        points, design, outcomes = self._pieces[i]
        return Records(points.take(places), design.take(places), outcomes[places])
