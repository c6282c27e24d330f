"""What all tests share."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import settings

from helpers import SCHEMA, make_table
from tincture.condense import Effort
from tincture.estimators import Condenser

settings.register_profile("house", deadline=None, max_examples=60, derandomize=True)
settings.load_profile("house")


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def few_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A short search: what is tested is what goes in and comes out, not how good it is."""
    short = classmethod(lambda cls, models, epsilon: cls(rounds=5, n_pairs=8))
    monkeypatch.setattr(Effort, "usual", short)


@pytest.fixture(scope="session")
def condensed() -> Iterator[Condenser]:
    """One small private result, fitted once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            Effort, "usual", classmethod(lambda cls, models, epsilon: cls(rounds=5, n_pairs=8))
        )
        condenser = Condenser(
            schema=SCHEMA,
            target="died",
            drop=["days", "event", "stage", "patient"],
            epsilon=1.0,
            delta=1e-5,
            models=["logistic"],
            n_rows=16,
        )
        yield condenser.fit(make_table())
