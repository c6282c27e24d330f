"""The vault holds the records and answers one kind of question.

Each protected unit contributes one vector, clipped to L2 norm C; a Poisson sample of units is
summed; Gaussian noise of σC is added; the ledger books it before anything is computed. The proof is
in docs/promise.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tincture.errors import QueryFailed
from tincture.io.frames import has_column, labels, person_codes, to_columns
from tincture.kernels.lattice import to_lattice
from tincture.privacy.accounting import Mechanism
from tincture.privacy.booking import Answer, Entry
from tincture.privacy.ledger import Ledger
from tincture.privacy.noise import discrete_gaussian, poisson_sample
from tincture.privacy.query import Labels, Query, Records
from tincture.public.encoding import Encoding
from tincture.public.schema import Schema
from tincture.public.tasks import Task
from tincture.stays.layout import Stays

Floats = NDArray[np.float64]
GRID = 2**20  # lattice points a clip: fine enough to lose nothing, coarse enough to sum exactly
BLOCK = 4096  # records a query sees at once, which bounds the memory of an answer


class Vault:
    """Real records, behind one primitive.

    Parameters
    ----------
    table : pandas or polars frame
    schema : Schema
    encoding : Encoding
        Of the feature columns.
    task : Task
        Whose outcome columns the table holds.
    ledger : Ledger
    unit : str, optional
        Column that names the person; by default every record is a unit of its own.
    beside : sequence of str
        Columns that are no feature, kept for `disclose_labels` alone; absent ones are empty.
    block : int
        Records a query sees at once; no answer depends on it.

    Raises
    ------
    TableError
        If the table disagrees with the schema; never quoting a cell.
    """

    def __init__(
        self,
        table: Any,
        schema: Schema,
        encoding: Encoding,
        task: Task,
        ledger: Ledger,
        *,
        unit: str | None = None,
        beside: Sequence[str] = (),
        block: int = BLOCK,
    ) -> None:
        values = to_columns(table, schema, [c.name for c in encoding.columns] + [*task.columns])
        task.check(values)
        outcomes = task.outcomes(values)
        person = (
            person_codes(table, unit, schema.missing_of(unit)) if unit else np.arange(len(outcomes))
        )
        points = encoding.encode(values)
        design = encoding.design(points).astype(np.float32)
        records = Records(points.astype(np.float32), design, outcomes)
        order = self._close(records, person, ledger, block)
        self._labels = {n: _labels(table, n, schema.missing_of(n), order) for n in beside}

    @classmethod
    def of_stays(
        cls,
        stays: Stays,
        schema: Schema,
        task: Task,
        ledger: Ledger,
        *,
        unit: str | None = None,
        block: int = BLOCK,
    ) -> Vault:
        """A vault of binned stays; a record's points are its grid and its static columns.

        Raises
        ------
        TableError
            If the outcomes disagree with the schema; never quoting a cell.
        """
        vault = cls.__new__(cls)
        values = to_columns(stays.outcomes, schema, task.columns)
        task.check(values)
        points = stays.layout.points(stays.grid, stays.statics(schema))
        person = np.arange(len(stays))
        if unit is not None:
            person = person_codes(stays.outcomes, unit, schema.missing_of(unit))
        empty = np.zeros((len(stays), 0), dtype=np.float32)
        vault._close(Records(points, empty, task.outcomes(values)), person, ledger, block)
        vault._labels = {}
        return vault

    def _close(
        self, records: Records, person: NDArray[np.int64], ledger: Ledger, block: int = BLOCK
    ) -> NDArray[np.intp]:
        """Keep the records, those of one person together, so that sums by person are of runs."""
        order = np.argsort(person, kind="stable")
        self._records = records.take(order)
        _, self._starts, self._lengths = np.unique(
            person[order], return_index=True, return_counts=True
        )
        self.ledger, self._block = ledger, block
        return order

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
            rate it is not credited in the accounting, so that it may depend on past answers.

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
        if not (0 < share <= 1 and 0 < query.clip < math.inf):
            raise ValueError("the share must lie in (0, 1], and the clip be positive and finite")
        self.ledger.book(Entry(query.question, query.size, query.clip, mechanism))
        rate = mechanism.sampling_rate * share
        total = self._sum(query, rate)
        if total is None:  # raised here and not in the handler, where it would carry its context
            self.ledger.fail()
            raise QueryFailed(
                f"A question of kind {query.question!r} failed inside the vault; its cause stays "
                "there, since it could betray a record. The run is over and its budget spent; try "
                "the models on invented rows before another."
            )
        if mechanism.noise_multiplier > 0:
            total = discrete_gaussian(total, mechanism.noise_multiplier * GRID)
        noise = mechanism.noise_multiplier * query.clip / rate
        answer = Answer(total.astype(np.float64) * (query.clip / GRID / rate), noise)
        self.ledger.keep(answer)
        return answer

    def disclose(self, purpose: str) -> Records:
        """The records themselves, for an in-house look that must not be released; books ε = ∞.

        Raises
        ------
        BudgetError
            If the ledger is that of a release.
        """
        self.ledger.book_disclosure(purpose)
        return self._records

    def disclose_labels(self, name: str, purpose: str) -> Labels:
        """A column kept ``beside`` the records, in their order; books ε = ∞ like `disclose`.

        Raises
        ------
        BudgetError
            If the ledger is that of a release.
        """
        self.ledger.book_disclosure(purpose)
        return self._labels[name]

    def _sum(self, query: Query, rate: float) -> NDArray[np.int64] | None:
        """The exact sum in lattice steps, or None if the query fails."""
        total = np.zeros(query.size, dtype=np.int64)
        stopped = False
        try:
            for records, lengths in self._sampled_blocks(rate):
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

    def _sampled_blocks(self, rate: float) -> Iterator[tuple[Records, NDArray[np.int64]]]:
        """Blocks of whole units from a Poisson sample, each with its units' record counts."""
        units = np.flatnonzero(poisson_sample(len(self._starts), rate))
        if len(units) == 0:
            return
        filled = np.cumsum(self._lengths[units]) // self._block
        for part in np.split(units, np.flatnonzero(np.diff(filled)) + 1):
            lengths = self._lengths[part]
            before = np.repeat(np.cumsum(lengths) - lengths, lengths)
            rows = np.arange(lengths.sum()) - before + np.repeat(self._starts[part], lengths)
            yield self._records.take(rows), lengths


def _labels(table: Any, name: str, missing: Sequence[str], order: NDArray[np.intp]) -> Labels:
    if not has_column(table, name):
        return Labels((), np.full(len(order), -1))
    names, codes = labels(table, name, missing)
    return Labels(tuple(names), codes[order])


def lattice_sum(
    contributions: Floats, lengths: NDArray[np.int64], clip: float
) -> NDArray[np.int64]:
    """Sum clipped unit vectors exactly, in whole lattice steps: of `lattice`, (n_values,)."""
    return np.asarray(lattice(contributions, lengths, clip).sum(axis=0))


def lattice(contributions: Floats, lengths: NDArray[np.int64], clip: float) -> NDArray[np.int64]:
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
