"""What a model is: a way to fit many candidate tables at once, whatever is behind it."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from tincture.arrays import Floats, Mask


class Predictor(Protocol):
    """R models fitted on R candidate tables."""

    def predict(self, records: NDArray[np.floating]) -> Floats:
        """Predictions (R, b, n_outputs) for design records (b, p), NaN where missing."""


@runtime_checkable
class Model(Protocol):
    """A way to fit many candidate tables at once."""

    @property
    def name(self) -> str:
        """As in the release."""

    @property
    def draws(self) -> int:
        """Fits with different seeds over which a loss is averaged."""

    def fit(
        self, candidates: Floats, outcomes: Floats, numeric: Mask, *, seed: int = 0
    ) -> Predictor:
        """Fit on designs (R, m, p) with outcomes (m, width) shared by all candidates."""


def sketched(model: Model) -> Model:
    """A cheaper look-alike of a model, or the model itself."""
    return getattr(model, "sketch", None) or model
