"""Share clinical knowledge without sharing patients.

Tincture condenses a table of patient records to about a hundred invented rows, by function
evaluations alone and under differential privacy.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from tincture.version import __version__

if TYPE_CHECKING:
    from tincture.errors import TinctureError
    from tincture.io.parts import Partitioned
    from tincture.public.schema import Schema
    from tincture.stays.bench import evaluate_series
    from tincture.stays.condenser import SeriesCondenser
    from tincture.tables.bench import evaluate
    from tincture.tables.condenser import Condenser
    from tincture.tables.release import CondensedTable

# Loaded when first asked for, so that `import tincture` stays short.
_HOMES = {
    "Condenser": "tables.condenser",
    "CondensedTable": "tables.release",
    "Partitioned": "io.parts",
    "Schema": "public.schema",
    "SeriesCondenser": "stays.condenser",
    "TinctureError": "errors",
    "evaluate": "tables.bench",
    "evaluate_series": "stays.bench",
}
__all__ = [
    "CondensedTable",
    "Condenser",
    "Partitioned",
    "Schema",
    "SeriesCondenser",
    "TinctureError",
    "__version__",
    "evaluate",
    "evaluate_series",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"tincture.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'tincture' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
