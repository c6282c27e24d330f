"""The command that says what a release of stays is worth; it looks at real stays."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from tincture.cli.console import Json, Quiet, print_json, print_scores, progress_bar
from tincture.cli.in_house import looks_of, require_page


def evaluate_series(
    release: Annotated[Path, typer.Argument(help="Folder of a release of stays.")],
    events: Annotated[Path, typer.Argument(help="Real events, in the form that was condensed.")],
    train: Annotated[Path, typer.Option(help="Outcomes of the stays that were condensed.")],
    test: Annotated[Path, typer.Option(help="Outcomes of held-out stays.")],
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
    report: Annotated[
        Path | None, typer.Option(help="In-house page to create, one HTML file.")
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, help="Of networks, random real stays and intervals.")
    ] = 0,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Score networks trained on condensed stays, on held-out ones. In-house: looks at real stays.

    Each look is written to RELEASE.in-house.jsonl, beside the release and not in it. Networks need
    torch; without it logistic regression alone is scored.

    Example:

    tincture evaluate-series release/ events.parquet --train outcomes.parquet
    --test heldout.parquet --network gru --network mlp --report in-house.html
    """
    from tincture.io.files import write_file
    from tincture.report.in_house_series import in_house_series_page
    from tincture.report.summary import InHouseSeries
    from tincture.stays.evaluation import evaluate_series as run
    from tincture.stays.release import CondensedSeries

    if report is not None:
        require_page(report)
    looks = looks_of(release)
    stays = CondensedSeries.load(release)
    with progress_bar(quiet or as_json, "Training on condensed and on real stays") as progress:
        found = run(
            stays,
            events,
            train,
            test,
            test_events=test_events,
            networks=network or None,
            runs=runs,
            seed=seed,
            in_house=looks,
            pictures=report is not None,
            progress=progress,
        )
    if report is not None:
        card = stays.card()
        page = in_house_series_page(InHouseSeries(card.title, card.promise, found))
        write_file(report, page.encode())
    if as_json:
        print_json(found.to_dict())
    elif not quiet:
        print_scores(found)
        if found.note:
            Console(soft_wrap=True).print(found.note, markup=False)
