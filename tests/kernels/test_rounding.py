"""How kernels may round: those that see records, in one way only."""

from __future__ import annotations

from typing import Any

from numba.core.dispatcher import Dispatcher

from tincture.kernels import (
    _exp,
    _linear,
    _routes,
    lattice,
    naive_bayes,
    neighbours,
    pointwise,
    rows,
    svm,
)


def test_no_kernel_that_sees_records_may_reorder_sums_or_fuse_products() -> None:
    """What such licence does to the body of a loop it need not do to the rest of its records."""
    seeing = [pointwise, rows, lattice, neighbours, svm, naive_bayes, _routes, _exp]
    found: list[Any] = [
        f for module in seeing for f in vars(module).values() if isinstance(f, Dispatcher)
    ]
    found += [_linear._score, _linear._add_terms]
    assert len(found) > 15
    assert not [f for f in found if f.targetoptions.get("fastmath")]
    dot: Any = _linear.dot
    assert dot.targetoptions["fastmath"]  # as it is where candidates are trained on
