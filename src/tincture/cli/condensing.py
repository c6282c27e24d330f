"""The course of a command that condenses, whatever it condenses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from tincture.cli.console import Json, Quiet, print_release, progress_bar
from tincture.cli.journals import finished_release, journal_of, remove_journal

if TYPE_CHECKING:
    from tincture.spine.estimator import Releasing
    from tincture.spine.release import Release


@dataclass(frozen=True, slots=True)
class Condensing:
    """What every such command is told of where to write and what to say."""

    out: Annotated[Path, typer.Option(help="Folder to create for the release.")]
    budget: Annotated[
        Path | None,
        typer.Option("--budget", help="Budget file that caps all releases of the table."),
    ] = None
    seed: Annotated[int, typer.Option(help="Of the search; the noise takes none.")] = 0
    resume: Annotated[bool, typer.Option("--resume", help="Continue a killed run.")] = False
    quiet: Quiet = False
    as_json: Json = False

    @property
    def is_silent(self) -> bool:
        """Whether nobody watches."""
        return self.quiet or self.as_json


def formats_of(also: str) -> list[str]:
    """The formats that ``--also`` names, separated by commas."""
    return [name.strip() for name in also.split(",") if name.strip()]


def condensed(
    made: Callable[[], tuple[Releasing, tuple[Any, ...]]],
    kind: type[Release],
    data: str,
    options: Condensing,
    title: str,
    also: Sequence[str] = (),
) -> None:
    """Condense, save, tell; or continue a killed run.

    Parameters
    ----------
    made : callable
        Makes the estimator and reads its sources, when it is sure that they are needed.
    kind : type
        Of the release.
    data : str
        The file of it that is named to a person.
    options : Condensing
    title : str
        Of the bar.
    also : sequence of str
        Formats in which the data are written once more.
    """
    from tincture.io.files import require_new
    from tincture.privacy.budget import Budget

    journal = journal_of(options.out, options.resume)
    release = finished_release(options.out, journal, kind) if options.resume else None
    if release is None:
        require_new(options.out)
        if options.budget is not None:
            Budget(options.budget).read()
        estimator, sources = made()
        notes = Console(soft_wrap=True, quiet=options.is_silent)
        with progress_bar(options.is_silent, title) as progress:
            estimator.fit(
                *sources,
                journal=journal,
                budget=options.budget,
                progress=progress,
                notice=lambda text: notes.print(text, markup=False),
            )
        estimator.save(options.out, also)
        release = estimator.table_
    remove_journal(journal)
    print_release(options.out / data, release, options.quiet, options.as_json)
