"""The one-run audit with the questions that a release really asks.

The whole condensing loop runs on invented records, of which a fair coin decides each. The auditor
hears every question and every answer, knows what each canary would add to each, and guesses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tincture.arrays import Floats
from tincture.audit.one_run import Bound, bound
from tincture.privacy.accounting import Mechanism
from tincture.privacy.booking import Answer
from tincture.privacy.engine import Engine, LocalEngine
from tincture.privacy.ledger import Ledger
from tincture.privacy.query import Query, Records, Sealed
from tincture.privacy.vault import Vault
from tincture.search.optimizer import Progress
from tincture.spine.job import Job, Tell


@dataclass(frozen=True, slots=True)
class Heard:
    """One question with its answer."""

    query: Query
    answer: Answer


class Listening:
    """Another engine, whose questions and answers an auditor hears."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.ledger, self.form = engine.ledger, engine.form
        self.heard: list[Heard] = []

    def answer(self, query: Query, mechanism: Mechanism, *, share: float = 1.0) -> Answer:
        """As the other engine."""
        answer = self._engine.answer(query, mechanism, share=share)
        self.heard.append(Heard(query, answer))
        return answer


def rehearsed(
    job: Job[Any],
    canaries: Records,
    rng: np.random.Generator,
    *,
    vault: type[Vault] = Vault,
    progress: Progress = lambda done, total: None,
) -> Bound:
    """Search canaries as a job would and bound the ε that the answers lose.

    Parameters
    ----------
    job : Job
        Whose plan claims ε and δ; its free search may be short: what it asks is what counts.
    canaries : Records
        Invented, each a unit of its own.
    rng : numpy.random.Generator
        Of coins and search; the noise has its own source.
    vault : type
        That is audited.
    """
    plan = job.plan()
    included = rng.uniform(size=len(canaries)) < 0.5
    present = Sealed(canaries.take(np.flatnonzero(included)))
    engine = Listening(LocalEngine(vault(lambda _: present, None, Ledger(plan))))
    job.search(engine, rng, Tell(progress))
    return bound(evidence(engine.heard, canaries), included, plan.epsilon, plan.delta)


def evidence(heard: Sequence[Heard], canaries: Records) -> Floats:
    """How much all answers together speak for each canary, (m,).

    With every answer divided by its noise, fair and independent coins give mean ½ Σ w_i and
    covariance ¼ Σ w_i w_iᵀ + I; the score is the linear discriminant w_iᵀ Cov⁻¹ (answer − mean),
    computed among the m canaries.
    """
    products = np.zeros((len(canaries), len(canaries)))
    along = np.zeros(len(canaries))
    for question, answer in ((h.query, h.answer) for h in heard):
        if answer.value is None:
            continue
        noise = max(answer.noise, 1e-6 * question.clip)
        vectors = clipped(question.contributions(canaries), question.clip) / noise
        products += vectors @ vectors.T
        along += vectors @ (answer.value / noise - vectors.sum(axis=0) / 2)
    return np.asarray(np.linalg.solve(products / 4 + np.eye(len(canaries)), along))


def clipped(vectors: Floats, clip: float) -> Floats:
    """As the vault clips, but for its lattice."""
    finite = np.where(np.isfinite(vectors), vectors, 0.0)
    norms = np.linalg.norm(finite, axis=1, keepdims=True)
    return np.asarray(finite * np.minimum(1.0, clip / np.maximum(norms, 1e-300)))
