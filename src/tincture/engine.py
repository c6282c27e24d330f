"""Where questions are answered: here, in a vault of one's own, or elsewhere."""

from __future__ import annotations

from typing import Protocol

from tincture.privacy.accounting import Mechanism
from tincture.privacy.ledger import Answer, Ledger
from tincture.privacy.vault import Query, Vault


class Engine(Protocol):
    """Answers questions about records it alone can see."""

    ledger: Ledger

    def answer(self, query: Query, mechanism: Mechanism, *, share: float = 1.0) -> Answer:
        """A private answer; its value is None where a killed run spent it and lost it."""
        ...


class LocalEngine:
    """Asks one vault, after the journal of the run that this one continues."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self.ledger = vault.ledger

    def answer(self, query: Query, mechanism: Mechanism, *, share: float = 1.0) -> Answer:
        """The kept answer of a resumed run, or a fresh one."""
        past = self.ledger.recall(query.question)
        if past is not None:
            return past
        query.prepare()
        return self._vault.noisy_sum(query, mechanism, share=share)
