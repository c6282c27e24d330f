"""A trial of every model on invented rows and records, before a question is paid for."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tincture.arrays import Floats
from tincture.errors import ModelError
from tincture.models.portfolio import portfolio
from tincture.models.protocol import Model, Predictor
from tincture.privacy.vault import BLOCK
from tincture.public.encoding import Encoding
from tincture.public.tasks import Task
from tincture.tables.marginals import Marginals

# The trial of models: more records than the vault shows a query at once, then in blocks of odd
# sizes (the last has what is left), in another order, and alone.
N_TRIED = BLOCK + 905
ODD_SIZES = (1, 2, 3, 5, 17, 64, 257, 1000)
N_ALONE = 4
# Double precision explains 3e-13 at most in models of scikit-learn, lifelines and scikit-survival
# (100 rows), and nothing in XGBoost and LightGBM, which add a record's leaves in a fixed order in
# whatever precision. Networks in single precision change by 1e-7. What the proof bears is in
# docs/promise.md, §7. Models by name do not change at all.
ROUNDING = 1e-11


def rehearse(models: Sequence[Model], task: Task, encoding: Encoding, n_rows: int) -> None:
    """Try every model on invented rows and records before a question is paid for.

    Raises
    ------
    ModelError
        If a model raises, predicts anything but finite numbers of the right shape, or predicts
        otherwise for a record in other company.
    """
    rng = np.random.default_rng(0)
    marginals = Marginals.flat(encoding)

    def drawn(n: int) -> Floats:
        return encoding.design(encoding.snap(marginals.place(marginals.draw(n, rng))))

    rows, outcomes = drawn(n_rows), task.allot(np.ones(task.n_cells), n_rows, rng)
    records = drawn(N_TRIED).astype(np.float32)  # as the vault holds them
    shape = (1, N_TRIED, task.n_outputs)
    for model in models:
        try:
            fitted = model.fit(rows[None], outcomes, encoding.numeric)
            predicted = fitted.predict(records)
            is_sound = predicted.shape == shape and bool(np.isfinite(predicted).all())
            change = _change(fitted, records, predicted) if is_sound else 0.0
        except ModelError:
            raise
        except Exception as error:
            raise ModelError(
                f"The model {model.name!r} failed on invented rows ({type(error).__name__}); it "
                "must predict for any complete numeric table of this width."
            ) from error
        if not is_sound:
            raise ModelError(
                f"The model {model.name!r} predicts something else than {task.n_outputs} finite "
                "number(s) a row on invented rows; correct it or choose another."
            )
        if change > (0.0 if model.name in portfolio(task) else ROUNDING):
            raise ModelError(
                f"The model {model.name!r} predicts otherwise for a row when other rows are beside "
                f"it, by up to {change:.1g}; the privacy proof needs a prediction to depend on its "
                "own row alone. If it computes in single precision, let it predict in double."
            )


def _change(fitted: Predictor, records: NDArray[np.float32], predicted: Floats) -> float:
    """Most that a prediction p changes with its record's place and company, over max(1, |p|)."""
    order = np.random.default_rng(1).permutation(len(records))
    blocks = np.split(order, np.cumsum(ODD_SIZES))
    alone = [order[i : i + 1] for i in range(N_ALONE)]
    backwards = np.arange(len(records))[::-2]
    most = 0.0
    for places in (backwards, *blocks, *alone):
        before, now = predicted[:, places], fitted.predict(records[places])
        if now.shape != before.shape or not np.isfinite(now).all():
            return math.inf
        most = max(most, float((np.abs(now - before) / np.maximum(1, np.abs(before))).max()))
    return most
