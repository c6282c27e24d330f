"""What a question and its answer look like on the way; knows nothing of what carries them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tincture.errors import Refused
from tincture.federation.books import Share
from tincture.federation.question import Question
from tincture.federation.site import Site

TASK = "ask"
QUESTION, STATE, SHARE = "question", "state", "share"
SENT, LOST, REFUSED = "sent", "lost", "refused"
TICK = 1.0  # seconds; answers leave at whole numbers of them, so that time tells little

Reply = Mapping[str, Any]
Carry = Callable[[bytes, float], Mapping[str, Reply]]


def reply_of(site: Site | None, content: object) -> dict[str, Any]:
    """What a site sends back, whatever came: its share, or one of two words.

    Parameters
    ----------
    site : Site or None
        None where it could not be opened.
    content : object
        A packed question, if the coordinator is honest.
    """
    if site is None or not isinstance(content, bytes):
        return {STATE: REFUSED}
    try:
        share = site.answer(content)
    except Exception:  # its keepers were told; nobody else shall be
        return {STATE: REFUSED}
    if share is None:
        return {STATE: LOST}
    return {STATE: SENT, SHARE: share.astype("<u8").tobytes()}


def until_tick(
    started: float,
    now: Callable[[], float] = time.monotonic,
    wait: Callable[[float], None] = time.sleep,
) -> None:
    """Wait until a whole number of ticks has passed since a question came."""
    wait(TICK - (now() - started) % TICK)


class Carried:
    """Sites that something else reaches; a `tincture.federation.sites.Sites`.

    Parameters
    ----------
    names : tuple of str
    carry : callable
        Brings a packed question to every site, and what came back in so many seconds, by name.
    """

    def __init__(self, names: tuple[str, ...], carry: Carry) -> None:
        self.names, self._carry = names, carry

    def ask(self, question: Question, deadline: float) -> list[Share] | None:
        """Every site's share, in the order of names."""
        replies = self._carry(question.packed(), deadline)
        there = [replies.get(name, {STATE: LOST}) for name in self.names]
        states = {reply.get(STATE) for reply in there}
        if not states <= {SENT, LOST}:
            raise Refused("refused")
        return None if LOST in states else [_share(reply.get(SHARE)) for reply in there]


def _share(content: object) -> Share:
    """Of 64 bits each; empty, which fits no question, where a site sent something else."""
    if not isinstance(content, bytes) or len(content) % 8:
        content = b""
    return np.frombuffer(content, "<u8").astype(np.uint64)
