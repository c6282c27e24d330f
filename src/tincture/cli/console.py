"""What commands share: options, tables and bars for a person, JSON for a program."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

RECORDS = "File of records: CSV, Parquet, SPSS, Stata, SAS, R, or Excel (book.xlsx#sheet)"
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Epsilon = Annotated[
    float, typer.Option(help="Privacy loss allowed, such as 1; inf for none.", metavar="EPSILON")
]
FiniteEpsilon = Annotated[  # of what leaves a site
    float, typer.Option("--epsilon", help="Privacy loss allowed, such as 1.", metavar="EPSILON")
]
Delta = Annotated[
    float, typer.Option(help="Chance of exceeding it, such as 1e-5.", metavar="DELTA")
]

CaseLevel = Annotated[
    str | None,
    typer.Option(
        "--case",
        help="Which of the outcome's two levels is the case, such as 1 or dead: the one that "
        "figures count. By default the last that the schema declares.",
        metavar="LEVEL",
    ),
]

WIDE = 140  # columns of a table that is written to a file or a pipe


def print_json(content: Any) -> None:
    """A result for a program."""
    typer.echo(as_text(content))


def as_text(content: Any) -> str:
    """JSON for people and programs."""
    return json.dumps(content, indent=1, allow_nan=False)


def compile_beside(
    task: Any, models: Sequence[str], *, quiet: bool, all_usual: bool = False
) -> None:
    """Begin a first run's compilation in a second process, and tell whoever watches."""
    from tincture.models.ahead import compile_beside as begin

    console = Console(quiet=quiet)
    if begin(task, models, all_usual=all_usual) and console.is_terminal:
        console.print("This first run compiles its models, which later ones need not.")


def print_table(table: Table) -> Console:
    """Columns that are not cut where nobody knows how wide it is; the console they went to."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDE)
    console.print(table)
    return console


def print_release(path: Path, release: Any, quiet: bool, as_json: bool) -> None:
    """Where the rows (or stays) are, and what is promised of them."""
    ledger, case = release.ledger, release.case
    if as_json:
        told = {"release": str(path.parent), "rows": len(release), "case": case.to_dict()}
        print_json({**told, **release.beside, **ledger.to_dict()})
    elif not quiet:
        console = Console(soft_wrap=True)
        console.print(f"{len(release)} invented {release.kind} in {path}", markup=False)
        for line in (case.says, *release.remarks):
            console.print(line, markup=False)
        style = "bold red" if math.isinf(ledger.plan.epsilon) else "bold"
        console.print(ledger.promise, style=style)


def print_scores(evaluation: Any) -> None:
    """One line a model, metric and group; the sources side by side."""
    from tincture.evaluation.scores import CEILING, CONDENSED

    sources, records = evaluation.sources, evaluation.words.records
    cells: dict[tuple[str, str, str], dict[str, Any]] = {}
    for s in evaluation.scores:
        cells.setdefault((s.group, s.model, s.metric), {})[s.trained_on] = s
    grouped = any(key[0] != "all" for key in cells)
    table = Table(title=f"In-house: computed from real {records}; do not release")
    for head in [*(["group"] if grouped else []), "model", "figure"]:
        table.add_column(head)
    first = next(iter(cells.values()))
    for source in sources:
        table.add_column(f"{source}\n({first[source].rows})", justify="right")
    for (group, model, metric), row in cells.items():
        shown = [_figure(row[source].figure) for source in sources]
        names = [escape(text) for text in (*([group] if grouped else []), model, metric)]
        table.add_row(*names, *shown)
    console = print_table(table)
    for line in _beneath(evaluation):
        console.print(line, markup=False, soft_wrap=True)
    _print_ratios(console, evaluation)
    seconds = {(f.model, f.trained_on): f.seconds for f in evaluation.fits}
    for model in dict.fromkeys(f.model for f in evaluation.fits):
        ours, full = (seconds[model, source] for source in (CONDENSED, CEILING))
        told = f"{model} learned in {ours:.3g} s; from all real {records} in {full:.3g} s"
        console.print(told, markup=False, soft_wrap=True)
    if evaluation.note:
        console.print(evaluation.note, markup=False, soft_wrap=True)


def _beneath(evaluation: Any) -> Iterator[str]:
    """What the table of scores leaves to say."""
    records = evaluation.words.records
    if any(math.isnan(s.figure.low) and math.isfinite(s.figure.value) for s in evaluation.scores):
        yield f"A figure without ± has too few held-out {records} for an interval."
    if evaluation.says_case:
        yield evaluation.says_case
    for gap in evaluation.left_behind:
        yield (
            f"Left behind: {gap.group} ({gap.model}, {gap.metric}): {gap.figure.value:.3f} short "
            f"of the ceiling, {gap.excess.value:.3f} more than all {records} together"
        )


def _print_ratios(console: Console, evaluation: Any) -> None:
    """What a recipient's plain regression says, and what a file says of itself."""
    from tincture.evaluation.scores import ADVICE, CHECKS

    told: dict[tuple[str, str], dict[str, str]] = {}
    for r in evaluation.ratios:
        low, high = (f"{v:.3g}" for v in (r.figure.low, r.figure.high))
        interval = "" if math.isnan(r.figure.low) else f" [{low}, {high}]"
        value = "–" if math.isnan(r.figure.value) else f"{r.figure.value:.3g}{interval}"
        told.setdefault(("ratio", r.term), {})[r.trained_on] = value
    for c in evaluation.checks:
        told.setdefault(("check", c.name), {})[c.trained_on] = f"{c.value:.3f}"
    if not told:
        return
    table = Table(title="The plain regression on the columns that matter, and each file as a whole")
    for head in ("", "of"):
        table.add_column(head)
    for source in evaluation.sources:
        table.add_column(source, justify="right")
    for (kind, name), row in told.items():
        table.add_row(kind, escape(name), *(row.get(s, "") for s in evaluation.sources))
    console.print(table)
    for name in dict.fromkeys(c.name for c in evaluation.checks):
        console.print(f"{name}: {CHECKS[name]}", markup=False, soft_wrap=True)
    console.print(ADVICE, markup=False, soft_wrap=True)


def _figure(figure: Any) -> str:
    if math.isnan(figure.value):
        return "–"
    if math.isnan(figure.low):  # too few resamples had a value
        return f"{figure.value:.3f}"
    return f"{figure.value:.3f} ± {(figure.high - figure.low) / 2:.3f}"


@contextlib.contextmanager
def progress_bar(silent: bool, title: str) -> Iterator[Callable[[int, int], None]]:
    """A bar with the time left, on standard error, for a person who watches."""
    console = Console(stderr=True)
    if silent or not console.is_terminal:
        yield lambda done, total: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def print_attacks(result: Any) -> None:
    """Each attack beside what chance gives it, then what the vault was found to do."""
    from tincture.audit.told import told

    attacks = told(result)
    heads = ("attack", "measure", "value (95% interval)", "by chance", "finding")
    table = Table(*heads, title=f"In-house: {result.notice}")
    for f in attacks.findings:
        table.add_row(f.attack, f.measure, _ends(f.figure), f"{f.chance:.3f}", f.says)
    Console().print(table)
    for verdict in attacks.verdicts:
        style = None if verdict.is_well else "bold red"
        Console(soft_wrap=True).print(verdict.says, style=style, markup=False)
    Console(soft_wrap=True).print(attacks.in_short, style="bold", markup=False)


def _ends(figure: Any) -> str:
    if math.isnan(figure.value):
        return "–"
    ends = "" if math.isnan(figure.low) else f" ({figure.low:.3f} to {figure.high:.3f})"
    return f"{figure.value:.3f}{ends}"
