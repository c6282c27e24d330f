"""All attacks on one release, in the house.

They look at real records without noise, through `Vault.disclose`, which books ε = ∞ in an in-house
ledger. Their figures must not be released.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tincture.audit.disclosure import Closeness, Inference, closeness_of, inferred
from tincture.audit.membership import (
    Attack,
    closeness,
    density_ratio,
    halves,
    judged,
    likelihood_ratio,
)
from tincture.audit.one_run import Bound, one_run
from tincture.audit.vault_checks import Check, check_vault
from tincture.encoding import Encoding
from tincture.errors import SettingError, TableError
from tincture.estimators import Condenser
from tincture.evaluation import condensed_records, table_task
from tincture.frames import to_columns, to_frame
from tincture.privacy.ledger import Ledger
from tincture.privacy.vault import Vault
from tincture.search import Progress
from tincture.table import CondensedTable

Floats = NDArray[np.float64]
MOST = 5000  # records of each kind that are attacked
FEWEST = 20
MOST_REFERENCES = 1000
NOTICE = "computed from real records — do not release"


@dataclass(frozen=True, slots=True)
class Audit:
    """What attacks on one release found, and the un-noised looks they took.

    ``release`` is the fingerprint of its rows.
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
class _Scene:
    """The release and the attacked records, all as points with the outcome among the columns."""

    table: CondensedTable
    encoding: Encoding
    rows: Floats
    members: Floats
    others: Floats


def audit(
    release: CondensedTable | str | Path,
    records: Any,
    held_out: Any,
    *,
    sensitive: Sequence[str] = (),
    references: int = 0,
    canaries: int = 1000,
    seed: int = 0,
    in_house: str | Path | None = None,
    progress: Progress = lambda done, total: None,
) -> Audit:
    """Attack a release with all that is known of its records.

    Parameters
    ----------
    release : CondensedTable or path
    records, held_out : pandas or polars frames
        The records that were condensed, and others of the same kind that were not.
    sensitive : sequence of str
        Columns to infer from all others.
    references : int
        Releases to make from random halves of all records, for the likelihood-ratio attack; even,
        16 or more to be of use, at most 1,000, 0 for none. Each takes as long as the release did.
    canaries : int
        Of the one-run audit.
    seed : int
        Of splits, bootstrap and coins; the noise takes none.
    in_house : path, optional
        File to which each un-noised look at real records is added before it is taken.
    progress : callable, optional
        Told the reference releases made and those to make.

    Raises
    ------
    TableError, SchemaError, ModelError, SettingError
    """
    if references % 2 or not 0 <= references <= MOST_REFERENCES:
        raise SettingError(
            f"{references} references were asked for; expected an even number of at most "
            f"{MOST_REFERENCES}, or 0."
        )
    table = release if isinstance(release, CondensedTable) else CondensedTable.load(release)
    rng = np.random.default_rng(seed)
    encoding = Encoding(table.schema.columns)
    for name in sensitive:
        table.schema[name]  # refuses a name that the release does not have
    plan = table.ledger.plan
    bound, checks = one_run(plan, rng, canaries=canaries), check_vault()
    ledger = Ledger.in_house(None if in_house is None else Path(in_house))
    task = table_task(table)
    points = []
    for frame, purpose in ((records, "attacked members"), (held_out, "attacked others")):
        seen = Vault(frame, table.schema, encoding, task, ledger).disclose(purpose)
        if len(seen) < FEWEST:
            raise TableError(f"An audit needs at least {FEWEST} records of each kind.")
        points.append(seen.points.astype(np.float64))
    rows = condensed_records(table, encoding, task).points.astype(np.float64)
    scene = _Scene(table, encoding, rows, *points)
    attacks = _attacks(scene, rng)
    if references:
        attacks.append(_by_references(scene, references, rng, progress))
    training, held = (_some(p, 4 * MOST, rng) for p in points)
    return Audit(
        table.fingerprint,
        plan.epsilon,
        plan.delta,
        tuple(attacks),
        closeness_of(rows, training, held, rng),
        tuple(inferred(name, encoding, rows, *points) for name in sensitive),
        bound,
        checks,
        tuple(e.question for e in ledger.entries),
    )


def _some(points: Floats, most: int, rng: np.random.Generator) -> Floats:
    return points if len(points) <= most else points[rng.choice(len(points), most, replace=False)]


def _attacks(scene: _Scene, rng: np.random.Generator) -> list[Attack]:
    """Half of the held-out records are attacked, the other half serve as reference."""
    members = _some(scene.members, MOST, rng)
    mixed = rng.permutation(_some(scene.others, 2 * MOST, rng))
    reference, others = mixed[: len(mixed) // 2], mixed[len(mixed) // 2 :]

    def attack(name: str, scores: Any, against: Floats) -> Attack:
        return judged(name, scores(members), scores(against), rng)

    def ratio(kernel: bool) -> Any:
        return lambda x: density_ratio(scene.rows, reference, x, kernel=kernel)

    return [
        attack("closest row", lambda x: closeness(scene.rows, x), mixed),
        attack("density ratio, normal", ratio(False), others),
        attack("density ratio, kernels", ratio(True), others),
    ]


def _by_references(
    scene: _Scene, count: int, rng: np.random.Generator, progress: Progress
) -> Attack:
    """The likelihood-ratio attack on each record's distance to the closest row."""
    members, others = _some(scene.members, MOST, rng), _some(scene.others, MOST, rng)
    pool = np.concatenate([members, others])
    frame = to_frame(scene.encoding.decode(pool), scene.table.schema)
    included = halves(len(pool), count, rng)
    seen = []
    for done, inside in enumerate(included):
        progress(done, count)
        seen.append(closeness(_reference(scene, frame.filter(inside), done), pool))
    progress(count, count)
    ratio = likelihood_ratio(closeness(scene.rows, pool), np.array(seen), included)
    return judged("likelihood ratio", ratio[: len(members)], ratio[len(members) :], rng)


def _reference(scene: _Scene, frame: pl.DataFrame, seed: int) -> Floats:
    """Points of a release made like the one attacked, of other records."""
    table, settings = scene.table, scene.table.settings
    outcome = {k: v for k, v in table.task.items() if k != "kind"}
    made = Condenser(
        schema=table.schema,
        epsilon=table.ledger.plan.epsilon,
        delta=table.ledger.plan.delta,
        models=list(table.models),
        n_rows=settings["n_rows"],
        method=settings["method"],
        weights=settings["weights"],
        balance=settings.get("balance"),
        effort=settings["effort"],
        seed=seed,
        **outcome,
    ).fit(frame)
    values = to_columns(made.table_.rows, table.schema, table.schema.names)
    return scene.encoding.encode(values)
