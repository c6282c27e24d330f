"""The columns that a recipient's own pipeline makes of a table, and models trained on them."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np

from tincture.arrays import Floats, Mask
from tincture.evaluation.bench import Fitted, Watch
from tincture.models.portfolio import plain
from tincture.models.protocol import Model
from tincture.privacy.query import Records
from tincture.public.columns import Column
from tincture.public.encoding import Encoding
from tincture.public.tasks import Task

MISSING = "(missing)"  # the text of a level that is none
DIGITS = 6  # of an amount, in which single precision is exact
SMALL = 1000  # rows up to which a fit is repeated,
QUICK = 0.1  # unless that takes more seconds and is not the first, which may load or compile code


@dataclass(slots=True)
class Recipient:
    """A model as whoever is handed the table alone would train it.

    Attributes
    ----------
    is_warm : bool
        Whether it has been trained before.
    """

    model: Model
    encoding: Encoding
    task: Task
    is_warm: bool = False

    @property
    def name(self) -> str:
        """Of the model."""
        return self.model.name

    def learn(self, table: Records, seed: int, watch: Watch) -> Fitted:
        """Fit; of few rows the shortest of three counts, or of fewer that are slow."""
        of = View.plain if self.name == plain(self.task) else View.of
        view = of(self.encoding, table)
        seen = view.columns(table)
        took: list[float] = []
        while len(took) < (3 if len(table) <= SMALL else 1):
            start = time.perf_counter()
            fitted = self.model.fit(seen[None], table.outcomes, view.numeric)
            took.append(time.perf_counter() - start)
            if self.is_warm and sum(took) > QUICK:
                break
            self.is_warm = True
        return Fitted(lambda asked: fitted.predict(view.columns(asked))[0], min(took))


@dataclass(frozen=True, slots=True)
class View:
    """The columns that a recipient's own pipeline makes of a table that it is handed as a file.

    Amounts in their units come first, then the levels that occur, column by column in the order of
    their text, "(missing)" among them. Models break ties between columns by this order, and forests
    draw from this number of columns, so that figures would differ by up to 0.01 in any other.

    Attributes
    ----------
    places : tuple of int
        Of the columns kept, among all amounts and levels.
    numeric : ndarray of bool
        Which of those kept are amounts.
    """

    encoding: Encoding
    places: tuple[int, ...]
    numeric: Mask

    @classmethod
    def of(cls, encoding: Encoding, table: Records) -> View:
        """For models that are trained on this table."""
        amounts = sum(not c.is_categorical for c in encoding.columns)
        occurs = _natural(encoding, table)[:, amounts:].any(axis=0)
        places = (*range(amounts), *(amounts + np.flatnonzero(occurs)).tolist())
        return cls(encoding, places, np.arange(len(places)) < amounts)

    @classmethod
    def plain(cls, encoding: Encoding, table: Records) -> View:
        """As a formula of R's makes them: in the columns' order, but for each one's first level.

        A level that does not occur counts as that one, and "(missing)" comes last.
        """
        found: list[int] = []
        amount, level = 0, sum(not c.is_categorical for c in encoding.columns)
        occurs = np.asarray(_natural(encoding, table).any(axis=0))
        for column, place in zip(encoding.columns, encoding.design_slices, strict=True):
            if not column.is_categorical:
                found.append(amount)
                amount += 1
                continue
            texts = sorted(_texts(column, place))
            there = [level + k for k, text in enumerate(texts) if text != MISSING]
            there += [level + k for k, text in enumerate(texts) if text == MISSING]
            found += [k for k in there if occurs[k]][1:]
            level += len(texts)
        return cls(encoding, tuple(found), np.array(found, dtype=np.int64) < amount)

    @property
    def terms(self) -> tuple[tuple[str, str | None], ...]:
        """Column of each, and its level where it is one."""
        amounts = [(c.name, None) for c in self.encoding.columns if not c.is_categorical]
        levels = [
            (column.name, text)
            for column, place in zip(
                self.encoding.columns, self.encoding.design_slices, strict=True
            )
            if column.is_categorical
            for text in sorted(_texts(column, place))
        ]
        return tuple([*amounts, *levels][k] for k in self.places)

    def columns(self, records: Records) -> Floats:
        """These columns of any records, NaN where an amount is missing."""
        return _natural(self.encoding, records)[:, self.places]


def _natural(encoding: Encoding, records: Records) -> Floats:
    """Amounts in their units, then every level in the order of its text.

    Amounts are as fine as single precision keeps them, not rounded to what a release would hold:
    that would lay many of them right on the thresholds of a tree.
    """
    amounts: list[Floats] = []
    levels: list[Floats] = []
    design = records.design.astype(np.float64)
    for column, place in zip(encoding.columns, encoding.design_slices, strict=True):
        if column.is_categorical:
            texts = _texts(column, place)
            levels.append(design[:, place][:, np.argsort(texts)])
            continue
        low, high = column.bounds
        digits = DIGITS - math.floor(math.log10(high - low))
        amounts.append(np.round(low + design[:, place] * (high - low), digits))
    return np.concatenate([*amounts, *levels], axis=1)


def _texts(column: Column, place: slice) -> list[str]:
    """Levels as a file tells them, in the order of the design."""
    texts = [v if isinstance(v, str) else f"{v:g}" for v in column.levels]
    return texts + [MISSING] * (place.stop - place.start - len(texts))
