"""What all sites agree on before anything is asked: one file, with digests to read out aloud."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from typing import Any

from tincture.errors import SettingError
from tincture.public.schema import Schema
from tincture.spine.estimator import Releasing
from tincture.spine.recipe import Sendable
from tincture.spine.run import digest_of
from tincture.version import __version__

TRUSTS = ("nobody",)
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
MARK = "consortium"


@dataclass(frozen=True, slots=True)
class Consortium:
    """The sites of a run, whom they trust, and all public settings.

    Attributes
    ----------
    kind : str
        Of data, as in `tincture.kinds`.
    sites : tuple of str
        Names, in the order in which shares are added.
    settings : mapping
        Of the estimator, but for the schema; JSON.
    schema : Schema
    trust : str
        ``nobody``: each site's share is private by itself.
    balance_sites : bool
        Whether units count by a weight of their site, so that all sites count alike.
    """

    kind: str
    sites: tuple[str, ...]
    settings: Mapping[str, Any]
    schema: Schema
    trust: str = "nobody"
    balance_sites: bool = False

    @classmethod
    def of(
        cls,
        estimator: Releasing,
        sites: tuple[str, ...],
        trust: str = "nobody",
        *,
        balance_sites: bool = False,
    ) -> Consortium:
        """Of an estimator's settings, those that are not as usual.

        Raises
        ------
        SettingError
            If they do not fit a run over several sites.
        SchemaError, ModelError
        """
        usual = {n: p.default for n, p in signature(type(estimator)).parameters.items()}
        told = estimator.get_params(deep=False)
        schema = told.pop("schema")
        schema = schema if isinstance(schema, Schema) else Schema.load(schema)
        settings = {name: value for name, value in told.items() if value != usual[name]}
        made = cls(estimator.kind, sites, settings, schema, trust, balance_sites)
        made.check()
        made.sendable(estimator)
        return made

    @property
    def digests(self) -> dict[str, str]:
        """Of what is agreed on, part by part."""
        return {
            "schema": digest_of(self.schema.to_dict()),
            "settings": digest_of(dict(self.settings)),
            "version": digest_of({"tincture": __version__}),
        }

    @property
    def digest(self) -> str:
        """Of all of it; every question of the run carries it."""
        return digest_of({**self._who, "digests": self.digests})

    @property
    def _who(self) -> dict[str, Any]:
        """What is agreed on of the sites, and no digest of its own."""
        return {
            "kind": self.kind,
            "sites": list(self.sites),
            "trust": self.trust,
            "balance_sites": self.balance_sites,
        }

    def check(self) -> None:
        """Refuse what no run over several sites can be of.

        Raises
        ------
        SettingError
        """
        names = self.sites
        if len(set(names)) < max(len(names), 2) or not all(NAME.fullmatch(n) for n in names):
            raise SettingError(
                "The sites (--sites) must be two or more different names of letters, digits and "
                "._-, such as north,south."
            )
        if self.trust not in TRUSTS:
            raise SettingError(
                f"Whom sites trust (--trust) is {self.trust!r}; expected {' or '.join(TRUSTS)}."
            )
        try:
            json.dumps(dict(self.settings), allow_nan=False)
            models = self.settings.get("models") or []
            is_plain = all(isinstance(m, str) and ":" not in m for m in models)
        except (TypeError, ValueError):
            is_plain = False
        if not is_plain or not math.isfinite(float(self.settings["epsilon"])):
            raise SettingError(
                "A run over several sites needs a finite epsilon, models by name, and other "
                "settings that a file can hold."
            )
        if self.settings.get("n_records") is not None:
            raise SettingError(
                "Records in parts (--about) cannot be asked at several sites yet; leave it out."
            )

    def require(self, *names: str, every: bool = False) -> None:
        """Refuse sites that are no part of this.

        Raises
        ------
        SettingError
        """
        if set(names) - set(self.sites) or (every and names != self.sites):
            raise SettingError(
                f"The consortium is of the sites {', '.join(self.sites)}; these are "
                f"{', '.join(names) or 'none'}."
            )

    def sendable(self, estimator: Releasing) -> Sendable[Any]:
        """The estimator's job, whose questions can be sent.

        Raises
        ------
        SettingError
            If they cannot.
        """
        job: Any = estimator.job()
        if not hasattr(job, "recipe_of"):
            raise SettingError(f"Several sites can condense rows only as yet, not {self.kind}.")
        sendable: Sendable[Any] = job
        return sendable

    def to_dict(self) -> dict[str, Any]:
        """For the consortium file."""
        return {
            "tincture": MARK,
            "version": __version__,
            **self._who,
            "settings": dict(self.settings),
            "schema": self.schema.to_dict(),
            "digests": self.digests,
            "digest": self.digest,
        }

    @classmethod
    def load(cls, path: Path) -> Consortium:
        """Read a consortium file and check its digests.

        Raises
        ------
        SettingError
            If it is none, was changed, or is of another version.
        SchemaError
        """
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
            is_one = raw["tincture"] == MARK and isinstance(raw["version"], str)
            told = str(raw["kind"]), tuple(map(str, raw["sites"])), dict(raw["settings"])
            descriptor, trust, digests = raw["schema"], str(raw["trust"]), dict(raw["digests"])
            digest, balance_sites = raw["digest"], bool(raw["balance_sites"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            is_one = False
        if not is_one:
            raise SettingError(
                f"{path} is no consortium file that can be read; write one with `tincture "
                "consortium draft`."
            )
        if raw["version"] != __version__:
            raise SettingError(
                f"{path} is of tincture {raw['version'][:20]}, and this is {__version__}; all "
                "sites need the version that they agreed on."
            )
        made = cls(*told, Schema.from_dict(descriptor), trust, balance_sites)
        changed = [name for name, now in made.digests.items() if digests.get(name) != now]
        if changed or digest != made.digest:
            raise SettingError(
                f"{path} was changed after it was drafted ({', '.join(changed) or 'sites'}); get "
                "the file that all sites agreed on, or draft another."
            )
        made.check()
        return made
