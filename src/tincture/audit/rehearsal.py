"""The one-run audit with the questions that a release really asks.

The whole condensing loop runs on invented records, of which a fair coin decides each. The auditor
hears every question and every answer, knows what each canary would add to each, and guesses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tincture.audit.one_run import Bound, bound
from tincture.io.frames import to_frame
from tincture.models.portfolio import default_models, resolve
from tincture.privacy.accounting import Mechanism
from tincture.privacy.booking import Answer
from tincture.privacy.engine import LocalEngine
from tincture.privacy.ledger import Ledger
from tincture.privacy.query import Query, Records
from tincture.privacy.vault import Vault
from tincture.public.encoding import Encoding
from tincture.public.schema import Schema
from tincture.public.tasks import Classification, Task
from tincture.search.optimizer import Progress
from tincture.stays.audit import stays_of
from tincture.stays.condense import condense_series, series_plan
from tincture.stays.layout import Layout
from tincture.stays.sealing import Sealing as StaysSealing
from tincture.tables.condense import condense, usual_plan
from tincture.tables.marginals import Marginals
from tincture.tables.sealing import Sealing

Floats = NDArray[np.float64]
N_ROWS = 20
EFFORT = 0.005  # the free search need not be good: what it asks is what counts


@dataclass(frozen=True, slots=True)
class Heard:
    """One question with its answer."""

    query: Query
    answer: Answer


class ListeningEngine:
    """A local engine whose questions and answers an auditor hears."""

    def __init__(self, vault: Vault) -> None:
        self._engine = LocalEngine(vault)
        self.ledger = vault.ledger
        self.heard: list[Heard] = []

    def answer(self, query: Query, mechanism: Mechanism, *, share: float = 1.0) -> Answer:
        """As the local engine."""
        answer = self._engine.answer(query, mechanism, share=share)
        self.heard.append(Heard(query, answer))
        return answer


def rehearsed(
    schema: Schema,
    task: Task,
    method: str,
    epsilon: float,
    delta: float,
    rng: np.random.Generator,
    *,
    canaries: int = 1000,
    progress: Progress = lambda done, total: None,
) -> Bound:
    """Condense canaries by a method's usual plan and bound the ε that the answers lose.

    Parameters
    ----------
    schema : Schema
        Of features and outcome; all of it public.
    task : Task
    method : {"direct", "proxy"}
    epsilon, delta : float
        The claim, for which the noise is calibrated.
    rng : numpy.random.Generator
        Of canaries, coins and search; the noise has its own source.
    canaries : int
    """
    encoding = Encoding([c for c in schema.columns if c.name not in task.columns])
    everybody = invented(encoding, task, canaries, rng)
    table = to_frame(everybody, schema)
    included = rng.uniform(size=canaries) < 0.5
    ledger = Ledger(usual_plan(epsilon, delta, method))
    seal = Sealing(schema, encoding, task)
    engine = ListeningEngine(Vault(seal, table.filter(included), ledger))
    models = [resolve(default_models(task)[0], task)]
    condense(engine, encoding, task, models, [1.0], N_ROWS, rng, effort=EFFORT, progress=progress)
    known = Vault(seal, table, Ledger.in_house()).disclose(
        "invented canaries"
    )
    return bound(evidence(engine.heard, known), included, epsilon, delta)


def rehearsed_stays(
    schema: Schema,
    layout: Layout,
    task: Classification,
    epsilon: float,
    delta: float,
    rng: np.random.Generator,
    *,
    canaries: int = 1000,
) -> Bound:
    """The same for stays, of which each keeps to one value of each variable from the start.

    Such stays overlap little: all their time lies in one cell a variable.

    Parameters
    ----------
    schema, layout
        Of variables, static columns and outcome.
    task, epsilon, delta, rng, canaries
        As for `rehearsed`.
    """
    grid = np.repeat(rng.random((canaries, 1, layout.shape[1])), layout.n_bins, axis=1)
    statics = np.zeros((canaries, 0))
    if layout.statics is not None:
        flat = Marginals.flat(layout.statics)
        statics = flat.place(flat.draw(canaries, rng))
    points = layout.points(grid.astype(np.float32), statics)
    outcomes = task.allot(np.ones(task.n_cells), canaries, rng)
    included = rng.uniform(size=canaries) < 0.5

    def vault(who: NDArray[np.bool_], ledger: Ledger) -> Vault:
        stays = stays_of(points[who], outcomes[who], layout, schema, task)
        return Vault(StaysSealing(schema, task), stays, ledger)

    engine = ListeningEngine(vault(included, Ledger(series_plan(epsilon, delta))))
    condense_series(engine, layout, task, N_ROWS, rng)
    everyone = vault(np.ones(canaries, dtype=bool), Ledger.in_house())
    known = everyone.disclose("invented canaries")
    return bound(evidence(engine.heard, known), included, epsilon, delta)


def invented(
    encoding: Encoding, task: Task, size: int, rng: np.random.Generator
) -> dict[str, NDArray[np.generic]]:
    """Records spread evenly over what the schema allows, outcomes too."""
    flat = Marginals.flat(encoding)
    points = flat.place(flat.draw(size, rng))
    outcomes = task.allot(np.ones(task.n_cells), size, rng)
    return {**encoding.decode(points), **task.values(outcomes)}


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
