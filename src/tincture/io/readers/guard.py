"""Whatever reads a file, without the words of its errors, which could quote a cell."""

from __future__ import annotations

import contextlib
import gc
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import polars as pl

from tincture.errors import SettingError, TableError

FAULTS = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)
T = TypeVar("T")


def read_with(path: Path, read: Callable[[], T], expected: str) -> T:
    """What ``read`` gives, or one sentence.

    Raises
    ------
    TableError
        That of ``read`` as it stands; else naming the file and what was expected.
    """
    try:
        with hushed():
            return read()
    except (TableError, SettingError, KeyboardInterrupt, SystemExit):
        raise
    except BaseException:  # noqa: S110  # a panic of a library in Rust is no Exception
        pass
    raise TableError(f"The table {path} cannot be read; expected {expected}.")


@contextlib.contextmanager
def hushed() -> Iterator[Callable[[], None]]:
    """Hold back standard error while a library reads, and drop what is held if it cannot.

    Polars' threads print a panic of their own about a damaged file, which the sentence that follows
    makes needless. Yields a function that passes on what is held, for the words of others.
    """
    true = os.dup(2)
    with tempfile.TemporaryFile(buffering=0) as held:

        def pass_on() -> None:
            held.seek(0)
            os.write(true, held.read() or b"")
            held.seek(0)
            held.truncate()

        os.dup2(held.fileno(), 2)
        try:
            yield pass_on
            pass_on()
        finally:
            os.dup2(true, 2)
            os.close(true)


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Pause the collector of garbage, which would look for cycles among many lists of cells."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def alike_columns(names: Sequence[str]) -> str | None:
    """Two columns of one name, by their places: what stands in a first line may be a record."""
    first: dict[str, int] = {}
    for place, name in enumerate(names):
        if first.setdefault(name, place) < place:
            return f"one name for columns {first[name] + 1} and {place + 1}"
    return None


def require_different(path: Path, names: Sequence[str]) -> None:
    """Refuse two columns of one name.

    Raises
    ------
    TableError
    """
    if alike := alike_columns(names):
        raise TableError(f"The table {path} has {alike}; rename or remove one.")
