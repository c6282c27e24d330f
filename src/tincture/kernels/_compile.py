"""How kernels are compiled; `threads` says how they are spread over threads.

Compiling costs more than a search should have to wait, and most of it is LLVM seeing the same code
again: once for a helper, once more for each caller above it, once more for a ``numba.prange`` loop
around them. So a kernel is one plain function over a range of tables (or of records), its large
parts are inlined before LLVM sees them, and threads are Python's own, which costs nothing to
compile.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])

_COMMON: dict[str, Any] = {"nogil": True, "error_model": "numpy", "no_rewrites": True}
_BARE: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
_COUNTED: dict[str, Any] = {"_nrt": True}  # whether numba counts references to arrays
_UNCOUNTED: dict[str, Any] = {"_nrt": False}


def jit(function: F) -> F:
    """Compile a helper that only kernels call; they keep a copy of it in their cache."""
    return cast(F, numba.njit(**_COUNTED, **_COMMON, **_BARE)(function))


def lean_jit(function: F) -> F:
    """Compile a helper that makes no arrays, but takes them out of tuples and slices them.

    Else numba counts references to them, by additions that lock the memory. What it calls but makes
    arrays must be compiled by `jit`.
    """
    return cast(F, numba.njit(**_UNCOUNTED, **_COMMON, **_BARE)(function))


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
    """Compile a kernel, a function of a range's ends and of arrays; see `threads.share`.

    Every item of the range must be worked out by itself and written to a place of its own.
    """
    return cast(F, numba.njit(cache=True, **_COMMON)(function))
