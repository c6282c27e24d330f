"""Commands that write what several sites agree on, of rows and of stays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from tincture.cli.console import Delta, FiniteEpsilon
from tincture.cli.federating import MASKED
from tincture.cli.wanted import Wanted
from tincture.cli.wanted_stays import WantedStays
from tincture.errors import SchemaError

if TYPE_CHECKING:
    from tincture.spine.estimator import Releasing


@dataclass(frozen=True, slots=True)
class Agreeing:
    """What every consortium agrees on of its sites."""

    sites: Annotated[
        str, typer.Option(help="Names of the sites, with commas between.", metavar="NAME,NAME")
    ]
    out: Annotated[Path, typer.Option(help="File to create.")]
    trust: Annotated[
        str,
        typer.Option(
            help="Whom a site trusts: nobody. Experimental: everyone, or how many other sites may "
            "collude with the server; sites then send masked sums.",
        ),
    ] = "nobody"
    key: Annotated[
        list[str] | None,
        typer.Option(
            help="A site's public key where sums are masked, as `tincture site key` printed it; "
            "one a site.",
            metavar="SITE=KEY",
        ),
    ] = None
    balance_sites: Annotated[
        bool,
        typer.Option("--balance-sites", help="Let all sites count alike, however large each is."),
    ] = False
    seed: Annotated[int, typer.Option(help="Of the search; the noise takes none.")] = 0

    def write(self, made: Callable[[], Releasing]) -> None:
        """Write what sites agree on of an estimator, which is made when it is sure to be needed.

        Raises
        ------
        SettingError, ReleaseError
        """
        from tincture.federation.consortium import Consortium
        from tincture.io.files import json_bytes, require_new, write_file

        require_new(self.out)
        names = tuple(name.strip() for name in self.sites.split(","))
        keys = dict(text.partition("=")[::2] for text in self.key or ())
        agreed = Consortium.of(
            made(), names, self.trust, balance_sites=self.balance_sites, keys=keys
        )
        write_file(self.out, json_bytes(agreed.to_dict()))
        console = Console(soft_wrap=True)
        console.print(f"{self.out} has the digest {agreed.digest}", markup=False)
        if agreed.holders > 1:
            console.print(MASKED, markup=False)


def draft(
    schema: Annotated[Path, typer.Option(help="Frictionless Table Schema, JSON or YAML.")],
    epsilon: FiniteEpsilon,
    delta: Delta,
    agreeing: Agreeing,
    wanted: Wanted,
) -> None:
    """Write what all sites are to agree on: schema, settings, names, with digests of each.

    Example:

    tincture consortium draft --schema records.schema.json --target died --epsilon 1 --delta 1e-5
    --sites north,south,east --out consortium.json
    """
    from tincture.public.schema import Schema

    def made() -> Releasing:
        described = Schema.load(schema)
        if any(column.role == "variable" for column in described.columns):
            raise SchemaError(
                f'{schema} declares what is measured over time ("role": "variable"); draft a '
                "consortium of stays by `tincture consortium draft-series`."
            )
        return wanted.condenser(described, epsilon, delta, agreeing.seed)

    agreeing.write(made)


def draft_series(
    schema: Annotated[Path, typer.Option(help="Table Schema with roles, JSON or YAML.")],
    epsilon: FiniteEpsilon,
    delta: Delta,
    agreeing: Agreeing,
    wanted: WantedStays,
) -> None:
    """Write what all sites are to agree on where they condense stays; as draft does for rows.

    Example:

    tincture consortium draft-series --schema schema.json --target in_hospital_death --epsilon 4
    --delta 1e-5 --sites north,south,east --out consortium.json
    """
    agreeing.write(lambda: wanted.condenser(schema, epsilon, delta, agreeing.seed))
