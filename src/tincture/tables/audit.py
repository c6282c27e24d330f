"""All attacks on one release, in the house.

They look at real records without noise, through `Vault.disclose`, which books ε = ∞ in an in-house
ledger. Their figures must not be released.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tincture.audit.attacks import (
    Audit,
    Chosen,
    Scene,
    by_references,
    check_enough,
    check_references,
    how_close,
    membership,
)
from tincture.audit.disclosure import inferred
from tincture.audit.membership import closeness
from tincture.audit.one_run import one_run
from tincture.audit.vault_checks import check_vault
from tincture.io.frames import to_columns, to_frame
from tincture.io.released import plain
from tincture.privacy.ledger import Ledger
from tincture.privacy.vault import Vault
from tincture.public.encoding import Encoding
from tincture.search.optimizer import Progress
from tincture.tables.condenser import Condenser
from tincture.tables.evaluation import condensed_records, table_task
from tincture.tables.release import CondensedTable, told_case
from tincture.tables.sealing import Sealing

Floats = NDArray[np.float64]


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
    check_references(references)
    ledger = Ledger.in_house(None if in_house is None else Path(in_house))
    table = release if isinstance(release, CondensedTable) else CondensedTable.load(release)
    rng = np.random.default_rng(seed)
    encoding = Encoding(table.schema.columns)
    for name in sensitive:
        table.schema[name]  # refuses a name that the release does not have
    plan = table.ledger.plan
    bound, checks = one_run(plan, rng, canaries=canaries), check_vault()
    task = table_task(table)
    points = []
    for frame, purpose in ((records, "attacked members"), (held_out, "attacked others")):
        seen = Vault(Sealing(table.schema, encoding, task), frame, ledger).disclose(purpose)
        check_enough(len(seen), "records")
        points.append(seen.points.astype(np.float64))
    rows = condensed_records(table, encoding, task).points.astype(np.float64)
    scene = Scene(rows, *points)
    attacks = membership(scene, "closest row", rng)
    if references:
        everybody = np.concatenate(points)

        def make(places: Chosen, reference: int) -> Floats:
            frame = to_frame(encoding.decode(everybody[places]), table.schema)
            return _reference(table, encoding, frame, reference)

        statistics = {"likelihood ratio": closeness}
        attacks += by_references(scene, make, references, rng, progress, statistics)
    return Audit(
        table.fingerprint,
        plan.epsilon,
        plan.delta,
        tuple(attacks),
        how_close(scene, rng),
        tuple(inferred(name, encoding, rows, *points) for name in sensitive),
        bound,
        checks,
        tuple(e.question for e in ledger.entries),
    )


def _reference(table: CondensedTable, encoding: Encoding, frame: pl.DataFrame, seed: int) -> Floats:
    """Points of a release made like the one attacked, of other records."""
    settings, schema = table.settings, plain(table.schema)  # the records are decoded ones
    outcome = {k: v for k, v in table.task.items() if k != "kind"}
    outcome["case"] = told_case(schema, table.task).level
    made = Condenser(
        schema=schema,
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
    values = to_columns(made.table_.rows, schema, schema.names)
    return encoding.encode(values)
