"""Whom a release is made for: models with their weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tincture.models.protocol import Model

GUARD = 0.1


@dataclass(frozen=True, slots=True)
class Served:
    """Models with their weights.

    Attributes
    ----------
    models : sequence of Model
    weights : sequence of float
        Summing to 1.
    """

    models: Sequence[Model]
    weights: Sequence[float]

    def __iter__(self) -> Iterator[tuple[Model, float]]:
        return zip(self.models, self.weights, strict=True)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the models."""
        return tuple(m.name for m in self.models)

    def with_guards(self, guards: Sequence[Model]) -> Served:
        """With GUARD of the weight for each of those that nobody asked for."""
        unasked = [m for m in guards if m.name not in self.names]
        weights = [w * (1 - GUARD * len(unasked)) for w in self.weights]
        return Served([*self.models, *unasked], weights + [GUARD] * len(unasked))
