"""What is asked of a task: how outcomes are laid out, what a teacher learns of them, the loss.

A loss is *record-local*: the value for a record depends on that record, the candidate and public or
already released things, never on another record. It lies in [0, 1].
"""

from __future__ import annotations

from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from tincture.arrays import Floats, Integers
from tincture.public.encoding import Values


class Outcome(Protocol):
    """Outcomes as arrays, and as cells.

    *Outcomes* are float64 arrays of shape (n, width) in the task's own layout. *Cells* are a public
    partition of the outcomes whose private histogram tells prevalence and time scale.
    """

    @property
    def name(self) -> str:
        """Kind of the task."""

    @property
    def roles(self) -> tuple[str, ...]:
        """What each of the columns is, in their order: how a release tells them."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Outcome columns of the table."""

    @property
    def is_turned(self) -> bool:
        """Whether, of two levels, the case is the first."""

    @property
    def n_cells(self) -> int:
        """Cells of the public partition."""

    def outcomes(self, values: Values) -> Floats:
        """Table values of ``columns`` to outcomes (n, width)."""

    def values(self, outcomes: Floats) -> dict[str, NDArray[np.generic]]:
        """Outcomes back to table values."""

    def check(self, values: Values) -> None:
        """Refuse a record whose outcome is none.

        Raises
        ------
        TableError
        """

    def check_together(self, outcomes: Floats) -> None:
        """Refuse outcomes from all of which nothing can be learned; the ends of them tell.

        Raises
        ------
        TableError
        """

    def cells(self, outcomes: Floats) -> Integers:
        """Cell of each outcome, in 0 … n_cells − 1."""

    @property
    def coding(self) -> Floats:
        """What a unit adds to the answer in each cell, (n_cells, n_cells): rows of norm 1."""

    def counted(self, answer: Floats, noise: float) -> Floats:
        """Cell counts from an answer with noise of this deviation: the coding, undone."""

    def prevalence(self, counts: Floats) -> float | list[float]:
        """Share of the case, or of each of several classes, from cell counts; rounded.

        Of an amount its mean.
        """

    def uncertainty(self, counts: Floats, noise: float) -> float:
        """Deviation of this, where the answer has noise of this one, at most about; rounded."""

    def allot(self, counts: Floats, n_rows: int, rng: np.random.Generator) -> Floats:
        """Outcomes (n_rows, width) for the condensed rows, in proportion to cell counts."""

    def severity(self, outcomes: Floats) -> Floats:
        """Larger for outcomes that a higher risk leads to, (n,)."""

    def drawn(self, scores: Floats, counts: Floats, rng: np.random.Generator) -> Floats:
        """Outcomes (n, width) of invented people with these scores, scattered as little as can be.

        Scores are a teacher's, of classes already on the level wanted.
        """


class Taught(Protocol):
    """What an additive teacher fits: scores of a record, beside the noisy counts of the cells.

    Scores are (n,), one a record; or (n, K − 1) of K > 2 classes.
    """

    def level(self, counts: Floats) -> float | Floats:
        """Score of an average record, from noisy cell counts."""

    def rarer(self, counts: Floats) -> float:
        """Units with the event or without it, whichever are fewer, from noisy cell counts."""

    def residual(self, scores: Floats, outcomes: Floats, counts: Floats) -> Floats:
        """Outcome less what the scores and the noisy cell counts expect, as many as scores."""

    def expected(self, scores: Floats, asked: Floats, counts: Floats) -> Floats:
        """Residual to expect at the scores asked about of records with these scores."""

    def information(self, scores: Floats, counts: Floats) -> Floats:
        """What a record with each score tells about it: minus the slope of the residual.

        (n,), or (n, n_scores, n_scores).
        """

    def breadth(self, counts: Floats) -> float:
        """How large effects on the score may be, beside those on a log odds or log hazard."""

    def scatter(self, scores: Floats, counts: Floats) -> Floats:
        """Variance of the residual of a record with each score, shaped like the information."""

    def chance(self, scores: Floats) -> Floats:
        """What scores say on the scale on which models are compared, in [0, 1]: (n,) or (n, K)."""


class Judged(Protocol):
    """The loss of a prediction, and the scale on which models are compared."""

    @property
    def n_outputs(self) -> int:
        """Numbers a model predicts for a record: class probabilities, or one risk."""

    @property
    def is_probabilistic(self) -> bool:
        """Whether a prediction is one probability, which rows with mixed outcomes can carry."""

    @property
    def reference(self) -> Floats | None:
        """Design rows that every model also predicts, as fixed points of comparison, or None."""

    def anchored(self, design: Floats, outcomes: Floats) -> Self:
        """The same task, comparing records with these already released rows if it compares."""

    def chances(self, predictions: Floats) -> Floats:
        """What predictions (R, b, n_outputs) say on the same scale, (R, b) or (R, b, K)."""

    def loss(self, predictions: Floats, outcomes: Floats, reference: Floats | None) -> Floats:
        """Loss in [0, 1] of shape (R, b) from predictions (R, b, n_outputs) of R models."""


class Task(Outcome, Taught, Judged, Protocol):
    """An outcome, how it is taught, and how a prediction of it is judged."""
