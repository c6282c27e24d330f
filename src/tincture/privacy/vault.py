"""The vault holds the records and answers one kind of question.

Each protected unit contributes one vector, clipped to L2 norm C; a Poisson sample of units is
summed; Gaussian noise of σC is added; the ledger books it before anything is computed. The proof is
in docs/promise.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tincture.arrays import Floats, Integers, Mask
from tincture.errors import QueryFailed
from tincture.kernels.lattice import to_lattice
from tincture.privacy.accounting import Mechanism
from tincture.privacy.booking import Answer, Entry
from tincture.privacy.kept import Kept
from tincture.privacy.ledger import Ledger
from tincture.privacy.noise import discrete_gaussian, fresh_key, poisson_sample
from tincture.privacy.query import Labels, Query, Records, Sealed
from tincture.privacy.stream import Passed, Seal, Stream
from tincture.privacy.units import Units

GRID = 2**20  # lattice points a clip: fine enough to lose nothing, coarse enough to sum exactly
BLOCK = 4096  # records a query sees at once, and values that it gives: they bound the memory
VALUES = 1_000_000


class Vault:
    """Real records, behind one primitive.

    Parameters
    ----------
    seal : callable
        Encodes the source, in here; see `tincture.privacy.query.Sealed` and `Stream`.
    source : Any
        What ``seal`` takes, such as a frame.
    ledger : Ledger
    block : int
        Records a query sees at once; no answer depends on it.
    key : bytes, optional
        Of the coins by which units are sampled, so that a run that promises nothing (ε = ∞) can be
        repeated. Any other takes one from the system, and tells it to nobody.

    Attributes
    ----------
    ledger : Ledger
    form : Any
        How the source was written.
    has_persons : bool
        Whether a unit may have several records.

    Raises
    ------
    TableError
        If the source disagrees with the schema; never quoting a cell.
    """

    def __init__(
        self,
        seal: Seal,
        source: Any,
        ledger: Ledger,
        *,
        block: int = BLOCK,
        key: bytes | None = None,
    ) -> None:
        if key is not None and math.isfinite(ledger.plan.epsilon):
            raise ValueError("a run that promises something takes its coins from the system")
        self._key, self._block = key or fresh_key(), block
        self._opening, self._totals = tuple[Query, ...](), list[Integers | None]()
        self._kept, sealed = 1.0, seal(source)
        self.ledger, self.form, self.has_persons = ledger, sealed.form, False
        if isinstance(sealed, Stream):
            self._kept, self._opening = sealed.rate, sealed.opening
            door = Door(sealed.opening, sealed.rate, self._key + b"kept", block)
            passed = door.joined(sealed.passed(door))
            self._totals, self._units = passed.totals, Units(passed.kept, passed.lengths)
        else:
            self._units, self.has_persons = Units.of(sealed), sealed.person is not None

    def noisy_sum(self, query: Query, mechanism: Mechanism, *, share: float = 1.0) -> Answer:
        """Answer a query: the sum over units of their clipped contributions, plus noise.

        A person with several records contributes their mean. A non-finite value counts as 0.

        Parameters
        ----------
        query : Query
        mechanism : Mechanism
            Noise multiplier σ and sampling rate q; the noise has standard deviation σC.
        share : float
            Let only this random share of the units take part, to save time. Unlike the sampling
            rate it is not credited in the accounting, so that it may depend on past answers. Nor is
            the rate at which a stream was sampled, beyond which no share goes.

        Returns
        -------
        Answer
            The noisy sum divided by q and the share, so that it estimates the sum over all units.

        Raises
        ------
        BudgetError
            If the plan does not allow the question; nothing is computed then.
        QueryFailed
            If the query fails, without values or cause.
        """
        total, rate = self._asked(query, mechanism, share, 1)
        noise = mechanism.noise_multiplier * query.clip / rate
        answer = Answer(total.astype(np.float64) * (query.clip / GRID / rate), noise)
        self.ledger.keep(answer)
        return answer

    def share_of(
        self, query: Query, mechanism: Mechanism, *, share: float = 1.0, holders: int = 1
    ) -> NDArray[np.uint64]:
        """One site's part of a sum over several: its own sum and noise, in lattice steps.

        Parts are added mod 2⁶⁴; `tincture.federation.engine` scales what comes out.

        Parameters
        ----------
        query, mechanism, share
            As of `noisy_sum`; the share is one number for all sites.
        holders : int
            Sites whose noise together makes up σ: the deviation is σC/√holders. With 1 the part is
            private by itself; with more it must leave the site under a mask alone.

        Returns
        -------
        ndarray of uint64, shape (query.size,)
            Whole numbers mod 2⁶⁴.

        Raises
        ------
        BudgetError, QueryFailed
            As `noisy_sum`.
        """
        if holders < 1 or self._kept < 1:
            raise ValueError("expected one holder at least, and records that are not a sample")
        return self._asked(query, mechanism, share, holders)[0].view(np.uint64)

    def _asked(
        self, query: Query, mechanism: Mechanism, share: float, holders: int
    ) -> tuple[Integers, float]:
        """Book, add up, add noise: whole lattice steps, and the rate at which units took part."""
        if not (0 < share <= 1 and 0 < query.clip < math.inf):
            raise ValueError("the share must lie in (0, 1], and the clip be positive and finite")
        self.ledger.book(Entry(query.question, query.size, query.clip, mechanism))
        is_of_all = query in self._opening and mechanism.sampling_rate * share == 1
        kept = 1.0 if is_of_all else self._kept
        rate = mechanism.sampling_rate * min(1.0, share / kept)
        total = self._total(query) if is_of_all else self._sum(query, rate)
        if total is None:  # raised here and not in the handler, where it would carry its context
            self.ledger.fail()
            raise QueryFailed(
                f"A question of kind {query.question!r} failed inside the vault; its cause stays "
                "there, since it could betray a record. The run is over and its budget spent; try "
                "the models on invented rows before another."
            )
        if mechanism.noise_multiplier > 0:
            scale = mechanism.noise_multiplier * GRID / math.sqrt(holders)
            total = self._noised(total, scale)
        return total, rate * kept

    def disclose(self, purpose: str) -> Records:
        """The records themselves, for an in-house look that must not be released; books ε = ∞.

        Raises
        ------
        BudgetError
            If the ledger is that of a release.
        """
        self.ledger.book_disclosure(purpose)
        return self._units.records.take(slice(None))

    def disclose_persons(self, purpose: str) -> Integers:
        """Whose each record is, in their order; books ε = ∞ like `disclose`."""
        self.ledger.book_disclosure(purpose)
        return np.repeat(np.arange(len(self._units)), self._units.lengths)

    def disclose_labels(self, name: str, purpose: str) -> Labels:
        """A column kept ``beside`` the records, in their order; books ε = ∞ like `disclose`."""
        self.ledger.book_disclosure(purpose)
        return self._units.labels[name]

    def _noised(self, total: Integers, scale: float) -> Integers:
        """With fresh noise of this standard deviation; a method, so that audits can weaken it."""
        return discrete_gaussian(total, scale)

    def _sample(self, size: int, rate: float) -> Mask:
        """Which units take part; new coins for every question."""
        return poisson_sample(size, rate, self._key + b"%d asked" % len(self.ledger.entries))

    def _sum(self, query: Query, rate: float) -> Integers | None:
        """The exact sum over a sample in lattice steps, or None if the query fails."""
        return exact_sum(query, self._sampled_blocks(rate, query.size))

    def _total(self, query: Query) -> Integers | None:
        """The exact sum over all units of a stream, likewise."""
        return self._totals[self._opening.index(query)]

    def _sampled_blocks(self, rate: float, size: int = 1) -> Iterator[tuple[Records, Integers]]:
        """Blocks of whole units from a Poisson sample, each with its units' record counts."""
        units = np.flatnonzero(self._sample(len(self._units), rate))
        return self._units.blocks(units, at_once(self._block, size))


@dataclass(frozen=True, slots=True)
class Door:
    """How units pass the door: what is asked of all is added up, and a sample is kept.

    It is a function of the units and their numbers alone: it books nothing, draws nothing and
    remembers nothing, so wherever and however often some units are taken through, what is left of
    them is the same. Whoever runs it sees records, and is a part of the vault.

    Parameters
    ----------
    opening : tuple of Query
    rate : float
        With which a unit is kept.
    key : bytes
        Of the coins for that.
    block : int
        As of `Vault`.
    """

    opening: tuple[Query, ...]
    rate: float
    key: bytes = field(repr=False)
    block: int = BLOCK

    def __call__(self, sealed: Sealed, first: int) -> Passed:
        """Take some units through, of which the first has this number."""
        units, kept = Units.of(sealed), Kept()
        everyone = np.arange(len(units))
        totals = [
            exact_sum(query, units.blocks(everyone, at_once(self.block, query.size)))
            for query in self.opening
        ]
        coins = poisson_sample(len(units), self.rate, self.key, first)
        records, lengths = units.taken(np.flatnonzero(coins))
        kept.add(records)
        return Passed(totals, kept, lengths, len(units))

    def joined(self, several: Iterable[Passed]) -> Passed:
        """What is left of units that follow each other; a sum that fails stays so."""
        totals: list[Integers | None] = [np.zeros(q.size, dtype=np.int64) for q in self.opening]
        kept, lengths, n_units = Kept(), [np.zeros(0, dtype=np.int64)], 0
        for some in several:
            both = zip(totals, some.totals, strict=True)
            totals = [None if a is None or b is None else a + b for a, b in both]
            kept.extend(some.kept)
            lengths.append(some.lengths)
            n_units += some.n_units
        return Passed(totals, kept, np.concatenate(lengths), n_units)


def at_once(block: int, size: int) -> int:
    """Records of a block, of which each gives so many values."""
    return max(1, min(block, VALUES // max(size, 1)))


def exact_sum(query: Query, blocks: Iterable[tuple[Records, Integers]]) -> Integers | None:
    """The sum over whole units in lattice steps, or None if the query fails."""
    total, stopped = np.zeros(query.size, dtype=np.int64), False
    try:
        for records, lengths in blocks:
            vectors = query.contributions(records)
            if vectors.shape != (len(records), query.size):
                return None
            total += lattice_sum(vectors, lengths, query.clip)
    except KeyboardInterrupt:
        stopped = True
    except BaseException:  # also an exit or a foreign panic, whose text could quote a record
        return None
    if stopped:  # by a person; in the handler it would carry what a model was failing at
        raise KeyboardInterrupt
    return total


def lattice_sum(contributions: Floats, lengths: Integers, clip: float) -> Integers:
    """Sum clipped unit vectors exactly, in whole lattice steps: of `lattice`, (n_values,)."""
    return np.asarray(lattice(contributions, lengths, clip).sum(axis=0))


def lattice(contributions: Floats, lengths: Integers, clip: float) -> Integers:
    """Each unit's vector: the mean of its records', clipped, in whole steps of clip / 2²⁰.

    Parameters
    ----------
    contributions : ndarray of shape (n_records, n_values)
        One vector a record; the records of a unit lie together.
    lengths : ndarray of int64, shape (n_units,)
        Records of each unit.
    clip : float
        L2 norm C.

    Returns
    -------
    ndarray of int64, shape (n_units, n_values)
        Rounding is towards 0, so that no unit's lattice vector is longer than 2²⁰ steps. A unit's
        depends on its own records alone, to the last step.
    """
    # A hair inside the ball: floating-point rounding may not lift a vector over the clip.
    return to_lattice(contributions, lengths, clip, GRID * (1 - 1e-12))
