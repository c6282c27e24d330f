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
from tincture.federation.masks import Masks, public_of, read_secret
from tincture.public.schema import Schema
from tincture.spine.estimator import Releasing
from tincture.spine.recipe import Sendable
from tincture.spine.run import digest_of
from tincture.version import __version__

NOBODY, EVERYONE = "nobody", "everyone"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
PUBLIC = re.compile(r"[0-9a-f]{62}[0-7][0-9a-f]")  # X25519 ignores the highest bit, which is 0
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
        ``nobody``: each site's share is private by itself. ``everyone``, or a number of other sites
        that may collude with the coordinator: sites send masked sums (`tincture.federation.masks`),
        and the noise of the others together hides each.
    balance_sites : bool
        Whether units count by a weight of their site, so that all sites count alike.
    keys : tuple of str
        Public keys of the sites, where they send masked sums, in hexadecimal digits.
    """

    kind: str
    sites: tuple[str, ...]
    settings: Mapping[str, Any]
    schema: Schema
    trust: str = NOBODY
    balance_sites: bool = False
    keys: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        estimator: Releasing,
        sites: tuple[str, ...],
        trust: str = NOBODY,
        *,
        balance_sites: bool = False,
        keys: Mapping[str, str] | None = None,
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
        keys = keys or {}
        if odd := sorted(set(keys) - set(sites)):
            raise SettingError(
                f"Keys (--key) were given of {', '.join(odd)}; the sites are {', '.join(sites)}."
            )
        held = tuple(keys.get(name, "") for name in sites) if keys else ()
        made = cls(estimator.kind, sites, settings, schema, trust, balance_sites, held)
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
            "keys": list(self.keys),
        }

    @property
    def holders(self) -> int:
        """Sites, this one included, whose noise together is that of the plan.

        Those that are assumed not to collude with the coordinator: 1 where nobody is trusted.
        """
        if self.trust == NOBODY:
            return 1
        return len(self.sites) - (0 if self.trust == EVERYONE else int(self.trust))

    def masks(self, name: str, secret: bytes) -> Masks | None:
        """Of a site with this secret key; None where nothing is masked.

        Raises
        ------
        SettingError
            If it is of another key than was agreed on.
        """
        if self.holders == 1:
            return None
        return Masks(name, dict(zip(self.sites, self.keys, strict=True)), secret)

    def keeper(self, books: Path) -> str:
        """The site whose key lies in this folder, and can mask with all others' keys.

        Raises
        ------
        SettingError
            If nothing is masked, the folder has no key, or one that is not agreed on, or another
            site's key is none.
        """
        if self.holders == 1:
            raise SettingError("Nobody is trusted in this consortium, so no site has a key.")
        secret = read_secret(books)
        name = dict(zip(self.keys, self.sites, strict=True)).get(public_of(secret))
        if name is None:
            raise SettingError(
                f"The key in {books} is not one of those that the consortium has; draft it with "
                "the keys that sites have made, or name the folder of this one's."
            )
        self.masks(name, secret)
        return name

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
        self._check_trust()
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

    def _check_trust(self) -> None:
        most = len(self.sites) - 2  # of those that collude, so that two others hide each other
        is_number = self.trust.isdecimal() and 1 <= int(self.trust) <= most
        if self.trust not in (NOBODY, EVERYONE) and not is_number:
            raise SettingError(
                f"Whom sites trust (--trust) is {self.trust!r}; expected nobody, everyone, or how "
                f"many of the other sites may collude with the server, from 1 to {max(most, 0)}."
            )
        if self.holders == 1:
            if self.keys:
                raise SettingError("Where nobody is trusted (--trust nobody), no site has a key.")
            return
        if self.balance_sites:
            raise SettingError(
                "Sites can count alike (--balance-sites) only with --trust nobody, since masks "
                "hide how many units each has."
            )
        is_one = [PUBLIC.fullmatch(key) for key in self.keys]
        if len(set(self.keys)) < len(self.sites) or not all(is_one):
            raise SettingError(
                "Each site needs a key of its own (--key north=…), as `tincture site key` printed "
                "it there."
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
            raise SettingError(f"Several sites cannot condense {self.kind} together yet.")
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
            keys = tuple(map(str, raw["keys"]))
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
        made = cls(*told, Schema.from_dict(descriptor), trust, balance_sites, keys)
        changed = [name for name, now in made.digests.items() if digests.get(name) != now]
        if changed or digest != made.digest:
            raise SettingError(
                f"{path} was changed after it was drafted ({', '.join(changed) or 'sites'}); get "
                "the file that all sites agreed on, or draft another."
            )
        made.check()
        return made
