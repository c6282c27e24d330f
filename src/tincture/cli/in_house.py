"""Commands that show what a release is: worth, judged on real records, and its card."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tincture.cli.console import Json, Quiet, print_json, print_scores, progress_bar
from tincture.errors import SettingError

if TYPE_CHECKING:
    from tincture.evaluation.bench import Bench
    from tincture.public.dialect import Dialect


@dataclass(frozen=True, slots=True)
class Judging:
    """What every evaluation looks at, and how what it finds is shown."""

    by: Annotated[
        list[str] | None,
        typer.Option(
            help="Subgroups: a column, or column:cut,cut for an amount. Repeatable.",
            metavar="COLUMN",
        ),
    ] = None
    schema: Annotated[
        Path | None,
        typer.Option(
            help="Schema of the real ones, for labels of a --by column that is no feature."
        ),
    ] = None
    report: Annotated[Path | None, typer.Option(help="In-house page to create, one HTML file.")] = (
        None
    )
    audit: Annotated[
        Path | None, typer.Option(help="File of an audit's --out, to be shown on the page.")
    ] = None
    seed: Annotated[
        int, typer.Option(min=0, help="Of models, of random real ones and of the intervals.")
    ] = 0
    quiet: Quiet = False
    as_json: Json = False


def evaluate(
    release: Annotated[Path, typer.Argument(help="Folder of a release.")],
    train: Annotated[Path, typer.Option(help="The records that were condensed.")],
    test: Annotated[Path, typer.Option(help="Held-out records.")],
    options: Judging,
    model: Annotated[
        list[str] | None,
        typer.Option(
            help="A model to score, repeatable; by default those of the release.", metavar="MODEL"
        ),
    ] = None,
    at: Annotated[
        list[float] | None,
        typer.Option(
            help="A time to compare predicted and observed risk at. Repeatable.", metavar="TIME"
        ),
    ] = None,
) -> None:
    """Score models trained on a release, on held-out records. In-house: looks at real records.

    Each look is written to RELEASE.in-house.jsonl, beside the release and not in it. A column that
    is no feature of the release, such as the hospital, is scored each in turn by --by too.

    Example:

    tincture evaluate release/ --train records.parquet --test heldout.parquet --by sex
    --by age:40,60,80 --by hospital --report in-house.html
    """
    from tincture.tables.bench import TableBench
    from tincture.tables.release import CondensedTable

    judge(
        release,
        CondensedTable,
        lambda made: TableBench(made, model),
        lambda made: two_tables(train, test, made.schema.dialect),
        options,
        at=at or [],
    )


def evaluate_series(
    release: Annotated[Path, typer.Argument(help="Folder of a release of stays.")],
    events: Annotated[Path, typer.Argument(help="Real events, in the form that was condensed.")],
    train: Annotated[Path, typer.Option(help="Outcomes of the stays that were condensed.")],
    test: Annotated[Path, typer.Option(help="Outcomes of held-out stays.")],
    options: Judging,
    test_events: Annotated[
        Path | None, typer.Option(help="Events of the held-out stays, if they are elsewhere.")
    ] = None,
    network: Annotated[
        list[str] | None,
        typer.Option(
            help="gru, lstm, tcn, transformer or mlp, repeatable; by default all of them.",
            metavar="NETWORK",
        ),
    ] = None,
    runs: Annotated[int, typer.Option(help="Times that each network is trained.")] = 1,
    device: Annotated[
        str,
        typer.Option(help="Where networks are trained: auto (a GPU if there is one), cpu or cuda."),
    ] = "auto",
) -> None:
    """Score networks trained on condensed stays, on held-out ones. In-house: looks at real stays.

    Each look is written to RELEASE.in-house.jsonl, beside the release and not in it. Networks need
    torch; without it classical models alone are scored. A column of the outcomes that is no
    feature, such as the hospital, is scored each in turn by --by too.

    Example:

    tincture evaluate-series release/ events.parquet --train outcomes.parquet
    --test heldout.parquet --network gru --network mlp --by age:40,60,80 --report in-house.html
    """
    from tincture.stays.bench import StaysBench
    from tincture.stays.release import CondensedSeries

    judge(
        release,
        CondensedSeries,
        lambda made: StaysBench(made, network or None, device=device),
        lambda _: ((events, train), (test_events, test)),
        options,
        runs=runs,
    )


def judge(
    folder: Path,
    kind: Any,
    bench: Callable[[Any], Bench],
    sides: Callable[[Any], Sequence[Any]],
    options: Judging,
    **settings: Any,
) -> None:
    """Evaluate a release of any kind, write the page and say what was found.

    The sides are read after the release was, by what it says; other settings are those of
    `tincture.evaluation.evaluate.evaluate`.
    """
    from tincture.audit.told import from_file
    from tincture.evaluation.evaluate import evaluate as run
    from tincture.io.files import write_file
    from tincture.report.in_house import in_house_page
    from tincture.report.summary import Attacks, InHouse

    if options.report is not None:
        require_page(options.report)
    elif options.audit is not None:
        raise SettingError("An audit is shown on a page; add --report, or leave out --audit.")
    looks = looks_of(folder)
    made = kind.load(folder)
    attacks = Attacks() if options.audit is None else from_file(options.audit, made)
    silent = options.quiet or options.as_json
    with progress_bar(silent, "Training on the release and others") as told:
        found = run(
            bench(made),
            *sides(made),
            by=options.by or [],
            schema=options.schema,
            seed=options.seed,
            in_house=looks,
            pictures=options.report is not None,
            progress=told,
            **settings,
        )
    if options.report is not None:
        card = made.card()
        page = in_house_page(InHouse(card.title, card.promise, found, attacks))
        write_file(options.report, page.encode())
    if options.as_json:
        print_json(found.to_dict())
    elif not options.quiet:
        print_scores(found)


def report(
    release: Annotated[Path, typer.Argument(help="Folder of a release.")],
    out: Annotated[Path, typer.Option(help="HTML file to create.")],
    board: Annotated[
        bool, typer.Option("--board", help="The page that a board signs instead of the data card.")
    ] = False,
    audit: Annotated[
        Path | None,
        typer.Option(help="File of an audit's --out, to be joined; the page then stays in-house."),
    ] = None,
) -> None:
    """Write the data card of a release, one HTML page, from the release alone.

    With --board, a list of the Five Safes and of NIST SP 800-226 instead, filled with what the
    release knows and blank where a person must decide.

    Example:

    tincture report release/ --out card.html

    tincture report release/ --board --audit audit.json --out board.html
    """
    from tincture.audit.told import from_file
    from tincture.io.files import require_new, write_file
    from tincture.kinds import load
    from tincture.report.card import card_page
    from tincture.report.papers.board import board_page

    if audit is None:
        require_new(out)
    elif board:
        require_page(out)
    else:
        raise SettingError("An audit is joined to the board's page; add --board, or leave it out.")
    made = load(release)
    attacks = None if audit is None else from_file(audit, made)
    facts = made.facts(made.copies_in(release))
    page = board_page(facts, attacks) if board else card_page(facts.card)
    write_file(out, page.encode())


def require_page(path: Path) -> None:
    """Refuse to write over something, or into a release, before any record is looked at.

    Raises
    ------
    ReleaseError
    """
    from tincture.io.files import require_new, require_outside

    require_new(path)
    require_outside(path)


def two_tables(condensed: Path, held_out: Path, dialect: Dialect) -> list[Any]:
    """The records a release was made of, and others; the same ones twice would flatter it."""
    from tincture.errors import TableError
    from tincture.io.frames import read_table
    from tincture.io.readers.table import spelled

    frames = [read_table(path, dialect) for path in (condensed, held_out)]
    if spelled(frames[0]).equals(spelled(frames[1])):
        raise TableError(
            f"{held_out} holds the same records as {condensed}; expected records that the release "
            "was not made of. Keep some aside before you condense."
        )
    return frames


def looks_of(release: Path) -> Path:
    """Where looks at real records are written down, beside the release and in no other.

    Raises
    ------
    ReleaseError
    """
    from tincture.io.files import beside, require_outside

    looks = beside(release, ".in-house.jsonl")
    require_outside(looks)
    return looks
