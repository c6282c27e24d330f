"""All answers at once give back what careful rounds fall short of."""

from __future__ import annotations

import numpy as np
import pytest

from helpers import ENCODING, make_teacher
from tincture.arrays import Floats
from tincture.privacy.engine import Told
from tincture.public.tasks import Classification, Survival, Task
from tincture.spine.posterior import LONGEST
from tincture.spine.teaching import Teacher
from tincture.tables.additive import Basis, Belief
from tincture.tables.refined import STEPS, Heard, Lesson, refined

DIED, DAYS = Classification("died", 2), Survival("days", "event", 0.0, 100.0)
STAGES = Classification("stage", 4)
N = 4000


def lesson_of(task: Task, noise: float = 0.0) -> tuple[Lesson, Floats, Floats, Floats]:
    """Of an additive truth, told of at weights ever nearer to it but too small; and its people."""
    rng = np.random.default_rng(1)
    teacher = make_teacher(rng)
    points = people(rng, teacher)
    basis = Basis.fitting(teacher.basis.marginals, points)
    counts = np.linspace(2.0, 1.0, task.n_cells) * 100
    weights = Belief.first(basis, task.level(counts)).weights
    weights[..., :-1] = teacher.weights[:-1]
    if task is STAGES:
        weights[..., :-1] = 0.5 * rng.normal(size=weights[..., :-1].shape)
    values = basis.values(points)
    truth = values @ weights.T
    told = []
    for part in (0.0, 0.3, 0.5, 0.6):
        asked = part * weights
        lacking = task.expected(truth, values @ asked.T, counts)
        exact = (lacking.T @ basis.bounded(values)).ravel()
        heard = Told(exact + noise * rng.standard_normal(exact.size), noise)
        told.append(Heard(basis, asked, heard))
    damped = Teacher(basis, 0.6 * weights)
    return Lesson(damped, Belief.first(basis, task.level(counts)), told), points, truth, counts


def people(rng: np.random.Generator, teacher: Teacher[Basis]) -> Floats:
    marginals = teacher.basis.marginals
    return ENCODING.snap(marginals.place(marginals.draw(N, rng)))


def slope(scores: Floats, truth: Floats) -> float:
    """Of the scores on the true ones; of several scores together."""
    away = truth - truth.mean(axis=0)
    return float(np.sum(scores * away) / np.sum(away**2))


@pytest.mark.parametrize("task", [DIED, STAGES, DAYS])
def test_exact_answers_give_the_truth_back_at_its_full_slope(task: Task) -> None:
    lesson, points, truth, counts = lesson_of(task)
    found = refined(lesson, points, task, counts, float(N)).score(points)
    assert np.corrcoef(found.ravel(), truth.ravel())[0, 1] > 0.99
    # Three scores of the same people are known less well, and shrunk more.
    assert slope(found, truth) == pytest.approx(1.0, abs=0.1 if task is STAGES else 0.05)
    assert slope(lesson.teacher.score(points), truth) < 0.65


# Where invented people hardly differ, real ones may: without noise that was believed most of all.
@pytest.mark.parametrize("task", [DIED, STAGES, DAYS])
def test_steps_settle_without_noise_whoever_was_invented(task: Task) -> None:
    lesson, points, truth, counts = lesson_of(task)
    amounts = [place.start for place in ENCODING.slices[:3]]
    alike = points.copy()
    alike[:, amounts] += 0.99 * (points[:, amounts].mean(axis=0) - points[:, amounts])
    found = refined(lesson, alike, task, counts, 100.0 * N)
    assert np.abs(found.weights).max() < 0.5 * STEPS * LONGEST  # a step was shorter than it may be
    assert np.corrcoef(found.score(points).ravel(), truth.ravel())[0, 1] > 0.8


def test_twice_the_records_tell_the_same_of_twice_the_sums() -> None:
    lesson, points, truth, counts = lesson_of(DIED)
    twice = [h._replace(told=Told(2 * h.told.value, h.told.noise)) for h in lesson.told]
    found = refined(lesson._replace(told=twice), points, DIED, counts, 2.0 * N).score(points)
    assert slope(found, truth) == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("task", [DIED, STAGES, DAYS])
def test_noise_beyond_all_records_leaves_no_effect(task: Task) -> None:
    lesson, points, _, counts = lesson_of(task, noise=1e5)
    assert refined(lesson, points, task, counts, float(N)).score(points).std(axis=0).max() < 0.05


def test_who_was_told_nothing_keeps_the_teacher() -> None:
    lesson, points, _, counts = lesson_of(DIED)
    assert refined(lesson._replace(told=[]), points, DIED, counts, float(N)) is lesson.teacher
