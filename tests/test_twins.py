"""Twins: amounts that scatter as real ones do, and teach the mean that is told of both."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestRegressor
from sklearn.metrics import r2_score

from tincture.tables.twins import matched


# Nobody's amount is lost or made up, whatever the means.
@given(st.integers(0, 41), st.integers(0, 2**31))
def test_amounts_are_exchanged_and_no_others(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    amounts = rng.random((n, 1))
    found = matched(amounts, np.repeat(rng.random(-(-n // 2)), 2)[:n], rng)
    assert found.shape == amounts.shape
    np.testing.assert_array_equal(np.sort(found, axis=0), np.sort(amounts, axis=0))


# Twenty times nearer to their means than pairs by chance, be the scatter even or skewed.
@pytest.mark.parametrize("power", [1, 4])
def test_twins_have_the_mean_that_is_told_of_both(power: int, rng: np.random.Generator) -> None:
    means = np.repeat(0.4 + 0.05 * rng.standard_normal(1500), 2)
    scatter = rng.random(3000) ** power
    amounts = means + 0.3 * (scatter - scatter.mean())
    amounts += means.mean() - amounts.mean()
    found = matched(amounts[:, None], means, rng)[:, 0]
    off, by_chance = ((a - means).reshape(-1, 2).mean(axis=1).std() for a in (found, amounts))
    assert off < 0.05 * by_chance


# A forest grown to purity, on people of whose amounts a tenth is told: of what is told it learns
# under a half from people apart, and over four fifths from as many twins with the same amounts.
def test_a_forest_learns_from_twins_what_scatter_hides_from_it(rng: np.random.Generator) -> None:
    def told(x: np.ndarray) -> np.ndarray:
        return np.asarray(0.5 + 0.05 * x[:, 0] + 0.05 * np.abs(x[:, 1]))

    people, asked = rng.standard_normal((2000, 6)), rng.standard_normal((1000, 6))
    alike = np.repeat(people[:1000], 2, axis=0)
    scatter = 0.18 * rng.standard_normal(2000)
    amounts = told(alike) + scatter - scatter.mean()
    found = {}
    for name, x, y in (
        ("apart", people, told(people) + scatter),
        ("twins", alike, matched(amounts[:, None], told(alike), rng)[:, 0]),
    ):
        forest = RandomForestRegressor(50, random_state=0).fit(x, y)
        found[name] = r2_score(told(asked), forest.predict(asked))
    assert found["apart"] < 0.5
    assert found["twins"] > 0.8
