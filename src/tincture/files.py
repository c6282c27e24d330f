"""Outputs that appear whole or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from tincture.errors import ReleaseError


def require_new(path: Path) -> None:
    """Refuse to write over something.

    Raises
    ------
    ReleaseError
    """
    if path.exists() or path.is_symlink():
        raise ReleaseError(f"{path} exists already; remove it or name another --out.")
    parent = path.absolute().parent
    if not parent.is_dir():
        raise ReleaseError(f"The folder {parent} does not exist; create it first.")
    if not os.access(parent, os.W_OK):
        raise ReleaseError(f"The folder {parent} cannot be written to; choose another --out.")


def write_folder(path: Path, contents: Mapping[str, bytes]) -> None:
    """Create a folder with these files in one step.

    Raises
    ------
    ReleaseError
        If the folder exists or cannot be written; nothing is left behind then.
    """
    require_new(path)
    try:
        scratch = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.absolute().parent))
    except OSError as error:
        raise ReleaseError(f"Cannot write {path}: {error.strerror}.") from None
    try:
        for name, content in contents.items():
            _write_synced(scratch / name, content)
        scratch.chmod(0o755)
        os.rename(scratch, path)
    except OSError as error:
        raise ReleaseError(f"Cannot write {path}: {error.strerror}.") from None
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def write_file(path: Path, content: bytes) -> None:
    """Create or replace a file in one step.

    Raises
    ------
    ReleaseError
    """
    scratch = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        _write_synced(scratch, content)
        os.replace(scratch, path)
    except OSError as error:
        raise ReleaseError(f"Cannot write {path}: {error.strerror}.") from None
    finally:
        scratch.unlink(missing_ok=True)


@contextlib.contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Keep other processes out of a folder's files while one is replaced; leaves no lock file."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _write_synced(path: Path, content: bytes) -> None:
    with open(path, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
