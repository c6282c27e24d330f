"""What all tests share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from helpers import make_condenser, make_table
from recipients import TASKS, release
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


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A small release of each kind of outcome, as a recipient gets it."""
    folder = tmp_path_factory.mktemp("released")
    return {kind: release(folder / kind, kind) for kind in TASKS}
