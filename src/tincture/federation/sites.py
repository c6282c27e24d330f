"""Where the sites are: an engine's one way to reach them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tincture.federation.books import Share
from tincture.federation.question import Question
from tincture.federation.site import Site


class Sites(Protocol):
    """Reaches all sites of a cohort; delivering a question more than once does no harm.

    Attributes
    ----------
    names : tuple of str
    """

    names: tuple[str, ...]

    def ask(self, question: Question, deadline: float) -> list[Share] | None:
        """Every site's share in the order of names, or None where one has none, or is late.

        Parameters
        ----------
        question : Question
        deadline : float
            Seconds.

        Raises
        ------
        Refused
            If a site refuses.
        """


class InProcess:
    """Sites in this process; what goes to and fro is what would travel."""

    def __init__(self, sites: Sequence[Site]) -> None:
        self._sites = tuple(sites)
        self.names = tuple(site.name for site in sites)

    def ask(self, question: Question, deadline: float) -> list[Share] | None:
        """One after the other; nobody is late."""
        content = question.packed()
        shares = [site.answer(content) for site in self._sites]
        there = [share for share in shares if share is not None]
        return there if len(there) == len(shares) else None
