"""A query as a thing that can be sent: its kind, public settings, and arrays.

Nothing in a recipe is run. Whoever reads one makes the query again from the job's own public
settings, of a closed list of kinds, or refuses.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from tincture.privacy.query import Query, Records, Sealed
from tincture.public.schema import Schema
from tincture.spine.job import Job

Made = TypeVar("Made", covariant=True)
MOST_VALUES = 200_000  # of an answer


class Recipe(NamedTuple):
    """Of one query.

    Attributes
    ----------
    kind : str
        The question, as planned and booked.
    settings : mapping
        JSON.
    arrays : mapping
        Of float64 and int64, by name.
    """

    kind: str
    settings: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]]

    def array(self, name: str, *shape: int) -> NDArray[Any]:
        """One of the arrays, of this shape; −1 stands for any length.

        Raises
        ------
        ValueError
        """
        found = self.arrays[name]
        fits = all(wanted in (-1, is_) for wanted, is_ in zip(shape, found.shape, strict=False))
        if len(shape) != found.ndim or not fits or not np.isfinite(found).all():
            raise ValueError(f"the array {name!r} of {self.kind!r} has another shape")
        return found


def usable(query: Query, invented: Records) -> Query:
    """A query that was made of a recipe, prepared, and tried on invented records.

    Raises
    ------
    Exception
        Of any kind, where it cannot be asked.
    """
    if not (0 < query.size <= MOST_VALUES and 0 < query.clip < math.inf):
        raise ValueError("too large an answer, or no clip")
    query.prepare()
    if query.contributions(invented).shape != (len(invented), query.size):
        raise ValueError("another shape than told")
    return query


class Sendable(Job[Made], Protocol[Made]):
    """A job whose questions can be asked elsewhere."""

    @property
    def schema(self) -> Schema:
        """Of the records, as they are written."""

    def seal_part(self, source: Any) -> Sealed:
        """As `seal`, of one site's records; called by its vault alone.

        Raises
        ------
        TableError
        """

    def recipe_of(self, query: Query) -> Recipe:
        """What makes a query of this job again."""

    def query_of(self, recipe: Recipe) -> Query:
        """The query, prepared, and tried on invented records.

        Raises
        ------
        Exception
            Of any kind, where the recipe is of no query that this job asks.
        """
