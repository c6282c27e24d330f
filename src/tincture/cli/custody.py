"""Commands of whoever keeps the records: a schema to review, a budget for all releases."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tincture.cli.console import RECORDS, Delta, Epsilon, Json, print_json

if TYPE_CHECKING:
    from tincture.public.schema import Schema

schema_app = typer.Typer(
    help="Write the schema of a table.\n\nExample:\n\ntincture schema draft records.csv",
    no_args_is_help=True,
)
budget_app = typer.Typer(
    help="Keep a budget for all releases of one table.\n\nExample:\n\n"
    "tincture budget create registry.budget.json --epsilon 3 --delta 1e-4",
    no_args_is_help=True,
)


@schema_app.command("draft")
def schema_draft(
    table: Annotated[
        Path,
        typer.Argument(
            help=f"{RECORDS}; or a code book: .csv or .xlsx, a REDCap data dictionary, a Data "
            "Package, the folder of a MEDS data set."
        ),
    ],
    out: Annotated[Path | None, typer.Option(help="File to create; by default printed.")] = None,
    from_data: Annotated[
        bool, typer.Option("--from-data", help="Propose bounds and levels from the records.")
    ] = False,
) -> None:
    """Write a first schema to review: names and types filled, bounds and levels left to confirm.

    A code book declares what it declares; what it leaves open is null in the draft. Rules between
    columns can be added as "tincture:rules" (docs/schema.md): every row obeys them.

    Example:

    tincture schema draft records.csv --out records.schema.json
    """
    from tincture.io.draft import draft
    from tincture.io.files import json_bytes, require_new, write_file
    from tincture.public.schema import Schema

    if out is not None:
        require_new(out)
    made = draft(table, from_data=from_data)
    if out is None:
        typer.echo(json_bytes(made).decode(), nl=False)
    else:
        write_file(out, json_bytes(made))
    _advise(Schema.from_dict({"fields": made["fields"]}))


@schema_app.command("book")
def schema_book(
    schema: Annotated[Path, typer.Argument(help="Schema, or a draft of one, JSON or YAML.")],
    out: Annotated[Path, typer.Option(help="Code book to create: .xlsx or .csv.")],
) -> None:
    """Write a schema as a code book, one line a column, to read and to fill in without JSON.

    tincture schema draft BOOK makes a schema of it again.

    Example:

    tincture schema book draft.schema.json --out book.xlsx
    """
    from tincture.io.books import book_of
    from tincture.io.files import require_new, write_file
    from tincture.public.schema import descriptor_at

    require_new(out)
    write_file(out, book_of(descriptor_at(schema), out.suffix.lower(), str(schema)))


@schema_app.command("check")
def schema_check(
    records: Annotated[Path, typer.Argument(help="File of records, one record a row.")],
    schema: Annotated[Path, typer.Argument(help="Schema, JSON or YAML.")],
    as_json: Json = False,
) -> None:
    """Tell what of the records would be clipped, is missing, or would be refused. In-house.

    It looks at real records without noise, and is written to SCHEMA.in-house.jsonl: do not release
    what it tells, and choose no bound by it.

    Example:

    tincture schema check records.csv records.schema.json
    """
    from tincture.io.files import beside
    from tincture.io.frames import read_table
    from tincture.public.schema import Schema
    from tincture.tables.agreement import ADVICE, NOTICE, agreements

    described = Schema.load(schema)
    frame = read_table(records, described.dialect)
    found = agreements(frame, described, beside(schema, ".in-house.jsonl"))
    if as_json:
        print_json(found.to_dict())
        return
    _advise(described)
    table = Table("column", "missing", "below", "above", "refused", title=NOTICE)
    for c in found.columns:
        shares = [_share(n, found.records) for n in (c.missing, c.below, c.above, c.refused)]
        table.add_row(escape(c.column), *shares, style="bold red" if c.says else None)
    console = Console(soft_wrap=True)
    console.print(table)
    for line in (*(c.says for c in found.columns if c.says), ADVICE):
        console.print(line, markup=False)


def _advise(schema: Schema) -> None:
    """What so many columns and levels will cost, where they are many."""
    from tincture.tables.burden import advice

    if told := advice(schema.columns):
        typer.echo(told, err=True)


def _share(n: int, of: int) -> str:
    return f"{n:,} ({n / of:.1%})" if n else ""


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
