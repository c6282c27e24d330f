"""What the commands share: where a run keeps its journal, and how it speaks."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from tincture.errors import SettingError


def journal_of(out: Path, resume: bool) -> Path:
    """Where the run's ledger is written ahead; checks that --resume fits what lies there."""
    journal = out.absolute().with_name(f"{out.name}.unfinished") / "journal.jsonl"
    if resume and not journal.parent.exists():
        raise SettingError(f"There is no unfinished run of {out} to resume; leave out --resume.")
    if journal.exists() and not resume:
        raise SettingError(
            f"An unfinished run lies in {journal.parent}; add --resume to continue it, or remove "
            "that folder to give up what it has spent."
        )
    return journal


def remove_journal(journal: Path) -> None:
    """The run is over: its ledger is in the release."""
    journal.unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # something else was put there
        journal.parent.rmdir()


def print_json(content: Any) -> None:
    """Standard JSON on standard output."""
    typer.echo(json.dumps(content, indent=1, allow_nan=False))


@contextlib.contextmanager
def show_progress(silent: bool, title: str) -> Iterator[Callable[[int, int], None]]:
    """A bar with the time left, on standard error, for a person who watches."""
    console = Console(stderr=True)
    if silent or not console.is_terminal:
        yield lambda done, total: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
