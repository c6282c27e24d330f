"""What a search is given: whom to serve, where to ask, and what the survey told."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tincture.arrays import Floats
from tincture.models.served import Served
from tincture.privacy.accounting import Plan
from tincture.privacy.engine import Engine
from tincture.public.encoding import Encoding
from tincture.public.tasks import Task
from tincture.search.optimizer import Candidates, Estimate, Start
from tincture.spine.questions import ENOUGH_UNITS
from tincture.tables.balance import Balance
from tincture.tables.complete import present
from tincture.tables.marginals import Marginals
from tincture.tables.questions import LossDifferences

MAX_PEOPLE = 1_000_000


@dataclass(frozen=True, slots=True)
class Brief:
    """Public settings, the engine, and the released answers of the survey.

    Attributes
    ----------
    engine : Engine
    task : Task
    marginals : Marginals
        Every column's histogram.
    counts : ndarray
        Noisy counts of the outcome's cells.
    served : Served
        The models that were asked for.
    guarded : Served
        And those that guard realism with them.
    n_rows : int
    effort : float
        Factor of the rounds that cost no privacy.
    balance : str or None
        Column whose groups count alike.
    cohort : int or None
        People to invent beside the rows; as many as there are where it is None, but not more than
        ``most_people``.
    apart : bool
        Whether none of these is made alike to another in all but the outcome.
    complete : bool
        Whether no released cell may be missing.
    """

    engine: Engine
    task: Task
    marginals: Marginals
    counts: Floats
    served: Served
    guarded: Served
    n_rows: int
    effort: float = 1.0
    balance: str | None = None
    cohort: int | None = None
    apart: bool = False
    complete: bool = False
    most_people: int = MAX_PEOPLE

    @property
    def encoding(self) -> Encoding:
        """Of the columns."""
        return self.marginals.encoding

    @property
    def groups(self) -> Balance:
        """How much a record of each group counts."""
        return Balance.of(self.marginals, self.balance)

    @property
    def plan(self) -> Plan:
        """The questions that may be asked."""
        return self.engine.ledger.plan

    @property
    def n_units(self) -> float:
        """How many units there are, as far as the survey told; 1 at least."""
        return max(float(self.counts.sum()), 1.0)

    @property
    def counting(self) -> float:
        """Records that count, through noise, where groups weigh differently."""
        return self.n_units * self.groups.mean

    @property
    def n_people(self) -> int:
        """Of the cohort."""
        return min(round(self.n_units), self.most_people) if self.cohort is None else self.cohort

    def released(self, points: Floats, rng: np.random.Generator | None = None) -> Floats:
        """Exact points as they may be released: without a missing cell if that was asked for."""
        return present(self.marginals, points, rng) if self.complete else points

    def outcomes(self, rng: np.random.Generator) -> Floats:
        """Outcomes of the rows, in the real proportions."""
        return self.task.allot(self.counts, self.n_rows, rng)

    def anchored(self, points: Floats, rng: np.random.Generator) -> Task:
        """The task, comparing records with these invented rows if it compares."""
        outcomes = self.task.allot(self.counts, len(points), rng)
        return self.task.anchored(self.encoding.design(points), outcomes)

    def compare(
        self, served: Served, task: Task, candidates: Candidates, start: Start, clip: float
    ) -> Estimate | None:
        """Mean loss differences on real records; None where a killed run lost the answer."""
        query = LossDifferences(served, task, self.encoding, candidates, start, clip=clip)
        share = min(1.0, ENOUGH_UNITS / self.n_units)
        mechanism = self.plan.mechanism(query.question)
        answer = self.engine.answer(self.groups.of_query(query), mechanism, share=share)
        if answer.value is None:
            return None
        return Estimate(answer.value / self.n_units, answer.noise / self.n_units)
