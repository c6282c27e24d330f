"""Search a table on invented records, which costs no privacy: they can be asked for ever."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tincture.encoding import Encoding
from tincture.errors import ModelError, TinctureError
from tincture.kernels.ranking import rank_covariance
from tincture.models import Model, sketched
from tincture.search import Candidates, Estimate, Optimizer, Start
from tincture.tasks import Task

Floats = NDArray[np.float64]
CALIBRATION = 0.1  # weight of squared errors beside ranks
EXTREME = 30.0  # log hazard that an infinite one counts as
WORST = 3.0  # squared error, in units of the teacher's variance, beyond which all is equally bad


class Distance:
    """How far models trained on a table are from a teacher, on invented records.

    A model's loss is the share of the teacher's discrimination that it lacks, plus a part for
    calibration: 1 − cov(rank(p̂), p)/cov(rank(p), p) + 0.1 · min(E(p̂ − p)²/var p, 3). For outcomes
    that the teacher's chances p describe, cov(rank, p) is the gain in AUROC over ½ up to a factor.

    Parameters
    ----------
    models : sequence of Model
    weights : sequence of float
        Of the models, summing to 1.
    task : Task
    encoding : Encoding
    records : ndarray of shape (N, width)
        Invented records, exact points of the encoded cube.
    scores : ndarray of shape (N,)
        The teacher's, of these records.
    """

    def __init__(
        self,
        models: Sequence[Model],
        weights: Sequence[float],
        task: Task,
        encoding: Encoding,
        records: Floats,
        scores: Floats,
    ) -> None:
        self.models = [sketched(m) for m in models]
        self.weights, self.task, self.encoding = weights, task, encoding
        self.design = encoding.design(records).astype(np.float32)
        self.chance = task.chance(scores)
        self._best = rank_covariance(self.chance[None], self.chance)[0]
        self._variance = float(self.chance.var())

    def losses(self, tables: Floats, start: Start, seed: int) -> Floats:
        """Mean loss over the models of tables of prototypes (R, P, width), (R,)."""
        designs = self.encoding.design(tables)[:, start.owner]
        total = np.zeros(len(tables))
        for model, weight in zip(self.models, self.weights, strict=True):
            for draw in range(model.draws):
                predicted = self._predictions(model, designs, start.outcomes, seed + draw)
                total += weight / model.draws * self._loss(predicted)
        return total

    def _predictions(self, model: Model, designs: Floats, outcomes: Floats, seed: int) -> Floats:
        try:
            fitted = model.fit(designs, outcomes, self.encoding.numeric, seed=seed)
            return fitted.predict(self.design)
        except TinctureError:
            raise
        except Exception as error:
            raise ModelError(
                f"The model {model.name!r} failed on invented rows ({type(error).__name__}); it "
                "must fit and predict any complete numeric table of this width."
            ) from error

    def _loss(self, predicted: Floats) -> Floats:
        finite = np.nan_to_num(predicted, nan=0.0, posinf=EXTREME, neginf=-EXTREME)
        chances = self.task.chances(finite)
        lacking = 1.0 - rank_covariance(chances, self.chance) / max(self._best, 1e-12)
        error = np.square(chances - self.chance).mean(axis=1) / max(self._variance, 1e-12)
        return np.asarray(lacking + CALIBRATION * np.minimum(error, WORST))


def distil(
    distance: Distance,
    optimizer: Optimizer[Any],
    start: Start,
    rounds: int,
    rng: np.random.Generator,
    tick: Callable[[], None] = lambda: None,
) -> list[Floats]:
    """Follow the distance downhill.

    Returns
    -------
    tables : list of ndarray of shape (P, width)
        The present table after each eighth of the rounds, the last one last.
    """
    state = optimizer.init(start)
    kept = []
    for done in range(rounds):
        tick()
        candidates: Candidates = optimizer.ask(state, rng)
        both = np.concatenate([candidates.plus, candidates.minus])
        losses = distance.losses(both, start, candidates.seed)
        n_plus = len(candidates.plus)
        state = optimizer.tell(state, candidates, Estimate(losses[:n_plus] - losses[n_plus:], 0.0))
        if (done + 1) * 8 // rounds > done * 8 // rounds:
            kept.append(optimizer.result(state))
    return kept or [start.prototypes]
