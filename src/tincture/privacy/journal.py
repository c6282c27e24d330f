"""The journal of a run, ahead of its answers, and how a killed one is read again."""

from __future__ import annotations

import contextlib
import fcntl
import json
import math
import os
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

from tincture.errors import ReleaseError
from tincture.io.files import sync_folder
from tincture.privacy.booking import Answer, Entry


class Journal:
    """The append-only file behind a ledger; one process holds it at a time.

    Parameters
    ----------
    path : Path
        Created with its folder if absent.
    settings : str
        A digest of everything the run depends on; a journal of other settings is refused.

    Raises
    ------
    ReleaseError
        If another process holds the file, it belongs to another run, or a question of it failed.
    """

    def __init__(self, path: Path, settings: str) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: IO[bytes] = open(path, "a+b")
        except OSError as error:
            raise ReleaseError(f"Cannot write the journal {path}: {error.strerror}.") from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise ReleaseError(f"Another run is writing {path.parent}; wait for it.") from None
        self._lines = self._whole_lines()
        try:
            refuse_failed(path, self._lines)
        except ReleaseError:
            self.close()
            raise
        if not self._lines:
            self._lines = [{"settings": settings, "run": uuid.uuid4().hex}]
            self.write(self._lines[0])
            sync_folder(path.parent)
        elif self._lines[0].get("settings") != settings:
            self.close()
            raise ReleaseError(
                f"The unfinished run in {path.parent} has other settings; repeat its command to "
                "continue it. If nothing of it was ever used, the folder may be removed instead."
            )

    def _whole_lines(self) -> list[dict[str, Any]]:
        """Read what was written whole; cut off a line that a kill tore."""
        self._file.seek(0)
        content = self._file.read()
        self._file.truncate(content.rfind(b"\n") + 1)
        lines = _lines(content)
        if lines is None:
            self.close()
            raise ReleaseError(
                f"The journal {self.path} is damaged; it cannot be resumed. What its run has spent "
                "stays spent; start anew under another name and with what budget is left."
            )
        return lines

    @property
    def run(self) -> str:
        """The identity of the run, the same after it is resumed."""
        return str(self._lines[0]["run"])

    def write(self, line: dict[str, Any]) -> None:
        """Append a line and wait until it is on the disk."""
        self._file.write(json.dumps(line).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def fail(self, question: str) -> None:
        """Write that a question failed; where that cannot be written, the file must not stay.

        Raises
        ------
        ReleaseError
            If it can neither be written to nor removed.
        """
        try:
            self.write({"failed": question})
            return
        except OSError:  # such as a full disk
            for undo in (self.path.unlink, self.close):
                with contextlib.suppress(OSError):
                    undo()
        if self.path.exists():
            raise ReleaseError(
                f"A question failed inside the vault, and the journal {self.path} cannot be told; "
                "remove it by hand, and never resume it."
            )

    def past(self) -> list[tuple[Entry, Answer]]:
        """Bookings so far, each with its answer, if that was kept."""
        out: list[tuple[Entry, Answer]] = []
        for line in self._lines:
            if "booked" in line:
                out.append((Entry.from_dict(line["booked"]), Answer(None, math.nan)))
            elif "answer" in line:
                value = np.asarray(line["answer"], dtype=np.float64)
                out[-1] = (out[-1][0], Answer(value, line["noise"]))
        return out

    def notes(self) -> list[dict[str, Any]]:
        """What an earlier process wrote beside bookings and answers, in its order."""
        return [line for line in self._lines[1:] if not line.keys() & {"booked", "answer"}]

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def discard(self) -> None:
        """Remove the file and its folder: the run is over, or nothing was ever asked."""
        self.close()
        self.path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self.path.parent.rmdir()


def read_journal(path: Path) -> list[dict[str, Any]]:
    """What a journal holds, read without holding it; nothing if it is absent or damaged."""
    try:
        return _lines(path.read_bytes()) or []
    except OSError:
        return []


def refuse_failed(path: Path, lines: Sequence[dict[str, Any]]) -> None:
    """Refuse to continue a journal that holds a question that failed.

    Raises
    ------
    ReleaseError
    """
    for line in lines:
        if "failed" in line:
            raise ReleaseError(
                f"In the run of {path}, a question of kind {line['failed']!r} failed inside the "
                "vault, as one record may have made it do; so it is never continued, and its "
                "budget stays spent. Try the models on invented rows, then start anew under "
                "another name and with what budget is left."
            )


def _lines(content: bytes) -> list[dict[str, Any]] | None:
    """Lines that were written whole; None if one of them is no line of a journal."""
    whole = content[: content.rfind(b"\n") + 1]
    try:
        lines = [json.loads(line) for line in whole.splitlines()]
    except ValueError:
        return None
    return lines if all(isinstance(line, dict) for line in lines) else None
