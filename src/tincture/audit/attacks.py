"""The attacks on points: rows as the schema encodes them, descriptions of stays, and others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tincture.arrays import Floats, Integers, Mask
from tincture.audit.canaries import check_canaries
from tincture.audit.disclosure import Closeness, closeness_of
from tincture.audit.membership import (
    Attack,
    closeness,
    density_ratio,
    halves,
    judged,
    likelihood_ratio,
)
from tincture.errors import SettingError, TableError
from tincture.search.optimizer import Progress

Statistic = Callable[[Floats, Floats], Floats]  # of what is released, and of units; one a unit
MOST = 5000  # units of each kind that are attacked
FEWEST = 20
MOST_REFERENCES = 1000


@dataclass(frozen=True, slots=True)
class Scene:
    """What was released, and those attacked, all as points of one space.

    Attributes
    ----------
    rows, members, others : ndarray of shape (n, width)
    persons : ndarray of int64, optional
        Whose each member, then each other is, where a person may have several.
    """

    rows: Floats
    members: Floats
    others: Floats
    persons: Integers | None = None


def check_settings(references: int, canaries: int) -> None:
    """Refuse what an audit cannot be made with, before a record is seen.

    References are made in complementary halves.

    Raises
    ------
    SettingError
    """
    if references % 2 or not 0 <= references <= MOST_REFERENCES:
        raise SettingError(
            f"{references} references were asked for; expected an even number of at most "
            f"{MOST_REFERENCES}, or 0."
        )
    check_canaries(canaries)


def check_enough(units: int, name: str) -> None:
    """Refuse to attack a handful.

    Raises
    ------
    TableError
    """
    if units < FEWEST:
        raise TableError(f"An audit needs at least {FEWEST} {name} of each kind.")


def _few(units: int, most: int, rng: np.random.Generator) -> Integers:
    return np.arange(units) if units <= most else rng.choice(units, most, replace=False)


def membership(scene: Scene, closest: str, rng: np.random.Generator) -> list[Attack]:
    """Half of the held-out units are attacked, the other half serve as reference.

    ``closest`` names the attack by distance.
    """
    members = scene.members[_few(len(scene.members), MOST, rng)]
    mixed = rng.permutation(scene.others[_few(len(scene.others), 2 * MOST, rng)])
    reference, others = mixed[: len(mixed) // 2], mixed[len(mixed) // 2 :]

    def attack(name: str, scores: Any, against: Floats) -> Attack:
        return judged(name, scores(members), scores(against), rng)

    def ratio(kernel: bool) -> Any:
        return lambda x: density_ratio(scene.rows, reference, x, kernel=kernel)

    return [
        attack(closest, lambda x: closeness(scene.rows, x), mixed),
        attack("density ratio, normal", ratio(False), others),
        attack("density ratio, kernels", ratio(True), others),
    ]


def by_statistic(name: str, statistic: Statistic, scene: Scene, rng: np.random.Generator) -> Attack:
    """An attack that needs no reference."""
    attacked = (t[_few(len(t), MOST, rng)] for t in (scene.members, scene.others))
    members, others = (statistic(scene.rows, t) for t in attacked)
    return judged(name, members, others, rng)


def by_references(
    scene: Scene,
    make: Callable[[Integers, int], Floats],
    count: int,
    rng: np.random.Generator,
    progress: Progress,
    statistics: Mapping[str, Statistic],
) -> list[Attack]:
    """Likelihood-ratio attacks on what is seen of each unit in what is released.

    Parameters
    ----------
    scene : Scene
    make : callable
        Given places in members followed by others, and a seed, the points of a release made of
        these units like the one attacked.
    count : int
        References.
    statistics : mapping of str to callable
        One attack each: from released points and units to a number a unit.
    """
    chosen, n_members = _few(len(scene.members), MOST, rng), len(scene.members)
    others = _few(len(scene.others), MOST, rng)
    pool = np.concatenate([scene.members[chosen], scene.others[others]])
    places = np.concatenate([chosen, n_members + others])
    included = _halves(scene.persons, places, count, rng)
    seen: dict[str, list[Floats]] = {name: [] for name in statistics}
    for done, inside in enumerate(included):
        progress(done, count)
        rows = make(places[inside], done)
        for name, statistic in statistics.items():
            seen[name].append(statistic(rows, pool))
    progress(count, count)
    found = []
    for name, statistic in statistics.items():
        ratio = likelihood_ratio(statistic(scene.rows, pool), np.array(seen[name]), included)
        found.append(judged(name, ratio[: len(chosen)], ratio[len(chosen) :], rng))
    return found


def _halves(
    persons: Integers | None, places: Integers, count: int, rng: np.random.Generator
) -> Mask:
    """Random halves of those at some places, (count, places); no person is torn apart."""
    if persons is None:
        return halves(len(places), count, rng)
    who, whose = np.unique(persons[places], return_inverse=True)
    return halves(len(who), count, rng)[:, whose]


def how_close(scene: Scene, rng: np.random.Generator) -> Closeness:
    """Whether what is released lies nearer to training units than others do."""
    training, held = (t[_few(len(t), 4 * MOST, rng)] for t in (scene.members, scene.others))
    return closeness_of(scene.rows, training, held, rng)
