"""The command that says what a release of stays is worth; it looks at real stays."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tincture.cli.console import Json, Quiet
from tincture.cli.in_house import Audited, Beside, By, Page, Shown, judge


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
    by: By = None,
    schema: Beside = None,
    runs: Annotated[int, typer.Option(help="Times that each network is trained.")] = 1,
    report: Page = None,
    audit: Audited = None,
    seed: Annotated[
        int, typer.Option(min=0, help="Of networks, random real stays and intervals.")
    ] = 0,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Score networks trained on condensed stays, on held-out ones. In-house: looks at real stays.

    Each look is written to RELEASE.in-house.jsonl, beside the release and not in it. Networks need
    torch; without it logistic regression alone is scored. A column of the outcomes that is no
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
        lambda made: StaysBench(made, network or None),
        lambda: ((events, train), (test_events, test)),
        Shown(report, audit, quiet, as_json),
        by=by or [],
        schema=schema,
        runs=runs,
        seed=seed,
    )
