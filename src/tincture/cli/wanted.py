"""What is wanted of rows: the options of every command that settles them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from tincture.cli.console import CaseLevel
from tincture.errors import SettingError

if TYPE_CHECKING:
    from tincture.public.schema import Schema
    from tincture.tables.condenser import Condenser


@dataclass(frozen=True, slots=True)
class Wanted:
    """Outcome, models, number of rows and how they are searched."""

    target: Annotated[str | None, typer.Option(help="Outcome column of a classification.")] = None
    outcome: Annotated[
        str | None,
        typer.Option(help="Outcome column that is an amount: a number between declared bounds."),
    ] = None
    time: Annotated[str | None, typer.Option(help="Time column of a survival outcome.")] = None
    event: Annotated[
        str | None, typer.Option(help="Event column beside --time, such as 0/1; see --cause.")
    ] = None
    cause: Annotated[
        str | None,
        typer.Option(
            help="Which level of --event is the event, where several compete; all others count "
            "as censored.",
            metavar="LEVEL",
        ),
    ] = None
    case: CaseLevel = None
    model: Annotated[
        list[str] | None,
        typer.Option(
            help="A model to serve, repeatable; by default the whole portfolio.", metavar="MODEL"
        ),
    ] = None
    rows: Annotated[
        str,
        typer.Option(
            metavar="N",
            help="Rows to make; auto: 100, or up to 500 where a regression without a penalty is "
            "served or there are more than two classes.",
        ),
    ] = "auto"
    cohort: Annotated[
        int | None,
        typer.Option(help="People to invent beside them, 0 for none; as many as there are."),
    ] = None
    apart: Annotated[
        bool,
        typer.Option("--apart", help="Nobody in the cohort like another in all but the outcome."),
    ] = False
    complete: Annotated[
        bool,
        typer.Option("--complete", help="No blank cell, for software that leaves out such rows."),
    ] = False
    origin: Annotated[
        str | None,
        typer.Option(
            help="A date from which all others count as days, each record's own.", metavar="COLUMN"
        ),
    ] = None
    unit: Annotated[
        str | None, typer.Option(help="Person column, where persons have several records.")
    ] = None
    drop: Annotated[
        list[str] | None,
        typer.Option(help="A declared column to leave out, repeatable.", metavar="COLUMN"),
    ] = None
    method: Annotated[str, typer.Option(help="How to search: auto, direct or proxy.")] = "auto"
    weight: Annotated[
        list[str] | None,
        typer.Option(
            help="How much a model counts, such as tree=2; repeatable, usually 1.",
            metavar="MODEL=NUMBER",
        ),
    ] = None
    balance: Annotated[
        str | None, typer.Option(help="A column whose groups shall count alike, small or large.")
    ] = None
    effort: Annotated[
        float, typer.Option(help="Factor of the search's length; costs time, not privacy.")
    ] = 1.0
    many_levels: Annotated[
        bool,
        typer.Option("--many-levels", help="Go on though a column has more than 500 levels."),
    ] = False

    def condenser(
        self,
        schema: Schema,
        epsilon: float,
        delta: float,
        seed: int,
        n_records: int | None = None,
    ) -> Condenser:
        """An estimator with these settings.

        Raises
        ------
        SettingError, SchemaError
        """
        from tincture.tables.condenser import Condenser

        return Condenser(
            schema=schema,
            epsilon=epsilon,
            delta=delta,
            target=self.target,
            outcome=self.outcome,
            time=self.time,
            event=self.event,
            cause=self.cause,
            case=self.case,
            models=self.model,
            n_rows=_count(self.rows),
            cohort=self.cohort,
            apart=self.apart,
            complete=self.complete,
            origin=self.origin,
            unit=self.unit,
            n_records=n_records,
            drop=self.drop or [],
            method=self.method,
            weights=_weights(self.weight or []),
            balance=self.balance,
            effort=self.effort,
            many_levels=self.many_levels,
            seed=seed,
        )


def _count(rows: str) -> int | None:
    """A number of rows, or None for as many as the counts call for."""
    if rows == "auto":
        return None
    if not rows.isdecimal():
        raise SettingError(f'The number of rows (--rows) is "{rows}"; expected a number, or auto.')
    return int(rows)


def _weights(given: list[str]) -> dict[str, float]:
    """``["tree=2"]`` to ``{"tree": 2.0}``."""
    weights = {}
    for text in given:
        name, _, value = text.rpartition("=")
        try:
            weights[name] = float(value)
        except ValueError:
            name = ""
        if not name:
            raise SettingError(f"The weight {text!r} cannot be read; expected MODEL=NUMBER.")
    return weights
