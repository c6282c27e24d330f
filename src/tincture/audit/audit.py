"""All attacks on one release, in the house, whatever kind of data it is of.

They look at real records without noise, through `Vault.disclose`, which books ε = ∞ in an in-house
ledger. Their figures must not be released.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypedDict

import numpy as np

from tincture.arrays import Floats, Integers
from tincture.audit.attacks import (
    Scene,
    by_references,
    by_statistic,
    check_enough,
    check_settings,
    how_close,
    membership,
)
from tincture.audit.disclosure import inferred
from tincture.audit.findings import Audit
from tincture.audit.one_run import one_run
from tincture.audit.target import Target
from tincture.audit.vault_checks import check_vault
from tincture.errors import SettingError
from tincture.privacy.engine import LocalEngine
from tincture.privacy.ledger import Ledger
from tincture.privacy.query import Records, Sealed
from tincture.privacy.vault import Vault
from tincture.search.optimizer import Progress
from tincture.spine.job import SILENT

PURPOSES = ("attacked members", "attacked others")


class Settings(TypedDict, total=False):
    """Of `attack`, for functions that hand them on."""

    sensitive: Sequence[str]
    references: int
    canaries: int
    seed: int
    in_house: str | Path | None
    progress: Progress


def attack(
    target: Target,
    members: Any,
    others: Any,
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
    target : Target
    members, others : Any
        The records that were condensed, and others of the same kind that were not, each as
        ``target.sides`` takes them.
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
    check_settings(references, canaries)
    encoding = target.encoding
    known = [] if encoding is None else [c.name for c in encoding.columns]
    for name in sensitive:
        if name not in known:
            raise SettingError(
                f"The release has no column {name!r} to be inferred from others; it has "
                f"{', '.join(known) or 'none that can be'}."
            )
    ledger = Ledger.in_house(None if in_house is None else Path(in_house))
    rng, plan = np.random.default_rng(seed), target.release.ledger.plan
    bound, checks = one_run(plan, rng, canaries=canaries), check_vault()
    sides = [
        _seen(target, side, ledger, purpose)
        for side, purpose in zip(target.sides(members, others), PURPOSES, strict=True)
    ]
    everybody, invented = _together(*sides), target.records(target.release)
    describe = target.description(everybody.records, invented)
    of_members, of_others = (describe(side.records) for side in sides)
    points = (describe(invented), of_members, of_others)
    scene = Scene(*points, everybody.person)
    attacks = membership(scene, f"closest {target.one}", rng)
    attacks += [by_statistic(name, s, scene, rng) for name, s in target.statistics.items()]
    if references:
        make = _maker(target, everybody, describe)
        attacks += by_references(scene, make, references, rng, progress, target.ratios)
    return Audit(
        target.release.fingerprint,
        plan.epsilon,
        plan.delta,
        tuple(attacks),
        how_close(scene, rng),
        tuple(inferred(name, encoding, *points) for name in sensitive if encoding is not None),
        bound,
        checks,
        tuple(e.question for e in ledger.entries),
        f"{target.one}s",
    )


def _seen(target: Target, side: Any, ledger: Ledger, purpose: str) -> Sealed:
    """Real records, taken out of a vault of their own; with their persons if they matter."""
    vault = Vault(target.seal, side, ledger)
    records = vault.disclose(purpose)
    check_enough(len(records), target.units)
    if not vault.has_persons:
        return Sealed(records)
    return Sealed(records, vault.disclose_persons(f"persons of {purpose}"))


def _together(members: Sealed, others: Sealed) -> Sealed:
    """Both sides, whose persons are others."""
    person = None
    if members.person is not None and others.person is not None:
        person = np.concatenate([members.person, members.person.max() + 1 + others.person])
    return Sealed(Records.joined([members.records, others.records]), person)


def _maker(
    target: Target, everybody: Sealed, describe: Callable[[Records], Floats]
) -> Callable[[Integers, int], Floats]:
    """Points of a release made like the one attacked, of the records at some places."""

    def make(places: Integers, seed: int) -> Floats:
        job = target.job(seed)
        person = None if everybody.person is None else everybody.person[places]
        chosen = Sealed(everybody.records.take(places), person, form=target.form)
        vault = Vault(lambda _: chosen, None, Ledger(job.plan(), unit=job.unit))
        found = job.search(LocalEngine(vault), np.random.default_rng(seed), SILENT)
        return describe(target.records(job.release(found, vault.form, vault.ledger)))

    return make
