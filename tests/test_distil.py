"""The search on invented records: what it measures, and that it goes downhill."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.naive_bayes import GaussianNB

from commands import Raises, RaisesLater
from helpers import ENCODING, make_teacher
from tincture.errors import ModelError
from tincture.kernels.ranking import _covariances, _sort_keys, rank_covariance
from tincture.models.portfolio import resolve
from tincture.models.prepared import Tables
from tincture.models.protocol import Model
from tincture.models.served import Served
from tincture.public.tasks import Classification, Survival, Task
from tincture.search.moves import Moves
from tincture.search.optimizer import Start
from tincture.tables.distil import EXTREME, N_PASSED, Distance, Judge, distil
from tincture.tables.starts import repeated

DIED, DAYS = Classification("died", 2), Survival("days", "event", 0.0, 365.0)
SEED = 5


def setting(
    models: Sequence[object],
    task: Task = DIED,
    size: float = 1.0,
    weights: Sequence[float] | None = None,
) -> tuple[Distance, Start, Moves]:
    """A distance from a teacher of ``size``, people along its score, and moves from its pool."""
    rng = np.random.default_rng(1)
    teacher = make_teacher(rng, size)
    marginals = teacher.basis.marginals
    pool = ENCODING.snap(marginals.place(marginals.draw(600, rng)))
    scores = teacher.score(pool) - teacher.score(pool).mean()
    resolved: list[Model] = [resolve(m, task) for m in models]
    even = [1 / max(len(resolved), 1)] * len(resolved)
    distance = Distance(Served(resolved, weights or even), task, ENCODING, pool[:300], scores[:300])
    outcomes = task.allot(np.ones(task.n_cells), 40, rng)
    outcomes = outcomes[np.argsort(task.severity(outcomes), kind="stable")]
    start = repeated(pool, scores, 40, rng)
    start = Start(start.prototypes, start.owner, outcomes)
    n_columns = len(ENCODING.slices)
    moves = Moves(pool, ENCODING.slices, np.full(n_columns, 1 / n_columns), n_pairs=16)
    return distance, start, moves


def whole(distance: Distance) -> Judge:
    """Looks at all the invented records, in their order."""
    return Judge(distance.task, distance.design, distance.chance)


NUMBERS = st.integers(-3, 3).map(float) | st.floats(-5, 5)


@given(st.lists(st.tuples(NUMBERS, st.floats(0.01, 0.99)), min_size=2, max_size=12))
def test_rank_covariance_is_the_gain_in_auroc(pairs: list[tuple[float, float]]) -> None:
    scores = np.round(np.array([s for s, _ in pairs]), 3)
    p = np.array([c for _, c in pairs])
    n, mean = len(p), p.mean()
    # Chance that of a drawn case and a drawn other the case has the higher score, ties counting ½.
    higher = (scores[:, None] > scores) + 0.5 * (scores[:, None] == scores)
    concordant = (p[:, None] * (1 - p) * higher).sum()
    gain = rank_covariance(scores[None], p)[0] / (n**2 * mean * (1 - mean))
    assert concordant / (n**2 * mean * (1 - mean)) == pytest.approx(0.5 + gain, abs=1e-9)


@given(st.lists(NUMBERS | st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_rank_covariance_takes_records_in_the_order_of_a_stable_sort(scores: list[float]) -> None:
    tables = np.array(scores) + np.zeros((2, 1))
    places, noughts = _sort_keys(tables), np.zeros(len(scores))
    _covariances(0, 2, tables, places, noughts, np.zeros(2))
    np.testing.assert_array_equal(places, np.argsort(tables, axis=1, kind="stable"))


def test_rank_covariance_compares_tables_one_by_one(rng: np.random.Generator) -> None:
    scores, chances = rng.normal(size=(4, 30)), rng.uniform(size=30)
    alone = np.concatenate([rank_covariance(scores[r : r + 1], chances) for r in range(4)])
    np.testing.assert_array_equal(rank_covariance(scores, chances), alone)
    assert rank_covariance(chances[None], chances)[0] >= rank_covariance(scores, chances).max()


def test_rank_covariance_ends_even_where_a_score_is_no_number() -> None:
    scores = np.array([[np.nan, 1.0, 2.0, np.nan], [np.nan] * 4])
    assert np.isfinite(rank_covariance(scores, np.array([0.1, 0.2, 0.3, 0.4]))).all()


@pytest.mark.parametrize(
    ("task", "models"), [(DIED, ["logistic", "tree"]), (DAYS, ["cox"])], ids=["classes", "times"]
)
def test_a_table_like_the_teacher_is_nearer_than_others(task: Task, models: list[str]) -> None:
    distance, start, _ = setting(models, task)
    rng = np.random.default_rng(2)
    mixed = Start(start.prototypes[rng.permutation(20)], start.owner, start.outcomes)
    upside_down = Start(start.prototypes[::-1].copy(), start.owner, start.outcomes)
    own, other, worst = (
        distance.losses(s.prototypes[None], s, SEED)[0] for s in (start, mixed, upside_down)
    )
    assert own < 0.6
    assert own < 0.7 * other < worst


def test_the_teacher_itself_is_at_distance_zero() -> None:
    distance, _, _ = setting(["logistic"])
    p = distance.chance
    assert whole(distance).loss(np.stack([1 - p, p], axis=-1)[None])[0] == pytest.approx(
        0.0, abs=1e-12
    )
    reverse = whole(distance).loss(np.stack([p, 1 - p], axis=-1)[None])[0]
    assert reverse == pytest.approx(2.0, abs=0.4)


def test_the_loss_of_several_classes_is_the_mean_over_each() -> None:
    chance = np.random.default_rng(4).dirichlet(np.ones(3), 300)
    stages = Judge(Classification("stage", 3), np.zeros((300, 1), np.float32), chance)
    assert stages.loss(chance[None])[0] == pytest.approx(0.0, abs=1e-12)
    wrong = chance[:, [0, 2, 1]]  # the first class is right, and the others are exchanged
    each = [
        Judge(DIED, np.zeros((300, 1), np.float32), p).loss(np.stack([1 - q, q], axis=-1)[None])[0]
        for p, q in zip(chance.T, wrong.T, strict=True)
    ]
    assert each[0] == pytest.approx(0.0, abs=1e-12)
    assert stages.loss(wrong[None])[0] == pytest.approx(np.mean(each))


def test_losses_are_weighted_means_over_models() -> None:
    both, start, _ = setting(["logistic", "tree"], weights=[0.25, 0.75])
    (logistic, *_), (tree, *_) = setting(["logistic"]), setting(["tree"])
    tables = start.prototypes[None]
    parts = [d.losses(tables, start, SEED)[0] for d in (logistic, tree)]
    assert both.losses(tables, start, SEED)[0] == pytest.approx(0.25 * parts[0] + 0.75 * parts[1])


class Sometimes(GaussianNB):
    """Cannot be fitted on some tables, and predicts nothing for some records."""

    def fit(self, x: np.ndarray, y: np.ndarray) -> Sometimes:
        if round(1e4 * np.abs(x).sum()) % 2:
            raise ValueError("not this one")
        fitted: Sometimes = super().fit(x, y)
        return fitted

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        out: np.ndarray = super().predict_proba(x)
        out[::3] = np.nan
        return out


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("task", [DIED, DAYS])
def test_predictions_that_are_no_number_cost_a_finite_loss(task: Task, value: float) -> None:
    distance, _, _ = setting([], task)
    predictions = np.random.default_rng(3).normal(size=(2, 300, task.n_outputs))
    predictions[0] = value
    predictions[1, ::2] = value
    assert np.isfinite(whole(distance).loss(predictions)).all()


def test_a_model_that_fits_only_some_tables_is_searched_for() -> None:
    distance, start, moves = setting([Sometimes()])
    asked = moves.ask(moves.init(start), np.random.default_rng(4)).plus
    tables = Tables(ENCODING.design(asked)[:, start.owner], ENCODING.numeric)
    predicted = distance._predictions(
        distance.served.models[0], tables, start.outcomes, distance.design, SEED
    )
    assert 0 < np.isnan(predicted).all(axis=(1, 2)).sum() < len(asked)
    found = distil(distance, moves, start, 3, np.random.default_rng(4))
    assert np.isfinite(distance.losses(np.stack(found), start, SEED)).all()


@pytest.mark.parametrize("estimator", [Raises(), RaisesLater()])
def test_a_failing_estimator_is_named_in_one_sentence(estimator: object) -> None:
    distance, start, _ = setting([estimator])
    with pytest.raises(ModelError) as caught:
        distance.losses(start.prototypes[None], start, SEED)
    assert type(estimator).__name__ in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_teacher_that_knows_nothing_gives_finite_losses() -> None:
    distance, start, moves = setting(["logistic"], size=0.0)
    tables = distil(distance, moves, start, 2, np.random.default_rng(4))
    assert np.isfinite(distance.losses(np.stack(tables), start, SEED)).all()


def test_distilling_never_worsens_and_keeps_a_table_a_quarter() -> None:
    distance, start, moves = setting(["logistic"])  # whose loss depends on no seed
    ticks: list[None] = []
    tables = distil(
        distance, moves, start, 24, np.random.default_rng(4), lambda: ticks.append(None)
    )
    losses = distance.losses(np.stack([start.prototypes, *tables]), start, SEED)
    assert len(tables) == 4
    assert len(ticks) == 24
    assert (np.diff(losses) <= 1e-12).all()
    assert losses[-1] < 0.65 * losses[0]


# Who passes the first look is compared by all models, as if there had been none.
def test_quick_models_look_first_and_all_models_at_those_that_pass() -> None:
    distance, start, moves = setting(["logistic", "boosting"])
    moves = replace(moves, n_pairs=N_PASSED + 6)
    candidates = moves.ask(moves.init(start), np.random.default_rng(0)).placed(ENCODING.lawful)
    found = distance.differences(candidates, start)
    passed = np.isfinite(found)
    assert passed.sum() == N_PASSED
    losses = distance.losses(candidates.both, start, candidates.seed)
    np.testing.assert_array_equal(found[passed], (losses[:-1] - losses[-1])[passed])
    distance.glances = False
    assert np.isfinite(distance.differences(candidates, start)).all()
    logistic, _, _ = setting(["logistic"])
    alone = logistic.differences(candidates, start)  # no other would look after it
    assert np.isfinite(alone).all()
    designs = ENCODING.designs(candidates.both, start.owner, start.outcomes)
    unreal = distance.realism.losses(designs)
    first = alone - (unreal[:-1] - unreal[-1])
    assert first[passed].max() <= first[~passed].min() + 1e-12


@pytest.mark.parametrize(("rounds", "kept"), [(0, 1), (1, 1), (3, 3), (4, 4), (11, 4)])
def test_however_short_the_search_there_is_a_last_table(rounds: int, kept: int) -> None:
    distance, start, moves = setting(["logistic"])
    tables = distil(distance, moves, start, rounds, np.random.default_rng(4))
    assert len(tables) == kept
    again = distil(distance, moves, start, rounds, np.random.default_rng(4))
    np.testing.assert_array_equal(tables, again)
    if rounds == 0:
        np.testing.assert_array_equal(tables[0], start.prototypes)


def test_an_infinite_log_hazard_is_a_large_one() -> None:
    distance, _, _ = setting([], DAYS)
    risk = np.linspace(-1.0, 1.0, 300)[None, :, None]
    finite, infinite = risk.copy(), risk.copy()
    finite[0, -1], infinite[0, -1] = EXTREME, np.inf
    assert whole(distance).loss(infinite)[0] == whole(distance).loss(finite)[0]
