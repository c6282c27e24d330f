"""The command that condenses rows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tincture.cli.condensing import Condensing, condensed
from tincture.cli.console import Delta, Epsilon
from tincture.cli.wanted import Wanted


def condense(
    records: Annotated[
        Path, typer.Argument(help="CSV or Parquet file, one record a row; see --partitioned.")
    ],
    schema: Annotated[Path, typer.Option(help="Frictionless Table Schema, JSON or YAML.")],
    epsilon: Epsilon,
    delta: Delta,
    options: Condensing,
    wanted: Wanted,
    partitioned: Annotated[
        bool,
        typer.Option(
            "--partitioned",
            help="The records are all files of a folder, which are read once, one after the other.",
        ),
    ] = False,
    about: Annotated[
        int | None,
        typer.Option(help="About how many records these are: a public number.", metavar="N"),
    ] = None,
) -> None:
    """Condense a table of records to a few invented rows, privately.

    Example:

    tincture condense records.parquet --schema records.schema.json --target died
    --model logistic --model tree --rows 100 --epsilon 1 --delta 1e-5 --out release/
    """
    from tincture.io.frames import read_table
    from tincture.io.parts import Partitioned
    from tincture.tables.release import DATA, CondensedTable

    def made() -> tuple[Any, tuple[Any, ...]]:
        condenser = wanted.condenser(schema, epsilon, delta, options.seed, about)
        return condenser, (Partitioned(records) if partitioned else read_table(records),)

    condensed(
        made,
        CondensedTable,
        DATA,
        options,
        f"Condensing to {'' if wanted.rows == 'auto' else wanted.rows + ' '}rows",
    )
