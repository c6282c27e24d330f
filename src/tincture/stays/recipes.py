"""The questions that a job on stays asks, as recipes, and made again from its public settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tincture.arrays import Floats
from tincture.privacy.query import Query, Records
from tincture.public.tasks import Classification
from tincture.spine.questions import CellCounts, ResidualSums
from tincture.spine.recipe import Recipe, usable
from tincture.spine.teaching import Features, Teacher
from tincture.stays.embeddings import EmbeddingSums, Trajectories
from tincture.stays.histograms import CELLS
from tincture.stays.layout import Layout
from tincture.stays.occupancy import Occupancy, Scale
from tincture.stays.sealing import records_of
from tincture.stays.summaries import Summaries

N_TRIED = 8  # invented stays on which a query is tried
MASKS = ("present", "static_present")  # of a scale: whether a column is there


@dataclass(frozen=True, slots=True)
class StaysRecipes:
    """Public settings of a job on stays, by which its questions are told and made.

    Parameters
    ----------
    layout : Layout
    task : Classification
    """

    layout: Layout
    task: Classification

    def of(self, query: Query) -> Recipe:
        """What makes a query again.

        Raises
        ------
        TypeError
            If it is of no kind that is known here.
        """
        settings, arrays = dict[str, Any](), dict[str, Any]()
        match query:
            case CellCounts() | Occupancy():
                pass
            case EmbeddingSums(_, Trajectories(_, scale)):
                arrays = _of_scale(scale)
            case ResidualSums(_, Teacher(Summaries() as basis, weights), counts):
                settings = {"reach": basis.reach}
                arrays = {**_of_scale(basis.scale), "weights": weights, "counts": counts}
            case _:
                raise TypeError(f"a question of kind {query.question!r} cannot be told")
        return Recipe(query.question, settings, arrays)

    def query(self, recipe: Recipe) -> Query:
        """The query, prepared and tried; of anything else some exception."""
        return usable(self._made(recipe), self._invented())

    def _made(self, recipe: Recipe) -> Query:
        match recipe.kind:
            case CellCounts.question:
                return CellCounts(self.task)
            case Occupancy.question:
                return Occupancy(self.layout)
            case EmbeddingSums.question:
                return EmbeddingSums(self.task, Trajectories(self.layout, self._scale(recipe)))
            case ResidualSums.question:
                reach = float(recipe.settings["reach"])
                basis = Summaries(self.layout, self._scale(recipe), reach)
                teacher: Teacher[Features] = Teacher(basis, recipe.array("weights", basis.size))
                return ResidualSums(self.task, teacher, recipe.array("counts", self.task.n_cells))
        raise ValueError("no kind of question that is known here")

    def _scale(self, recipe: Recipe) -> Scale:
        n_variables, n_static = len(self.layout.variables), self.layout.n_static
        n_columns = len(self.layout.statics.columns) if self.layout.statics else 0
        shapes: dict[str, tuple[int, ...]] = {
            **dict.fromkeys(("mean", "sd", "held", "rate", "present"), (n_variables,)),
            **dict.fromkeys(("static_mean", "static_sd"), (n_static,)),
            "cells": (n_variables, CELLS),
            "static_present": (n_columns,),
        }
        told = {name: recipe.array(name, *shape) for name, shape in shapes.items()}
        told |= {name: told[name].astype(bool) for name in MASKS}
        scale = Scale(**told)
        divided = (scale.sd, scale.static_sd, scale.rate[scale.present])
        if (
            any((by <= 0).any() for by in divided)
            or not ((scale.held >= 0) & (scale.held <= 1)).all()
        ):
            raise ValueError("no scale")
        return scale

    def _invented(self) -> Records:
        rng, layout = np.random.default_rng(0), self.layout
        grid = rng.random((N_TRIED, *layout.shape), dtype=np.float32)
        grid[rng.random(grid.shape) < 0.5] = np.nan
        statics = rng.integers(0, 2, (N_TRIED, layout.n_static)).astype(np.float64)
        outcomes = self.task.allot(np.ones(self.task.n_cells), N_TRIED, rng)
        return records_of(layout.points(grid, statics), outcomes)


def _of_scale(scale: Scale) -> dict[str, Floats]:
    told = {name: getattr(scale, name) for name in Scale.__dataclass_fields__}
    return told | {name: told[name].astype(np.int64) for name in MASKS}
