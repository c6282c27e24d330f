"""The kinds of data there are: one line each."""

from __future__ import annotations

from pathlib import Path

from tincture.errors import ReleaseError
from tincture.spine.release import Release, kind_of, read_package
from tincture.stays.release import CondensedSeries
from tincture.tables.release import CondensedTable

KINDS: dict[str, type[Release]] = {"rows": CondensedTable, "stays": CondensedSeries}


def load(path: str | Path) -> Release:
    """Read a release of whatever kind.

    Raises
    ------
    ReleaseError
        If it is none, or of a kind that is not known here.
    """
    kind = kind_of(read_package(Path(path)))
    if kind not in KINDS:
        raise ReleaseError(f"{path} is a release of {kind!r}; expected {' or '.join(KINDS)}.")
    return KINDS[kind].load(path)
