"""Vaults that do less than they say, for audits and statistical tests to find out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tincture.arrays import Floats, Integers, Mask
from tincture.privacy.noise import discrete_gaussian
from tincture.privacy.query import Query
from tincture.privacy.vault import GRID, Vault

Noise = Callable[[Integers, float], Integers]
Sampler = Callable[[int, float], Mask]


def noisy(noise: Noise) -> type[Vault]:
    """A vault with noise of this kind."""

    class Noisy(Vault):
        def _noised(self, total: Integers, scale: float) -> Integers:
            return noise(total, scale)

    return Noisy


def sampling(sampler: Sampler) -> type[Vault]:
    """A vault that samples its units so."""

    class Sampling(Vault):
        def _sample(self, size: int, rate: float) -> Mask:
            return sampler(size, rate)

    return Sampling


class Unclipped(Vault):
    """Adds what a unit asks to add."""

    def _sum(self, query: Query, rate: float) -> Integers:
        vectors = [query.contributions(records) for records, _ in self._sampled_blocks(rate)]
        total = sum((v.sum(axis=0) for v in vectors), np.zeros(query.size))
        return np.trunc(total * (GRID / query.clip)).astype(np.int64)


def scaled(factor: float) -> type[Vault]:
    """Noise of another scale; of 0, none."""
    return noisy(lambda total, scale: discrete_gaussian(total, scale * factor) if factor else total)


def reused(unit: Floats) -> type[Vault]:
    """The same noise in every answer."""
    return noisy(lambda total, scale: total + np.rint(unit[: len(total)] * scale).astype(np.int64))


def shared() -> type[Vault]:
    """The same noise in every value of an answer."""
    return noisy(lambda total, scale: total + discrete_gaussian(np.zeros(1, dtype=np.int64), scale))
