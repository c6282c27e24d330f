"""Whether rows lie too close to records, and whether the release betrays an attribute."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from tincture.arrays import Floats, Integers
from tincture.audit.membership import nearest
from tincture.errors import SettingError
from tincture.evaluation.metrics.figure import NOTHING, Figure
from tincture.public.encoding import Encoding

SAME = 1e-6  # L1 distance in the encoded cube below which two records are equal
N_TREES = 200


@dataclass(frozen=True, slots=True)
class Closeness:
    """How near the rows lie to training records, beside how near held-out records lie to them.

    Attributes
    ----------
    rows : int
        Different rows of the release.
    equal_to_training, equal_to_held_out : int
        Rows equal to one of equally many training and held-out records.
    nearest_row, nearest_held_out : float
        Smallest distance (L1 in the encoded cube) of a row, and of a held-out record, to any
        training record.
    nearer_to_training : Figure
        Share of rows that lie nearer to training records than to as many held-out ones, ties
        counting for neither; with the exact 95% interval (Clopper, Pearson 1934). Chance is ½.
    very_near : Figure
        Share of rows nearer to a training record than 95% of held-out records are, with the same
        interval. Held-out records have 5%.
    """

    rows: int
    equal_to_training: int
    equal_to_held_out: int
    nearest_row: float
    nearest_held_out: float
    nearer_to_training: Figure
    very_near: Figure

    @property
    def equal(self) -> tuple[Figure, float]:
        """Share of rows equal to a training record; to one of as many held-out ones."""
        share = self.equal_to_held_out / self.rows
        return proportion(self.equal_to_training, self.rows), share


def closeness_of(
    rows: Floats, training: Floats, held_out: Floats, rng: np.random.Generator
) -> Closeness:
    """Compare rows and held-out records by their nearest training record."""
    rows = np.unique(rows, axis=0)
    to_all, other_to_all = nearest(rows, training), nearest(held_out, training)
    size = min(len(training), len(held_out))
    fair = [t[rng.choice(len(t), size, replace=False)] for t in (training, held_out)]
    to_training, to_held_out = (nearest(rows, t) for t in fair)
    decided = np.abs(to_training - to_held_out) > SAME
    return Closeness(
        len(rows),
        int((to_training < SAME).sum()),
        int((to_held_out < SAME).sum()),
        float(to_all.min()),
        float(other_to_all.min()),
        proportion(int((to_training < to_held_out)[decided].sum()), int(decided.sum())),
        proportion(int((to_all < np.quantile(other_to_all, 0.05)).sum()), len(rows)),
    )


def proportion(hits: int, trials: int) -> Figure:
    """A share with its exact 95% interval (Clopper, Pearson 1934)."""
    if trials == 0:
        return NOTHING
    interval = stats.binomtest(hits, trials).proportion_ci(0.95)
    return Figure(hits / trials, float(interval.low), float(interval.high))


@dataclass(frozen=True, slots=True)
class Inference:
    """How well an attribute is told from the others by a forest trained on the release.

    Attributes
    ----------
    members, others : Figure
        Share of training and of held-out records told rightly. What holds for both was learned of
        the population; members' lead is what the release betrays of them.
    baseline : float
        Share told rightly by always naming the commonest level.
    lead : Figure
        Members less others, with a 95% interval by the normal approximation.
    """

    column: str
    members: Figure
    others: Figure
    baseline: float
    lead: Figure


def inferred(
    column: str, encoding: Encoding, rows: Floats, training: Floats, held_out: Floats
) -> Inference:
    """Attack one attribute of every record, given all its others.

    Parameters
    ----------
    column : str
        With levels; an amount is told as above or below its middle among training records.
    encoding : Encoding
        Of all columns.
    rows, training, held_out : ndarray of shape (n, width)
        Points.

    Raises
    ------
    SettingError
        If the release has no such column, or nothing else to tell it from.
    """
    from sklearn.ensemble import RandomForestClassifier

    names = [c.name for c in encoding.columns]
    if column not in names or len(names) < 2:
        raise SettingError(
            f"The release has no column {column!r} to be inferred from others; it has "
            f"{', '.join(names)}."
        )
    place = encoding.slices[names.index(column)]
    is_level = encoding.columns[names.index(column)].is_categorical
    middle = float(np.median(training[:, place.start]))

    def attribute(points: Floats) -> Integers:
        if is_level:
            return np.asarray(points[:, place].argmax(axis=1), dtype=np.int64)
        return (points[:, place.start] > middle).astype(np.int64)

    def rest(points: Floats) -> Floats:
        return np.delete(points, place, axis=1)

    forest = RandomForestClassifier(N_TREES, random_state=0).fit(rest(rows), attribute(rows))
    right = [forest.predict(rest(t)) == attribute(t) for t in (training, held_out)]
    told, untold = (proportion(int(r.sum()), len(r)) for r in right)
    _, counts = np.unique(attribute(training), return_counts=True)
    error = float(np.sqrt(sum(r.var() / len(r) for r in right)))
    lead = told.value - untold.value
    return Inference(
        column,
        told,
        untold,
        float(counts.max() / counts.sum()),
        Figure(lead, lead - 1.96 * error, lead + 1.96 * error),
    )
