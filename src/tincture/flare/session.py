"""Sending a job that is nothing but JSON, and getting back what it left."""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tincture.errors import ReleaseError
from tincture.federation.consortium import Consortium
from tincture.flare.carrying import TASK
from tincture.flare.kit import CONTROLLER, ENGINE, EXECUTOR, EXTRA, PURPOSE, Kit
from tincture.flare.running import AGREED, FAILED, RELEASE
from tincture.io.extras import library
from tincture.io.files import json_bytes, write_folder
from tincture.kinds import load
from tincture.spine.job import SILENT, Notice
from tincture.spine.release import Release

NAME = "condense"
PAUSE = 0.5  # seconds until a site looks again for a question


def job_of(consortium: Consortium, resume: bool) -> dict[str, bytes]:
    """The files of a job, by their paths: settings and names, and no code."""
    sites = list(consortium.sites)
    controller = {"id": NAME, "path": CONTROLLER, "args": {"resume": resume}}
    executor = {"tasks": [TASK], "executor": {"path": EXECUTOR, "args": {}}}
    files = {
        "meta.json": {
            "name": NAME,
            "resource_spec": {},
            "deploy_map": {"app": ["server", *sites]},
            "min_clients": len(sites),
            "mandatory_clients": sites,
        },
        "app/config/config_fed_server.json": {
            "format_version": 2,
            "server": {"task_request_interval": PAUSE},
            "workflows": [controller],
        },
        "app/config/config_fed_client.json": {"format_version": 2, "executors": [executor]},
        f"app/config/{AGREED}": consortium.to_dict(),
    }
    return {name: json_bytes(content) for name, content in files.items()}


def at_sites(
    consortium: Consortium,
    kit: Kit,
    *,
    resume: bool = False,
    notice: Notice = SILENT.notice,
) -> Release:
    """Have the server of a kit condense what lies at all sites, and fetch the release.

    Parameters
    ----------
    consortium : Consortium
    kit : Kit
        Of an admin who may submit jobs.
    resume : bool
        Continue a run of this consortium that stopped.
    notice : callable, optional
        Told what happens.

    Raises
    ------
    SettingError
    ReleaseError
        If the server cannot be reached, or the run ends without a release.
    """
    session = _session(kit)
    with TemporaryDirectory() as scratch:
        job = Path(scratch) / NAME
        write_folder(job, job_of(consortium, resume))
        found = _result(session, job, Path(scratch), notice)
        failed = next(found.rglob(FAILED), None)
        release = next(found.rglob(f"{RELEASE}/datapackage.json"), None)
        if release is None:
            why = failed.read_text(encoding="utf-8") if failed else ""
            raise ReleaseError(
                why or "The job ended without a release; its server's log tells why."
            )
        return load(release.parent)


def _session(kit: Kit) -> Any:
    """A session with the server, over mutual TLS."""
    api = library(f"{ENGINE}.fuel.flare_api.flare_api", PURPOSE, extra=EXTRA)
    try:
        with redirect_stdout(io.StringIO()):  # it chats
            return api.new_secure_session(kit.name, str(kit.folder))
    except Exception as error:  # of whatever kind the engine has
        kind = type(error).__name__
        raise ReleaseError(f"The server of {kit.folder} cannot be reached ({kind}).") from None


def _result(session: Any, job: Path, to: Path, notice: Notice) -> Path:
    """Send a job, wait for its end, and fetch what it left."""
    try:
        number = session.submit_job(str(job))
        notice(f"The server runs this as job {number}.")
        _wait(session, number)
        return Path(session.download_job_result(number, str(to / "result")))
    except Exception as error:
        kind = type(error).__name__
        raise ReleaseError(f"The server did not take or finish the job ({kind}).") from None
    finally:
        session.close()


def _wait(session: Any, number: str) -> None:
    """Until a job ends; a person who stops waiting ends it."""
    try:
        session.monitor_job(number)
    except KeyboardInterrupt:
        session.abort_job(number)
        raise
