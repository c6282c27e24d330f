"""What an audit found."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from tincture.audit.disclosure import Closeness, Inference
from tincture.audit.membership import Attack
from tincture.audit.one_run import Bound
from tincture.audit.vault_checks import Check

NOTICE = "computed from real records — do not release"


@dataclass(frozen=True, slots=True)
class Audit:
    """What attacks on one release found, and the un-noised looks they took.

    Attributes
    ----------
    release : str
        Fingerprint of its rows or stays.
    epsilon, delta : float
        Claimed by its ledger.
    membership : tuple of Attack
        Who was in the table?
    closeness : Closeness
        Is a row, or stay, somebody's record?
    inference : tuple of Inference
        Can an attribute be told?
    one_run : Bound
        Lower bound on ε by canaries.
    vault : tuple of Check
        Whether noise, clip and samples are as booked.
    looks : tuple of str
        What was looked at in real records, each at ε = ∞.
    holds : str
        What is released: "rows" or "stays".
    """

    release: str
    epsilon: float
    delta: float
    membership: tuple[Attack, ...]
    closeness: Closeness
    inference: tuple[Inference, ...]
    one_run: Bound
    vault: tuple[Check, ...]
    looks: tuple[str, ...]
    holds: str = "rows"

    @property
    def notice(self) -> str:
        """What stands above all figures."""
        return NOTICE

    @property
    def is_sound(self) -> bool:
        """Whether the vault passed its checks, and no guess refutes the ε claimed."""
        return self.one_run.holds and all(c.passed for c in self.vault)

    def to_dict(self) -> dict[str, Any]:
        """For JSON, which has neither NaN nor infinity."""
        told = asdict(self) | {"vault": [asdict(c) | {"passed": c.passed} for c in self.vault]}
        told["one_run"]["holds"] = self.one_run.holds
        return {"notice": NOTICE, "is_sound": self.is_sound, **_plain(told)}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "inf" if value > 0 else None
    return value
