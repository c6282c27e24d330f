"""Kernels compiled by a second process, while the first one does something else.

Right after an installation nothing is compiled. The compiler keeps to one thread, so that half of a
small machine would wait. Both processes share numba's cache on disk; by files in a folder of their
own the first knows what the second has begun, and waits for that instead of compiling it as well.
The second sees no record.
"""

from __future__ import annotations

import atexit
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

GLANCE = 0.02  # seconds between two looks at what the other process has done
PATIENCE = 120.0  # seconds after which a kernel is compiled without it


@dataclass(frozen=True, slots=True)
class Helper:
    """The second process, as the first one sees it."""

    process: subprocess.Popen[bytes]
    folder: tempfile.TemporaryDirectory[str]

    @contextmanager
    def meet(self, kernel: Callable[..., object]) -> Iterator[None]:
        """Wait for a kernel that it has begun."""
        begun, done = _marks(self.folder.name, kernel)
        latest = time.monotonic() + PATIENCE
        while begun.exists() and not done.exists() and self.process.poll() is None:
            if time.monotonic() > latest:
                break
            time.sleep(GLANCE)
        yield

    def end(self) -> None:
        """Leave nothing of it behind."""
        self.process.kill()
        self.process.wait()
        self.folder.cleanup()


@dataclass(frozen=True, slots=True)
class Helping:
    """The second process, as it sees itself."""

    folder: str

    @contextmanager
    def meet(self, kernel: Callable[..., object]) -> Iterator[None]:
        """Tell of a kernel that it is begun, and that it is done."""
        begun, done = _marks(self.folder, kernel)
        begun.touch()
        yield
        done.touch()


class Alone:
    """One process, as usual."""

    @contextmanager
    def meet(self, kernel: Callable[..., object]) -> Iterator[None]:
        """Nobody is waited for."""
        yield


_role: Helper | Helping | Alone = Alone()


def start(module: str, words: Sequence[str]) -> None:
    """Run ``python -m module FOLDER *words`` beside, once, until this process ends.

    What lies in the current folder is not imported (``-P``).
    """
    global _role
    if not isinstance(_role, Alone):
        return
    folder = tempfile.TemporaryDirectory(prefix="tincture-")
    process = subprocess.Popen(  # noqa: S603 - a module of the house
        [sys.executable, "-P", "-m", module, folder.name, *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _role = Helper(process, folder)
    atexit.register(_role.end)


def help_in(folder: str) -> None:
    """Be the second process."""
    global _role
    _role = Helping(folder)


def meeting(kernel: Callable[..., object]) -> AbstractContextManager[None]:
    """Around the compilation of a kernel, or its loading."""
    return _role.meet(kernel)


def _marks(folder: str, kernel: Callable[..., object]) -> tuple[Path, Path]:
    name = f"{kernel.__module__}.{kernel.__qualname__}"
    return Path(folder, f"{name}.begun"), Path(folder, f"{name}.done")
