"""Commands of several sites: what they agree on, and what each does in its own house."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tincture.cli.console import Json, print_json

if TYPE_CHECKING:
    from tincture.federation.consortium import Consortium

consortium_app = typer.Typer(
    help="Agree on a run of several sites.\n\nExample:\n\n"
    "tincture consortium check consortium.json",
    no_args_is_help=True,
)
site_app = typer.Typer(
    help="What a site does in its own house.\n\nExample:\n\n"
    "tincture site check consortium.json records.csv",
    no_args_is_help=True,
)
Records = Annotated[
    Path, typer.Argument(help="File of records, one record a row; or events of stays.")
]
MASKED = (
    "Sums are masked, which is experimental until somebody from outside has reviewed it. Each site "
    "reads its own key aloud from this file: a key of somebody else in its place would undo it."
)
UNSEEN = "Sums are masked: name the folder of this site's key (--books) to have it checked too."
Agreed = Annotated[Path, typer.Argument(help="Consortium file.")]
Outcomes = Annotated[
    Path | None,
    typer.Option(
        help="Of stays, one row each, if they do not lie beside the events.", metavar="FILE"
    ),
]
OwnSchema = Annotated[
    Path | None,
    typer.Option(
        "--schema",
        help="Schema of this site's own file, where it writes cells otherwise than was agreed: "
        "dialect, decimal mark, words for missing. It may differ in nothing else.",
        metavar="FILE",
    ),
]


@consortium_app.command("check")
def check(path: Agreed, as_json: Json = False) -> None:
    """Check a consortium file, and tell what a site would answer.

    All sites see the same digest, or hold different files.

    Example:

    tincture consortium check consortium.json
    """
    from tincture.federation.consortium import Consortium
    from tincture.kinds import estimator_of
    from tincture.privacy.ledger import Ledger

    made = Consortium.load(path)
    job = made.sendable(estimator_of(made))
    plan = job.plan()
    questions = [
        (p.question, p.count, m.noise_multiplier)
        for p, m in zip(plan.phases, plan.mechanisms, strict=True)
    ]
    if as_json:
        told = {key: value for key, value in made.to_dict().items() if key != "schema"}
        heads = ("question", "most", "noise_multiplier")
        print_json({**told, "questions": [dict(zip(heads, q, strict=True)) for q in questions]})
        return
    console = Console(soft_wrap=True)
    alike = "; all count alike" if made.balance_sites else ""
    console.print(
        f"{', '.join(made.sites)}{alike}; trusted: {made.trust}; unit: {job.unit}", markup=False
    )
    console.print(f"ε = {plan.epsilon:g}, δ = {plan.delta:g} at each site", markup=False)
    if made.holders > 1:
        alone = Ledger(plan, holders=made.holders).epsilon_alone
        console.print(f"ε = {alone:.3g} if all other sites collude", markup=False)
        for name, key in zip(made.sites, made.keys, strict=True):
            console.print(f"{name} has the key {key}", markup=False)
        console.print(MASKED, markup=False)
    table = Table("question", "at most", "noise multiplier")
    for question, most, noise in questions:
        table.add_row(question, str(most), f"{noise:.4g}")
    console.print(table)
    console.print(f"digest {made.digest}", markup=False)


@site_app.command("key")
def site_key(
    books: Annotated[Path, typer.Argument(help="Folder of the books that this site will keep.")],
) -> None:
    """Make a key with which this site masks what it sends, and print its public half.

    The other half stays in the folder, is of one consortium, and must not be copied. Where there is
    a key already, its public half is printed again.

    Example:

    tincture site key books/
    """
    from tincture.federation.masks import create_secret

    typer.echo(create_secret(books))


@site_app.command("check")
def site_check(
    path: Agreed,
    records: Records,
    schema: OwnSchema = None,
    outcomes: Outcomes = None,
    books: Annotated[
        Path | None,
        typer.Option(
            help="Folder of this site's key, to be checked too where sums are masked.",
            metavar="FOLDER",
        ),
    ] = None,
) -> None:
    """Check this site's records, and its software, against a consortium; sends and spends nothing.

    Example:

    tincture site check consortium.json records.csv
    """
    made, console = require_able(path, records, schema, outcomes), Console(soft_wrap=True)
    if made.holders > 1 and books is None:
        console.print(UNSEEN, markup=False)
    elif books is not None:
        console.print(f"The key in {books} is that of {made.keeper(books)}.", markup=False)
    console.print(
        f"{records} and this machine can take part; nothing was sent, nothing is spent.",
        markup=False,
    )


def require_able(
    path: Path, records: Path, schema: Path | None = None, outcomes: Path | None = None
) -> Consortium:
    """The consortium, if these records and this machine can take part in it.

    Parameters
    ----------
    path, records : path
    schema : path, optional
        That tells how the records are written.
    outcomes : path, optional
        Of stays.

    Raises
    ------
    TinctureError
    """
    from tincture.federation.consortium import Consortium
    from tincture.kinds import estimator_of, source_at
    from tincture.privacy.ledger import Ledger
    from tincture.privacy.vault import Vault

    made = Consortium.load(path)
    job = made.sendable(estimator_of(made, schema))
    source = source_at(made.kind, records, outcomes, job.schema.dialect)
    Vault(job.seal_part, source, Ledger(job.plan(), unit=job.unit))
    job.rehearse()
    return made


@site_app.command("show")
def site_show(
    books: Annotated[Path, typer.Argument(help="Folder of this site's books.")],
    as_json: Json = False,
) -> None:
    """Show what this site was asked, what it sent, and what that has cost.

    Example:

    tincture site show books/
    """
    from tincture.federation.books import told_of_books

    told = told_of_books(books)
    if as_json:
        print_json(told)
        return
    console = Console(soft_wrap=True)
    console.print(
        f"{told['site']}, of the consortium {told['consortium']}; unit: {told['unit']}",
        markup=False,
    )
    table = Table("question", "values", "clip", "noise multiplier", "share")
    for asked in told["questions"]:
        numbers = (f"{asked[k]:.4g}" for k in ("size", "clip", "noise_multiplier"))
        table.add_row(escape(asked["question"]), *numbers, "kept" if asked["is_kept"] else "lost")
    console.print(table)
    console.print(
        f"ε spent {told['epsilon_spent']:.4g} of {told['epsilon']:g}, δ = {told['delta']:g}",
        markup=False,
    )
    if "epsilon_alone" in told:
        console.print(f"ε = {told['epsilon_alone']:.3g} if all other sites collude", markup=False)
