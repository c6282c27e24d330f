"""In what order columns are settled, so that each follows only what is settled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tincture.errors import SchemaError
from tincture.public.columns import Column
from tincture.public.encoding import Values
from tincture.public.rules.room import Array, free, meet
from tincture.public.rules.rule import Rule, Step

Settling = list[tuple[Column, list[Step]]]


def planned(rules: Sequence[Rule], held: frozenset[str]) -> Settling:
    """Every column that follows others, after those it follows.

    Parameters
    ----------
    rules : sequence of Rule
    held : frozenset of str
        Columns that must not change.

    Raises
    ------
    SchemaError
        If rules run in a circle, or one could be obeyed by a change of held columns only.
    """
    derived = [rule.derives for rule in rules if rule.derives is not None]
    twice = {name for name in derived if derived.count(name) > 1}
    if twice:
        raise SchemaError(f"Two rules derive the column {min(twice)!r}; keep one.")
    if held & set(derived):
        name = min(held & set(derived))
        raise SchemaError(
            f"A rule derives the column {name!r}, which is the outcome; derive another from it, or "
            "leave the rule out."
        )
    steps: list[Step] = []
    for rule in sorted(rules, key=lambda rule: rule.derives is None):  # these have one way only
        ways = rule.ways(held if rule.derives else held.union(derived))
        way = next((way for way in ways if ordered([*steps, *way]) is not None), None)
        if way is None:
            raise SchemaError(
                f"The rule about {', '.join(map(repr, rule.names))} cannot be obeyed beside the "
                "others: they run in a circle, or no column of it is free to follow."
            )
        steps += way
    return ordered(steps) or []


def ordered(steps: Iterable[Step]) -> Settling | None:
    """Columns with their steps, leaders first; None where they run in a circle."""
    left: dict[str, list[Step]] = {}
    for step in steps:
        left.setdefault(step.column.name, []).append(step)
    out: Settling = []
    while left:
        ready = [n for n, own in left.items() if not any(x in left for s in own for x in s.leaders)]
        if not ready:
            return None
        out += [(left[name][0].column, left.pop(name)) for name in ready]
    return out


def followed(settling: Settling, values: Values) -> dict[str, Array]:
    """Every row as the steps leave it."""
    out: dict[str, Array] = dict(values)
    for column, steps in settling:
        present = out[column.name]
        room = free(column, len(present))
        for step in steps:
            room = meet(room, step.room(out))
            if step.source is not None:
                present = step.source(out)
        out[column.name] = room.nearest(present)
    return out
