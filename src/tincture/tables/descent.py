"""The direct method: every step of the search is a question about real records (the paper's)."""

from __future__ import annotations

import math

import numpy as np

from tincture.arrays import Floats
from tincture.search.directions import Directions
from tincture.search.optimizer import Progress, Start
from tincture.spine.job import Found
from tincture.tables.brief import Brief
from tincture.tables.questions import LossDifferences
from tincture.tables.starts import scattered, tied

N_ANCHORS = 1000
N_PAIRS = 64
CLIP_A_PAIR = 0.05  # C = 0.05 √K: well under the usual norm, so that no record outweighs the rest


def by_descent(brief: Brief, rng: np.random.Generator, progress: Progress) -> Found:
    """Follow the models' loss on real records downhill; see `tincture.tables.method.search`."""
    marginals, encoding = brief.marginals, brief.encoding
    task = brief.anchored(encoding.snap(marginals.place(marginals.draw(N_ANCHORS, rng))), rng)
    optimizer, start, clip = strategy(brief, rng)
    rounds = brief.plan.count(LossDifferences.question)

    def place(prototypes: Floats) -> Floats:
        return brief.released(encoding.snap(marginals.place(prototypes)))

    state = optimizer.init(start)
    for done in range(rounds):
        progress(done, rounds)
        candidates = optimizer.ask(state, rng)
        estimate = brief.compare(brief.served, task, candidates.placed(place), start, clip)
        if estimate is not None:
            state = optimizer.tell(state, candidates, estimate)
    progress(rounds, rounds)
    return Found(place(optimizer.result(state))[start.owner], start.outcomes)


def strategy(brief: Brief, rng: np.random.Generator) -> tuple[Directions, Start, float]:
    """Optimiser, first table and clip, as trials settled them (docs/decisions/0003).

    One probability needs repeated rows with mixed outcomes; several, or a ranking, do not. Exact
    answers are not clipped.
    """
    outcomes = brief.outcomes(rng)
    rounds = brief.plan.count(LossDifferences.question)
    clip = math.sqrt(N_PAIRS) * (1.0 if math.isinf(brief.plan.epsilon) else CLIP_A_PAIR)
    if not brief.task.is_probabilistic:
        start = scattered(brief.marginals, outcomes, rng)
        return Directions(rounds, N_PAIRS, radius=0.2), start, clip
    start = tied(brief.marginals, outcomes, brief.task.severity(outcomes), rng, copies=2)
    return Directions(rounds, N_PAIRS, radius=0.3), start, clip
