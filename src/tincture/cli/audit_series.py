"""The command that attacks a release of stays; it looks at real ones."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tincture.cli.console import Json, Quiet, progress_bar
from tincture.cli.in_house import (
    Canaries,
    CoinSeed,
    looks_of,
    require_page,
    tell_attacks,
    two_tables,
)


def audit_series(
    release: Annotated[Path, typer.Argument(help="Folder of a release of stays.")],
    events: Annotated[Path, typer.Argument(help="The events that were condensed, or a folder.")],
    records: Annotated[Path, typer.Option(help="Outcomes of the stays that were condensed.")],
    held_out: Annotated[Path, typer.Option(help="Outcomes of others of the same kind.")],
    held_out_events: Annotated[
        Path | None, typer.Option(help="Events of the others, if they lie elsewhere.")
    ] = None,
    references: Annotated[
        int,
        typer.Option(
            help="Releases to make for the likelihood-ratio attack, an even number such as 16."
        ),
    ] = 0,
    canaries: Canaries = 1000,
    out: Annotated[Path | None, typer.Option(help="JSON file to create.")] = None,
    seed: CoinSeed = 0,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Attack a release of stays with all that is known of them. In-house: looks at real stays.

    Each look is written to RELEASE.in-house.jsonl, beside the release and not in it.

    Example:

    tincture audit-series release/ events.parquet --records outcomes.parquet
    --held-out heldout-outcomes.parquet
    """
    from tincture.stays.release import CondensedSeries
    from tincture.stays.target import audit_stays

    if out is not None:
        require_page(out)
    looks = looks_of(release)
    made = CondensedSeries.load(release)
    two_tables(records, held_out)
    with progress_bar(quiet or as_json, "Attacking the release") as progress:
        result = audit_stays(
            made,
            events,
            records,
            held_out,
            held_out_events=held_out_events,
            references=references,
            canaries=canaries,
            seed=seed,
            in_house=looks,
            progress=progress,
        )
    tell_attacks(result, out, quiet, as_json)
