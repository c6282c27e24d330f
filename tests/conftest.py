"""What all tests share."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import settings

from helpers import make_condenser, make_table
from tincture.tables.condenser import Condenser

settings.register_profile("house", deadline=None, max_examples=100, derandomize=True)
settings.register_profile("thorough", deadline=None, max_examples=10_000)
settings.load_profile("house")  # pytest --hypothesis-profile=thorough takes its place


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def condensed() -> Condenser:
    """One small private result, fitted once."""
    return make_condenser(epsilon=1.0).fit(make_table())
