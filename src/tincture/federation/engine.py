"""An engine whose records lie at several sites: it adds up what they send."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tincture.arrays import Floats
from tincture.errors import Refused, ReleaseError
from tincture.federation.books import Share
from tincture.federation.consortium import NOBODY, Consortium
from tincture.federation.masks import new_secret, public_of
from tincture.federation.question import Question
from tincture.federation.site import Site
from tincture.federation.sites import InProcess, Sites
from tincture.privacy.accounting import Mechanism
from tincture.privacy.booking import Answer, Entry
from tincture.privacy.ledger import Ledger
from tincture.privacy.query import Query
from tincture.privacy.vault import GRID, Vault
from tincture.spine.estimator import Releasing
from tincture.spine.questions import CellCounts, told_shares
from tincture.spine.recipe import Sendable
from tincture.spine.weighing import alike

PATIENCE = 600.0  # seconds
BY_SITE = "by_site"  # of a note: what each site's share of the outcome counts says


class FederatedEngine:
    """Asks all sites of a consortium; a `tincture.privacy.engine.Engine`.

    With ``nobody`` trusted each site's share is private by itself, so that k sites add k times the
    variance that one vault would. With h sites trusted each adds an h-th of it under a mask, so
    that only the sum over all says anything.

    Parameters
    ----------
    consortium : Consortium
    job : Sendable
        Made from the consortium's settings.
    sites : Sites
        Its sites, by the same names.
    patience : float
        Seconds that a question may take.
    """

    form = None

    def __init__(
        self,
        consortium: Consortium,
        job: Sendable[Any],
        sites: Sites,
        *,
        patience: float = PATIENCE,
    ) -> None:
        consortium.require(*sites.names, every=True)
        self.ledger = Ledger(
            job.plan(), unit=job.unit, sites=consortium.sites, holders=consortium.holders
        )
        self._consortium, self._job, self._sites = consortium, job, sites
        self._patience, self._was_lost = patience, False
        self._weights = np.ones(len(consortium.sites))

    @classmethod
    def in_process(
        cls,
        estimator: Releasing,
        records: Mapping[str, Any],
        *,
        trust: str = NOBODY,
        balance_sites: bool = False,
    ) -> FederatedEngine:
        """Sites in this process, without books or budgets, from each one's records by its name."""
        secrets = {} if trust == NOBODY else {name: new_secret() for name in records}
        keys = {name: public_of(secret) for name, secret in secrets.items()}
        names = tuple(records)
        consortium = Consortium.of(estimator, names, trust, balance_sites=balance_sites, keys=keys)
        job = consortium.sendable(estimator)

        def site(name: str, source: Any) -> Site:
            ledger = Ledger(job.plan(), unit=job.unit, holders=consortium.holders)
            vault = Vault(job.seal_part, source, ledger)
            return Site(name, consortium, job, vault, secret=secrets.get(name, b""))

        return cls(consortium, job, InProcess([site(*each) for each in records.items()]))

    def answer(self, query: Query, mechanism: Mechanism, *, share: float = 1.0) -> Answer:
        """The sum over the units of all sites, from shares that are added mod 2⁶⁴.

        Raises
        ------
        ReleaseError
            If a site refuses, or two questions in a row found one not answering.
        """
        past = self.ledger.recall(query.question)
        if past is not None and (past.value is not None or not self.ledger.is_caught_up):
            self._was_lost = past.value is None
            for line in self.ledger.notes():
                if isinstance(query, CellCounts) and BY_SITE in line:
                    self._know(query, np.array(line[BY_SITE]), line["noise"])
            return past
        if past is None:
            self.ledger.book(Entry(query.question, query.size, query.clip, mechanism))
        parts = self._ask(query, share)
        if parts is None:
            return Answer(None, math.nan)
        rate = mechanism.sampling_rate * share
        unit = query.clip / rate
        answer = self._sum(query, np.stack(parts), unit / GRID, mechanism.noise_multiplier * unit)
        self.ledger.keep(answer)
        return answer

    def _sum(self, query: Query, parts: Share, unit: float, noise: float) -> Answer:
        """The answer of lattice steps so large, with noise as one site alone would have it."""
        if self._consortium.holders > 1:  # masked, so that nothing but the sum says anything
            total = parts.sum(axis=0, dtype=np.uint64).view(np.int64).astype(np.float64)
            return Answer(total * unit, noise * math.sqrt(len(parts) / self._consortium.holders))
        steps, weights = parts.view(np.int64).astype(np.float64), np.ones(len(parts))
        if isinstance(query, CellCounts):  # weights follow from it, so that sites do not weigh it
            self.ledger.note({BY_SITE: (steps * unit).tolist(), "noise": noise})
            weights = self._know(query, steps * unit, noise)
        return Answer(weights @ steps * unit, noise * float(np.linalg.norm(weights)))

    def _know(self, query: CellCounts, each: Floats, noise: float) -> Floats:
        """Weigh sites by how many units each has, and tell what is known of them, through noise."""
        counts = [query.task.counted(one, noise) for one in each]
        units = np.maximum([one.sum() for one in counts], 0.0)
        if self._consortium.balance_sites and units.any():
            self._weights = alike(units / units.sum())
        self.ledger.by_site = {
            name: {
                "units": max(round(one.sum()), 0),
                **told_shares(query.task, one, noise),
                "weight": round(weight, 4),
            }
            for name, one, weight in zip(self._consortium.sites, counts, self._weights, strict=True)
        }
        return self._weights

    def _ask(self, query: Query, share: float) -> Sequence[Share] | None:
        """The sites' shares; None where the question is lost."""
        number, cohort = len(self.ledger.entries) - 1, self._consortium.sites
        recipe = self._job.recipe_of(query)
        is_weighed = self._consortium.balance_sites and not isinstance(query, CellCounts)
        weights = tuple(self._weights.tolist()) if is_weighed else ()
        question = Question(self._consortium.digest, number, cohort, share, recipe, weights)
        is_refused = False
        try:
            parts = self._sites.ask(question, self._patience)
        except Refused:
            is_refused = True
        if is_refused:
            raise ReleaseError(
                f"A site refuses question {number + 1} of the run ({query.question}); it tells its "
                "own keepers alone why."
            )
        if parts is None:
            if self._was_lost or number == 0:
                raise ReleaseError(
                    f"A site did not answer question {number + 1} of the run ({query.question}) in "
                    f"{self._patience:g} seconds; continue the run when all sites are there."
                )
        elif len(parts) != len(cohort) or any(p.shape != (query.size,) for p in parts):
            raise ReleaseError("A site sent something else than its share; the run ends here.")
        self._was_lost = parts is None
        return parts
