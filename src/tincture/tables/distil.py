"""Search a table on invented records, which costs no privacy: they can be asked for ever."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tincture.arrays import Floats
from tincture.errors import ModelError, TinctureError
from tincture.kernels.ranking import rank_covariance
from tincture.models.prepared import Tables, fit_tables
from tincture.models.protocol import Model, sketched
from tincture.models.served import Served
from tincture.public.encoding import Encoding
from tincture.public.tasks import Task
from tincture.search.optimizer import Candidates, Estimate, Optimizer, Start
from tincture.tables.realism import Realism, tempered

N_GLANCED = 800  # records of a first look at many tables
N_JUDGED = 2000  # of a second one at those that passed
N_PASSED = 18  # tables that pass
CALIBRATION = 0.1  # weight of squared errors beside ranks
EXTREME = 30.0  # log hazard that an infinite one counts as


class Distance:
    """How far models trained on a table are from a teacher, on invented records.

    A model's loss is the share of the teacher's discrimination that it lacks, plus a part for
    calibration: 1 − cov(rank(p̂), p)/cov(rank(p), p) + 0.1 · h(E(p̂ − p)²/var p), where h(e) = e up
    to 1 and 2√e − 1 beyond; of amounts, whose errors count, the part is whole. For outcomes that
    the teacher's chances p describe, cov(rank, p) is the gain in AUROC over ½ up to a factor. Of
    several classes it is the mean over each.

    Parameters
    ----------
    served : Served
    task : Task
    encoding : Encoding
    records : ndarray of shape (N, width)
        Invented records, exact points of the encoded cube.
    scores : ndarray of shape (N,) or (N, n_scores)
        The teacher's, of these records.
    glances : bool
        Whether models that are quickly fitted may look at many tables before the others do.
    """

    def __init__(
        self,
        served: Served,
        task: Task,
        encoding: Encoding,
        records: Floats,
        scores: Floats,
        *,
        glances: bool = True,
    ) -> None:
        self.served = Served([sketched(m) for m in served.models], served.weights)
        self.task, self.encoding, self.glances = task, encoding, glances
        self.design = encoding.design(records).astype(np.float32)
        self.chance = task.chance(scores)
        self.realism = Realism(encoding, self.design)

    def differences(self, candidates: Candidates, start: Start) -> Floats:
        """Loss of each table less that of the one they all are set against, (K,).

        Models that are quickly fitted look at all tables first; those that are not among their
        best count as infinitely worse, and all models look at the others.
        """
        plus, seed = candidates.plus, candidates.seed
        passed = np.arange(len(plus))
        scouts = [(m, weight, 1) for m, weight in self.served if getattr(m, "quick", False)]
        if self.glances and len(plus) > N_PASSED and 0 < len(scouts) < len(self.served.models):
            tables = self._tables(plus, start)
            first = self._losses(tables, start.outcomes, scouts, N_GLANCED, seed)
            passed = np.argsort(first, kind="stable")[:N_PASSED]
        losses = self.losses(np.concatenate([plus[passed], candidates.minus]), start, seed)
        differences = np.full(len(plus), np.inf)
        differences[passed] = losses[:-1] - losses[-1]
        return differences

    def nearest(self, starts: Sequence[Start], seed: int = 0) -> Start:
        """The one of least loss."""
        if len(starts) == 1:
            return starts[0]
        return min(starts, key=lambda s: float(self.losses(s.prototypes[None], s, seed)[0]))

    def losses(self, prototypes: Floats, start: Start, seed: int) -> Floats:
        """Mean loss over the models of tables of prototypes (R, P, width), (R,).

        ``seed`` draws the records that are looked at: new ones in every round, so that no table is
        found that suits a few of them only.
        """
        models = [(model, weight, model.draws) for model, weight in self.served]
        tables = self._tables(prototypes, start)
        lacking = self._losses(tables, start.outcomes, models, N_JUDGED, seed)
        return self.realism.losses(tables.candidates) + lacking

    def _tables(self, prototypes: Floats, start: Start) -> Tables:
        """Rows of the tables as models see them."""
        designs = self.encoding.designs(prototypes, start.owner, start.outcomes)
        return Tables(designs, self.encoding.numeric)

    def _losses(
        self,
        tables: Tables,
        outcomes: Floats,
        models: Sequence[tuple[Model, float, int]],
        n_records: int,
        seed: int,
    ) -> Floats:
        """Of some models with their weights and draws, on some records."""
        rng = np.random.default_rng(seed)
        some = rng.choice(len(self.design), min(n_records, len(self.design)), replace=False)
        judge = Judge(self.task, self.design[some], self.chance[some])
        total = np.zeros(len(tables))
        for model, weight, draws in models:
            for draw in range(draws):
                predicted = self._predictions(model, tables, outcomes, judge.design, seed + draw)
                total += weight / draws * judge.loss(predicted)
        return total

    def _predictions(
        self,
        model: Model,
        tables: Tables,
        outcomes: Floats,
        records: NDArray[np.float32],
        seed: int,
    ) -> Floats:
        try:
            return fit_tables(model, tables, outcomes, seed=seed).predict(records)
        except TinctureError:
            raise
        except Exception as error:
            raise ModelError(
                f"The model {model.name!r} failed on invented rows ({type(error).__name__}); it "
                "must fit and predict any complete numeric table of this width."
            ) from error


@dataclass(frozen=True, slots=True)
class Judge:
    """Some of the invented records, and the teacher's chances for them."""

    task: Task
    design: NDArray[np.float32]
    chance: Floats

    def loss(self, predicted: Floats) -> Floats:
        """Of predictions (R, b, n_outputs), (R,)."""
        if not np.isfinite(predicted).all():
            predicted = np.nan_to_num(predicted, nan=0.0, posinf=EXTREME, neginf=-EXTREME)
        chances = self.task.chances(predicted)
        if self.chance.ndim == 1:
            weight = 1.0 if self.task.name == "amounts" else CALIBRATION
            return _lacking(chances, self.chance, weight)
        each = [
            _lacking(chances[..., k], chance, CALIBRATION) for k, chance in enumerate(self.chance.T)
        ]
        return np.asarray(np.mean(each, axis=0))


def _lacking(chances: Floats, true: Floats, weight: float) -> Floats:
    """Of chances (R, b) of one class, beside the teacher's (b,)."""
    best = rank_covariance(true[None], true)[0]
    lacking = 1.0 - rank_covariance(chances, true) / max(best, 1e-12)
    error = np.square(chances - true).mean(axis=1) / max(true.var(), 1e-12)
    return np.asarray(lacking + weight * tempered(error))


def distil(
    distance: Distance,
    optimizer: Optimizer[Any],
    start: Start,
    rounds: int,
    rng: np.random.Generator,
    tick: Callable[[], None] = lambda: None,
    place: Callable[[Floats], Floats] = lambda prototypes: prototypes,
) -> list[Floats]:
    """Follow the distance downhill.

    Parameters
    ----------
    place : callable
        From the optimiser's prototypes (..., P, width) to exact points of the encoded cube.

    Returns
    -------
    tables : list of ndarray of shape (P, width)
        The placed table after each quarter of the rounds, the last one last.
    """
    state = optimizer.init(start)
    kept = []
    for done in range(rounds):
        tick()
        candidates: Candidates = optimizer.ask(state, rng)
        differences = distance.differences(candidates.placed(place), start)
        state = optimizer.tell(state, candidates, Estimate(differences, 0.0))
        if (done + 1) * 4 // rounds > done * 4 // rounds:
            kept.append(place(optimizer.result(state)))
    return kept or [place(start.prototypes)]
