"""One run, from records to a release, whatever the records are."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from tincture.privacy.engine import LocalEngine, Replaying
from tincture.privacy.ledger import Ledger
from tincture.privacy.vault import Vault
from tincture.spine.job import SILENT, Job, Made, Tell
from tincture.spine.run import Run


def condense(
    job: Job[Made],
    source: Any,
    seed: int = 0,
    *,
    journal: str | Path | None = None,
    budget: str | Path | None = None,
    tell: Tell = SILENT,
) -> Made:
    """Condense a source of records.

    Parameters
    ----------
    job : Job
    source : Any
        What ``job.seal`` takes.
    seed : int
        Of the search, and at ε = ∞ of who takes part in a question; the noise takes none.
    journal, budget : path, optional
        As for `tincture.Condenser.fit`.
    tell : Tell

    Raises
    ------
    TinctureError
        All but `BudgetError` and `QueryFailed` before any privacy is spent.
    """
    ledger = Ledger(job.plan(), unit=job.unit)
    key = None if math.isfinite(ledger.plan.epsilon) else b"%d" % seed
    vault = Vault(job.seal, source, ledger, key=key)
    job.rehearse()
    engine = Replaying(LocalEngine(vault))
    with Run(job.digest(), journal, budget) as run:
        run.start(engine.ledger)
        tell.notice(job.expectation())
        found = job.search(engine, np.random.default_rng(seed), tell)
    return job.release(found, engine.form, engine.ledger)
