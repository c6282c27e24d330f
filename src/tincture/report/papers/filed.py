"""The papers that lie in every release."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tincture.report.papers import croissant, deployment, health
from tincture.report.papers.facts import Facts


class Paper(NamedTuple):
    """One file.

    Attributes
    ----------
    name : str
    written : callable
        What stands in it.
    left : tuple of str
        What a person fills in before it is filed.
    """

    name: str
    written: Callable[[Facts], bytes]
    left: tuple[str, ...]


PAPERS = (
    Paper("deployment.yaml", deployment.deployment, deployment.LEFT),
    Paper("healthdcat-ap.jsonld", health.health_dcat, health.LEFT),
    Paper("croissant.json", croissant.croissant, croissant.LEFT),
)


def filed(facts: Facts) -> dict[str, bytes]:
    """What stands in each file."""
    return {paper.name: paper.written(facts) for paper in PAPERS}
