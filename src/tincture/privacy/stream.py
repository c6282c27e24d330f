"""Records that pass the vault's door part by part, and what is left of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from tincture.arrays import Integers
from tincture.privacy.kept import Kept
from tincture.privacy.query import Query, Sealed


@dataclass(frozen=True, slots=True)
class Passed:
    """What is left of some units that passed.

    Attributes
    ----------
    totals : list of ndarray of int64, or None
        Of each question that opens, the exact sum over all of them; None where it failed.
    kept : Kept
        The records of a sample of them.
    lengths : ndarray of int64, shape (units kept,)
        How many each unit of the sample has.
    n_units : int
        Of all that passed.
    """

    totals: list[Integers | None]
    kept: Kept
    lengths: Integers
    n_units: int


class Passage(Protocol):
    """The vault's door, as whoever brings units to it sees it."""

    def __call__(self, sealed: Sealed, first: int) -> Passed:
        """Take some units through, of which the first has this number."""

    def joined(self, several: Iterable[Passed]) -> Passed:
        """What is left of units that follow each other."""


@dataclass(frozen=True, slots=True)
class Stream:
    """Records that pass part by part, and of which a sample is kept.

    Attributes
    ----------
    passed : callable
        Takes all of them through the passage that the vault hands it, here or elsewhere, and gives
        what is left in the order of the units' numbers. No unit passes in two pieces.
    opening : tuple of Query
        What may be asked of all units; it is counted while they pass, so public settings alone
        make it. All other questions are answered by the sample.
    rate : float
        Probability in (0, 1] with which a unit is kept, by public settings.
    form : Any
        As of `Sealed`.
    """

    passed: Callable[[Passage], Iterable[Passed]]
    opening: tuple[Query, ...]
    rate: float
    form: Any = None


def in_turn(parts: Iterable[Sealed], first: int = 0) -> Callable[[Passage], Iterator[Passed]]:
    """Units that pass one after the other in this process, from this number on."""

    def passed(passage: Passage) -> Iterator[Passed]:
        number = first
        for sealed in parts:
            yield (some := passage(sealed, number))
            number += some.n_units

    return passed


Seal = Callable[[Any], Sealed | Stream]
