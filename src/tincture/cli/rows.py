"""The command that condenses rows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tincture.cli.condensing import Condensing, condensed, formats_of
from tincture.cli.console import RECORDS, CaseLevel, Delta, Epsilon
from tincture.errors import SettingError


def condense(
    records: Annotated[
        Path, typer.Argument(help=f"{RECORDS}, one record a row; see --partitioned.")
    ],
    schema: Annotated[Path, typer.Option(help="Frictionless Table Schema, JSON or YAML.")],
    epsilon: Epsilon,
    delta: Delta,
    options: Condensing,
    target: Annotated[str | None, typer.Option(help="Outcome column of a classification.")] = None,
    outcome: Annotated[
        str | None,
        typer.Option(help="Outcome column that is an amount: a number between declared bounds."),
    ] = None,
    time: Annotated[str | None, typer.Option(help="Time column of a survival outcome.")] = None,
    event: Annotated[
        str | None, typer.Option(help="Event column beside --time, such as 0/1; see --cause.")
    ] = None,
    cause: Annotated[
        str | None,
        typer.Option(
            help="Which level of --event is the event, where several compete; all others count "
            "as censored.",
            metavar="LEVEL",
        ),
    ] = None,
    case: CaseLevel = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            help="A model to serve, repeatable; by default the whole portfolio.", metavar="MODEL"
        ),
    ] = None,
    rows: Annotated[
        str,
        typer.Option(
            metavar="N",
            help="Rows to make; auto: 100, or up to 500 where a regression without a penalty is "
            "served or there are more than two classes.",
        ),
    ] = "auto",
    cohort: Annotated[
        int | None,
        typer.Option(help="People to invent beside them, 0 for none; as many as there are."),
    ] = None,
    complete: Annotated[
        bool,
        typer.Option("--complete", help="No blank cell, for software that leaves out such rows."),
    ] = False,
    origin: Annotated[
        str | None,
        typer.Option(
            help="A date from which all others count as days, each record's own.", metavar="COLUMN"
        ),
    ] = None,
    unit: Annotated[
        str | None, typer.Option(help="Person column, where persons have several records.")
    ] = None,
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
    drop: Annotated[
        list[str] | None,
        typer.Option(help="A declared column to leave out, repeatable.", metavar="COLUMN"),
    ] = None,
    method: Annotated[str, typer.Option(help="How to search: auto, direct or proxy.")] = "auto",
    weight: Annotated[
        list[str] | None,
        typer.Option(
            help="How much a model counts, such as tree=2; repeatable, usually 1.",
            metavar="MODEL=NUMBER",
        ),
    ] = None,
    balance: Annotated[
        str | None, typer.Option(help="A column whose groups shall count alike, small or large.")
    ] = None,
    effort: Annotated[
        float, typer.Option(help="Factor of the search's length; costs time, not privacy.")
    ] = 1.0,
    many_levels: Annotated[
        bool,
        typer.Option("--many-levels", help="Go on though a column has more than 500 levels."),
    ] = False,
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
    """
    from tincture.io.copies import require_copies
    from tincture.io.frames import read_table
    from tincture.io.parts import Partitioned
    from tincture.public.schema import Schema
    from tincture.tables.condenser import Condenser
    from tincture.tables.release import DATA, CondensedTable

    formats = formats_of(also)

    def made() -> tuple[Condenser, tuple[Any, ...]]:
        described = Schema.load(schema)
        require_copies(formats, described)
        source = Partitioned(records) if partitioned else read_table(records, described.dialect)
        return (
            Condenser(
                schema=described,
                epsilon=epsilon,
                delta=delta,
                target=target,
                outcome=outcome,
                time=time,
                event=event,
                cause=cause,
                case=case,
                models=model,
                n_rows=_count(rows),
                cohort=cohort,
                complete=complete,
                origin=origin,
                unit=unit,
                n_records=about,
                drop=drop or [],
                method=method,
                weights=_weights(weight or []),
                balance=balance,
                effort=effort,
                many_levels=many_levels,
                seed=options.seed,
            ),
            (source,),
        )

    condensed(
        made,
        CondensedTable,
        DATA,
        options,
        f"Condensing to {'' if rows == 'auto' else rows + ' '}rows",
        formats,
    )


def _count(rows: str) -> int | None:
    """A number of rows, or None for as many as the counts call for."""
    if rows == "auto":
        return None
    if not rows.isdecimal():
        raise SettingError(f'The number of rows (--rows) is "{rows}"; expected a number, or auto.')
    return int(rows)


def _weights(given: list[str]) -> dict[str, float]:
    """``["tree=2"]`` to ``{"tree": 2.0}``."""
    weights = {}
    for text in given:
        name, _, value = text.rpartition("=")
        try:
            weights[name] = float(value)
        except ValueError:
            name = ""
        if not name:
            raise SettingError(f"The weight {text!r} cannot be read; expected MODEL=NUMBER.")
    return weights
