"""A stay as a few numbers, by which stays are compared when a release is attacked.

They are made of what the method itself looks at: mean and last value of each variable, how often
it is recorded, its course around a few knots of time, static columns, outcome.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tincture.arrays import Floats, Integers
from tincture.privacy.query import Records
from tincture.privacy.vault import BLOCK
from tincture.stays.embeddings import HATS, Trajectories
from tincture.stays.layout import Layout
from tincture.stays.occupancy import Occupancy
from tincture.stays.summaries import Summaries


@dataclass(frozen=True)
class Description:
    """Numbers by which stays are compared, in deviations of the real ones, 0 where unknown.

    Parameters
    ----------
    summaries : Summaries
    kept : ndarray of int
        Coordinates of variables and static columns that the release holds at all; no stay can be
        betrayed by others, which would only blur the distances. One is left where it holds none.
    """

    summaries: Summaries
    kept: Integers

    @classmethod
    def of(cls, layout: Layout, real: Records, invented: Records) -> Description:
        """Scaled by real stays, members and others alike; restricted to what was invented."""
        occupancy = Occupancy(layout)
        sums = [occupancy.contributions(block).sum(axis=0) for block in _blocks(real)]
        summaries = Summaries(layout, occupancy.scale(np.sum(sums, axis=0), 0.0, len(real)))
        grid, statics = layout.parts(invented.points)
        measured = np.isfinite(grid).any(axis=(0, 1))
        known = np.zeros(layout.n_static, dtype=bool)
        for place in layout.statics.slices if layout.statics else ():
            known[place] = (statics[:, place.stop - 1] < 0.5).any()  # the last says "missing"
        kept = [np.repeat(measured, 2), measured, known, np.repeat(measured, HATS)]
        held = np.flatnonzero(np.concatenate(kept))
        return cls(summaries, held if len(held) else np.zeros(1, dtype=np.int64))

    def __call__(self, stays: Records) -> Floats:
        """Descriptions, (n, kept and the outcome)."""
        layout, scale = self.summaries.layout, self.summaries.scale
        course, n_hats = Trajectories(layout, scale), HATS * len(layout.variables)
        values = [
            np.concatenate(
                [
                    self.summaries.values(block.points)[:, :-1],  # the last is a constant
                    course.values(block.points)[:, :n_hats],
                ],
                axis=1,
            )[:, self.kept]
            for block in _blocks(stays)
        ]
        return np.concatenate([np.concatenate(values), stays.outcomes], axis=1)


def likelihood(invented: Floats, stays: Floats) -> Floats:
    """Log likelihood of each stay's outcome by a model trained on the invented stays, (n,).

    A logistic regression on descriptions, standardised by the invented ones as a recipient would.

    References
    ----------
    Yeom, Giacomelli, Fredrikson, Jha (2018), *Privacy risk in machine learning: analyzing the
    connection to overfitting*, CSF.
    """
    from sklearn.linear_model import LogisticRegression

    middle, spread = invented[:, :-1].mean(axis=0), invented[:, :-1].std(axis=0) + 1e-6
    model = LogisticRegression(max_iter=2000)
    model.fit((invented[:, :-1] - middle) / spread, invented[:, -1])
    odds = model.decision_function((stays[:, :-1] - middle) / spread)
    return np.asarray(-np.logaddexp(0.0, np.where(stays[:, -1] > 0.5, -odds, odds)))


def _blocks(stays: Records) -> list[Records]:
    return [stays.take(slice(i, i + BLOCK)) for i in range(0, len(stays), BLOCK)]
