"""Search a table on invented records, which costs no privacy: they can be asked for ever."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tincture.arrays import Floats
from tincture.errors import ModelError, TinctureError
from tincture.kernels.ranking import rank_covariance
from tincture.models.protocol import Model, sketched
from tincture.models.served import Served
from tincture.public.encoding import Encoding
from tincture.public.tasks import Task
from tincture.search.optimizer import Candidates, Estimate, Optimizer, Start
from tincture.tables.realism import Realism, tempered

N_JUDGED = 800  # records looked at in a round
CALIBRATION = 0.1  # weight of squared errors beside ranks
REALISM = 0.1  # weight of the columns' distance from the records'
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
    """

    def __init__(
        self,
        served: Served,
        task: Task,
        encoding: Encoding,
        records: Floats,
        scores: Floats,
    ) -> None:
        self.served = Served([sketched(m) for m in served.models], served.weights)
        self.task, self.encoding = task, encoding
        self.design = encoding.design(records).astype(np.float32)
        self.chance = task.chance(scores)
        self.realism = Realism(encoding, self.design)

    def losses(self, tables: Floats, start: Start, seed: int) -> Floats:
        """Mean loss over the models of tables of prototypes (R, P, width), (R,).

        ``seed`` draws the records that are looked at: new ones in every round, so that no table is
        found that suits a few of them only.
        """
        rng = np.random.default_rng(seed)
        some = rng.choice(len(self.design), min(N_JUDGED, len(self.design)), replace=False)
        judge = Judge(self.task, self.design[some], self.chance[some])
        designs = self.encoding.designs(tables, start.owner, start.outcomes)
        total = REALISM * self.realism.losses(designs)
        for model, weight in self.served:
            for draw in range(model.draws):
                predicted = self._predictions(
                    model, designs, start.outcomes, judge.design, seed + draw
                )
                total += weight / model.draws * judge.loss(predicted)
        return total

    def _predictions(
        self,
        model: Model,
        designs: Floats,
        outcomes: Floats,
        records: NDArray[np.float32],
        seed: int,
    ) -> Floats:
        try:
            fitted = model.fit(designs, outcomes, self.encoding.numeric, seed=seed)
            return fitted.predict(records)
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
        finite = np.nan_to_num(predicted, nan=0.0, posinf=EXTREME, neginf=-EXTREME)
        chances = self.task.chances(finite)
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
        losses = distance.losses(place(candidates.both), start, candidates.seed)
        n_plus = len(candidates.plus)
        state = optimizer.tell(state, candidates, Estimate(losses[:n_plus] - losses[n_plus:], 0.0))
        if (done + 1) * 4 // rounds > done * 4 // rounds:
            kept.append(place(optimizer.result(state)))
    return kept or [place(start.prototypes)]
