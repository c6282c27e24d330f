"""What all tests share."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest
from hypothesis import settings

from helpers import SCHEMA, make_table
from tincture.privacy.accounting import Phase, Plan, calibrate
from tincture.tables.condenser import Condenser
from tincture.tables.method import DIRECT, PROXY
from tincture.tables.proxy import STYLES

settings.register_profile("house", deadline=None, max_examples=100, derandomize=True)
settings.register_profile("thorough", deadline=None, max_examples=10_000)
settings.load_profile("house")  # pytest --hypothesis-profile=thorough takes its place


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@cache  # calibrating takes most of the time of a short fit
def short_plan(epsilon: float, delta: float, method: str) -> Plan:
    """Five questions of a kind at most."""
    usual = PROXY if method == "proxy" else DIRECT
    phases = [Phase(q, min(count, 5), share) for q, (share, count) in usual.items()]
    return calibrate(epsilon, delta, phases)


def shorten(patch: pytest.MonkeyPatch) -> None:
    """A short search: what is tested is what goes in and comes out, not how good it is."""
    patch.setattr("tincture.tables.job.usual_plan", short_plan)
    short = {kind: style._replace(descents=2, moves=3) for kind, style in STYLES.items()}
    patch.setattr("tincture.tables.proxy.STYLES", short)


@pytest.fixture
def few_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every fit of this test is short."""
    shorten(monkeypatch)


@pytest.fixture(scope="session")
def condensed() -> Iterator[Condenser]:
    """One small private result, fitted once."""
    with pytest.MonkeyPatch.context() as patch:
        shorten(patch)
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
