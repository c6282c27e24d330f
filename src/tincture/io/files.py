"""Outputs that appear whole or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import glob
import json
import os
import re
import shutil
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tincture.errors import ReleaseError

PACKAGE = "datapackage.json"  # by which a release is known, with the ledger beside it
LEDGER = "ledger.json"
UNFOLDED = str.maketrans({"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ı": "i"})


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


def require_outside(path: Path) -> None:
    """Refuse a place inside a release, whichever, for what looked at real records.

    Raises
    ------
    ReleaseError
    """
    # As named and as links lead: a copy of the release may follow a link that lies in it.
    for name in {os.path.abspath(path), os.path.realpath(path)}:
        for folder in Path(name).parents:
            if _is_release(folder):
                raise ReleaseError(
                    f"{path} lies inside the release {folder} and would be handed on with it, but "
                    "is to tell of real records; name a place outside of every release."
                )


def _is_release(folder: Path) -> bool:
    """Whether a folder holds a release, whole or not: the package that describes one."""
    package = folder / PACKAGE
    if not os.path.isfile(package):
        return False
    if os.path.lexists(folder / LEDGER):
        return True
    try:
        content = json.loads(package.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and "tincture" in content


def beside(path: Path, suffix: str) -> Path:
    """A path of the same name with something added, in the same folder.

    Raises
    ------
    ReleaseError
        If the path has no name, as the root has none.
    """
    whole = path.absolute()
    if not whole.name:
        raise ReleaseError(f"{path} is no name of a release; name a folder in it.")
    return whole.with_name(f"{whole.name}{suffix}")


@contextlib.contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A hidden folder to fill, which becomes ``path`` in one step at the end.

    Raises
    ------
    ReleaseError
        If the folder exists or cannot be written; nothing is left behind then.
    """
    require_new(path)
    scratch = _scratch(path)
    try:
        scratch.mkdir()
        yield scratch
        os.rename(scratch, path)
        sync_folder(path.absolute().parent)
    except ReleaseError:
        raise
    except OSError as error:
        raise ReleaseError(f"Cannot write {path}: {error.strerror}.") from None
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def write_folder(path: Path, contents: Mapping[str, bytes]) -> None:
    """Create a folder with these files, by their paths in it, in one step.

    Raises
    ------
    ReleaseError
        If the folder exists or cannot be written; nothing is left behind then.
    """
    with new_folder(path) as scratch:
        for name, content in contents.items():
            (scratch / name).parent.mkdir(parents=True, exist_ok=True)
            _write_synced(scratch / name, content)


def write_file(path: Path, content: bytes) -> None:
    """Create or replace a file in one step.

    Raises
    ------
    ReleaseError
    """
    scratch = _scratch(path)
    try:
        _write_synced(scratch, content)
        os.replace(scratch, path)
        sync_folder(path.absolute().parent)
    except OSError as error:
        raise ReleaseError(f"Cannot write {path}: {error.strerror}.") from None
    finally:
        scratch.unlink(missing_ok=True)


def write_secret(path: Path, content: bytes) -> None:
    """Create a file that its owner alone may read, and its folder.

    Raises
    ------
    ReleaseError
        If it exists, or cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        sync_folder(path.absolute().parent)
    except OSError as error:
        raise ReleaseError(f"Cannot write {path}: {error.strerror}.") from None


def json_bytes(content: Any) -> bytes:
    """A file of JSON, as people and programs read it."""
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()


def slug(text: str, usual: str = "table") -> str:
    """A name that every version of the Data Package standard allows: a-z, 0-9, ``.``, ``_``, ``-``.

    Accents are dropped, runs of anything else become one hyphen; of nothing, ``usual`` is made.
    """
    folded = unicodedata.normalize("NFKD", text.lower().translate(UNFOLDED))
    plain = "".join(c for c in folded if not unicodedata.combining(c))
    return re.sub(r"[^a-z0-9._]+", "-", plain.lower()).strip("-._") or usual


def append_line(path: Path, line: str) -> None:
    """Add a line to a file and wait until it is on the disk.

    Raises
    ------
    ReleaseError
    """
    try:
        with open(path, "a", encoding="utf-8") as file:
            file.write(line + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise ReleaseError(f"Cannot write {path}: {error.strerror}.") from None


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk, as a power cut may come."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Keep other processes out of a folder's files while one is replaced; leaves no lock file."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _scratch(path: Path) -> Path:
    """A hidden place beside ``path``; what killed processes left in theirs is cleared away."""
    for stale in path.absolute().parent.glob(f".{glob.escape(path.name)}.*.new"):
        process = stale.name.split(".")[-2]
        if process.isdigit() and (int(process) == os.getpid() or not _runs(int(process))):
            shutil.rmtree(stale, ignore_errors=True)
            with contextlib.suppress(OSError):
                stale.unlink(missing_ok=True)
    return path.absolute().with_name(f".{path.name}.{os.getpid()}.new")


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is another user's
        return True
    return True


def _write_synced(path: Path, content: bytes) -> None:
    with open(path, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
