"""What is done at either end of a job, without the engine that carries it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from tincture.errors import SettingError, TinctureError
from tincture.federation.consortium import Consortium
from tincture.federation.engine import FederatedEngine
from tincture.federation.site import Site, opened
from tincture.federation.sites import Sites
from tincture.flare.kit import Serving
from tincture.io.files import write_file
from tincture.kinds import estimator_of, source_at
from tincture.spine.job import Notice

AGREED = "consortium.json"
RELEASE, FAILED = "release", "failed.txt"


def opened_as(name: str, serving: Serving, stack: ExitStack, notice: Notice) -> Site | None:
    """The site of this name, open as long as the stack is; None, and a notice, where it cannot be.

    Parameters
    ----------
    name : str
        By its certificate.
    serving : Serving
    stack : ExitStack
    notice : callable
        Tells this house alone.
    """
    try:
        consortium = Consortium.load(Path(serving.consortium))
        job = consortium.sendable(estimator_of(consortium, serving.schema))
        outcomes = None if serving.outcomes is None else Path(serving.outcomes)
        files = Path(serving.records), outcomes
        records = source_at(consortium.kind, *files, job.schema.dialect)
        budget = None if serving.budget is None else Path(serving.budget)
        books = Path(serving.books)
        return stack.enter_context(
            opened(name, consortium, job, records, books=books, budget=budget, notice=notice)
        )
    except TinctureError as error:
        notice(str(error))
        return None


def conducted(
    config: Path,
    reach: Callable[[tuple[str, ...]], Sites],
    runs: Path,
    result: Path,
    *,
    resume: bool,
) -> None:
    """Run what a job asks for, and leave a release or a sentence.

    Parameters
    ----------
    config : Path
        Folder of the job, with its consortium file.
    reach : callable
        Makes sites of their names.
    runs : Path
        Folder of this machine where each run has its journal: noisy sums only.
    result : Path
        Folder that the one who sent the job gets.
    resume : bool
        Whether a run of this consortium was begun here, and is to go on.
    """
    try:
        consortium = Consortium.load(config / AGREED)
        estimator = estimator_of(consortium)
        journal = runs / consortium.digest / "journal.jsonl"
        _require(journal, resume)
        sites = reach(consortium.sites)
        engine = FederatedEngine(consortium, consortium.sendable(estimator), sites)
        estimator.fit(engine=engine, journal=journal)
        estimator.save(result / RELEASE)
    except TinctureError as error:
        write_file(result / FAILED, str(error).encode())


def _require(journal: Path, resume: bool) -> None:
    """Refuse to go on unasked, or with nothing."""
    if journal.exists() and not resume:
        raise SettingError(
            "The server has begun a run of this consortium; add --resume to continue it: what was "
            "asked is not asked again."
        )
    if resume and not journal.exists():
        raise SettingError(
            "The server has begun no run of this consortium to resume; leave out --resume."
        )
