"""What a first run compiles, so that a second process can begin with it; see `kernels.beside`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np

from tincture.arrays import Floats
from tincture.kernels import beside, pointwise, threads
from tincture.models.portfolio import PORTFOLIOS
from tincture.public.tasks import Classification, Task

ROWS = 24  # of the tables that models are compiled with


def compile_beside(task: Task, models: Sequence[str], *, all_usual: bool = False) -> bool:
    """Compile models in a second process, if nothing is compiled yet and there is a core for it.

    Parameters
    ----------
    task : Task
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
    known = PORTFOLIOS[task.name]
    wanted = [*reversed(models[1:]), *known.guards]
    if all_usual:
        wanted += [known.plain, *known.usual]
    names = [name for name in dict.fromkeys(wanted) if name in known.makers]
    is_first = threads.has_compiled()
    if is_first and names and threads.n_threads() > 1:
        beside.start(__name__, [task.name, str(task.n_outputs), *names])
    return is_first


def main(folder: str, task: str, n_outputs: str, *names: str) -> None:
    """Fit and predict once with each model."""
    beside.help_in(folder)
    rng = np.random.default_rng(0)
    candidates, records = rng.normal(size=(2, ROWS, 3)), rng.normal(size=(ROWS, 3))
    outcomes = _outcomes(task, int(n_outputs), rng)
    # Of all models only classifiers look at the task.
    asked = Classification("outcome", int(n_outputs)) if task == "classification" else None
    for name in names:
        model = PORTFOLIOS[task].makers[name](asked)
        model.fit(candidates, outcomes, np.ones(3, dtype=bool)).predict(records)


def _outcomes(task: str, n_outputs: int, rng: np.random.Generator) -> Floats:
    """Any (ROWS, width) that models can be fitted to."""
    marks, times = np.arange(float(ROWS)) % max(n_outputs, 2), rng.exponential(size=ROWS)
    known = {"classification": [marks], "survival": [times, marks], "amounts": [times]}
    return np.column_stack(known[task])


if __name__ == "__main__":
    main(*sys.argv[1:])
