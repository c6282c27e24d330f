"""What is wanted of stays: the options of every command that settles them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from tincture.cli.console import CaseLevel
from tincture.errors import SettingError

if TYPE_CHECKING:
    from pathlib import Path

    from tincture.public.schema import Schema
    from tincture.stays.condenser import SeriesCondenser

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


@dataclass(frozen=True, slots=True)
class WantedStays:
    """Outcome, window, columns, number of stays and how they are searched."""

    target: Annotated[str, typer.Option(help="Outcome column, of two classes.")]
    stay: Annotated[str, typer.Option("--id", help="Column that names the stay.")] = "stay_id"
    case: CaseLevel = None
    time: Annotated[str | None, typer.Option(help="Time column of the events.")] = None
    time_unit: Annotated[
        str | None,
        typer.Option(
            help="What its numbers count: second, minute, hour or day; datetime if it is a date."
        ),
    ] = None
    variable: Annotated[
        str | None, typer.Option(help="Column of the events that names the variable.")
    ] = None
    value: Annotated[
        str | None, typer.Option(help="Column of the events that holds its value.")
    ] = None
    hours: Annotated[float, typer.Option(help="Window from the start of the stay.")] = 48.0
    bin_length: Annotated[str, typer.Option("--bin", help="Length of a bin.")] = "1h"
    rows: Annotated[int, typer.Option(help="Stays to make.")] = 80
    cohort: Annotated[
        int | None,
        typer.Option(help="Stays to draw beside them, 0 for none; as many as there are."),
    ] = None
    unit: Annotated[
        str | None,
        typer.Option(
            help="Person column, where persons have several stays; that of --id, if a stay has "
            "several windows."
        ),
    ] = None
    effort: Annotated[
        float | None,
        typer.Option(
            help="Factor of the free rounds of matching to networks, which need torch; 0 for none. "
            "[default: 1 where torch is installed, else 0]"
        ),
    ] = None

    def condenser(
        self, schema: Schema | Path, epsilon: float, delta: float, seed: int
    ) -> SeriesCondenser:
        """An estimator with these settings.

        Raises
        ------
        SettingError
        """
        from tincture.stays.condenser import SeriesCondenser

        return SeriesCondenser(
            schema=schema,
            epsilon=epsilon,
            delta=delta,
            target=self.target,
            case=self.case,
            stay=self.stay,
            n_rows=self.rows,
            cohort=self.cohort,
            hours=self.hours,
            bin_hours=hours_of(self.bin_length),
            time=self.time,
            time_unit=self.time_unit,
            variable=self.variable,
            value=self.value,
            unit=self.unit,
            effort=self.effort,
            seed=seed,
        )
