"""A run's place in the books: its journal, and its share of a budget."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tincture.privacy.budget import Budget
from tincture.privacy.journal import Journal
from tincture.privacy.ledger import Ledger


class Run:
    """A run's journal and its place in a budget; both are undone if it asked nothing."""

    def __init__(self, digest: str, journal: str | Path | None, budget: str | Path | None) -> None:
        self._digest = digest
        self._budget = Budget(Path(budget)) if budget is not None else None
        self._path = Path(journal) if journal is not None else None
        self._journal: Journal | None = None
        self._ledger: Ledger | None = None
        self._is_reserved = False
        self._name = uuid.uuid4().hex

    @property
    def name(self) -> str:
        """Which run it is, of all; the same after it is resumed."""
        return self._name

    def __enter__(self) -> Run:
        return self

    def start(self, ledger: Ledger) -> None:
        """Open the journal, then reserve the budget; only then may anything be asked."""
        self._ledger = ledger
        if self._path is not None:
            self._journal = Journal(self._path, self._digest)
            self._name = self._journal.run
            ledger.attach(self._journal)
        if self._budget is not None:
            note = self._path.parent.name if self._path else "Condenser.fit"
            plan = ledger.plan
            self._budget.reserve(self._name, plan.epsilon, plan.delta, note, unit=ledger.unit)
            self._is_reserved = True

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        asked = self._ledger is not None and (self._ledger.entries or self._ledger.is_continued)
        if kind is not None and not asked:
            if self._journal is not None:
                self._journal.discard()
            if self._budget is not None and self._is_reserved:
                self._budget.give_back(self._name)
        elif self._journal is not None:
            self._journal.close()


def digest_of(described: Mapping[str, Any]) -> str:
    """Of all that a resumed run must have in common with the killed one."""
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()
