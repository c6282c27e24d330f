"""Commands that score a release at sites, and show all of them on one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tincture.cli.console import RECORDS, Delta, FiniteEpsilon, Json, print_json, print_table
from tincture.cli.federating import OwnSchema
from tincture.cli.journals import journal_at, remove_journal


def site_validate(
    release: Annotated[Path, typer.Argument(help="Folder of a release.")],
    records: Annotated[Path, typer.Argument(help=f"{RECORDS} held out, one record a row.")],
    site: Annotated[str, typer.Option(help="What the page calls this site.")],
    epsilon: FiniteEpsilon,
    delta: Delta,
    out: Annotated[Path, typer.Option(help="File to create, which may leave the house.")],
    budget: Annotated[
        Path | None, typer.Option(help="Budget file that caps all questions to these records.")
    ] = None,
    schema: OwnSchema = None,
    as_json: Json = False,
) -> None:
    """Score a release on a site's own held-out patients, by one private question.

    Each is written to RELEASE.validated.jsonl and RECORDS.validated.jsonl, beside either; a second
    one needs a budget.

    Example:

    tincture site validate release/ heldout.csv --site north --epsilon 0.5 --delta 1e-5
    --out north.validation.json
    """
    from tincture.evaluation.binned import MEASURES, TOO_FEW
    from tincture.io.files import beside, json_bytes, require_new, require_outside, write_file
    from tincture.io.frames import read_table
    from tincture.public.schema import Schema
    from tincture.tables.release import CondensedTable
    from tincture.tables.validation import validate

    require_new(out)
    looks = {
        beside(release, ".validated.jsonl"): ("site", "release"),
        # So that neither a copy of the release nor another name asks the same records again.
        beside(records.resolve(), ".validated.jsonl"): ("release",),
    }
    for place in (out, *looks):
        require_outside(place)
    table = CondensedTable.load(release)
    written = table.schema
    if schema is not None:
        written = written.written_as(Schema.load(schema), str(schema))
    journal = journal_at(out)
    told = validate(
        table,
        read_table(records, written.dialect),
        site=site,
        epsilon=epsilon,
        delta=delta,
        schema=written,
        journal=journal,
        budget=budget,
        in_house=looks,
    )
    write_file(out, json_bytes(told))
    remove_journal(journal)
    if as_json:
        print_json(told)
        return
    shown = Table("model", "AUROC", "Brier", "observed/expected", "slope", title=site)
    for name, model in told["models"].items():
        figures = model["figures"].values() or [None] * len(MEASURES)
        shown.add_row(escape(name), *(_told(figure) for figure in figures))
    print_table(shown)
    console = Console(soft_wrap=True)
    if not all(model["figures"] for model in told["models"].values()):
        console.print(TOO_FEW.format(told["least"]), markup=False)
    console.print(told["ledger"]["promise"], markup=False)
    console.print(f"{out} holds figures and noisy counts, and may leave the house.", markup=False)


def consortium_page(
    files: Annotated[list[Path], typer.Argument(help="What each site's validation wrote.")],
    out: Annotated[Path, typer.Option(help="HTML file to create.")],
) -> None:
    """Show what all sites found when they scored a release, on one page.

    Example:

    tincture consortium page north.validation.json south.validation.json --out validation.html
    """
    from tincture.io.files import require_new, write_file
    from tincture.report.validation import read_validations, validation_page

    require_new(out)
    write_file(out, validation_page(read_validations(files)).encode())
    Console(soft_wrap=True).print(f"{out}", markup=False)


def _told(figure: list[float] | None) -> str:
    if figure is None:
        return "–"
    value, low, high = figure
    return f"{value:.3f} ({low:.3f} to {high:.3f})"
