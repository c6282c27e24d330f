"""One site: its records in a vault of its own, its books, and one verb."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from tincture.errors import BudgetError, QueryFailed, Refused
from tincture.federation.books import JOURNAL, Books, Share
from tincture.federation.consortium import Consortium
from tincture.federation.masks import bind_secret, read_secret
from tincture.federation.question import Question
from tincture.privacy.accounting import Mechanism
from tincture.privacy.booking import Entry
from tincture.privacy.ledger import Ledger
from tincture.privacy.query import Query
from tincture.privacy.vault import Vault
from tincture.spine.job import SILENT, Notice
from tincture.spine.recipe import Sendable
from tincture.spine.run import Run, digest_of
from tincture.spine.weighing import Scaled


class Site:
    """Answers the questions of one run with shares that are private by themselves.

    Parameters
    ----------
    name : str
    consortium : Consortium
        That it agreed to.
    job : Sendable
        Made from the consortium's settings, here: its clip, plan and noise count, and not what a
        question says of them.
    vault : Vault
        With a ledger of its own.
    secret : bytes
        The site's key, where it sends masked sums.
    notice : callable, optional
        Told why something was refused; for this house alone.
    """

    def __init__(
        self,
        name: str,
        consortium: Consortium,
        job: Sendable[Any],
        vault: Vault,
        *,
        secret: bytes = b"",
        notice: Notice = SILENT.notice,
    ) -> None:
        self.name, self._consortium, self._job, self._vault = name, consortium, job, vault
        self._masks, self._notice = consortium.masks(name, secret), notice
        self._books = Books(vault.ledger)
        self._turn = Lock()  # a repeat that comes meanwhile waits for what will be kept

    @property
    def ledger(self) -> Ledger:
        """What it was asked, and what that costs its own records."""
        return self._vault.ledger

    def answer(self, content: bytes) -> Share | None:
        """Its share of the answer to a packed question, (size,) mod 2⁶⁴; to a repeat, the same.

        None where a kill lost the share: it is never drawn again. What fails here is refused, and
        not None, since one record may have made it fail.

        Raises
        ------
        Refused
            In this one word, whatever the reason.
        """
        question = Question.unpacked(content)
        with self._turn:
            return self._answer(question)

    def _answer(self, question: Question) -> Share | None:
        if self.ledger.has_failed:  # as long as this process lives; then its journal is refused
            raise Refused("refused")
        if self._books.know(question):
            return self._books.share(question)
        query = self._query(question)
        mechanism = self.ledger.plan.mechanism(query.question)
        self._check(Entry(query.question, query.size, query.clip, mechanism))
        mask = self._masks.of(question, query.size) if self._masks else np.uint64(0)
        self._books.open(question)
        share = self._share(query, mechanism, question.share) + mask
        self._books.keep(question, share)
        return share

    def _share(self, query: Query, mechanism: Mechanism, share: float) -> Share:
        try:
            holders = self._consortium.holders
            return self._vault.share_of(query, mechanism, share=share, holders=holders)
        except QueryFailed as failure:
            self._notice(str(failure))
        raise Refused("refused")  # not in the handler, where it would carry its context

    def _query(self, question: Question) -> Query:
        """What is asked, made here from public settings."""
        agreed = self._consortium.digest, self._consortium.sites
        if (question.run, question.cohort) == agreed:
            try:
                query = self._job.query_of(question.recipe)
                is_usual = query.question == question.recipe.kind and 0 < query.clip < math.inf
                weight = question.weight(self.name)
                is_agreed = self._consortium.balance_sites or weight == 1
                if is_usual and is_agreed and self.ledger.plan.has(query.question):
                    return query if weight == 1 else Scaled(query, weight)
                raise ValueError("another kind, or without a clip")
            except Exception as error:  # whatever a strange recipe leads to; no record is near
                self._notice(f"Question {question.number} is none of this run ({error}).")
        raise Refused("refused")

    def _check(self, entry: Entry) -> None:
        try:
            self.ledger.check(entry)
            return
        except BudgetError as error:
            self._notice(str(error))
        raise Refused("refused")


@contextmanager
def opened(
    name: str,
    consortium: Consortium,
    job: Sendable[Any],
    source: Any,
    *,
    books: Path | None = None,
    budget: Path | None = None,
    notice: Notice = SILENT.notice,
) -> Iterator[Site]:
    """A site with records, books and a budget; it goes on where a killed one stopped.

    Parameters
    ----------
    name, consortium, job
        As of `Site`.
    source : Any
        What ``job.seal_part`` takes.
    books : path, optional
        Folder of the journal; by default nothing outlives the process.
    budget : path, optional
        Budget file that must hold the plan's whole (ε, δ).
    notice : callable, optional
        As of `Site`.

    Raises
    ------
    TinctureError
        Before any privacy is spent.
    """
    consortium.require(name)
    secret = read_secret(books) if consortium.holders > 1 else b""
    ledger = Ledger(job.plan(), unit=job.unit, holders=consortium.holders)
    vault = Vault(job.seal_part, source, ledger)
    job.rehearse()
    consortium.masks(name, secret)  # or a sentence, before there is a journal
    digest = digest_of({"consortium": consortium.digest, "site": name, "job": job.digest()})
    with Run(digest, None if books is None else books / JOURNAL, budget) as run:
        run.start(ledger)
        if secret and books is not None:
            bind_secret(books, run.name)
        if not ledger.is_continued:
            plan = {"epsilon": ledger.plan.epsilon, "delta": ledger.plan.delta, "unit": job.unit}
            told = {"site": name, "consortium": consortium.digest}
            ledger.note({**told, **plan, **ledger.shared})
        yield Site(name, consortium, job, vault, secret=secret, notice=notice)
