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
    from tincture.estimators import Condenser
    from tincture.evaluation import evaluate
    from tincture.schema import Schema
    from tincture.series_estimator import SeriesCondenser
    from tincture.series_evaluation import evaluate_series
    from tincture.table import CondensedTable

# Loaded when first asked for, so that `import tincture` stays short.
_HOMES = {
    "Condenser": "estimators",
    "CondensedTable": "table",
    "Schema": "schema",
    "SeriesCondenser": "series_estimator",
    "TinctureError": "errors",
    "evaluate": "evaluation",
    "evaluate_series": "series_evaluation",
}
__all__ = [
    "CondensedTable",
    "Condenser",
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
