"""The command that condenses stays."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tincture.cli.condensing import Condensing, condensed, formats_of
from tincture.cli.console import Delta, Epsilon
from tincture.cli.wanted_stays import WantedStays


def condense_series(
    events: Annotated[
        Path,
        typer.Argument(
            help="Parquet or CSV of events, or a folder (Parquet, MEDS, eICU, MIMIC-IV, YAIB, "
            "OMOP, PhysioNet-2012, mimic3)."
        ),
    ],
    schema: Annotated[Path, typer.Option(help="Table Schema with roles, JSON or YAML.")],
    epsilon: Epsilon,
    delta: Delta,
    options: Condensing,
    wanted: WantedStays,
    outcomes: Annotated[
        Path | None,
        typer.Option(help="One row a stay, or a window of it: static columns and the outcome."),
    ] = None,
    also: Annotated[
        str,
        typer.Option(help="Formats to write the stays in beside Parquet: meds.", metavar="FORMAT"),
    ] = "",
) -> None:
    """Condense stays with measurements over time to a few invented ones, privately.

    Example:

    tincture condense-series events.parquet --outcomes outcomes.parquet --schema schema.json
    --id stay_id --target in_hospital_death --hours 48 --bin 1h --rows 20 --epsilon 4 --delta 1e-5
    --out release/
    """
    from tincture.stays.meds import require_copies
    from tincture.stays.release import EVENTS, CondensedSeries

    formats = formats_of(also)

    def made() -> tuple[Any, tuple[Any, ...]]:
        require_copies(formats)
        return (
            wanted.condenser(schema, epsilon, delta, options.seed),
            (events, outcomes),
        )

    condensed(made, CondensedSeries, EVENTS, options, f"Condensing to {wanted.rows} stays", formats)
