"""A model trained on one source and asked about the held-out records, with the time it took."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tincture.errors import ModelError
from tincture.models import Model, Predictor
from tincture.privacy.vault import Records
from tincture.tasks import Survival, Task

Floats = NDArray[np.float64]
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
    numeric: NDArray[np.bool_],
    task: Task,
) -> Learned:
    """Train a model on one source and ask it; its errors may quote a record and are dropped.

    Parameters
    ----------
    model : Model
    source : str
        Its name, for people.
    records, held_out : Records
    numeric : ndarray of bool, shape (design_width,)
    task : Task

    Raises
    ------
    ModelError
    """
    try:
        fitted, seconds = _timed(model, records, numeric)
        predicted = fitted.predict(held_out.design)[0]
        own = fitted.predict(records.design)[0] if isinstance(task, Survival) else predicted[:0]
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


def _timed(model: Model, records: Records, numeric: NDArray[np.bool_]) -> tuple[Predictor, float]:
    design = records.design.astype(np.float64)[None]
    shortest = float("inf")
    for _ in range(3 if len(records) <= SMALL else 1):
        start = time.perf_counter()
        fitted = model.fit(design, records.outcomes, numeric)
        shortest = min(shortest, time.perf_counter() - start)
    return fitted, shortest
