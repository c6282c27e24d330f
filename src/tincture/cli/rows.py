"""The command that condenses rows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tincture.cli.condensing import Condensing, condensed, formats_of
from tincture.cli.console import RECORDS, Delta, Epsilon, compile_beside
from tincture.cli.wanted import Wanted
from tincture.errors import SettingError


def condense(
    records: Annotated[
        Path, typer.Argument(help=f"{RECORDS}, one record a row; see --partitioned.")
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
    workers: Annotated[
        int | None,
        typer.Option(help="Processes that read the files of --partitioned.", metavar="N"),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            help="Instead, the Dask scheduler whose workers do, such as tls://host:8786.",
            metavar="URL",
        ),
    ] = None,
    also: Annotated[
        str,
        typer.Option(
            help="Formats to write rows and cohort in beside CSV, such as sav,dta: SPSS (sav), "
            "Stata (dta), SAS (xpt), parquet, R (rds).",
            metavar="FORMAT,…",
        ),
    ] = "",
) -> None:
    """Condense a table of records to a few invented rows, privately.

    Example:

    tincture condense records.parquet --schema records.schema.json --target died
    --model logistic --model tree --rows 100 --epsilon 1 --delta 1e-5 --out release/

    Records at several sites:

    tincture condense --consortium consortium.json --kit lead/ --out release/
    """
    from tincture.io.copies import require_copies
    from tincture.io.frames import read_table
    from tincture.io.parts import Partitioned
    from tincture.public.schema import Schema
    from tincture.tables.release import DATA, CondensedTable

    formats = formats_of(also)
    if not partitioned and (workers is not None or scheduler is not None):
        raise SettingError(
            "Workers (--workers, --scheduler) read the files of a folder: add --partitioned."
        )

    def made() -> tuple[Any, tuple[Any, ...]]:
        described = Schema.load(schema)
        require_copies(formats, described)
        parts = Partitioned(records, workers=workers, scheduler=scheduler)
        source = parts if partitioned else read_table(records, described.dialect)
        condenser = wanted.condenser(described, epsilon, delta, options.seed, about)
        job = condenser.job()
        compile_beside(job.task, job.served.names, quiet=options.is_silent)
        return condenser, (source,)

    condensed(
        made,
        CondensedTable,
        DATA,
        options,
        f"Condensing to {'' if wanted.rows == 'auto' else wanted.rows + ' '}rows",
        formats,
    )
