"""Options that commands share, as one dataclass; each of its fields is a flag of its own."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from inspect import Parameter, Signature, signature
from typing import Any, get_type_hints


def spread(run: Callable[..., None]) -> Callable[..., None]:
    """The same command with the fields of every dataclass that it takes as options, at the end."""
    hints = get_type_hints(run, include_extras=True)
    bundles: dict[str, Any] = {name: kind for name, kind in hints.items() if is_dataclass(kind)}
    given = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=p.default, annotation=hints[name])
        for name, p in signature(run).parameters.items()
        if name not in bundles
    ]
    for kind in bundles.values():
        own = get_type_hints(kind, include_extras=True)
        for field in fields(kind):
            default = Parameter.empty if field.default is MISSING else field.default
            place = Parameter.KEYWORD_ONLY
            given.append(Parameter(field.name, place, default=default, annotation=own[field.name]))

    @functools.wraps(run)
    def flat(**values: Any) -> None:
        bundled = {
            name: kind(**{field.name: values.pop(field.name) for field in fields(kind)})
            for name, kind in bundles.items()
        }
        run(**values, **bundled)

    flat.__signature__ = Signature(given)  # type: ignore[attr-defined]
    flat.__annotations__ = {p.name: p.annotation for p in given}
    return flat
