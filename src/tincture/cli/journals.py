"""Where a run keeps its journal until its release is whole."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from tincture.errors import ReleaseError, SettingError

if TYPE_CHECKING:
    from tincture.spine.release import Release


def journal_at(out: Path) -> Path:
    """Where the journal of a run lies, beside what it makes."""
    from tincture.io.files import beside

    return beside(out, ".unfinished") / "journal.jsonl"


def journal_of(out: Path, resume: bool) -> Path:
    """Where the run's ledger is written ahead; checks that --resume fits what lies there.

    Raises
    ------
    SettingError
        If there is nothing to resume, or something without --resume.
    ReleaseError
        If a question of the run failed, so that it is over.
    """
    from tincture.privacy.journal import read_journal, refuse_failed

    journal = journal_at(out)
    refuse_failed(journal, read_journal(journal))
    if resume and not journal.parent.exists():
        raise SettingError(f"There is no unfinished run of {out} to resume; leave out --resume.")
    if journal.exists() and not resume:
        raise SettingError(
            f"An unfinished run lies in {journal.parent}; add --resume to continue it, or remove "
            "that folder to give up what it has spent."
        )
    return journal


def finished_release(out: Path, journal: Path, kind: type[Release]) -> Release | None:
    """The release, if the run was killed after it appeared: it holds every booking."""
    from tincture.privacy.journal import read_journal

    if not out.exists():
        return None
    try:
        release = kind.load(out)
    except ReleaseError:
        return None
    booked = [line["booked"] for line in read_journal(journal) if "booked" in line]
    if journal.exists() and booked != [e.to_dict() for e in release.ledger.entries]:
        return None
    return release


def remove_journal(journal: Path) -> None:
    """The run is over: its ledger is in the release."""
    journal.unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # something else was put there
        journal.parent.rmdir()
