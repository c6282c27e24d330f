"""First tables: graded by risk, or a tree of risk written back as rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.tree import DecisionTreeClassifier

from helpers import ENCODING, invented
from tincture.public.tasks import Classification, Survival, Task
from tincture.search.optimizer import Start
from tincture.tables.starts import BARE, RICH, Growth, graded, grown

DIED, DAYS = Classification("died", 2), Survival("days", "event", 0.0, 365.0)


def start_of(task: Task, n_rows: int, **how: Any) -> tuple[Start, np.ndarray]:
    """A graded start, and the outcomes it was given."""
    rng = np.random.default_rng(2)
    outcomes = task.allot(np.ones(task.n_cells), n_rows, rng)
    how = {"copies": 2, "sharpness": 2.0} | how
    points, scores = how.pop("pool", invented())
    return graded(points, scores, outcomes, task.severity(outcomes), rng, **how), outcomes


@pytest.mark.parametrize("task", [DIED, DAYS])
@pytest.mark.parametrize(("n_rows", "copies"), [(4, 2), (5, 2), (100, 2), (7, 1), (100, 1)])
def test_a_graded_start_keeps_the_outcomes_and_its_prototypes_rise(
    task: Task, n_rows: int, copies: int
) -> None:
    start, outcomes = start_of(task, n_rows, copies=copies)
    assert start.owner.tolist() == [i // copies for i in range(n_rows)]
    assert len(start.prototypes) == start.owner[-1] + 1
    assert sorted(map(tuple, start.outcomes)) == sorted(map(tuple, outcomes))
    points, scores = invented()
    own = [scores[(points == p).all(axis=1)][0] for p in start.prototypes]
    assert (np.diff(own) >= 0).all()


@pytest.mark.parametrize("task", [DIED, DAYS])
def test_outcomes_follow_the_score_the_more_the_sharper(task: Task) -> None:
    sizes = []
    for sharpness in (0.0, 1.0, 1e6):
        start, _ = start_of(task, 200, copies=1, sharpness=sharpness)
        sizes.append(np.corrcoef(np.arange(200), task.severity(start.outcomes))[0, 1])
    assert sizes == sorted(sizes)
    assert abs(sizes[0]) < 0.2
    assert sizes[-1] > 0.8


def test_there_may_be_more_prototypes_than_points_to_draw_from() -> None:
    points, scores = invented(30)
    start, _ = start_of(DAYS, 70, copies=1, pool=(points, scores))
    assert start.prototypes.shape == (70, ENCODING.width)
    assert {tuple(p) for p in start.prototypes} == {tuple(p) for p in points}


def grown_of(
    n_rows: int, share: float = 0.2, *, seed: int = 4, growth: Growth = RICH
) -> tuple[Start, np.ndarray]:
    """A start grown on a teacher's chances, and the chances of its prototypes."""
    rng = np.random.default_rng(seed)
    points, scores = invented(3000)
    chances = DIED.chance(scores - np.quantile(scores, 1 - share))
    outcomes = DIED.allot(np.array([1 - share, share]), n_rows, rng)
    typical = ENCODING.snap(np.median(points, axis=0))
    severity = DIED.severity(outcomes)
    start = grown(ENCODING, points, chances, outcomes, severity, typical, rng, growth)
    assert sorted(start.outcomes[:, 0]) == sorted(outcomes[:, 0])
    return start, chances


@pytest.mark.parametrize("growth", [RICH, BARE], ids=["rich", "bare"])
@pytest.mark.parametrize("n_rows", [4, 5, 20, 100, 300])
def test_a_grown_start_has_a_row_at_least_for_every_prototype(n_rows: int, growth: Growth) -> None:
    start, _ = grown_of(n_rows, growth=growth)
    assert 2 <= len(start.prototypes) <= min(growth.leaves, max(2, n_rows // 4))
    assert np.bincount(start.owner, minlength=len(start.prototypes)).min() >= 1
    assert len(start.owner) == len(start.outcomes) == n_rows
    assert (ENCODING.snap(start.prototypes) == start.prototypes).all()


@pytest.mark.parametrize("share", [0.05, 0.3])
def test_its_cases_lie_in_proportion_to_their_chances(share: float) -> None:
    start, _ = grown_of(100, share)
    rows = np.bincount(start.owner)
    cases = np.bincount(start.owner, weights=start.outcomes[:, 0])
    shares = cases / rows
    # Prototypes lie in order of risk; Sainte-Lague's divisors are within a case of proportion.
    assert np.polyfit(np.arange(len(rows)), shares, 1, w=rows)[0] > 0
    assert shares[-1] > shares[0]


@pytest.mark.parametrize("growth", [RICH, BARE], ids=["rich", "bare"])
@pytest.mark.parametrize("share", [0.1, 0.3])
def test_a_tree_fitted_on_a_grown_start_ranks_better_than_chance(
    share: float, growth: Growth
) -> None:
    points, _ = invented(3000)
    found = []
    for seed in range(8):
        start, chances = grown_of(100, share, seed=seed, growth=growth)
        tree = DecisionTreeClassifier(max_depth=5, random_state=0)
        tree.fit(ENCODING.design(start.prototypes)[start.owner], start.outcomes[:, 0])
        predicted = tree.predict_proba(ENCODING.design(points))[:, 1]
        found.append(roc_auc_score(chances > np.median(chances), predicted))
    assert np.mean(found) > 0.55, found  # before any search; chance is ½


def test_a_bare_start_holds_no_more_leaves_than_its_cases_can_tell_apart() -> None:
    start, _ = grown_of(100, 0.2, growth=BARE)
    assert len(start.prototypes) <= BARE.a_case * start.outcomes.sum()


@pytest.mark.parametrize("growth", [RICH, BARE], ids=["rich", "bare"])
def test_a_start_grows_where_noise_left_outcomes_of_one_kind(growth: Growth) -> None:
    # Found by the fuzzer: no case times leaves without end was no number.
    points, scores = invented(300)
    same, typical = np.zeros((16, 1)), ENCODING.snap(np.median(points, axis=0))
    rng = np.random.default_rng(0)
    chances, severity = DIED.chance(scores), DIED.severity(same)
    start = grown(ENCODING, points, chances, same, severity, typical, rng, growth)
    assert (start.outcomes == 0).all()
    assert len(start.prototypes) == 4
