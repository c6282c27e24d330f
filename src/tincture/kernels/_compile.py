"""How kernels are compiled and spread over threads.

Compiling costs more than a search should have to wait, and most of it is LLVM seeing the same code
again: once for a helper, once more for each caller above it, once more for a ``numba.prange`` loop
around them. So a kernel is one plain function over a range of tables (or of records), its large
parts are inlined before LLVM sees them, and threads are Python's own, which costs nothing to
compile.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])

_PIECES = 4  # of work for each thread, so that none waits long for the slowest
_COMMON: dict[str, Any] = {"nogil": True, "error_model": "numpy", "no_rewrites": True}
_BARE: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def jit(function: F) -> F:
    """Compile a helper that only kernels call; they keep a copy of it in their cache."""
    return cast(F, numba.njit(**_COMMON, **_BARE)(function))


def fast_jit(function: F) -> F:
    """Compile a helper whose sums may be reordered, which lets them use vector lanes.

    NaN and infinity keep their meaning.
    """
    allowed = {"reassoc", "contract", "arcp", "nsz"}
    return cast(F, numba.njit(**_COMMON, **_BARE, fastmath=allowed)(function))


def inline_jit(function: F) -> F:
    """Mark a large helper with one caller: it becomes part of the caller and compiles with it."""
    return cast(F, numba.njit(inline="always")(function))


def kernel_jit(function: F) -> F:
    """Compile a kernel, a function of the begin and the end of a range and of arrays; see `share`.

    Every item of the range must be worked out by itself and written to a place of its own.
    """
    return cast(F, numba.njit(cache=True, **_COMMON)(function))


def _compile(kernel: Callable[..., None], arrays: tuple[Any, ...]) -> None:
    """Compile a kernel, or load it, by a call that has nothing to do.

    The compiler makes a great many objects that live as long as it runs; looking for garbage among
    them would take a sixth of its time.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        kernel(0, 0, *arrays)
    finally:
        if collecting:
            gc.enable()


def share(kernel: Callable[..., None], n_items: int, *arrays: Any) -> None:
    """Run a kernel over ``0 .. n_items - 1`` on as many threads as `numba.get_num_threads` says.

    As no item sees another one, neither the threads nor the pieces change the result.
    """
    if not getattr(kernel, "signatures", True):
        _compile(kernel, arrays)
    n_threads = min(numba.get_num_threads(), n_items)
    if n_threads <= 1:
        kernel(0, n_items, *arrays)
        return
    size = -(-n_items // (_PIECES * n_threads))

    def piece(begin: int) -> None:
        kernel(begin, min(begin + size, n_items), *arrays)

    with ThreadPoolExecutor(n_threads) as pool:  # a lasting one would not survive a fork
        for _ in pool.map(piece, range(0, n_items, size)):
            pass
