"""Where questions are answered: here, in a vault of one's own, or elsewhere."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from tincture.arrays import Floats
from tincture.errors import ReleaseError
from tincture.privacy.accounting import Mechanism
from tincture.privacy.booking import Answer
from tincture.privacy.ledger import Ledger
from tincture.privacy.query import Query
from tincture.privacy.vault import Vault


class Engine(Protocol):
    """Answers questions about records it alone can see.

    Attributes
    ----------
    ledger : Ledger
    form : Any
        How the source was written, such as its column names.
    """

    ledger: Ledger
    form: Any

    def answer(self, query: Query, mechanism: Mechanism, *, share: float = 1.0) -> Answer:
        """A private answer; its value is None where a killed run spent it and lost it."""


class Told(NamedTuple):
    """An answer that is there."""

    value: Floats
    noise: float


def ask(engine: Engine, query: Query, share: float = 1.0) -> Told:
    """The answer to a question that nothing can go on without.

    Raises
    ------
    ReleaseError
        If a killed run spent it and lost the answer.
    """
    mechanism = engine.ledger.plan.mechanism(query.question)
    answer = engine.answer(query, mechanism, share=share)
    if answer.value is None:
        raise ReleaseError(
            "The killed run had paid for a question but lost its answer; remove its folder and "
            "start again, with the budget that is left."
        )
    return Told(answer.value, answer.noise)


class LocalEngine:
    """Asks one vault."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self.ledger, self.form = vault.ledger, vault.form

    def answer(self, query: Query, mechanism: Mechanism, *, share: float = 1.0) -> Answer:
        """A fresh answer."""
        query.prepare()
        return self._vault.noisy_sum(query, mechanism, share=share)


class Replaying:
    """Another engine, after the journal of the run that this one continues."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.ledger, self.form = engine.ledger, engine.form

    def answer(self, query: Query, mechanism: Mechanism, *, share: float = 1.0) -> Answer:
        """The kept answer, or a fresh one where none is left."""
        past = self.ledger.recall(query.question)
        return self._engine.answer(query, mechanism, share=share) if past is None else past
