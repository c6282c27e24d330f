"""The arithmetic of formulas; a result's last bit depends on its numbers alone."""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np

from tincture.kernels import pointwise


def log(x: Any) -> Any:
    """Of positive numbers; others have no value."""
    return np.where(x > 0, pointwise.log(np.where(x > 0, x, 1.0)), np.nan)


def power(x: Any, y: Any) -> Any:
    """x^y by functions whose last bit depends on x and y alone; no value for x < 0."""
    return np.where(x == 0, np.where(y > 0, 0.0, np.nan), pointwise.exp(y * log(x)))


OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.Pow: power,
    ast.USub: np.negative,
    ast.UAdd: np.positive,
}
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "log": log,
    "exp": pointwise.exp,
    "sqrt": np.sqrt,
    "abs": np.abs,
    "round": np.round,
    "min": lambda *x: reduce(np.minimum, x),
    "max": lambda *x: reduce(np.maximum, x),
}
ARGUMENTS = {"round": (1, 2), "min": (2, 20), "max": (2, 20)}
