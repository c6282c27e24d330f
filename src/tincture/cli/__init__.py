"""The command line: flags in, one call, files out."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tincture.cli.audit_series import audit_series
from tincture.cli.console import (
    BudgetFile,
    CaseLevel,
    Delta,
    Epsilon,
    Json,
    Quiet,
    Resume,
    Seed,
    print_json,
    print_release,
    print_scores,
    progress_bar,
)
from tincture.cli.in_house import audit, evaluate, report
from tincture.cli.in_house_series import evaluate_series
from tincture.cli.journals import finished_release, journal_of, remove_journal
from tincture.cli.series import condense_series
from tincture.errors import SettingError, TinctureError
from tincture.version import __version__

HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
app = typer.Typer(
    name="tincture",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings=HELP,
)
schema_app = typer.Typer(
    help="Write the schema of a table.\n\nExample:\n\ntincture schema draft records.csv",
    no_args_is_help=True,
)
budget_app = typer.Typer(
    help="Keep a budget for all releases of one table.\n\nExample:\n\n"
    "tincture budget create registry.budget.json --epsilon 3 --delta 1e-4",
    no_args_is_help=True,
)
app.add_typer(schema_app, name="schema")
app.add_typer(budget_app, name="budget")


def main() -> None:
    """Run the command line; every known error becomes one sentence and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal without ε shall not stop a run
            stream.reconfigure(errors="backslashreplace")
    try:
        app(prog_name="tincture")
    except TinctureError as error:
        _fail(str(error), error.exit_code)
    except KeyboardInterrupt:
        _fail("stopped.", 130)
    except OSError as error:  # what the system says of itself, such as a full disk, quotes no cell
        _fail(f"{error.strerror or type(error).__name__}; the run was not finished.", 74)
    except Exception as error:  # a bug of ours; its text may quote a cell, so only its kind is told
        kind = type(error).__name__
        _fail(f"an internal error of kind {kind} occurred; please report the command and this.", 70)


def _fail(sentence: str, code: int) -> None:
    """One line on standard error, then the end."""
    typer.echo(f"tincture: {' '.join(sentence.split())}", err=True)
    sys.exit(code)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tincture {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Share clinical knowledge without sharing patients.

    Condense a table of patient records to about a hundred invented rows that can be handed on.

    Example:

    tincture demo
    """


@app.command()
def condense(
    records: Annotated[Path, typer.Argument(help="CSV or Parquet file, one record a row.")],
    schema: Annotated[Path, typer.Option(help="Frictionless Table Schema, JSON or YAML.")],
    epsilon: Epsilon,
    delta: Delta,
    out: Annotated[Path, typer.Option(help="Folder to create for the release.")],
    target: Annotated[str | None, typer.Option(help="Outcome column of a classification.")] = None,
    time: Annotated[str | None, typer.Option(help="Time column of a survival outcome.")] = None,
    event: Annotated[
        str | None, typer.Option(help="Event column (two levels, such as 0/1) beside --time.")
    ] = None,
    case: CaseLevel = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            help="A model to serve, repeatable; by default the whole portfolio.", metavar="MODEL"
        ),
    ] = None,
    rows: Annotated[int, typer.Option(help="Rows to make.")] = 100,
    unit: Annotated[
        str | None, typer.Option(help="Person column, where persons have several records.")
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
    budget: BudgetFile = None,
    seed: Seed = 0,
    resume: Resume = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Condense a table of records to a few invented rows, privately.

    Example:

    tincture condense records.parquet --schema records.schema.json --target died
    --model logistic --model tree --rows 100 --epsilon 1 --delta 1e-5 --out release/
    """
    from tincture.io.files import require_new
    from tincture.io.frames import read_table
    from tincture.privacy.budget import Budget
    from tincture.public.schema import Schema
    from tincture.tables.condenser import Condenser
    from tincture.tables.release import DATA, CondensedTable

    journal = journal_of(out, resume)
    if resume and (finished := finished_release(out, journal, CondensedTable)):
        remove_journal(journal)
        print_release(out / DATA, finished, "rows", quiet, as_json)
        return
    require_new(out)
    if budget is not None:
        Budget(budget).read()
    described = Schema.load(schema)
    table = read_table(records)
    condenser = Condenser(
        schema=described,
        epsilon=epsilon,
        delta=delta,
        target=target,
        time=time,
        event=event,
        case=case,
        models=model,
        n_rows=rows,
        unit=unit,
        drop=drop or [],
        method=method,
        weights=_weights(weight or []),
        balance=balance,
        effort=effort,
        seed=seed,
    )
    notes = Console(soft_wrap=True, quiet=quiet or as_json)
    with progress_bar(quiet or as_json, f"Condensing to {rows} rows") as progress:
        condenser.fit(
            table,
            journal=journal,
            budget=budget,
            progress=progress,
            notice=lambda text: notes.print(text, markup=False),
        )
    condenser.save(out)
    remove_journal(journal)
    print_release(out / DATA, condenser.table_, "rows", quiet, as_json)


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


app.command("condense-series")(condense_series)
app.command("audit-series")(audit_series)
app.command("evaluate-series")(evaluate_series)


for command in (evaluate, audit, report):
    app.command()(command)


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder to create.")] = Path("tincture-demo"),
    epsilon: Annotated[float, typer.Option(help="Privacy loss allowed.")] = 1.0,
    seed: Annotated[int, typer.Option(min=0, help="Of the split and the search.")] = 0,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Condense 9,105 real patients of the SUPPORT study and see what the rows are worth.

    Example:

    tincture demo --out tincture-demo
    """
    from tincture.demo.study import run

    with progress_bar(quiet or as_json, "Condensing 6,374 patients to 100 rows") as progress:
        result = run(out, epsilon=epsilon, seed=seed, progress=progress)
    if as_json:
        print_json({"out": str(out), **result.evaluation.to_dict()})
    elif not quiet:
        print_scores(result.evaluation)
        console = Console(soft_wrap=True)
        console.print(result.promise, style="bold")
        console.print(f"The release is {out}/release, the picture {out}/utility.svg", markup=False)


@schema_app.command("draft")
def schema_draft(
    table: Annotated[Path, typer.Argument(help="CSV or Parquet file.")],
    out: Annotated[Path | None, typer.Option(help="File to create; by default printed.")] = None,
    from_data: Annotated[
        bool, typer.Option("--from-data", help="Propose bounds and levels from the records.")
    ] = False,
) -> None:
    """Write a first schema to review: names and types filled, bounds and levels left to confirm.

    Example:

    tincture schema draft records.csv --out records.schema.json
    """
    from tincture.io.draft import draft
    from tincture.io.files import json_bytes, require_new, write_file

    if out is not None:
        require_new(out)
    text = json_bytes(draft(table, from_data=from_data))
    if out is None:
        typer.echo(text.decode(), nl=False)
    else:
        write_file(out, text)


@budget_app.command("create")
def budget_create(
    path: Annotated[Path, typer.Argument(help="File to create.")],
    epsilon: Epsilon,
    delta: Delta,
    unit: Annotated[
        str | None,
        typer.Option(
            help="Whom all releases protect: record, stay, or the person column; by default as the "
            "first of them."
        ),
    ] = None,
) -> None:
    """Create a budget file, for condense --budget.

    Example:

    tincture budget create registry.budget.json --epsilon 3 --delta 1e-4
    """
    from tincture.privacy.budget import Budget

    Budget(path).create(epsilon, delta, unit=unit)


@budget_app.command("show")
def budget_show(
    path: Annotated[Path, typer.Argument(help="Budget file.")], as_json: Json = False
) -> None:
    """Show the releases of a budget and what is left.

    Example:

    tincture budget show registry.budget.json
    """
    from tincture.privacy.budget import Budget, units_of

    content, left = Budget(path).read(), Budget(path).left()
    if as_json:
        print_json({**content, "left": {"epsilon": left[0], "delta": left[1]}})
        return
    unit = escape(", ".join(units_of(content)) or "not stated")
    table = Table("release", "epsilon", "delta", "unit")
    for entry in content["releases"]:
        spent = (f"{entry[k]:g}" for k in ("epsilon", "delta"))
        table.add_row(str(entry.get("note", "")), *spent, escape(entry.get("unit") or "not stated"))
    table.add_section()
    table.add_row("left", f"{left[0]:g}", f"{left[1]:g}", unit)
    table.add_row("budget", f"{content['epsilon']:g}", f"{content['delta']:g}", unit)
    Console().print(table)
