"""What fitted models of one kind have in common: how they predict."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from tincture.kernels._linear import Floats


class Classifiers(ABC):
    """Classifiers of R tables."""

    __slots__ = ()

    def predict(self, records: NDArray[np.floating], fill: Floats | None = None) -> Floats:
        """Probability of every class.

        Parameters
        ----------
        records : (b, p) float32 or float64
            May hold NaN only where `fill` is given.
        fill : (R, p) float64, optional
            Value that stands for a missing entry of each column, per table.

        Returns
        -------
        (R, b, n_classes) float64
        """
        return self._chances(records, fill)

    @abstractmethod
    def _chances(self, records: NDArray[np.floating], fill: Floats | None) -> Floats: ...


class Risks(ABC):
    """Survival models of R tables."""

    __slots__ = ()

    def predict(self, records: NDArray[np.floating], fill: Floats | None = None) -> Floats:
        """Risk score of each record, whose meaning the class says; larger is an earlier event.

        Parameters
        ----------
        records : (b, p) float32 or float64
            May hold NaN only where `fill` is given.
        fill : (R, p) float64, optional
            Value that stands for a missing entry of each column, per table.

        Returns
        -------
        (R, b) float64
        """
        return self._risks(records, fill)

    @abstractmethod
    def _risks(self, records: NDArray[np.floating], fill: Floats | None) -> Floats: ...
