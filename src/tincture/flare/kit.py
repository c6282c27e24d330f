"""The startup kits of NVIDIA FLARE: whose they are, and what a job may do where they are used."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tincture.errors import SettingError
from tincture.io.extras import library
from tincture.io.files import json_bytes, write_file

ENGINE, EXTRA = "nvflare", "federated"
PURPOSE = "A run over several sites"
EXECUTOR = "tincture.flare.workers.Answering"
CONTROLLER = "tincture.flare.workers.Coordinating"
# For whoever starts runs: no shell, no custom code, no stopping of a site from elsewhere; other
# roles have no right at all.
RIGHTS = {"submit_job": "any", "manage_job": "any", "download_job": "any", "view": "any"}
ROLES = ("project_admin", "lead")
NOTE = "tincture.json"


@dataclass(frozen=True, slots=True)
class Serving:
    """What a site's job is to open, as paths of its own machine."""

    consortium: str
    records: str
    books: str
    budget: str | None = None
    schema: str | None = None
    outcomes: str | None = None

    @classmethod
    def of(
        cls,
        consortium: Path,
        records: Path,
        books: Path,
        budget: Path | None = None,
        schema: Path | None = None,
        outcomes: Path | None = None,
    ) -> Serving:
        """These places, from wherever the job's process starts."""
        places = [str(path.absolute()) for path in (consortium, records, books)]
        others = (str(path.absolute()) if path else None for path in (budget, schema, outcomes))
        return cls(places[0], places[1], places[2], *others)

    def write(self, local: Path) -> None:
        """Leave it for the job's process, in the ``local`` folder of a kit."""
        write_file(local / NOTE, json_bytes(asdict(self)))

    @classmethod
    def read(cls, local: Path) -> Serving:
        """What `write` left there."""
        return cls(**json.loads((local / NOTE).read_text(encoding="utf-8")))


@dataclass(frozen=True, slots=True)
class Kit:
    """A provisioned kit: a folder with ``startup`` and ``local`` in it.

    Attributes
    ----------
    folder : Path
    role : str
        ``client``, ``server`` or ``admin``.
    name : str
        As in its certificate.
    """

    folder: Path
    role: str
    name: str

    @classmethod
    def of(cls, folder: Path, role: str) -> Kit:
        """Read whose it is.

        Raises
        ------
        SettingError
            If it is no kit of this role.
        """
        path = folder.absolute() / "startup" / f"fed_{role}.json"
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            name = str(_name(told, role))
        except (OSError, ValueError, KeyError, IndexError, TypeError):
            name = ""
        if not name:
            raise SettingError(
                f"{folder} is no startup kit ({role}): it has no startup/fed_{role}.json; name "
                "the folder that `nvflare provision` made (--kit)."
            )
        return cls(folder.absolute(), role, name)

    @property
    def local(self) -> Path:
        """Where the keeper of this machine says what may be done on it."""
        return self.folder / "local"

    def lock(self) -> None:
        """Allow jobs the one class of ours, and nobody anything else; send no log anywhere.

        Raises
        ------
        SettingError
            If the kit has no defaults to start from.
        """
        try:
            text = (self.local / "resources.json.default").read_text(encoding="utf-8")
            resources = json.loads(text)
            parts = [part for part in resources["components"] if "log" not in part["id"]]
        except (OSError, ValueError, KeyError, TypeError):
            raise SettingError(
                f"The kit {self.folder} has no local/resources.json.default; provision it anew."
            ) from None
        if self.role == "server":
            self._keep_within(resources, parts)
        resources |= {
            "components": parts,
            "allow_log_streaming": False,
            "class_list_enforcement_mode": "enforce",
            "class_allow_list": [CONTROLLER if self.role == "server" else EXECUTOR],
        }
        write_file(self.local / "resources.json", json_bytes(resources))
        rights = {"format_version": "1.0", "permissions": dict.fromkeys(ROLES, RIGHTS)}
        write_file(self.local / "authorization.json", json_bytes(rights))

    def _keep_within(self, resources: dict[str, Any], parts: Sequence[dict[str, Any]]) -> None:
        """Jobs of a server are stored in its kit, and not where every user may write."""
        store = resources["snapshot_persistor"]["args"]["storage"]["args"]
        store["root_dir"] = str(self.folder / "snapshots")
        for part in parts:
            if part["id"] == "job_manager":
                part["args"]["uri_root"] = str(self.folder / "jobs")

    def command(self) -> list[str]:
        """Of the process that serves this kit, over mutual TLS as provisioned.

        Raises
        ------
        SettingError
            If NVIDIA FLARE is not installed.
        """
        library(ENGINE, PURPOSE, extra=EXTRA)
        kind = "server" if self.role == "server" else "client"
        module = f"nvflare.private.fed.app.{kind}.{kind}_train"
        settings = ["secure_train=true", "config_folder=config", "org=own"]
        if kind == "client":
            settings.append(f"uid={self.name}")
        place = ["-m", str(self.folder), "-s", f"fed_{kind}.json"]
        return [sys.executable, "-u", "-m", module, *place, "--set", *settings]


def _name(told: Any, role: str) -> Any:
    if role == "admin":
        return told["admin"]["username"]
    return told["client"]["fqsn"] if role == "client" else told["servers"][0]["admin_server"]
