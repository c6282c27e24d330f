"""Classes as corners of a simplex: what one record can tell is no longer than an edge."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tincture.arrays import Floats
from tincture.public.tasks import Classification
from tincture.public.tasks.simplex import corners, probabilities, score_of, spread

CLASSES = pytest.mark.parametrize("n_classes", [2, 3, 5, 9])


def apart(n_classes: int) -> Floats:
    """Corner less corner, (K, K, n_scores)."""
    every = corners(n_classes).reshape(n_classes, -1)
    return np.asarray(every[:, None] - every[None])


@CLASSES
def test_all_edges_have_length_1(n_classes: int) -> None:
    lengths = np.linalg.norm(apart(n_classes), axis=2)
    np.testing.assert_allclose(lengths, 1 - np.eye(n_classes), atol=1e-12)


@CLASSES
def test_log_odds_of_two_classes_are_the_score_along_their_edge(n_classes: int) -> None:
    scores = np.random.default_rng(1).normal(size=(20, n_classes - 1))
    chances = probabilities(scores[:, 0] if n_classes == 2 else scores, n_classes)
    np.testing.assert_allclose(chances.sum(axis=1), 1.0)
    odds = np.log(chances[:, :, None] / chances[:, None])
    along = np.einsum("ns,jks->njk", scores, apart(n_classes))
    np.testing.assert_allclose(odds, along, atol=1e-9)


@CLASSES
def test_a_score_gives_the_shares_it_was_made_of(n_classes: int) -> None:
    shares = np.arange(1.0, n_classes + 1) / np.arange(1.0, n_classes + 1).sum()
    found = probabilities(score_of(shares)[None], n_classes)[0]
    np.testing.assert_allclose(found, shares)


# Lemma 1 of the promise: |y - p| for two classes, the distance of two points of the simplex for
# more. A factor of 0.7 on the edges would leave room, one of 1.3 breaks it.
@CLASSES
@given(data=st.data())
def test_no_residual_is_longer_than_an_edge_and_some_are_as_long(
    n_classes: int, data: st.DataObject
) -> None:
    task = Classification("y", n_classes)
    shape = (4,) if n_classes == 2 else (4, n_classes - 1)
    scores = data.draw(arrays(np.float64, shape, elements=st.floats(-1e6, 1e6)))
    counts = np.ones(n_classes)
    longest = 0.0
    for k in range(n_classes):
        residual = task.residual(scores, np.full((4, 1), float(k)), counts).reshape(4, -1)
        longest = max(longest, float(np.linalg.norm(residual, axis=1).max()))
    assert 0.5 <= longest <= 1 + 1e-12


@CLASSES
def test_a_sure_mistake_is_as_long_as_an_edge(n_classes: int) -> None:
    task, every = Classification("y", n_classes), corners(n_classes)
    sure = 100 * (every[-1:] - every.mean(axis=0))
    residual = task.residual(sure, np.zeros((1, 1)), np.ones(n_classes))
    assert np.linalg.norm(residual) == pytest.approx(1.0, abs=1e-6)


@CLASSES
def test_information_is_how_fast_the_expected_corner_moves(n_classes: int) -> None:
    task, step = Classification("y", n_classes), 1e-5
    score = score_of(np.arange(1.0, n_classes + 1) / np.arange(1.0, n_classes + 1).sum())
    told = task.information(score[None], np.ones(n_classes))[0].reshape(n_classes - 1, -1)
    chances = probabilities(score[None], n_classes)
    np.testing.assert_array_equal(told, spread(chances).reshape(told.shape))
    for s in range(n_classes - 1):
        move = np.zeros(n_classes - 1)
        move[s] = step
        high, low = (score + sign * move.reshape(score.shape) for sign in (1, -1))
        moved = task.expected(high[None], low[None], np.ones(n_classes))[0]
        np.testing.assert_allclose(moved / (2 * step), told[s].reshape(score.shape), rtol=1e-5)


@pytest.mark.parametrize("n_classes", [3, 6])
def test_classes_are_drawn_as_often_as_their_chances_add_up_to(n_classes: int) -> None:
    rng, task = np.random.default_rng(6), Classification("y", n_classes)
    scores = rng.normal(0, 2.0, (5000, n_classes - 1))
    found = task.drawn(scores, np.ones(n_classes), rng)[:, 0].astype(int)
    chances = task.chance(scores)
    # Each class in turn is off by one at most, and by the chance of those before it: 5000 people
    # scatter by 0.007, three times as much as is let pass.
    shares = np.bincount(found, minlength=n_classes) / 5000
    np.testing.assert_allclose(shares, chances.mean(axis=0), atol=0.015)
    # In each tenth of a class's chance: 500 people would scatter by 0.022 were they drawn alone.
    for k in range(n_classes):
        for tenth in np.array_split(np.argsort(chances[:, k]), 10):
            assert np.mean(found[tenth] == k) == pytest.approx(chances[tenth, k].mean(), abs=0.08)


def test_a_class_that_was_counted_is_drawn_once_at_least() -> None:
    task = Classification("y", 4)
    scores = np.tile(score_of(np.array([0.998, 0.0009, 0.0006, 0.0005])), (40, 1))
    found = task.drawn(scores, np.array([900.0, 5.0, 0.0, 3.0]), np.random.default_rng(1))[:, 0]
    assert set(found) >= {0.0, 1.0, 3.0}
