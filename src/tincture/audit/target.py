"""What a kind of data brings to be attacked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Protocol

from tincture.arrays import Floats
from tincture.audit.attacks import Statistic
from tincture.privacy.ledger import Ledger
from tincture.privacy.query import Records, Sealed
from tincture.public.encoding import Encoding
from tincture.spine.job import Job


class Attacked(Protocol):
    """A release, as far as an attack needs it."""

    @property
    def fingerprint(self) -> str:
        """Tells releases apart."""

    @property
    def ledger(self) -> Ledger:
        """What it claims to have cost."""


class Target(Protocol):
    """A release with all that its kind of data knows of attacking it.

    To be subclassed: what has a body here need not be written again.

    Attributes
    ----------
    release : Attacked
        What is attacked.
    one : str
        What it holds, in the singular: row, stay.
    units : str
        What was condensed, in the plural: records, stays.
    statistics : mapping
        Attacks of its own that need no reference, by name.
    ratios : mapping
        What likelihood-ratio attacks look at, by name.
    """

    release: Attacked
    one: ClassVar[str]
    units: ClassVar[str]
    statistics: ClassVar[Mapping[str, Statistic]] = {}
    ratios: ClassVar[Mapping[str, Statistic]]

    @property
    def form(self) -> Any:
        """How the source was written, as the vault told the release's own job."""
        return None

    @property
    def encoding(self) -> Encoding | None:
        """Of the points that `description` gives, if columns can be told apart in them."""
        return None

    def sides(self, members: Any, others: Any) -> tuple[Any, Any]:
        """Both sources as `seal` takes them.

        Raises
        ------
        TableError
            If they cannot be read, or are of the same records.
        """
        return members, others

    def seal(self, source: Any) -> Sealed:
        """Encode real records, at the vault's door."""

    def records(self, release: Any) -> Records:
        """What a release holds, as a vault would hold it; no secret."""

    def description(self, real: Records, invented: Records) -> Callable[[Records], Floats]:
        """How records become points that are compared."""

    def job(self, seed: int) -> Job[Any]:
        """That of the release itself, all settings alike but the seed."""
