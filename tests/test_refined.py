"""All answers at once give back what careful rounds fall short of."""

from __future__ import annotations

import numpy as np
import pytest

from helpers import ENCODING, make_teacher
from tincture.arrays import Floats
from tincture.privacy.engine import Told
from tincture.public.tasks import Classification, Survival, Task
from tincture.spine.teaching import Teacher
from tincture.tables.additive import Basis, Belief
from tincture.tables.refined import Heard, Lesson, refined

DIED, DAYS = Classification("died", 2), Survival("days", "event", 0.0, 100.0)
N = 4000


def lesson_of(task: Task, noise: float = 0.0) -> tuple[Lesson, Floats, Floats, Floats]:
    """Of an additive truth, told of at weights ever nearer to it but too small; and its people."""
    rng = np.random.default_rng(1)
    teacher = make_teacher(rng)
    points = people(rng, teacher)
    basis = Basis.fitting(teacher.basis.marginals, points)
    counts = np.linspace(2.0, 1.0, task.n_cells) * 100
    weights = np.append(teacher.weights[:-1], task.level(counts))
    values = basis.values(points)
    truth = values @ weights
    told = []
    for part in (0.0, 0.3, 0.5, 0.6):
        asked = part * weights
        exact = basis.bounded(values).T @ task.expected(truth, values @ asked, counts)
        heard = Told(exact + noise * rng.standard_normal(basis.size), noise)
        told.append(Heard(basis, asked, heard))
    damped = Teacher(basis, 0.6 * weights)
    return Lesson(damped, Belief.first(basis, task.level(counts)), told), points, truth, counts


def people(rng: np.random.Generator, teacher: Teacher[Basis]) -> Floats:
    marginals = teacher.basis.marginals
    return ENCODING.snap(marginals.place(marginals.draw(N, rng)))


def slope(scores: Floats, truth: Floats) -> float:
    return float(np.cov(scores, truth)[0, 1] / np.var(truth))


@pytest.mark.parametrize("task", [DIED, DAYS])
def test_exact_answers_give_the_truth_back_at_its_full_slope(task: Task) -> None:
    lesson, points, truth, counts = lesson_of(task)
    found = refined(lesson, points, task, counts, float(N)).score(points)
    assert np.corrcoef(found, truth)[0, 1] > 0.99
    assert slope(found, truth) == pytest.approx(1.0, abs=0.05)
    assert slope(lesson.teacher.score(points), truth) < 0.65


def test_twice_the_records_tell_the_same_of_twice_the_sums() -> None:
    lesson, points, truth, counts = lesson_of(DIED)
    twice = [h._replace(told=Told(2 * h.told.value, h.told.noise)) for h in lesson.told]
    found = refined(lesson._replace(told=twice), points, DIED, counts, 2.0 * N).score(points)
    assert slope(found, truth) == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("task", [DIED, DAYS])
def test_noise_beyond_all_records_leaves_no_effect(task: Task) -> None:
    lesson, points, _, counts = lesson_of(task, noise=1e5)
    assert refined(lesson, points, task, counts, float(N)).score(points).std() < 0.05


def test_who_was_told_nothing_keeps_the_teacher() -> None:
    lesson, points, _, counts = lesson_of(DIED)
    assert refined(lesson._replace(told=[]), points, DIED, counts, float(N)) is lesson.teacher
