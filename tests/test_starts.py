"""First tables: people all along the risk, or a tree of risk written back as rows."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.tree import DecisionTreeClassifier

from helpers import ENCODING, invented, make_teacher
from tincture.public.tasks import Classification
from tincture.search.optimizer import Start
from tincture.tables.products import Crossed
from tincture.tables.proxy import goes_together
from tincture.tables.starts import A_CASE, LEAVES, PLAIN, focused, grown, repeated

DIED = Classification("died", 2)


@pytest.mark.parametrize("n_rows", [4, 5, 100, 501])
def test_repeated_rows_are_equal_and_rise_with_the_score(n_rows: int) -> None:
    points, scores = invented()
    start = repeated(points, scores, n_rows, np.random.default_rng(2))
    assert start.owner.tolist() == [i // 2 for i in range(n_rows)]
    own = [scores[(points == p).all(axis=1)][0] for p in start.prototypes]
    assert len(own) == start.owner[-1] + 1
    assert (np.diff(own) >= 0).all()


def test_there_may_be_more_prototypes_than_points_to_draw_from() -> None:
    points, scores = invented(30)
    start = repeated(points, scores, 140, np.random.default_rng(2))
    assert start.prototypes.shape == (70, ENCODING.width)
    assert {tuple(p) for p in start.prototypes} == {tuple(p) for p in points}


def test_focused_prototypes_are_exact_and_mostly_typical_elsewhere() -> None:
    rng = np.random.default_rng(0)
    points, _ = invented(2000)
    typical = ENCODING.snap(np.median(points, axis=0))
    for _ in range(10):
        table = focused(points[:200], points, ENCODING, (0, 3), typical, rng)  # age and ward
        age, *others, ward, _ = ENCODING.slices
        assert (ENCODING.snap(table) == table).all()
        assert len(np.unique(table[:, age], axis=0)) == 2
        assert (table[:, ward] == points[:200, ward]).all()
        same = np.all([(table[:, o] == typical[o]).all(axis=1) for o in others], axis=0)
        assert same.mean() > PLAIN[0] - 0.15  # four standard deviations of 200 coins


# One column at a time tells nothing: from rows of people a tree learns it by luck alone.
def test_trees_learn_from_focused_rows_what_goes_together() -> None:
    rng = np.random.default_rng(0)
    points, _ = invented(4000)
    age, sodium = ENCODING.slices[0].start, ENCODING.slices[2].start
    middle = np.median(points[:, [age, sodium]], axis=0)

    def odd(table: np.ndarray) -> np.ndarray:
        return np.asarray((table[:, [age, sodium]] > middle).sum(axis=1) % 2 == 1)

    def learned(prototypes: np.ndarray) -> float:
        rows = np.repeat(prototypes, 5, axis=0)
        outcomes = np.tile(np.arange(5), len(prototypes)) < np.repeat(
            np.where(odd(prototypes), 4, 1), 5
        )
        tree = DecisionTreeClassifier(max_depth=5, random_state=0)
        tree.fit(np.nan_to_num(ENCODING.design(rows), nan=0.5), outcomes)
        design = np.nan_to_num(ENCODING.design(points), nan=0.5)
        return float(roc_auc_score(odd(points), tree.predict_proba(design)[:, 1]))

    people = [points[rng.integers(len(points), size=42)] for _ in range(10)]
    typical = ENCODING.snap(np.median(points, axis=0))
    seen = [focused(table, points, ENCODING, (0, 2), typical, rng) for table in people]
    by_luck, by_focus = ([learned(table) for table in tables] for tables in (people, seen))
    assert np.median(by_focus) > 0.9 > 0.8 > np.median(by_luck)


def grown_of(n_rows: int, share: float = 0.2, *, seed: int = 4) -> tuple[Start, np.ndarray]:
    """A start grown on a teacher's chances, and the chances of its prototypes."""
    rng = np.random.default_rng(seed)
    points, scores = invented(3000)
    chances = DIED.chance(scores - np.quantile(scores, 1 - share))
    outcomes = DIED.allot(np.array([1 - share, share]), n_rows, rng)
    typical = ENCODING.snap(np.median(points, axis=0))
    severity = DIED.severity(outcomes)
    start = grown(ENCODING, points, chances, outcomes, severity, typical, rng)
    assert sorted(start.outcomes[:, 0]) == sorted(outcomes[:, 0])
    return start, chances


@pytest.mark.parametrize("n_rows", [4, 5, 20, 100, 300])
def test_a_grown_start_has_a_row_at_least_for_every_prototype(n_rows: int) -> None:
    start, _ = grown_of(n_rows)
    assert 2 <= len(start.prototypes) <= min(LEAVES, max(2, n_rows // 4))
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


@pytest.mark.parametrize("share", [0.1, 0.3])
def test_a_tree_fitted_on_a_grown_start_ranks_better_than_chance(share: float) -> None:
    points, _ = invented(3000)
    found = []
    for seed in range(8):
        start, chances = grown_of(100, share, seed=seed)
        tree = DecisionTreeClassifier(max_depth=5, random_state=0)
        tree.fit(ENCODING.design(start.prototypes)[start.owner], start.outcomes[:, 0])
        predicted = tree.predict_proba(ENCODING.design(points))[:, 1]
        found.append(roc_auc_score(chances > np.median(chances), predicted))
    assert np.mean(found) > 0.55, found  # before any search; chance is ½


def test_a_bare_start_holds_no_more_leaves_than_its_cases_can_tell_apart() -> None:
    start, _ = grown_of(100, 0.2)
    assert len(start.prototypes) <= A_CASE * start.outcomes.sum()


def test_a_start_grows_where_noise_left_outcomes_of_one_kind() -> None:
    # Found by the fuzzer: no case times leaves without end was no number.
    points, scores = invented(300)
    same, typical = np.zeros((16, 1)), ENCODING.snap(np.median(points, axis=0))
    rng = np.random.default_rng(0)
    chances, severity = DIED.chance(scores), DIED.severity(same)
    start = grown(ENCODING, points, chances, same, severity, typical, rng)
    assert (start.outcomes == 0).all()
    assert len(start.prototypes) == 4


def test_rows_of_several_scores_are_drawn_from_every_corner() -> None:
    # 64 parts of 4096 people: eight of each of the eight corners that the signs of three scores
    # make. Squares of what is off sum to 56 on average where parts are drawn alone, here to 23.
    off = []
    for seed in range(20):
        scores = np.random.default_rng(seed).normal(size=(4096, 3))
        start = repeated(scores, scores, 128, np.random.default_rng(100 + seed))
        assert start.owner.tolist() == np.repeat(np.arange(64), 2).tolist()
        corners = np.bincount((start.prototypes > 0) @ [1, 2, 4], minlength=8)
        off.append(np.square(corners - 8).sum())
    assert np.mean(off) < 40


def test_models_that_add_columns_up_set_out_from_people_alone() -> None:
    """In focused rows other columns hardly vary, which is a price that only trees repay."""
    points, _ = invented()
    plain = make_teacher(np.random.default_rng(0)).basis
    crossed = Crossed.fitting(plain, [(0, 1)], points)
    assert goes_together(crossed, ("logistic", "tree"))
    assert not goes_together(crossed, ("logistic", "glm"))
    assert not goes_together(plain, ("logistic", "tree"))
