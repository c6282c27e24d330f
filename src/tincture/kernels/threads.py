"""How work is spread over threads: kernels, and whatever else is done item by item."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import cache
from typing import Any, cast

import numba

from tincture.kernels import beside

_PIECES = 4  # of work for each thread, so that none waits long for the slowest
WORTH = 0.004  # seconds of work left from which on it pays to start threads

_compiled: list[str] = []  # kernels that numba's cache did not have


def share(
    kernel: Callable[..., None],
    n_items: int,
    *arrays: Any,
    workers: int | None = None,
    worth: float = WORTH,
) -> None:
    """Run a kernel over ``0 .. n_items - 1``, by threads of this process.

    As no item sees another one, neither the threads nor the pieces change the result.

    Parameters
    ----------
    kernel : callable
        Of the begin and the end of a range, and of the arrays.
    n_items : int
    *arrays : object
    workers : int, optional
        Threads at most; ``NUMBA_NUM_THREADS`` by default, which is one a core unless it is set.
    worth : float
        Seconds of work, as the first piece tells them, for which other threads are started.
    """
    if not getattr(kernel, "overloads", True):
        _compile(kernel, arrays)
    n_used = min(workers or n_threads(), n_items)
    size = -(-n_items // (_PIECES * n_used)) if n_used > 1 else n_items
    began = time.perf_counter()
    kernel(0, size, *arrays)
    if size >= n_items:
        return
    if (time.perf_counter() - began) * (n_items - size) < worth * size:
        kernel(size, n_items, *arrays)
        return
    begins = iter(range(size, n_items, size))

    def work() -> None:
        for begin in begins:  # whoever is free takes the next one
            kernel(begin, min(begin + size, n_items), *arrays)

    with ThreadPoolExecutor(n_used - 1) as pool:  # a lasting one would not survive a fork
        others = [pool.submit(work) for _ in range(n_used - 1)]
        work()
        for other in others:
            other.result()


def n_threads() -> int:
    """Threads that numba would use, without a word to its own pool.

    ``numba.get_num_threads`` takes a lock that forks share at each call: after a fork that is
    killed meanwhile, every other one would wait for ever.
    """
    return int(vars(numba.config)["NUMBA_NUM_THREADS"])


def has_compiled() -> bool:
    """Whether a kernel had to be compiled in this process, as numba's cache did not have it."""
    return bool(_compiled)


def one_thread(api: str) -> AbstractContextManager[Any]:
    """Keep libraries to the thread that calls them.

    Theirs spin while they wait for each other, which takes several times the work on a busy
    machine.

    Parameters
    ----------
    api : {"blas", "openmp"}
        Of the whole process, and of the calling thread.
    """
    return cast("AbstractContextManager[Any]", _libraries().limit(limits=1, user_api=api))


@cache
def _libraries() -> Any:
    """Libraries with threads of their own; looking for them takes milliseconds."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def _compile(kernel: Callable[..., None], arrays: tuple[Any, ...]) -> None:
    """Compile a kernel, or load it, by a call that has nothing to do.

    The compiler makes a great many objects that live as long as it runs; looking for garbage among
    them would take a sixth of its time.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        with beside.meeting(kernel):
            kernel(0, 0, *arrays)
    finally:
        if collecting:
            gc.enable()
    if cast("Any", kernel).stats.cache_misses:
        _compiled.append(kernel.__qualname__)
