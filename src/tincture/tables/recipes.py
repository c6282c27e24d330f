"""The questions that a job on rows asks, as recipes, and made again from its public settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tincture.arrays import Floats
from tincture.models.portfolio import guards
from tincture.models.served import Served
from tincture.privacy.query import Query
from tincture.public.encoding import Encoding
from tincture.public.tasks import Survival, Task
from tincture.search.optimizer import Candidates, Start
from tincture.spine.questions import CellCounts, ResidualSums
from tincture.spine.recipe import Recipe, usable
from tincture.spine.teaching import Features, Teacher
from tincture.tables.additive import WAVES, Basis
from tincture.tables.balance import Balance, Weighted
from tincture.tables.cells import cell_widths, parts
from tincture.tables.copula import Lines, gaps_of
from tincture.tables.marginals import Marginals
from tincture.tables.products import Crossed, Products, Term
from tincture.tables.questions import (
    InteractionSums,
    LossDifferences,
    MarginalCounts,
    RankProducts,
)
from tincture.tables.sealing import records_of
from tincture.tables.tails import Tail

N_TRIED = 8  # invented records on which a query is tried

Said = tuple[dict[str, Any], dict[str, Any]]  # settings and arrays of a recipe


@dataclass(frozen=True, slots=True)
class Recipes:
    """Public settings of a job on rows, by which its questions are told and made.

    Parameters
    ----------
    encoding : Encoding
    task : Task
        Without anchors.
    served : Served
        Models by name: their settings are not told.
    balance : str or None
        Column whose groups count alike.
    """

    encoding: Encoding
    task: Task
    served: Served
    balance: str | None = None

    def of(self, query: Query) -> Recipe:
        """What makes a query again.

        Raises
        ------
        TypeError
            If it is of no kind that is known here.
        """
        if isinstance(query, Weighted):
            kind, settings, arrays = self.of(query.query)
            return Recipe(kind, settings, {**arrays, "groups": query.balance.weights})
        match query:
            case CellCounts() | MarginalCounts():
                settings, arrays = {}, {}
            case ResidualSums(_, teacher, counts):
                settings, arrays = _of_teacher(teacher)
                arrays["counts"] = counts
            case InteractionSums(_, teacher, products, counts):
                settings, arrays = _of_teacher(teacher)
                settings["products"] = _of_products(products)
                arrays["counts"] = counts
            case RankProducts(lines):
                settings, arrays = {}, _of_lines(lines)
            case LossDifferences():
                settings, arrays = self._of_differences(query)
            case _:
                raise TypeError(f"a question of kind {query.question!r} cannot be told")
        return Recipe(query.question, settings, arrays)

    def query(self, recipe: Recipe) -> Query:
        """The query, prepared and tried; of anything else some exception."""
        query = self._made(recipe)
        if "groups" in recipe.arrays:
            column = [c.name for c in self.encoding.columns].index(self.balance or "")
            weights = recipe.array("groups", cell_widths(self.encoding)[column])
            query = Weighted(query, Balance(Marginals.flat(self.encoding), column, weights))
        flat, rng = Marginals.flat(self.encoding), np.random.default_rng(0)
        points = self.encoding.snap(flat.place(flat.draw(N_TRIED, rng)))
        outcomes = self.task.allot(np.ones(self.task.n_cells), N_TRIED, rng)
        return usable(query, records_of(self.encoding, points, outcomes))

    def _made(self, recipe: Recipe) -> Query:
        match recipe.kind:
            case CellCounts.question:
                return CellCounts(self.task)
            case MarginalCounts.question:
                return MarginalCounts(self.encoding)
            case ResidualSums.question:
                return ResidualSums(self.task, self._teacher(recipe), self._counts(recipe))
            case InteractionSums.question:
                teacher = self._teacher(recipe)
                if not isinstance(teacher.basis, Basis):
                    raise ValueError("products of products")
                products = _products(teacher.basis, recipe.settings["products"])
                return InteractionSums(self.task, teacher, products, self._counts(recipe))
            case RankProducts.question:
                return RankProducts(self._lines(recipe))
            case LossDifferences.question:
                return self._differences(recipe)
        raise ValueError("no kind of question that is known here")

    def _counts(self, recipe: Recipe) -> Floats:
        return recipe.array("counts", self.task.n_cells)

    def _marginals(self, recipe: Recipe) -> Marginals:
        widths = cell_widths(self.encoding)
        return Marginals(self.encoding, parts(recipe.array("shares", sum(widths)), widths))

    def _teacher(self, recipe: Recipe) -> Teacher[Features]:
        marginals, settings = self._marginals(recipe), recipe.settings
        tails = _tails(marginals, settings.get("tails", {}))
        basis = Basis(marginals, float(settings["reach"]), tails=tails)
        weights = recipe.arrays["weights"]
        if crossed := settings.get("crossed"):
            terms = _terms(basis, crossed["terms"])
            joined = Crossed(basis, terms, float(crossed["weight"]), float(crossed["reach"]))
            return Teacher(joined, recipe.array("weights", *weights.shape[:-1], joined.size))
        return Teacher(basis, recipe.array("weights", *weights.shape[:-1], basis.size))

    def _lines(self, recipe: Recipe) -> Lines:
        marginals, n_columns = self._marginals(recipe), len(self.encoding.columns)
        lengths = [int(n) for n in recipe.array("lengths", n_columns)]
        every = recipe.array("order", sum(lengths))
        order = [np.asarray(one, dtype=np.int64) for one in parts(every, lengths)]
        for cells, share in zip(order, marginals.shares, strict=True):
            if len(set(cells.tolist()) & set(range(len(share)))) < max(1, len(cells)):
                raise ValueError("no order of cells")
        spread = recipe.array("spread", n_columns + len(gaps_of(marginals)))
        return Lines(marginals, order, spread, recipe.array("importance", n_columns))

    def _of_differences(self, query: LossDifferences) -> Said:
        candidates, start = query.candidates, query.start
        arrays: dict[str, Any] = {
            "plus": candidates.plus,
            "minus": candidates.minus,
            "owner": start.owner,
            "outcomes": start.outcomes,
        }
        if isinstance(query.task, Survival) and query.task.anchors is not None:
            arrays |= {"reference": query.task.reference, "anchors": query.task.anchors}
        guarded = query.served.names != self.served.names
        return {"seed": candidates.seed, "clip": query.clip, "guarded": guarded}, arrays

    def _differences(self, recipe: Recipe) -> LossDifferences:
        settings, width = recipe.settings, self.encoding.width
        plus, outcomes = recipe.array("plus", -1, -1, width), recipe.array("outcomes", -1, -1)
        minus = recipe.array("minus", -1, plus.shape[1], width)
        owner = recipe.array("owner", len(outcomes))
        if len(minus) not in (1, len(plus)) or not ((owner >= 0) & (owner < plus.shape[1])).all():
            raise ValueError("no tables of one shape")
        task = self.task
        if "reference" in recipe.arrays:
            reference = recipe.arrays["reference"]  # with NaN where an amount is missing
            task = task.anchored(reference, recipe.array("anchors", len(reference), -1))
        served = self.served.with_guards(guards(task)) if settings["guarded"] else self.served
        candidates = Candidates(plus, minus, int(settings["seed"]))
        start = Start(plus[0], owner, outcomes)
        clip = float(settings["clip"])
        return LossDifferences(served, task, self.encoding, candidates, start, clip=clip)


def _of_teacher(teacher: Teacher[Features]) -> Said:
    basis, settings = teacher.basis, dict[str, Any]()
    if isinstance(basis, Crossed):
        terms = [list(term) for term in basis.terms]
        settings = {"crossed": {"terms": terms, "weight": basis.weight, "reach": basis.reach}}
        basis = basis.base
    if not isinstance(basis, Basis):
        raise TypeError("a basis of a kind that cannot be told")
    if basis.tails:
        settings["tails"] = {str(j): _of_tail(tail) for j, tail in basis.tails.items()}
    shares = np.concatenate(basis.marginals.shares)
    return {**settings, "reach": basis.reach}, {"shares": shares, "weights": teacher.weights}


def _of_tail(tail: Tail) -> list[float]:
    return [tail.mean, tail.deviation, *tail.slopes.tolist()]


def _tails(marginals: Marginals, told: Mapping[str, Any]) -> dict[int, Tail]:
    columns, out = marginals.encoding.columns, dict[int, Tail]()
    for name, numbers in told.items():
        column, (mean, deviation, *slopes) = int(name), map(float, numbers)
        is_one = deviation > 0 and len(slopes) == 1 + WAVES
        if not 0 <= column < len(columns) or columns[column].is_categorical or not is_one:
            raise ValueError("no tail of an amount")
        out[column] = Tail(mean, deviation, np.array(slopes))
    return out


def _of_products(products: Products) -> dict[str, Any]:
    terms = [list(term) for term in products.terms]
    return {"terms": terms, "of_three": products.of_three, "reach": products.reach}


def _products(base: Basis, told: dict[str, Any]) -> Products:
    return Products(
        base, _terms(base, told["terms"]), float(told["of_three"]), float(told["reach"])
    )


def _terms(base: Basis, told: Any) -> list[Term]:
    terms = [tuple(int(column) for column in term) for term in told]
    n_columns = len(base.blocks) - 1
    if any(not 2 <= len(t) <= 3 or not 0 <= min(t) <= max(t) < n_columns for t in terms):
        raise ValueError("no products of two or three columns")
    return terms


def _of_lines(lines: Lines) -> dict[str, Any]:
    return {
        "shares": np.concatenate(lines.marginals.shares),
        "order": np.concatenate(lines.order),
        "lengths": np.array([len(one) for one in lines.order]),
        "spread": lines.spread,
        "importance": lines.importance,
    }
