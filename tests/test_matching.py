"""Stays are matched to networks, by nothing but what is released."""

from __future__ import annotations

import ast
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tincture.stays.prototypes
from series_helpers import LAYOUT, SCHEMA, make_stays
from test_series_prototypes import BASIS, COURSE, RNG, prototypes
from tincture.spine.teaching import Teacher
from tincture.stays.condenser import SeriesCondenser
from tincture.stays.imagined import imagine
from tincture.stays.inputs import Standard, channels
from tincture.stays.prototypes import Draft

torch = pytest.importorskip("torch")


@cache
def setting() -> tuple[Draft, np.ndarray, np.ndarray]:
    """Twenty stays, imagined ones and a score of these that the stays do not tell well."""
    draft = Draft.of(*prototypes(), 20)
    weights = np.zeros(BASIS.size)
    weights[[1, 3, 9]] = 0.3, 1.0, -0.8
    imagined = imagine(BASIS, COURSE, None, 600, RNG(3))
    return draft, imagined, Teacher(BASIS, weights).score(imagined)


def matched(rounds: int, seed: int = 0, **effort: int) -> Draft:
    from tincture.stays.matching.rounds import Effort, match

    draft, imagined, scores = setting()
    ticks: list[int] = []
    out = match(
        [draft],
        LAYOUT,
        imagined,
        scores,
        Effort(rounds, **effort),
        RNG(seed),
        lambda: ticks.append(1),
    )
    assert len(ticks) == rounds + 1
    return out


def agreement(draft: Draft, family: str) -> float:
    """Correlation with the score, of a network that learned from the stays."""
    from tincture.stays.networks import NETWORKS, train

    _, imagined, scores = setting()
    raw = channels(draft.points, LAYOUT)
    standard = Standard.of(raw)
    label = draft.outcomes[:, 0].astype(int)
    network = train(NETWORKS[family], standard(raw), label, 0)
    told = network.log_odds(standard(channels(imagined, LAYOUT)))
    return float(np.corrcoef(told, scores)[0, 1])


def test_of_several_drafts_the_one_that_networks_learn_most_from_is_taken() -> None:
    from tincture.stays.matching.rounds import Effort, match

    draft, imagined, scores = setting()
    odd = replace(draft, outcomes=1 - draft.outcomes)  # tells the contrary
    for drafts in ([draft, odd], [odd, draft]):
        out = match(drafts, LAYOUT, imagined, scores, Effort(1, pool=1), RNG(0), lambda: None)
        np.testing.assert_array_equal(out.outcomes, draft.outcomes)


def test_families_that_lag_take_part_more_often_and_beginners_do_not_tell() -> None:
    from tincture.stays.matching.rounds import LACK, Effort, _Lessons
    from tincture.stays.matching.unrolled import Learner

    seen: list[str] = []

    class Known(_Lessons):
        """Learners of known agreement that learn nothing."""

        def _newborn(self, family: str) -> Learner:
            return Learner(family, 0, None, None, None, {})

        def _unrolled(
            self, learner: Learner, prototypes: np.ndarray
        ) -> tuple[Learner, np.ndarray, float]:
            seen.append(learner.family)
            agreement = 0.5 if learner.family == "mlp" else 0.9
            return replace(learner, step=learner.step + 5), np.zeros((20, 1)), agreement

    draft, _, scores = setting()
    asked = RNG(0).standard_normal((len(scores), 12, 2)).astype(np.float32)
    lessons = Known(draft, asked, scores.astype(np.float32), Effort(1, pool=1), RNG(0))
    for family in lessons.lack:
        lessons.learners[family] = [lessons._newborn(family)]
    prototypes = np.zeros((len(draft.prototypes), 1), np.float32)
    lessons.gradients(prototypes)
    assert set(lessons.lack.values()) == {LACK}, "after five steps of two hundred"
    for _ in range(600):
        lessons.gradients(prototypes)
    assert lessons.lack["mlp"] > 0.4
    # By the squares of 0.5 and, seven times, 0.1: 0.78 of first choices, nearly all of the pairs.
    assert seen[-400:].count("mlp") > 150


@pytest.mark.slow
def test_networks_that_learn_from_matched_stays_rank_more_as_the_teacher() -> None:
    before, after = setting()[0], matched(100)
    for family in ("gru", "mlp"):
        assert agreement(after, family) > agreement(before, family) + 0.1


def test_the_result_depends_on_the_seed_alone() -> None:
    first, same, other = (matched(3, pool=1, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.prototypes, same.prototypes)
    assert not np.array_equal(first.prototypes, other.prototypes)


def test_levels_and_what_is_missing_stay_and_values_keep_to_their_bounds() -> None:
    before, after = setting()[0], matched(12, pool=1)
    (grid, statics), (was, still) = LAYOUT.parts(after.prototypes), LAYOUT.parts(before.prototypes)
    np.testing.assert_array_equal(np.isnan(grid), np.isnan(was))
    np.testing.assert_array_equal(statics[:, 1:], still[:, 1:])
    assert np.nanmin(grid) >= 0
    assert np.nanmax(grid) <= 1
    assert not np.allclose(grid[..., 0], was[..., 0])
    np.testing.assert_array_equal(after.outcomes, before.outcomes)


def test_randomness_and_threads_of_torch_are_left_as_they_were() -> None:
    torch.manual_seed(5)
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    matched(2, pool=1)
    assert torch.equal(before, torch.get_rng_state())
    assert torch.get_num_threads() == threads


def test_learners_see_stays_as_their_recipient_hands_them_to_a_network() -> None:
    # Standardised over what is known, and 0 where nothing is: before a variable is recorded first.
    from tincture.stays.matching.movable import Movable
    from tincture.stays.matching.slopes import Shown

    draft, _, _ = setting()
    table = Movable.of(LAYOUT, draft.points).values
    assert not np.isfinite(table).all()
    seen = Shown.of(torch.tensor(table), 1).inputs
    raw = channels(draft.points, LAYOUT)
    np.testing.assert_allclose(seen.numpy(), Standard.of(raw)(raw), atol=1e-4)


@pytest.mark.parametrize("family", ["mlp", "gru", "transformer", "tcn", "patches", "lstm"])
def test_the_gradient_is_what_a_small_change_of_the_stays_does(family: str) -> None:
    from tincture.stays.matching import unrolled
    from tincture.stays.matching.slopes import Lesson

    rng = RNG(0)
    table = rng.standard_normal((10, 12, 3)).astype(np.float32)
    asked = rng.standard_normal((64, 12, 3)).astype(np.float32)
    scores = asked[:, -1].sum(axis=1)
    label = (np.arange(10) % 2).astype(np.float32)
    lesson = Lesson(table, label, asked, scores, 1, 7)
    learner = unrolled.learn(unrolled.newborn(family, 12, 3, 0), lesson, 20)
    _, gradient, agreement = unrolled.unroll(learner, lesson, 3)
    assert agreement == pytest.approx(unrolled.examine(learner, lesson, 3), abs=1e-4)
    direction = gradient / np.linalg.norm(gradient)

    def loss(size: float) -> float:
        changed = replace(lesson, table=(table + size * direction).astype(np.float32))
        return -unrolled.examine(learner, changed, 3)

    step = 0.02
    slope = (loss(step) - loss(-step)) / (2 * step)
    # Single precision. (Before batch normalisation, biases have no gradient but rounding, of which
    # Adam makes steps: no difference can be taken there.)
    assert slope == pytest.approx(float(np.linalg.norm(gradient)), rel=0.05)


def test_neither_learners_nor_what_they_see_comes_near_the_vault() -> None:
    house = Path(tincture.stays.prototypes.__file__).parent
    alone = [house / "prototypes.py", house / "imagined.py"]
    rooms = [*alone, *sorted((house / "matching").glob("*.py"))]
    assert len(rooms) == 8
    for path in rooms:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        modules = [n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
        assert not any("privacy" in m or "engine" in m for m in modules), path.name


def test_a_release_tells_whether_it_was_matched(
    tmp_path: Path,
) -> None:
    seen: list[tuple[int, int]] = []
    settings: dict[str, Any] = {"schema": SCHEMA, "target": "died", "n_rows": 16, "hours": 12}
    condenser = SeriesCondenser(**settings, epsilon=4.0, delta=1e-5, effort=0.004)
    condenser.fit(*make_stays(), progress=lambda done, total: seen.append((done, total)))
    assert condenser.table_.settings["effort"] == 0.004
    assert seen[-1][0] == seen[-1][1]
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    condenser.save(tmp_path / "out")
    assert "yes, with effort 0.004" in (tmp_path / "out/README.md").read_text(encoding="utf-8")
    plain = SeriesCondenser(**settings, epsilon=4.0, delta=1e-5, effort=0).fit(*make_stays())
    assert len(plain.ledger.entries) == len(condenser.ledger.entries)
