"""One run, from records to a release, whatever the records are."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from tincture.privacy.accounting import weakness
from tincture.privacy.engine import Engine, LocalEngine, Replaying
from tincture.privacy.ledger import Ledger
from tincture.privacy.vault import Vault
from tincture.spine.job import SILENT, Job, Made, Tell
from tincture.spine.run import Run


def condense(
    job: Job[Made],
    source: Any,
    seed: int = 0,
    *,
    engine: Engine | None = None,
    journal: str | Path | None = None,
    budget: str | Path | None = None,
    tell: Tell = SILENT,
) -> Made:
    """Condense a source of records, or what an engine answers of records elsewhere.

    Parameters
    ----------
    job : Job
    source : Any
        What ``job.seal`` takes; nothing where an engine is given.
    seed : int
        Of the search, and at ε = ∞ of who takes part in a question; the noise takes none.
    engine : Engine, optional
        That asks elsewhere, and recalls what a journal holds by itself.
    journal, budget : path, optional
        As for `tincture.Condenser.fit`.
    tell : Tell

    Raises
    ------
    TinctureError
        All but `BudgetError` and `QueryFailed` before any privacy is spent.
    """
    engine = engine or _here(job, source, seed)
    job.rehearse()
    with Run(job.digest(), journal, budget) as run:
        run.start(engine.ledger)
        tell.notice(job.expectation())
        if warning := weakness(engine.ledger.plan.epsilon, engine.ledger.plan.delta):
            tell.notice(warning)
        found = job.search(engine, np.random.default_rng(seed), tell)
    return job.release(found, engine.form, engine.ledger)


def _here(job: Job[Made], source: Any, seed: int) -> Engine:
    """A vault of one's own, after the journal."""
    ledger = Ledger(job.plan(), unit=job.unit)
    key = None if math.isfinite(ledger.plan.epsilon) else b"%d" % seed
    return Replaying(LocalEngine(Vault(job.seal, source, ledger, key=key)))
