"""A release of any kind: a folder of files that can be handed on, saved and read whole."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self, cast

import numpy as np

from tincture.errors import ReleaseError, SettingError, TinctureError
from tincture.io.files import json_bytes, slug, write_folder
from tincture.io.frames import to_columns
from tincture.io.released import plain
from tincture.privacy.ledger import Ledger
from tincture.public.case import Case
from tincture.public.schema import Schema
from tincture.public.tasks import Task, case_of, task_of
from tincture.report.card import Card, Words, card_page, card_text
from tincture.report.papers.facts import Facts
from tincture.report.papers.filed import filed

PACKAGE = "datapackage.json"
LEDGER = "ledger.json"
CARD = "README.md"
PAGE = "card.html"
PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"


@dataclass(frozen=True, kw_only=True)
class Release(ABC):
    """Invented records that can be handed on, and all that must be known of them.

    Attributes
    ----------
    kind : str
        What it holds: "rows", "stays".
    command : str
        That writes it.
    unnamed : str
        What it is called where the schema has no name.
    schema : Schema
        Of what it holds, as it was declared for the records.
    task : mapping
        The outcome as `tincture.public.tasks.told_of` tells it.
    settings : mapping
        Settings and versions of the run, and what answers told through noise.
    ledger : Ledger
        Every private question asked, and what it cost.
    """

    kind: ClassVar[str]
    command: ClassVar[str]
    unnamed: ClassVar[str]
    schema: Schema
    task: Mapping[str, Any]
    settings: Mapping[str, Any] = field(default_factory=dict)
    ledger: Ledger

    @property
    @abstractmethod
    def labelled(self) -> Any:
        """Frame of one invented record a row, with the outcome columns."""

    @abstractmethod
    def data(self) -> dict[str, bytes]:
        """What stands in each file but those that every release has."""

    @abstractmethod
    def resources(self) -> list[dict[str, Any]]:
        """The data files, as the package describes them."""

    @abstractmethod
    def own_facts(self) -> dict[str, Any]:
        """What only this kind tells in the package."""

    @classmethod
    @abstractmethod
    def read(cls, path: Path, package: Mapping[str, Any], ledger: Ledger) -> Self:
        """From a folder; any error but ours means that it is damaged."""

    @abstractmethod
    def words(self, package: Mapping[str, Any], ledger: Mapping[str, Any]) -> Words:
        """What only this kind says on its data card."""

    def scripts(self) -> dict[str, bytes]:
        """What reads the data files in other software, by file name."""
        return {}

    def copies(self, also: Sequence[str]) -> dict[str, bytes]:
        """The data once more in other formats, by file name.

        Raises
        ------
        SettingError
            If there are none of this kind, or not of a format.
        """
        if also:
            raise SettingError(f"Releases of {self.kind} have no copies in other formats (--also).")
        return {}

    def save(self, path: str | Path, also: Sequence[str] = ()) -> None:
        """Write the release as a new folder, whole or not at all.

        Parameters
        ----------
        path : path
        also : sequence of str
            Formats in which the data are written once more, such as "sav" (`tincture.io.copies`)
            of rows, and "meds" of stays.

        Raises
        ------
        ReleaseError
            If the folder exists or cannot be written.
        SettingError
            If the data cannot be written in a format.
        """
        copies, scripts = self.copies(also), self.scripts()
        facts = self.facts(copies)
        package = dict(facts.package)
        if named := [*copies, *scripts]:
            package["tincture"] = {**package["tincture"], "files": named}
        write_folder(
            Path(path),
            {
                **facts.data,
                **copies,
                **scripts,
                PACKAGE: json_bytes(package),
                LEDGER: json_bytes(facts.ledger),
                CARD: card_text(facts.card).encode(),
                PAGE: card_page(facts.card).encode(),
                **filed(facts),
            },
        )

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a release of this kind.

        Raises
        ------
        ReleaseError
            If a file is absent or does not belong to a release of this kind.
        """
        path = Path(path)
        package = read_package(path)
        if (kind := kind_of(package)) != cls.kind:
            raise ReleaseError(f"{path} is a release of {kind}; expected one of {cls.kind}.")
        try:
            made = cls.read(path, package, Ledger.from_dict(_json(path / LEDGER)))
            task_of(made.schema, made.task)
            return made
        except TinctureError as error:
            told = str(error)
        except Exception:  # whatever a damaged file leads to; its text may quote the file
            told = f"expected the files that `{cls.command}` wrote."
        raise ReleaseError(f"The release {path} is damaged: {told}")

    @classmethod
    def of(cls, release: Self | str | Path) -> Self:
        """A release as it is, or loaded from its folder.

        Raises
        ------
        ReleaseError
        """
        return release if isinstance(release, cls) else cls.load(cast("str | Path", release))

    def __len__(self) -> int:
        return len(self.labelled)

    @property
    def outcome(self) -> Task:
        """The task that it was made for."""
        return task_of(self.schema, self.task)

    @property
    def case(self) -> Case:
        """What figures of it are about."""
        return case_of(self.schema, self.task)

    @property
    def fingerprint(self) -> str:
        """Of its data; tells releases apart."""
        return hashlib.sha256(b"".join(self.data().values())).hexdigest()

    @property
    def prevalence(self) -> float | list[float]:
        """Share of the case among what it holds, or of each class."""
        task = self.outcome
        values = to_columns(self.labelled, plain(self.schema), task.columns)
        cells = task.cells(task.outcomes(values))
        return task.prevalence(np.bincount(cells, minlength=task.n_cells).astype(np.float64))

    @property
    def beside(self) -> dict[str, Any]:
        """What only this kind tells a program that made it."""
        return {}

    @property
    def remarks(self) -> tuple[str, ...]:
        """The same for a person."""
        return ()

    def card(self) -> Card:
        """What the data card is drawn from; holds no record."""
        return self._card(self.package(), self.ledger.to_dict())

    def copies_in(self, path: Path) -> dict[str, bytes]:
        """Those of its copies that lie in its folder."""
        named = read_package(path)["tincture"].get("files", ())
        mine = [str(name) for name in named if name not in self.scripts()]
        return {name: (path / name).read_bytes() for name in mine if (path / name).is_file()}

    def facts(self, copies: Mapping[str, bytes] | None = None) -> Facts:
        """What its papers are drawn from; holds no record.

        Parameters
        ----------
        copies : mapping of str to bytes, optional
            Files that hold the data once more.
        """
        package, ledger = self.package(), self.ledger.to_dict()
        return Facts(
            card=self._card(package, ledger),
            package=package,
            ledger=ledger,
            data=self.data(),
            copies=dict(copies or {}),
            fingerprint=self.fingerprint,
            rows=len(self),
            cohort=int(package["tincture"].get("cohort", 0)),
        )

    def _card(self, package: Mapping[str, Any], ledger: Mapping[str, Any]) -> Card:
        return Card.of(package, ledger, self.schema, self.words(package, ledger))

    def package(self) -> dict[str, Any]:
        """The Data Package descriptor."""
        name = self.schema.name or self.unnamed
        return {
            "$schema": PROFILE,
            "name": f"{slug(name, self.unnamed)}-condensed",
            "title": f"{self.schema.title or name}: condensed to {len(self)} invented {self.kind}",
            "description": self.ledger.promise,
            "resources": self.resources(),
            "tincture": {
                "kind": self.kind,
                "task": dict(self.task),
                **self.own_facts(),
                "prevalence": self.prevalence,
                "settings": dict(self.settings),
            },
        }


def read_package(path: Path) -> dict[str, Any]:
    """The descriptor of a release of any kind.

    Raises
    ------
    ReleaseError
        If there is none.
    """
    package = _json(path / PACKAGE)
    if not isinstance(package.get("tincture"), dict):
        raise ReleaseError(f"{path} is not a release: its {PACKAGE} is of something else.")
    return package


def kind_of(package: Mapping[str, Any]) -> str:
    """What a release holds; inferred where it was made before releases told."""
    about = package["tincture"]
    return str(about.get("kind") or ("rows" if "models" in about else "stays"))


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise ReleaseError(f"{path.parent} is not a release: {path.name} is absent or unreadable.")
    return content
