"""Invented units whose every contribution the auditor knows, in a real vault."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tincture.arrays import Floats, Mask
from tincture.errors import SettingError
from tincture.privacy.ledger import Ledger
from tincture.privacy.query import Records, Sealed
from tincture.privacy.vault import Vault

EXCESS = 10.0  # clips that a canary tries to contribute
FEWEST, MOST = 20, 10_000


@dataclass(frozen=True, slots=True)
class Spikes:
    """Canary i asks to add ten clips along axis i.

    Parameters
    ----------
    question : str
        The kind of question it stands for in the plan.
    size : int
        Canaries, and axes.
    sign : float
        Of the contributions.
    """

    question: str
    size: int
    sign: float = 1.0
    clip: ClassVar[float] = 1.0

    def prepare(self) -> None:
        """Nothing to do."""

    def contributions(self, records: Records) -> Floats:
        """One axis a record, told by its number in the only column."""
        axis = np.rint(records.points[:, 0].astype(np.float64) * (self.size - 1)).astype(np.int64)
        out = np.zeros((len(records), self.size))
        out[np.arange(len(records)), axis] = self.sign * EXCESS * self.clip
        return out


def check_canaries(count: int) -> None:
    """Refuse too few or too many.

    Raises
    ------
    SettingError
    """
    if not FEWEST <= count <= MOST:
        raise SettingError(f"{count} canaries were asked for; expected {FEWEST} to {MOST}.")


def canary_vault(included: Mask, ledger: Ledger, vault: type[Vault] = Vault) -> Vault:
    """A vault that holds the canaries whose coin says so, each its own number.

    Parameters
    ----------
    included : ndarray of bool, shape (m,)
    ledger : Ledger
    vault : type
        Another, to see whether an audit finds what is wrong with it.

    Raises
    ------
    SettingError
        If there are too few or too many canaries.
    """
    check_canaries(len(included))
    places = np.flatnonzero(included) / (len(included) - 1)
    points = places.astype(np.float32)[:, None]
    records = Records(points, points, np.zeros((len(points), 1)))
    return vault(lambda _: Sealed(records), None, ledger)
