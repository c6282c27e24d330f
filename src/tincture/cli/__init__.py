"""The command line: flags in, one call, files out."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from tincture.cli.attacking import audit, audit_series
from tincture.cli.bundles import spread
from tincture.cli.console import (
    Json,
    Quiet,
    compile_beside,
    print_json,
    print_scores,
    progress_bar,
)
from tincture.cli.custody import budget_app, schema_app
from tincture.cli.drafting import draft, draft_series
from tincture.cli.federating import consortium_app, site_app
from tincture.cli.in_house import evaluate, evaluate_series, report
from tincture.cli.rows import condense
from tincture.cli.series import condense_series
from tincture.cli.serving import condense_at_sites, consortium_serve, site_serve
from tincture.cli.validating import consortium_page, site_validate
from tincture.errors import TinctureError
from tincture.version import __version__

__all__ = ["main"]
HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class Commands(TyperGroup):
    """Of which `condense` is another one where records lie at several sites."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """By its name, or that of the other."""
        if args[0] == "condense" and any(a.startswith("--consortium") for a in args):
            args = ["condense-at-sites", *args[1:]]
        return super().resolve_command(ctx, args)


app = typer.Typer(
    name="tincture",
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings=HELP,
)
app.add_typer(schema_app, name="schema")
app.add_typer(budget_app, name="budget")
app.add_typer(consortium_app, name="consortium")
app.add_typer(site_app, name="site")


def main(command: Callable[..., object] = app) -> None:
    """Run the command line; every known error becomes one sentence and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal without ε shall not stop a run
            stream.reconfigure(errors="backslashreplace")
    try:
        command(prog_name="tincture")
    except TinctureError as error:
        _fail(str(error), error.exit_code)
    except KeyboardInterrupt:
        _fail("stopped.", 130)
    except OSError as error:  # what the system says of itself, such as a full disk, quotes no cell
        _fail(f"{error.strerror or type(error).__name__}; the run was not finished.", 74)
    except Exception as error:  # a bug of ours; its text may quote a cell, so only its kind is told
        kind = type(error).__name__
        _fail(f"an internal error of kind {kind} occurred; please report the command and this.", 70)


def _fail(sentence: str, code: int) -> None:
    """One line on standard error, then the end."""
    typer.echo(f"tincture: {' '.join(sentence.split())}", err=True)
    sys.exit(code)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tincture {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Share clinical knowledge without sharing patients.

    Condense a table of patient records to about a hundred invented rows that can be handed on.

    Example:

    tincture demo
    """


for command in (
    *(condense, condense_series, audit_series, evaluate_series),
    *(evaluate, audit, report),
):
    app.command(command.__name__.replace("_", "-"))(spread(command))
consortium_app.command("draft")(spread(draft))
consortium_app.command("draft-series")(spread(draft_series))
consortium_app.command("serve")(consortium_serve)
site_app.command("serve")(site_serve)
site_app.command("validate")(site_validate)
consortium_app.command("page")(consortium_page)
app.command("condense-at-sites", hidden=True)(condense_at_sites)


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder to create.")] = Path("tincture-demo"),
    epsilon: Annotated[float, typer.Option(help="Privacy loss allowed.")] = 1.0,
    effort: Annotated[float, typer.Option(help="Factor of the search's length.")] = 1.0,
    seed: Annotated[int, typer.Option(min=0, help="Of the split and the search.")] = 0,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Condense 9,105 real patients of the SUPPORT study and see what the rows are worth.

    Example:

    tincture demo --out tincture-demo
    """
    from tincture.demo import MODELS, TASK, run

    compile_beside(TASK, MODELS, quiet=quiet or as_json, all_usual=True)
    with progress_bar(quiet or as_json, "Condensing 6,374 patients to 100 rows") as progress:
        result = run(out, epsilon=epsilon, effort=effort, seed=seed, progress=progress)
    if as_json:
        print_json({"out": str(out), **result.evaluation.to_dict()})
    elif not quiet:
        print_scores(result.evaluation)
        console = Console(soft_wrap=True)
        console.print(result.promise, style="bold")
        console.print(f"The release is {out}/release, the picture {out}/utility.svg", markup=False)
