"""What a site has answered: of each question one digest and one share, for ever."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tincture.errors import Refused, ReleaseError
from tincture.federation.question import Question
from tincture.privacy.accounting import spent_epsilon
from tincture.privacy.booking import Entry
from tincture.privacy.journal import read_journal
from tincture.privacy.ledger import Ledger

JOURNAL = "journal.jsonl"
Share = NDArray[np.uint64]


class Books:
    """Beside the bookings of a ledger, in its journal: what was asked under which number.

    A question that comes again gets the bytes that were kept, or nothing where a kill lost them; a
    changed one under the same number, or one out of its turn, is refused. Noise drawn anew, or
    other sites in the sum, would give a share away by a difference.

    Parameters
    ----------
    ledger : Ledger
        Of the site; attached to its journal, if there is one.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._digests: dict[int, str] = {}
        self._shares: dict[int, Share] = {}
        for line in ledger.catch_up():
            if "question" in line:
                self._digests[line["question"]] = line["digest"]
            elif "share" in line:
                kept = np.frombuffer(base64.b64decode(line["share"]), "<u8")
                self._shares[line["of"]] = kept.astype(np.uint64)

    def know(self, question: Question) -> bool:
        """Whether this very question was asked before.

        Raises
        ------
        Refused
            If another one was, or its turn is over.
        """
        if question.number in self._digests:
            if self._digests[question.number] == question.digest:
                return True
        elif question.number > max(self._digests, default=-1):
            return False
        raise Refused("refused")

    def share(self, question: Question) -> Share | None:
        """What was sent to a question that is known, or None where a kill lost it."""
        return self._shares.get(question.number)

    def open(self, question: Question) -> None:
        """Write down what is asked under this number, before it is booked."""
        self._ledger.note({"question": question.number, "digest": question.digest})
        self._digests[question.number] = question.digest

    def keep(self, question: Question, share: Share) -> None:
        """Write down what will be sent, before it is."""
        content = base64.b64encode(share.astype("<u8").tobytes()).decode()
        self._ledger.note({"share": content, "of": question.number})
        self._shares[question.number] = share


def told_of_books(books: Path) -> dict[str, Any]:
    """What the books of a site tell: whose they are, each question, and what all of them cost.

    Raises
    ------
    ReleaseError
        If there are none.
    """
    lines = read_journal(books / JOURNAL)
    heads = [line for line in lines if "site" in line]
    if not heads:
        raise ReleaseError(f"{books} holds no books of a site; name the folder of its --books.")
    entries = [Entry.from_dict(line["booked"]) for line in lines if "booked" in line]
    kept = {line["of"] for line in lines if "share" in line}
    return {
        **heads[0],
        "epsilon_spent": spent_epsilon([e.mechanism for e in entries], heads[0]["delta"]),
        "questions": [
            {**entry.to_dict(), "number": number, "is_kept": number in kept}
            for entry, number in zip(entries, _booked(lines), strict=True)
        ],
    }


def _booked(lines: Iterable[Mapping[str, Any]]) -> Iterator[int]:
    """Numbers of the questions that were booked, and not only noted."""
    number = -1
    for line in lines:
        number = line.get("question", number)
        if "booked" in line:
            yield number
