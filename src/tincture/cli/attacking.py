"""The commands that attack a release; they look at real records."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tincture.cli.console import Json, Quiet, as_text, print_attacks, print_json, progress_bar
from tincture.cli.in_house import looks_of, require_page, two_tables

if TYPE_CHECKING:
    from tincture.audit.target import Target
    from tincture.spine.release import Release


@dataclass(frozen=True, slots=True)
class Attacking:
    """How hard every audit tries, and whom it tells."""

    references: Annotated[
        int,
        typer.Option(
            help="Releases to make for the likelihood-ratio attack, an even number such as 16; "
            "each takes as long as the release did."
        ),
    ] = 0
    canaries: Annotated[int, typer.Option(help="Invented units of the one-run audit.")] = 1000
    out: Annotated[
        Path | None,
        typer.Option(help="JSON file to create, for --report --audit of an evaluation."),
    ] = None
    seed: Annotated[int, typer.Option(min=0, help="Of splits and coins; the noise takes none.")] = 0
    quiet: Quiet = False
    as_json: Json = False


def audit(
    release: Annotated[Path, typer.Argument(help="Folder of a release.")],
    records: Annotated[Path, typer.Option(help="The records that were condensed.")],
    held_out: Annotated[Path, typer.Option(help="Others of the same kind, not condensed.")],
    options: Attacking,
    sensitive: Annotated[
        list[str] | None,
        typer.Option(help="A column to infer from all others, repeatable.", metavar="COLUMN"),
    ] = None,
) -> None:
    """Attack a release with all that is known of its records. In-house: looks at real records.

    Each look is written to RELEASE.in-house.jsonl, beside the release and not in it.

    Example:

    tincture audit release/ --records records.parquet --held-out heldout.parquet --sensitive sex
    """
    from tincture.tables.release import CondensedTable
    from tincture.tables.target import TableTarget

    _attack(
        release,
        CondensedTable,
        TableTarget,
        lambda made: two_tables(records, held_out, made.schema.dialect),
        options,
        sensitive=sensitive or [],
    )


def audit_series(
    release: Annotated[Path, typer.Argument(help="Folder of a release of stays.")],
    events: Annotated[Path, typer.Argument(help="The events that were condensed, or a folder.")],
    records: Annotated[Path, typer.Option(help="Outcomes of the stays that were condensed.")],
    held_out: Annotated[Path, typer.Option(help="Outcomes of others of the same kind.")],
    options: Attacking,
    held_out_events: Annotated[
        Path | None, typer.Option(help="Events of the others, if they lie elsewhere.")
    ] = None,
) -> None:
    """Attack a release of stays with all that is known of them. In-house: looks at real stays.

    Each look is written to RELEASE.in-house.jsonl, beside the release and not in it.

    Example:

    tincture audit-series release/ events.parquet --records outcomes.parquet
    --held-out heldout-outcomes.parquet
    """
    from tincture.stays.release import CondensedSeries
    from tincture.stays.target import StaysTarget

    def sides(made: Release) -> Sequence[Any]:
        two_tables(records, held_out, made.schema.dialect)
        return (events, records), (held_out_events, held_out)

    _attack(release, CondensedSeries, StaysTarget, sides, options)


def _attack(
    folder: Path,
    kind: type[Release],
    target: Callable[[Any], Target],
    sides: Callable[[Any], Sequence[Any]],
    options: Attacking,
    sensitive: Sequence[str] = (),
) -> None:
    """Attack a release of any kind; its sides are read after it was."""
    from tincture.audit.audit import attack
    from tincture.audit.told import to_file
    from tincture.io.files import write_file

    if options.out is not None:
        require_page(options.out)
    looks = looks_of(folder)
    release = kind.load(folder)
    made = target(release)
    members, others = sides(release)
    with progress_bar(options.quiet or options.as_json, "Attacking the release") as progress:
        found = attack(
            made,
            members,
            others,
            sensitive=sensitive,
            references=options.references,
            canaries=options.canaries,
            seed=options.seed,
            in_house=looks,
            progress=progress,
        )
    if options.out is not None:
        write_file(options.out, as_text(to_file(found)).encode())
    if options.as_json:
        print_json(to_file(found))
    elif not options.quiet:
        print_attacks(found)
