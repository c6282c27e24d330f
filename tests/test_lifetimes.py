"""Times: their bins, their counts through noise, and times and classes of invented people."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tincture.public.schema import Schema
from tincture.public.tasks import Classification, Survival
from tincture.public.tasks.bins import PARTS, Bins, Scale
from tincture.public.tasks.common import systematic

DAYS, DIED = Survival("days", "event", 0.0, 2000.0, 0), Classification("died", 2)
SCALES: list[Scale] = [None, "linear", "log"]


def survival(outcomes: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Kaplan and Meier's curve."""
    times, seen = outcomes.T
    moments = np.unique(times[seen > 0.5])
    left = np.array([1 - seen[times == t].sum() / (times >= t).sum() for t in moments])
    return np.append(1.0, np.cumprod(left))[np.searchsorted(moments, at, side="right")]


def early(n: int, rng: np.random.Generator, scores: np.ndarray | float = 0.0) -> np.ndarray:
    """Whole days; most events are early, censoring goes on to the end, where it is for all."""
    died = np.ceil(400 * rng.weibull(0.5, n) * np.exp(-2.0 * np.asarray(scores)))
    left = np.minimum(np.ceil(rng.uniform(0, 3000, n)), 2000.0)
    return np.stack([np.minimum(died, left), died <= left], axis=1).astype(np.float64)


def counts_of(task: Survival, outcomes: np.ndarray) -> np.ndarray:
    return np.bincount(task.cells(outcomes), minlength=task.n_cells).astype(np.float64)


@given(
    st.integers(0, 100_000),
    st.integers(10, 100_000_000),
    st.integers(0, 3),
    st.sampled_from(SCALES),
    st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=5),
)
def test_a_released_time_lies_in_its_bin_within_the_bounds_and_is_never_0(
    first: int, length: int, places: int, scale: Scale, within: list[float]
) -> None:
    low, high = (first + (scale == "log")) / 1000, (first + 1 + length) / 1000
    bins = Bins.of(low, high, places, scale)
    assert len(bins.starts) <= PARTS
    assert (np.diff(bins.starts) > 0).all()
    cells = np.repeat(np.arange(len(bins.starts)), len(within))
    times = bins.times(cells, np.tile(within, len(bins.starts)))
    assert (times > 0).all()
    assert (times >= low).all() and (times <= high).all()
    if np.ceil(max(low / bins.step, 1)) * bins.step < high:  # else no step is inside
        np.testing.assert_array_equal(bins.of_times(times), cells)


def test_bins_are_fine_where_times_are_early_and_follow_a_declared_scale() -> None:
    def starts(**field: object) -> np.ndarray:
        time = {
            "name": "t",
            "type": "integer",
            "constraints": {"minimum": 1, "maximum": 5000},
            **field,
        }
        event = {"name": "e", "type": "boolean"}
        return Survival.of(Schema.from_dict({"fields": [time, event]}), "t", "e").bins.starts

    first, equal, ratio = (
        starts(**({"tincture:scale": s} if s else {})) for s in ("", "linear", "log")
    )
    assert (first < 30).sum() >= 4
    assert np.ptp(np.diff(equal)[:-1]) <= 2
    assert ratio[-1] / ratio[-2] == pytest.approx(5000 ** (1 / 31), rel=0.01)


@pytest.mark.slow
def test_noisy_counts_keep_the_survival_curve() -> None:
    # 4,000 people, noise of 26 (2% of ε = 1); of 200 answers the largest distance was 0.024 on
    # average, its deviation 0.005, the worst 0.044. The mean of 20 is above 0.03, or one above
    # 0.06, once in 10⁷ runs.
    rng = np.random.default_rng(3)
    real = early(4000, rng)
    at = np.quantile(real[:, 0], np.linspace(0.05, 0.95, 19))
    distances = []
    for _ in range(20):
        answer = counts_of(DAYS, real) @ DAYS.coding + 26 * rng.normal(size=DAYS.n_cells)
        counts = DAYS.counted(answer, 26.0)
        assert (counts >= 0).all()
        people = DAYS.drawn(np.zeros(4000), counts, rng)
        distances.append(np.abs(survival(people, at) - survival(real, at)).max())
    assert np.mean(distances) < 0.03
    assert np.max(distances) < 0.06


@pytest.mark.parametrize("noise", [5.0, 26.0, 100.0])
def test_the_earliest_bin_that_holds_people_holds_more_than_noise(noise: float) -> None:
    rng = np.random.default_rng(8)
    real = early(4000, rng)
    answer = counts_of(DAYS, real + np.array([100.0, 0.0])) @ DAYS.coding
    for _ in range(5):
        both = DAYS.counted(answer + noise * rng.normal(size=len(answer)), noise).reshape(2, -1)
        held = both.sum(axis=0)
        assert held[held > 0][0] >= noise


@pytest.mark.parametrize("spread", [0.0, 1.5])
def test_invented_times_have_the_counts_and_the_curve_whatever_the_scores(spread: float) -> None:
    rng = np.random.default_rng(4)
    real = early(5000, rng)
    counts = counts_of(DAYS, real)
    people = DAYS.drawn(spread * rng.normal(size=7000), counts, rng)
    assert np.abs(np.cumsum(counts_of(DAYS, people) - counts * 1.4)[[31, 63]]).max() <= 2
    assert np.abs(counts_of(DAYS, people) - counts * 1.4).max() <= 2
    at = np.quantile(real[:, 0], np.linspace(0.05, 0.95, 19))
    assert np.abs(survival(people, at) - survival(real, at)).max() < 0.01
    rows = DAYS.allot(counts, 200, rng)
    assert np.abs(survival(rows, at) - survival(real, at)).max() < 0.02


def test_invented_times_follow_proportional_hazards() -> None:
    # The hazard ratio of two halves, by events over hazard passed; 20,000 people, so that its
    # deviation is 0.02.
    rng = np.random.default_rng(5)
    scores = np.repeat([0.0, np.log(3.0)], 10_000)
    counts = counts_of(DAYS, early(5000, rng))
    people = DAYS.drawn(scores, counts, rng)
    both = [people[scores == s] for s in (0.0, scores[-1])]
    at = np.linspace(20, 1900, 30)
    low, high = (np.log(survival(half, at)) for half in both)
    np.testing.assert_allclose(high / low, 3.0, rtol=0.1)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=50), st.floats(0, 1, exclude_max=True))
def test_of_any_stretch_as_many_are_drawn_as_its_chances_add_up_to(
    chances: list[float], offset: float
) -> None:
    seen = np.cumsum(systematic(np.array(chances), offset))
    assert (np.abs(seen - np.cumsum(chances)) <= 1 + 1e-9).all()


def test_invented_classes_are_as_frequent_as_their_chances_all_along_the_score() -> None:
    rng = np.random.default_rng(6)
    scores = rng.normal(-2, 1.5, 5000)
    case = DIED.drawn(scores, np.array([1.0, 1.0]), rng)[:, 0]
    assert abs(case.mean() - DIED.chance(scores).mean()) < 1 / 5000
    order = np.argsort(scores)
    gap = np.cumsum(case[order] - DIED.chance(scores[order]))
    assert np.abs(gap).max() <= 1 + 1e-9
