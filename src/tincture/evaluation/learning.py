"""A model trained on one source and asked about the held-out records, with the time it took."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tincture.arrays import Floats, Integers
from tincture.errors import ModelError
from tincture.evaluation.bench import Fitted, Learner, Predict
from tincture.evaluation.scores import Fit
from tincture.privacy.query import Records

BETWEEN = 10  # steps between two looks at a model that is being trained


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a model is trained on: as learners take it, and as it is."""

    table: Any
    records: Records


@dataclass(frozen=True, slots=True)
class Learned(Fit):
    """What a model trained on one source predicts.

    Attributes
    ----------
    held_out : ndarray of shape (n, n_outputs)
        Predictions for the held-out records.
    own : ndarray of shape (rows, n_outputs)
        Predictions for the source itself, where the kind of outcome needs them; else empty.
    outcomes : ndarray of shape (rows, outcome width)
        Of the source.
    """

    held_out: Floats
    own: Floats
    outcomes: Floats


class Glances:
    """A figure of the held-out records while a model is trained, and the seconds that it took.

    Parameters
    ----------
    asked : Any
        The held-out records as learners take them.
    figure : callable
        From predictions for them.
    """

    def __init__(self, asked: Any, figure: Callable[[Floats], float]) -> None:
        self._asked, self._figure = asked, figure
        self.points: list[tuple[float, float]] = []
        self.seconds = 0.0

    def __call__(self, step: int, predict: Predict) -> None:
        """Look, at the first step and then now and again."""
        if step > 1 and step % BETWEEN:
            return
        start = time.perf_counter()
        self.points.append((float(step), self._figure(predict(self._asked))))
        self.seconds += time.perf_counter() - start


def look_away(step: int, predict: Predict) -> None:
    """What is not drawn is not looked at."""


def learn(
    learner: Learner,
    source: str,
    lesson: Lesson,
    asked: Any,
    seed: int,
    *,
    needs_own: bool = False,
    glances: Glances | None = None,
) -> tuple[Learned, Fitted]:
    """Train a model on one source and ask it; its errors may quote a record and are dropped.

    Raises
    ------
    ModelError
    """
    try:
        fitted = learner.learn(lesson.table, seed, glances or look_away)
        predicted = fitted.predict(asked)
        own = fitted.predict(lesson.table) if needs_own else predicted[:0]
    except Exception as error:
        kind = type(error.__cause__ or error).__name__
    else:
        if np.isfinite(predicted).all() and np.isfinite(own).all():
            n, outcomes = len(lesson.records), lesson.records.outcomes
            seconds = fitted.seconds - (glances.seconds if glances else 0.0)
            about = learner.name, source, n, seconds
            return Learned(*about, predicted, own, outcomes), fitted
        kind = "not a finite number"
    raise ModelError(
        f"The model {learner.name!r} trained on {source} failed ({kind}); leave it out or "
        "choose another."
    )


def random_rows(real: Records, n_rows: int, rng: np.random.Generator) -> Integers:
    """As many real records, with the real share of each class (or of events)."""
    label = real.outcomes[:, -1]
    if len(real) <= n_rows:
        return np.arange(len(real))
    if (label % 1).any():  # amounts, of which each may be another
        return rng.choice(len(real), n_rows, replace=False)
    chosen = [
        rng.choice(
            np.flatnonzero(label == value),
            min(max(2, round(n_rows * np.mean(label == value))), int(np.sum(label == value))),
            replace=False,
        )
        for value in np.unique(label)
    ]
    return np.concatenate(chosen)
