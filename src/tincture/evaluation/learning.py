"""A model trained on one source and asked about the held-out records, with the time it took."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tincture.errors import ModelError
from tincture.models.protocol import Model, Predictor
from tincture.privacy.query import Records
from tincture.public.encoding import Encoding
from tincture.public.tasks import Survival, Task

Floats = NDArray[np.float64]
MISSING = "(missing)"  # the text of a level that is none
DIGITS = 6  # of an amount, in which single precision is exact
SMALL = 1000  # rows up to which a fit is repeated, since its first run may load or compile code


@dataclass(frozen=True, slots=True)
class Learned:
    """What a model trained on one source predicts.

    Attributes
    ----------
    model, source : str
    rows : int
        Of the source.
    seconds : float
        That the fit took; of few rows the shortest of three.
    held_out : ndarray of shape (n, n_outputs)
        Predictions for the held-out records.
    own : ndarray of shape (rows, n_outputs)
        Predictions for the source itself, of a survival task; else empty.
    outcomes : ndarray of shape (rows, outcome width)
        Of the source.
    """

    model: str
    source: str
    rows: int
    seconds: float
    held_out: Floats
    own: Floats
    outcomes: Floats


def learn(
    model: Model,
    source: str,
    records: Records,
    held_out: Records,
    encoding: Encoding,
    task: Task,
) -> Learned:
    """Train a model on one source and ask it; its errors may quote a record and are dropped.

    Parameters
    ----------
    model : Model
    source : str
        Its name, for people.
    records, held_out : Records
    encoding : Encoding
        Of the records' points.
    task : Task

    Raises
    ------
    ModelError
    """
    view = View.of(encoding, records)
    seen, asked = view.columns(records), view.columns(held_out)
    try:
        fitted, seconds = _timed(model, seen, records.outcomes, view.numeric)
        predicted = fitted.predict(asked)[0]
        own = fitted.predict(seen)[0] if isinstance(task, Survival) else predicted[:0]
    except Exception as error:
        kind = type(error.__cause__ or error).__name__
    else:
        if np.isfinite(predicted).all() and np.isfinite(own).all():
            return Learned(
                model.name, source, len(records), seconds, predicted, own, records.outcomes
            )
        kind = "not a finite number"
    raise ModelError(
        f"The model {model.name!r} trained on {source} failed ({kind}); leave it out or choose "
        "another with --model."
    )


@dataclass(frozen=True, slots=True)
class View:
    """The columns that a recipient's own pipeline makes of a table that it is handed as a file.

    Amounts in their units come first, then the levels that occur, column by column in the order of
    their text, "(missing)" among them. Models break ties between columns by this order, and forests
    draw from this number of columns, so that figures would differ by up to 0.01 in any other.

    Attributes
    ----------
    places : tuple of int
        Of the columns kept, among all amounts and levels.
    numeric : ndarray of bool
        Which of those kept are amounts.
    """

    encoding: Encoding
    places: tuple[int, ...]
    numeric: NDArray[np.bool_]

    @classmethod
    def of(cls, encoding: Encoding, table: Records) -> View:
        """For models that are trained on this table."""
        amounts = sum(not c.is_categorical for c in encoding.columns)
        occurs = _natural(encoding, table)[:, amounts:].any(axis=0)
        places = (*range(amounts), *(amounts + np.flatnonzero(occurs)).tolist())
        return cls(encoding, places, np.arange(len(places)) < amounts)

    def columns(self, records: Records) -> Floats:
        """These columns of any records, NaN where an amount is missing."""
        return _natural(self.encoding, records)[:, self.places]


def _natural(encoding: Encoding, records: Records) -> Floats:
    """Amounts in their units, then every level in the order of its text.

    Amounts are as fine as single precision keeps them, not rounded to what a release would hold:
    that would lay many of them right on the thresholds of a tree.
    """
    amounts: list[Floats] = []
    levels: list[Floats] = []
    design = records.design.astype(np.float64)
    for column, place in zip(encoding.columns, encoding.design_slices, strict=True):
        if column.is_categorical:
            texts = [v if isinstance(v, str) else f"{v:g}" for v in column.levels]
            texts += [MISSING] * (place.stop - place.start - len(texts))
            levels.append(design[:, place][:, np.argsort(texts)])
            continue
        low, high = column.bounds
        digits = DIGITS - math.floor(math.log10(high - low))
        amounts.append(np.round(low + design[:, place] * (high - low), digits))
    return np.concatenate([*amounts, *levels], axis=1)


def _timed(
    model: Model, table: Floats, outcomes: Floats, numeric: NDArray[np.bool_]
) -> tuple[Predictor, float]:
    shortest = float("inf")
    for _ in range(3 if len(table) <= SMALL else 1):
        start = time.perf_counter()
        fitted = model.fit(table[None], outcomes, numeric)
        shortest = min(shortest, time.perf_counter() - start)
    return fitted, shortest


def random_rows(real: Records, n_rows: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """As many real records, with the real share of each class (or of events)."""
    label = real.outcomes[:, -1]
    if len(real) <= n_rows:
        return np.arange(len(real))
    chosen = [
        rng.choice(
            np.flatnonzero(label == value),
            min(max(2, round(n_rows * np.mean(label == value))), int(np.sum(label == value))),
            replace=False,
        )
        for value in np.unique(label)
    ]
    return np.concatenate(chosen)
