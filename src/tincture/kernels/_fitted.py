"""What all fitted models have in common: how they predict."""

from __future__ import annotations

from abc import ABC, abstractmethod

from tincture.arrays import Floats
from tincture.kernels._arrays import Records


class Fitted(ABC):
    """Models of R tables."""

    __slots__ = ()

    def predict(self, records: Records, fill: Floats | None = None) -> Floats:
        """What every model expects of every record.

        Parameters
        ----------
        records : (b, p) float32 or float64
            May hold NaN only where `fill` is given.
        fill : (R, p) float64, optional
            Value that stands for a missing entry of each column, per table.

        Returns
        -------
        float64
            Of classifiers (R, b, n_classes) probabilities; of survival models (R, b) risk scores,
            whose meaning the class says; larger is an earlier event.
        """
        return self._predicted(records, fill)

    @abstractmethod
    def _predicted(self, records: Records, fill: Floats | None) -> Floats: ...
