"""How a release tells its task, and how the task is read again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tincture.public.case import Case, place_of
from tincture.public.causes import with_cause
from tincture.public.columns import Column
from tincture.public.schema import Schema
from tincture.public.tasks.amounts import Amounts
from tincture.public.tasks.classification import Classification
from tincture.public.tasks.protocol import Outcome, Task
from tincture.public.tasks.survival import Survival

# By name; each has ``roles`` and ``of(schema, *columns, case)``, with the case in the last column.
TASKS: dict[str, type[Classification | Survival | Amounts]] = {
    kind.name: kind for kind in (Classification, Survival, Amounts)
}


def told_of(schema: Schema, task: Outcome) -> dict[str, Any]:
    """A task for a package: its kind, columns by their role, and of two levels the case.

    Of an event of which one cause is told apart, the cause stands in place of the case.
    """
    told = {"kind": task.name, **dict(zip(task.roles, task.columns, strict=True))}
    column = schema[task.columns[-1]]
    if column.cause_of is not None:
        return told | {"cause": column.declared.levels[column.cause_of[1]]}
    levels = column.levels
    return told | ({"case": levels[int(not task.is_turned)]} if len(levels) == 2 else {})


def roles_of(told: Mapping[str, Any]) -> dict[str, str]:
    """The outcome columns by their role."""
    return {role: told[role] for role in TASKS[told["kind"]].roles}


def of_cause(schema: Schema, told: Mapping[str, Any]) -> Schema:
    """The schema of a release from the declared one.

    Raises
    ------
    KeyError, SchemaError, SettingError
    """
    if "cause" not in told:
        return schema
    return with_cause(schema, told[TASKS[told["kind"]].roles[-1]], told["cause"])[0]


def task_of(schema: Schema, told: Mapping[str, Any]) -> Task:
    """The task that a release tells.

    Raises
    ------
    KeyError
        If it tells of no task that is known here, or not of all its columns.
    SchemaError, SettingError
    """
    kind = TASKS[told["kind"]]
    columns = list(roles_of(told).values())
    read: Callable[..., Task] = kind.of  # with as many columns as roles
    return read(schema, *columns, case=_level(schema[columns[-1]], told))


def case_of(schema: Schema, told: Mapping[str, Any]) -> Case:
    """What figures of a release are about.

    Raises
    ------
    KeyError
        As in `task_of`.
    SchemaError, SettingError
    """
    column = schema[told[TASKS[told["kind"]].roles[-1]]]
    level = _level(column, told)
    return Case.of(column, None if level is None else place_of(column, level))


def _level(column: Column, told: Mapping[str, Any]) -> Any:
    """The level that a release names; the last of two if it was made before one could be named."""
    named = told.get("case")
    return column.levels[-1] if len(column.levels) == 2 and named is None else named
