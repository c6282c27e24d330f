"""What an audit found, and the attacks that rows and stays have in common.

The attacked units are points: rows as the schema encodes them, or descriptions of stays.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tincture.audit.disclosure import Closeness, Inference, closeness_of
from tincture.audit.membership import (
    Attack,
    closeness,
    density_ratio,
    halves,
    judged,
    likelihood_ratio,
)
from tincture.audit.one_run import Bound
from tincture.audit.vault_checks import Check
from tincture.errors import SettingError, TableError
from tincture.search.optimizer import Progress

Floats = NDArray[np.float64]
Chosen = NDArray[np.int64]
Statistic = Callable[[Floats, Floats], Floats]  # of what is released, and of units; one a unit
MOST = 5000  # units of each kind that are attacked
FEWEST = 20
MOST_REFERENCES = 1000
NOTICE = "computed from real records — do not release"


@dataclass(frozen=True, slots=True)
class Audit:
    """What attacks on one release found, and the un-noised looks they took.

    Attributes
    ----------
    release : str
        Fingerprint of its rows or stays.
    epsilon, delta : float
        Claimed by its ledger.
    membership : tuple of Attack
        Who was in the table?
    closeness : Closeness
        Is a row, or stay, somebody's record?
    inference : tuple of Inference
        Can an attribute be told?
    one_run : Bound
        Lower bound on ε by canaries.
    vault : tuple of Check
        Whether noise, clip and samples are as booked.
    looks : tuple of str
        What was looked at in real records, each at ε = ∞.
    holds : str
        What is released: "rows" or "stays".
    """

    release: str
    epsilon: float
    delta: float
    membership: tuple[Attack, ...]
    closeness: Closeness
    inference: tuple[Inference, ...]
    one_run: Bound
    vault: tuple[Check, ...]
    looks: tuple[str, ...]
    holds: str = "rows"

    @property
    def notice(self) -> str:
        """What stands above all figures."""
        return NOTICE

    @property
    def is_sound(self) -> bool:
        """Whether the vault passed its checks, and no guess refutes the ε claimed."""
        return self.one_run.holds and all(c.passed for c in self.vault)

    def to_dict(self) -> dict[str, Any]:
        """For JSON, which has neither NaN nor infinity."""
        told = asdict(self) | {"vault": [asdict(c) | {"passed": c.passed} for c in self.vault]}
        told["one_run"]["holds"] = self.one_run.holds
        return {"notice": NOTICE, "is_sound": self.is_sound, **_plain(told)}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "inf" if value > 0 else None
    return value


@dataclass(frozen=True, slots=True)
class Scene:
    """What was released, and those attacked, all as points of one space."""

    rows: Floats
    members: Floats
    others: Floats


def check_references(count: int) -> None:
    """Refuse a number of reference releases that cannot be made in complementary halves.

    Raises
    ------
    SettingError
    """
    if count % 2 or not 0 <= count <= MOST_REFERENCES:
        raise SettingError(
            f"{count} references were asked for; expected an even number of at most "
            f"{MOST_REFERENCES}, or 0."
        )


def check_enough(units: int, name: str) -> None:
    """Refuse to attack a handful.

    Raises
    ------
    TableError
    """
    if units < FEWEST:
        raise TableError(f"An audit needs at least {FEWEST} {name} of each kind.")


def _few(units: int, most: int, rng: np.random.Generator) -> Chosen:
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
    make: Callable[[Chosen, int], Floats],
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
    included = halves(len(pool), count, rng)
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


def how_close(scene: Scene, rng: np.random.Generator) -> Closeness:
    """Whether what is released lies nearer to training units than others do."""
    training, held = (t[_few(len(t), 4 * MOST, rng)] for t in (scene.members, scene.others))
    return closeness_of(scene.rows, training, held, rng)
