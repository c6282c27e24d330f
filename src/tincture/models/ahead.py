"""What a first run compiles, so that a second process can begin with it; see `kernels.beside`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tincture.arrays import Floats
from tincture.kernels import beside, pointwise, threads
from tincture.models.portfolio import PORTFOLIOS
from tincture.public.tasks import Task

ROWS = 24  # of the tables that models are compiled with


@dataclass(frozen=True, slots=True)
class Kind:
    """As much of a task as models are made for.

    Attributes
    ----------
    name : str
        Of the task.
    n_outputs : int
        Numbers that a model predicts; of classifiers as many as there are classes.
    """

    name: str
    n_outputs: int

    @property
    def n_classes(self) -> int:
        """For classifiers."""
        return self.n_outputs

    def outcomes(self, rng: np.random.Generator) -> Floats:
        """Any (ROWS, width) that models can be fitted to."""
        marks = np.arange(float(ROWS)) % max(self.n_outputs, 2)
        times = rng.exponential(size=ROWS)
        known = {"classification": [marks], "survival": [times, marks], "amounts": [times]}
        return np.column_stack(known[self.name])


def compile_beside(kind: Kind | Task, models: Sequence[str], *, all_usual: bool = False) -> bool:
    """Compile models in a second process, if nothing is compiled yet and there is a core for it.

    Parameters
    ----------
    kind : Kind or Task
    models : sequence of str
        In the order in which they are needed; what is not of the portfolio is left out. The first
        is needed at once, and the last is begun with, so that both processes meet in the middle.
    all_usual : bool
        Whether to go on with the plain regression, which an evaluation asks for, and all other
        usual models, which later runs will need.

    Returns
    -------
    bool
        Whether this is a first run, with something to compile.
    """
    pointwise.exp(np.zeros(1))  # the smallest kernel, and the first that every run needs
    known = PORTFOLIOS[kind.name]
    wanted = [*reversed(models[1:]), *known.guards]
    if all_usual:
        wanted += [known.plain, *known.usual]
    names = [name for name in dict.fromkeys(wanted) if name in known.makers]
    is_first = threads.has_compiled()
    if is_first and names and threads.n_threads() > 1:
        beside.start(__name__, [kind.name, str(kind.n_outputs), *names])
    return is_first


def main(folder: str, task: str, n_outputs: str, *names: str) -> None:
    """Fit and predict once with each model."""
    beside.help_in(folder)
    kind, rng = Kind(task, int(n_outputs)), np.random.default_rng(0)
    candidates, records = rng.normal(size=(2, ROWS, 3)), rng.normal(size=(ROWS, 3))
    for name in names:
        model = PORTFOLIOS[task].makers[name](kind)
        fitted = model.fit(candidates, kind.outcomes(rng), np.ones(3, dtype=bool))
        fitted.predict(records)


if __name__ == "__main__":
    main(*sys.argv[1:])
