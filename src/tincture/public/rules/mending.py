"""Rules together: which rows break one, and the nearest rows that break none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tincture.arrays import Mask
from tincture.errors import SchemaError
from tincture.public.columns import Column
from tincture.public.encoding import Values
from tincture.public.rules.combination import Combination
from tincture.public.rules.inventing import blank, invented
from tincture.public.rules.order import Order
from tincture.public.rules.plan import Settling, followed, planned
from tincture.public.rules.room import Array, is_missing, written
from tincture.public.rules.rule import Rule

N_MODELS = 24  # rows that others are drawn to where a column alone cannot follow
N_TRIED = 500  # rows that must obey before any others do
BLANK = 0.4  # share of a column's cells that a rule must not empty for the outcome's sake
PULLS = (0.25, 0.5, 0.75, 1.0)  # how far


@dataclass(frozen=True)
class Rules:
    """Rules between columns, and the columns that must stay as they are.

    Rows are values by column name, as `tincture.public.encoding` has them.

    Parameters
    ----------
    columns : tuple of Column
        At least those that rules bind.
    rules : tuple of Rule
    held : frozenset of str
        Columns that must not change, such as outcomes.
    """

    columns: tuple[Column, ...]
    rules: tuple[Rule, ...]
    held: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return len(self.rules)

    @cached_property
    def names(self) -> list[str]:
        """Columns that rules bind, in their order."""
        bound = {name for rule in self.rules for name in rule.names}
        return [c.name for c in self.columns if c.name in bound]

    def among(self, names: Iterable[str]) -> Rules:
        """Those that bind none but these columns."""
        keep = set(names)
        rules = tuple(rule for rule in self.rules if keep.issuperset(rule.names))
        return Rules(self.columns, rules, self.held)

    def check(self) -> None:
        """Refuse rules that contradict each other, run in a circle or empty a column.

        Raises
        ------
        SchemaError
        """
        rows = invented(self._bound, N_TRIED)
        usual = self.mended(rows)
        for rule in self.rules:
            asked = rule.applied(rows)
            left = usual if asked is None else self.mended(asked)
            applies = rule.applies(left) & ~self.broken(left)
            if rule.broken(usual).any() or not applies.any():
                held = ", ".join(repr(name) for name in rule.names if name in self.held)
                without = f" without a change of {held}" if held else ""
                raise SchemaError(
                    f"The rule about {', '.join(map(repr, rule.names))} contradicts another or the "
                    f"bounds and levels of its columns; some rows could not obey all{without}."
                )
        self._refuse_emptied(rows)

    def _refuse_emptied(self, rows: Values) -> None:
        """Refuse rules that mean no blanks and leave few values beside a column that is held."""
        for rule in self.rules:
            held = [name for name in rule.names if name in self.held]
            if not held or not isinstance(rule, Order | Combination):
                continue
            left = Rules(self.columns, (rule,), self.held).mended(rows)
            for column in (c for c in self._bound if c.name in rule.names):
                share = float(np.mean(is_missing(column, left[column.name])))
                if share > BLANK:
                    names = ", ".join(map(repr, rule.names))
                    raise SchemaError(
                        f"The rule about {names} would leave {column.name!r} blank in some "
                        f"{share:.0%} of rows, as {held[0]!r} is the outcome, which never changes; "
                        "correct its bounds or levels, or leave the rule out."
                    )

    def broken(self, values: Values) -> Mask:
        """Which rows break a rule, (n,)."""
        return self._any([rule.broken(values) for rule in self.rules], values)

    def amiss(self, values: Values) -> Mask:
        """Which rows do, or obey only because a derived value was cut to its bounds."""
        parts = [part for rule in self.rules if (part := rule.beyond(values)) is not None]
        return self.broken(values) | self._any(parts, values)

    def mended(self, values: Values) -> dict[str, Array]:
        """Every row changed as little as makes it obey; others stay as they are."""
        out: dict[str, Array] = dict(values)
        rows = np.flatnonzero(self.amiss(values))
        if not len(rows):
            return out
        some = {name: np.asarray(values[name])[rows] for name in self.names}
        some = self._drawn(self._settled(some))
        for name in self.names:
            if name not in self.held:
                out[name] = np.array(values[name])
                out[name][rows] = some[name]
        return out

    def _any(self, parts: list[Mask], values: Values) -> Mask:
        n = len(next(iter(values.values()), ()))
        return np.asarray(np.logical_or.reduce([np.zeros(n, dtype=bool), *parts]))

    @cached_property
    def _plan(self) -> Settling:
        return planned(self.rules, self.held)

    def _settled(self, values: Values) -> dict[str, Array]:
        """Rows of which those that are amiss follow the plan; the result may be amiss still."""
        amiss, out = self.amiss(values), followed(self._plan, values)
        return {name: np.where(amiss, out[name], values[name]) for name in self.names}

    def _drawn(self, values: dict[str, Array]) -> dict[str, Array]:
        """Rows that are still amiss, drawn to rows that are not."""
        left = np.flatnonzero(self.amiss(values))
        tries = ((model, pull) for model in self._models for pull in PULLS)
        while len(left) and (tried := next(tries, None)) is not None:
            some = {name: values[name][left] for name in self.names}
            near = self._settled(self._towards(some, *tried))
            well = ~self.amiss(near)
            for name in self.names:
                values[name][left[well]] = near[name][well]
            left = left[~well]
        return values

    def _towards(self, values: Values, model: dict[str, Array], pull: float) -> dict[str, Array]:
        """Amounts by part of the way; the rest at its end."""
        out: dict[str, Array] = {}
        for column in self._bound:
            name, own, there = column.name, values[column.name], model[column.name]
            if name in self.held:
                out[name] = own
            elif pull == 1.0:
                out[name] = np.repeat(there, len(own))
            elif column.is_categorical:
                out[name] = own
            else:
                x = np.asarray(own, dtype=np.float64)
                out[name] = written(column, x + pull * (there.astype(np.float64) - x))
        return out

    @cached_property
    def _bound(self) -> list[Column]:
        return [c for c in self.columns if c.name in self.names]

    @cached_property
    def _models(self) -> list[dict[str, Array]]:
        """Invented rows that obey every rule, one a dict; the first in the middle of its fields."""
        rows = followed(self._plan, invented(self._bound, N_MODELS))
        good = np.flatnonzero(~self.amiss(rows))
        if not len(good):
            good = np.flatnonzero(~self.broken(rows))
        last = followed(self._plan, blank(self._bound))
        return [*({name: rows[name][[i]] for name in self.names} for i in good), last]
