"""What every task must do; a new one inherits `TaskContract`."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tincture.public.columns import Column
from tincture.public.tasks import Amounts, Classification, Survival, Task

Values = dict[str, NDArray[np.generic]]


class TaskContract:
    """Give ``task``, ``values`` and ``predictions``."""

    def task(self) -> Task:
        raise NotImplementedError

    def values(self, n: int, rng: np.random.Generator) -> Values:
        raise NotImplementedError

    def predictions(self, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
        raise NotImplementedError

    def losses(self, rows: np.ndarray, n: int = 30) -> np.ndarray:
        """Losses (R, len(rows)) of some of n fixed records; anchored, should the task compare."""
        rng = np.random.default_rng(5)
        task = self.task()
        outcomes = task.outcomes(self.values(n, rng))
        predictions = self.predictions((4, n), rng)
        task = task.anchored(rng.uniform(size=(20, 3)), task.outcomes(self.values(20, rng)))
        fixed = None if task.reference is None else self.predictions((4, 20), rng)
        return task.loss(predictions[:, rows], outcomes[rows], fixed)

    def test_a_loss_lies_between_0_and_1(self) -> None:
        losses = self.losses(np.arange(30))
        assert losses.shape == (4, 30)
        assert ((losses >= 0) & (losses <= 1)).all()
        assert losses.std() > 0

    def test_permuting_records_permutes_losses(self, rng: np.random.Generator) -> None:
        order = rng.permutation(30)
        np.testing.assert_array_equal(self.losses(order), self.losses(np.arange(30))[:, order])

    @pytest.mark.parametrize("gone", [0, 7, 29])
    def test_removing_a_record_leaves_the_others(self, gone: int) -> None:
        rest = np.delete(np.arange(30), gone)
        np.testing.assert_array_equal(self.losses(rest), self.losses(np.arange(30))[:, rest])

    def test_a_record_alone_has_the_same_loss(self) -> None:
        alone = np.concatenate([self.losses(np.array([i])) for i in range(30)], axis=1)
        np.testing.assert_array_equal(alone, self.losses(np.arange(30)))

    def test_values_come_back_from_outcomes(self, rng: np.random.Generator) -> None:
        values = self.values(25, rng)
        back = self.task().values(self.task().outcomes(values))
        assert back.keys() == set(self.task().columns)
        for name, column in back.items():
            np.testing.assert_array_equal(column, values[name])

    def test_cells_lie_in_range(self, rng: np.random.Generator) -> None:
        task = self.task()
        cells = task.cells(task.outcomes(self.values(200, rng)))
        assert cells.shape == (200,)
        assert ((cells >= 0) & (cells < task.n_cells)).all()

    @pytest.mark.parametrize("n_rows", [5, 16, 101])
    def test_allotted_rows_have_the_shares_of_the_counts(
        self, n_rows: int, rng: np.random.Generator
    ) -> None:
        task = self.task()
        counts = rng.uniform(50, 100, task.n_cells)
        outcomes = task.allot(counts, n_rows, rng)
        assert len(outcomes) == n_rows
        got = np.bincount(task.cells(outcomes), minlength=task.n_cells)
        assert (np.abs(got - counts / counts.sum() * n_rows) <= 1).all()

    def test_noise_below_zero_everywhere_still_allots(self, rng: np.random.Generator) -> None:
        task = self.task()
        outcomes = task.allot(np.full(task.n_cells, -3.0), 12, rng)
        assert len(outcomes) == 12
        assert np.isfinite(outcomes).all()

    def test_each_cell_adds_a_row_of_norm_1_that_can_be_undone(
        self, rng: np.random.Generator
    ) -> None:
        task = self.task()
        counts = rng.uniform(50, 100, task.n_cells)
        np.testing.assert_allclose(np.linalg.norm(task.coding, axis=1), 1.0, atol=1e-12)
        np.testing.assert_allclose(task.counted(counts @ task.coding, 0.0), counts)

    # Also where noise leaves nothing.
    @pytest.mark.parametrize("count", [70.0, -3.0])
    @pytest.mark.parametrize("n", [1, 2, 300])
    def test_invented_people_have_outcomes_that_the_random_numbers_fix(
        self, n: int, count: float
    ) -> None:
        task = self.task()
        counts = np.full(task.n_cells, count)
        scores = np.random.default_rng(1).normal(size=(n, *np.shape(task.level(counts))))
        first, again = (task.drawn(scores, counts, np.random.default_rng(2)) for _ in range(2))
        np.testing.assert_array_equal(first, again)
        assert first.shape == task.allot(counts, n, np.random.default_rng(2)).shape
        cells = task.cells(first)
        assert ((cells >= 0) & (cells < task.n_cells)).all()

    def test_severity_orders_the_rows(self, rng: np.random.Generator) -> None:
        severity = self.task().severity(self.task().outcomes(self.values(40, rng)))
        assert severity.shape == (40,)
        assert np.isfinite(severity).all()


class TestClassification(TaskContract):
    n_classes = 2

    def task(self) -> Task:
        return Classification("y", self.n_classes)

    def values(self, n: int, rng: np.random.Generator) -> Values:
        return {"y": rng.integers(self.n_classes, size=n)}

    def predictions(self, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
        return rng.dirichlet(np.full(self.n_classes, 0.3), size=shape)


class TestThreeClasses(TestClassification):
    n_classes = 3


class TestSurvival(TaskContract):
    def task(self) -> Task:
        return Survival("t", "e", 0.0, 100.0)

    def values(self, n: int, rng: np.random.Generator) -> Values:
        return {"t": np.round(rng.uniform(0, 100, n), 1), "e": rng.integers(2, size=n)}

    def predictions(self, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
        return rng.normal(size=(*shape, 1))


class TestAmounts(TaskContract):
    column = Column("y", "number", 0.0, 90.0, decimals=1)

    def task(self) -> Task:
        return Amounts(self.column)

    def values(self, n: int, rng: np.random.Generator) -> Values:
        low, high = self.column.bounds
        return {"y": np.round(rng.uniform(low, high, n), self.column.places)}

    def predictions(self, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
        return rng.normal(0.5, 0.5, size=(*shape, 1))


class TestLogarithms(TestAmounts):
    column = Column("y", "number", 0.1, 90.0, decimals=2, scale="log")


class TestFewAmounts(TestAmounts):
    column = Column("y", "integer", -3.0, 9.0)
