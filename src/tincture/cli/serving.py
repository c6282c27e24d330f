"""Commands of several sites that let NVIDIA FLARE carry what they ask and answer."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from tincture.cli.condensing import formats_of
from tincture.cli.console import Json, Quiet, print_release
from tincture.cli.federating import Agreed, Outcomes, OwnSchema, Records, require_able
from tincture.errors import SettingError

if TYPE_CHECKING:
    from tincture.flare.kit import Kit

KitFolder = Annotated[
    Path, typer.Option("--kit", help="Startup kit, as NVIDIA FLARE provisioned it.")
]
Resume = Annotated[bool, typer.Option("--resume", help="Continue a run that stopped.")]


def site_serve(
    path: Agreed,
    records: Records,
    kit: KitFolder,
    books: Annotated[Path, typer.Option(help="Folder of this site's books.")],
    budget: Annotated[
        Path | None, typer.Option(help="Budget file that caps all releases of the table.")
    ] = None,
    schema: OwnSchema = None,
    outcomes: Outcomes = None,
    resume: Resume = False,
) -> None:
    """Answer the questions of a consortium's run until stopped.

    What a job may do here is written into the kit: run one class of this package, and nothing else.

    Example:

    tincture site serve consortium.json records.csv --kit north/ --books books/ --budget b.json
    """
    from tincture.federation.books import JOURNAL
    from tincture.federation.masks import read_secret
    from tincture.flare.kit import Kit, Serving
    from tincture.privacy.budget import Budget

    own = Kit.of(kit, "client")
    if resume != (books / JOURNAL).exists():
        found = "holds no books yet; leave out" if resume else "holds the books of a run; add"
        raise SettingError(f"{books} {found} --resume.")
    if budget is not None:
        Budget(budget).read()
    made = require_able(path, records, schema, outcomes)
    made.require(own.name)
    if made.holders > 1:
        made.masks(own.name, read_secret(books))
    own.lock()
    Serving.of(path, records, books, budget, schema, outcomes).write(own.local)
    _become(own)


def consortium_serve(kit: KitFolder) -> None:
    """Be the server that all sites of a consortium reach, until stopped.

    Example:

    tincture consortium serve --kit server/
    """
    from tincture.flare.kit import Kit

    own = Kit.of(kit, "server")
    own.lock()
    _become(own)


def condense_at_sites(
    consortium: Annotated[Path, typer.Option(help="Consortium file.")],
    kit: KitFolder,
    out: Annotated[Path, typer.Option(help="Folder to create for the release.")],
    also: Annotated[str, typer.Option(help="Formats, as of condense.", metavar="FORMAT,…")] = "",
    resume: Resume = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Condense what lies at the sites of a consortium; no record leaves them.

    Example:

    tincture condense --consortium consortium.json --kit lead/ --out release/
    """
    from tincture.federation.consortium import Consortium
    from tincture.flare.kit import Kit
    from tincture.flare.session import at_sites
    from tincture.io.copies import require_copies
    from tincture.io.files import require_new
    from tincture.stays.meds import require_copies as require_stays
    from tincture.stays.release import EVENTS
    from tincture.tables.release import DATA

    require_new(out)
    made = Consortium.load(consortium)
    formats, is_of_stays = formats_of(also), made.kind == "stays"
    if is_of_stays:
        require_stays(formats)
    else:
        require_copies(formats, made.schema)
    notes = Console(soft_wrap=True, quiet=quiet or as_json)
    release = at_sites(
        made,
        Kit.of(kit, "admin"),
        resume=resume,
        notice=lambda text: notes.print(text, markup=False),
    )
    release.save(out, formats)
    print_release(out / (EVENTS if is_of_stays else DATA), release, quiet, as_json)


def _become(kit: Kit) -> None:
    """Let this process be the engine's, so that what stops it stops that."""
    command = kit.command()
    os.execv(command[0], command)  # noqa: S606
