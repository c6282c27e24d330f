"""The command that condenses stays."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from tincture.cli.condensing import Condensing, condensed, formats_of
from tincture.cli.console import CaseLevel, Delta, Epsilon
from tincture.errors import SettingError

UNITS = {"m": 1 / 60, "min": 1 / 60, "h": 1.0, "d": 24.0}


def hours_of(text: str) -> float:
    """``"1h"``, ``"30min"`` or ``"2"`` (hours) as hours.

    Raises
    ------
    SettingError
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(m|min|h|d)?\s*", text)
    if not found:
        raise SettingError(f"The length {text!r} cannot be read; expected such as 1h or 30min.")
    return float(found[1]) * UNITS[found[2] or "h"]


def condense_series(
    events: Annotated[
        Path,
        typer.Argument(
            help="Parquet or CSV of events, or a folder (Parquet, MEDS, eICU, MIMIC-IV, YAIB, "
            "OMOP, PhysioNet-2012, mimic3)."
        ),
    ],
    schema: Annotated[Path, typer.Option(help="Table Schema with roles, JSON or YAML.")],
    target: Annotated[str, typer.Option(help="Outcome column, of two classes.")],
    epsilon: Epsilon,
    delta: Delta,
    options: Condensing,
    outcomes: Annotated[
        Path | None,
        typer.Option(help="One row a stay, or a window of it: static columns and the outcome."),
    ] = None,
    stay: Annotated[str, typer.Option("--id", help="Column that names the stay.")] = "stay_id",
    case: CaseLevel = None,
    time: Annotated[str | None, typer.Option(help="Time column of the events.")] = None,
    time_unit: Annotated[
        str | None,
        typer.Option(
            help="What its numbers count: second, minute, hour or day; datetime if it is a date."
        ),
    ] = None,
    variable: Annotated[
        str | None, typer.Option(help="Column of the events that names the variable.")
    ] = None,
    value: Annotated[
        str | None, typer.Option(help="Column of the events that holds its value.")
    ] = None,
    hours: Annotated[float, typer.Option(help="Window from the start of the stay.")] = 48.0,
    bin_length: Annotated[str, typer.Option("--bin", help="Length of a bin.")] = "1h",
    rows: Annotated[int, typer.Option(help="Stays to make.")] = 80,
    cohort: Annotated[
        int | None,
        typer.Option(help="Stays to draw beside them, 0 for none; as many as there are."),
    ] = None,
    unit: Annotated[
        str | None,
        typer.Option(
            help="Person column, where persons have several stays; that of --id, if a stay has "
            "several windows."
        ),
    ] = None,
    effort: Annotated[
        float | None,
        typer.Option(
            help="Factor of the free rounds of matching to networks, which need torch; 0 for none. "
            "[default: 1 where torch is installed, else 0]"
        ),
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
    from tincture.stays.condenser import SeriesCondenser
    from tincture.stays.meds import require_copies
    from tincture.stays.release import EVENTS, CondensedSeries

    formats = formats_of(also)

    def made() -> tuple[SeriesCondenser, tuple[Any, ...]]:
        require_copies(formats)
        return (
            SeriesCondenser(
                schema=schema,
                epsilon=epsilon,
                delta=delta,
                target=target,
                case=case,
                stay=stay,
                n_rows=rows,
                cohort=cohort,
                hours=hours,
                bin_hours=hours_of(bin_length),
                time=time,
                time_unit=time_unit,
                variable=variable,
                value=value,
                unit=unit,
                effort=effort,
                seed=options.seed,
            ),
            (events, outcomes),
        )

    condensed(made, CondensedSeries, EVENTS, options, f"Condensing to {rows} stays", formats)
