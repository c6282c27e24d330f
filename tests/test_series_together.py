"""A teacher of stays fitted to all answers at once: its chances are neither bold nor modest."""

from __future__ import annotations

import numpy as np
import pytest

from tincture.arrays import Floats
from tincture.privacy.engine import Told
from tincture.public.tasks import Classification
from tincture.spine.teaching import shrunk
from tincture.stays.together import Crowd, Heard, together

DIED = Classification("died", 2)
SIZE, REACH, PRIOR = 31, np.sqrt(31), 0.015


def summaries(n: int, rng: np.random.Generator) -> Floats:
    return np.append(rng.standard_normal((n, SIZE - 1)), np.ones((n, 1)), axis=1)


def found(n: int, noise: float, seed: int = 0) -> tuple[Floats, Floats, Floats]:
    """Scores of a true teacher, of careful steps towards it, and of the one from all answers.

    Eight residual sums of n stays are asked, along weights that end a tenth short of the truth.
    """
    rng = np.random.default_rng(seed)
    truth = np.append(np.sqrt(PRIOR) * rng.standard_normal(SIZE - 1), -2.0)
    first, real, imagined = (
        np.append(np.zeros(SIZE - 1), -1.8),
        summaries(n, rng),
        summaries(2000, rng),
    )
    died = (rng.random(n) < DIED.chance(real @ truth))[:, None].astype(np.float64)
    counts = np.array([n - died.sum(), died.sum()])
    heard = []
    for done in range(8):
        weights = first + (1 - 0.75**done) * (truth - first)
        answer = shrunk(real, REACH).T @ DIED.residual(real @ weights, died, counts)
        heard.append(Heard(weights, Told(answer + noise * rng.standard_normal(SIZE), noise)))
    start = np.mean([h.weights for h in heard[4:]], axis=0)
    crowd = Crowd(imagined, shrunk(imagined, REACH), n / len(imagined))
    weights = together(heard, start, crowd, DIED, counts, PRIOR)
    scores = real[:, :-1] @ np.stack([truth, start, weights])[:, :-1].T
    return scores[:, 0], scores[:, 1], scores[:, 2]


def slope(wanted: Floats, got: Floats) -> float:
    return float((got @ wanted) / (got @ got))


def test_of_many_stays_the_truth_is_found_where_careful_steps_end_short_of_it() -> None:
    wanted, careful, got = found(20_000, 1e-6)
    assert slope(wanted, careful) > 1.15
    assert slope(wanted, got) == pytest.approx(1.0, abs=0.06)
    assert np.corrcoef(wanted, got)[0, 1] > 0.95


@pytest.mark.parametrize("noise", [4.0, 14.0])
def test_with_noise_the_slope_of_the_truth_on_its_scores_is_one(noise: float) -> None:
    # Of 2,800 stays, as at ε = 4 and 1; ten teachers, whose mean slope is known to about 0.05.
    slopes = [slope(*found(2800, noise, seed)[::2]) for seed in range(10)]
    assert np.mean(slopes) == pytest.approx(1.0, abs=0.2)


def test_of_answers_that_tell_nothing_nothing_is_learned() -> None:
    _, _, got = found(2800, 1e5)
    assert np.abs(got).max() < 0.1
