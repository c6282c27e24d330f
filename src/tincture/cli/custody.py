"""Commands of whoever keeps the records: a schema to review, a budget for all releases."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tincture.cli.console import RECORDS, Delta, Epsilon, Json, print_json

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
    table: Annotated[Path, typer.Argument(help=f"{RECORDS}.")],
    out: Annotated[Path | None, typer.Option(help="File to create; by default printed.")] = None,
    from_data: Annotated[
        bool, typer.Option("--from-data", help="Propose bounds and levels from the records.")
    ] = False,
) -> None:
    """Write a first schema to review: names and types filled, bounds and levels left to confirm.

    Rules between columns can be added as "tincture:rules" (docs/schema.md): every row obeys them.

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
