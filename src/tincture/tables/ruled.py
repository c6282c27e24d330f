"""Rows that obey the rules of the schema: an encoding whose points do, whoever makes them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tincture.arrays import Floats, Integers
from tincture.public.columns import Column
from tincture.public.encoding import Encoding, Values
from tincture.public.rules import Rules
from tincture.public.tasks import Task


class Ruled(Encoding):
    """An encoding that snaps to rows which obey rules; records are encoded as they are.

    Parameters
    ----------
    columns : sequence of Column
        The features.
    rules : Rules
        Which hold the outcomes.
    task : Task
        Whose outcomes rules may bind.
    """

    def __init__(self, columns: Sequence[Column], rules: Rules, task: Task) -> None:
        super().__init__(columns)
        self.rules, self.task = rules, task
        self._among = rules.among(c.name for c in columns)
        kinds = zip(self.columns, self.kinds, self.slices, strict=True)
        self._bound = [(c.name, k, s) for c, k, s in kinds if c.name in rules.names]

    def snap(self, points: Floats) -> Floats:
        """As rows that obey the rules that bind no outcome."""
        return self.lawful(super().snap(points))

    def lawful(self, exact: Floats) -> Floats:
        """Likewise of exact points."""
        return self._mended(exact, self._among, {})

    def designs(self, tables: Floats, owner: Integers, outcomes: Floats) -> Floats:
        """What models see; where rules bind an outcome, each of a prototype's rows by itself."""
        if len(self._among) == len(self.rules):
            return super().designs(tables, owner, outcomes)
        every = np.tile(outcomes, (len(tables), 1))
        return self.design(self._mended(tables[:, owner], self.rules, self.task.values(every)))

    def _mended(self, exact: Floats, rules: Rules, outcomes: Values) -> Floats:
        flat = exact.reshape(-1, self.width)
        own = {name: kind.decode(flat[:, s]) for name, kind, s in self._bound}
        values = {**own, **outcomes}
        rows = np.flatnonzero(rules.amiss(values))
        if not len(rows):
            return exact
        mended = rules.mended({name: np.asarray(x)[rows] for name, x in values.items()})
        out = flat.copy()
        for name, kind, s in self._bound:
            out[rows, s] = kind.encode(mended[name])
        return out.reshape(exact.shape)
