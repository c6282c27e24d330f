"""Invented units whose every contribution the auditor knows, in a real vault."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tincture.errors import SettingError
from tincture.privacy.ledger import Ledger
from tincture.privacy.query import Records
from tincture.privacy.vault import Vault
from tincture.public.encoding import Encoding
from tincture.public.schema import Column, Schema
from tincture.public.tasks import Classification

Floats = NDArray[np.float64]
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


def canary_vault(included: NDArray[np.bool_], ledger: Ledger) -> Vault:
    """A vault that holds the canaries whose coin says so, each its own number.

    Parameters
    ----------
    included : ndarray of bool, shape (m,)
    ledger : Ledger

    Raises
    ------
    SettingError
        If there are too few or too many canaries.
    """
    count = len(included)
    if not FEWEST <= count <= MOST:
        raise SettingError(f"{count} canaries were asked for; expected {FEWEST} to {MOST}.")
    number = Column("canary", "integer", 0, count - 1, required=True, scale="linear")
    outcome = Column("outcome", "integer", categories=(0, 1), required=True)
    who = np.flatnonzero(included)
    table = pl.DataFrame({"canary": who, "outcome": np.arange(len(who)) % 2})
    task = Classification("outcome", 2)
    return Vault(table, Schema((number, outcome)), Encoding([number]), task, ledger)
