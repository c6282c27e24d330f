"""Rules as a schema tells them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tincture.errors import SchemaError
from tincture.public.rules.combination import Combination
from tincture.public.rules.derived import Derived
from tincture.public.rules.implication import Implication
from tincture.public.rules.order import Order
from tincture.public.rules.rule import Columns, Rule

KEY = "tincture:rules"
MOST = 200
Reader = Callable[[dict[str, Any], str, Columns, str], Rule]
# By the key that tells the kind, with all keys of the kind.
KINDS: dict[str, tuple[Reader, tuple[str, ...]]] = {
    "columns": (Combination.of, Combination.keys),
    "order": (Order.of, Order.keys),
    "when": (Implication.of, Implication.keys),
    "only": (Implication.of, Implication.only),
    "derive": (Derived.of, Derived.keys),
}
NEEDED = {"allowed", "then", "if", "formula"}


def rules_read(raw: Any, columns: Columns, where: str) -> tuple[Rule, ...]:
    """Rules from the list in a schema.

    Raises
    ------
    SchemaError
    """
    if raw is None:
        return ()
    if not isinstance(raw, list) or len(raw) > MOST:
        raise SchemaError(f'{where}: "{KEY}" must be a list of rules, {MOST} at most.')
    return tuple(_read(told, columns, f"{where}, rule {i + 1}") for i, told in enumerate(raw))


def _read(raw: Any, columns: Columns, at: str) -> Rule:
    kinds = [kind for kind in KINDS if isinstance(raw, dict) and kind in raw]
    if len(kinds) != 1:
        raise SchemaError(
            f'{at}: a rule is an object with "columns" and "allowed", "order", "when" and "then", '
            '"only" and "if", or "derive" and "formula".'
        )
    read, keys = KINDS[kinds[0]]
    odd = [key for key in raw if key not in (*keys, "description")]
    lacking = [key for key in keys if key in NEEDED and key not in raw]
    if odd or lacking:
        what = f"{odd[0]!r} is not known here" if odd else f'"{lacking[0]}" is missing'
        raise SchemaError(f"{at}: {what}; such a rule has {', '.join((*keys, 'description'))}.")
    try:
        told = json.dumps(raw, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        told = None
    if told is None:
        raise SchemaError(f"{at}: it holds what JSON cannot, such as a date; write it as text.")
    return read(raw, told, columns, at)
