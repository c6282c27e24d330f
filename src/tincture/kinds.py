"""The kinds of data there are: one line each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tincture.errors import ReleaseError, SettingError
from tincture.federation.consortium import Consortium
from tincture.io.frames import read_table
from tincture.public.dialect import Dialect
from tincture.public.schema import Schema
from tincture.spine.estimator import Releasing
from tincture.spine.release import Release, kind_of, read_package
from tincture.stays.condenser import SeriesCondenser
from tincture.stays.release import CondensedSeries
from tincture.tables.condenser import Condenser
from tincture.tables.release import CondensedTable

KINDS: dict[str, type[Release]] = {"rows": CondensedTable, "stays": CondensedSeries}
ESTIMATORS: dict[str, Callable[..., Releasing]] = {"rows": Condenser, "stays": SeriesCondenser}


def load(path: str | Path) -> Release:
    """Read a release of whatever kind.

    Raises
    ------
    ReleaseError
        If it is none, or of a kind that is not known here.
    """
    kind = kind_of(read_package(Path(path)))
    if kind not in KINDS:
        raise ReleaseError(f"{path} is a release of {kind!r}; expected {' or '.join(KINDS)}.")
    return KINDS[kind].load(path)


def source_at(kind: str, records: Path, outcomes: Path | None, dialect: Dialect) -> Any:
    """What a job of this kind seals, from the files of a site.

    Parameters
    ----------
    kind : str
        Of data.
    records : path
        Rows; or events of stays, which are read at the vault's door.
    outcomes : path or None
        Of stays, if they do not lie beside the events.
    dialect : Dialect
        Of the schema that tells how the files are written.

    Raises
    ------
    SettingError
        If rows are given outcomes.
    TableError
    """
    if kind == "stays":
        return records, outcomes
    if outcomes is not None:
        raise SettingError("Outcomes (--outcomes) are of stays; those of rows lie among them.")
    return read_table(records, dialect)


def estimator_of(consortium: Consortium, own: str | Path | None = None) -> Releasing:
    """With the settings that all sites agreed on.

    Parameters
    ----------
    consortium : Consortium
    own : path, optional
        A site's own schema, which tells how its cells are written where that is not as agreed.

    Raises
    ------
    SettingError
        If they are of another kind of data, or none of its settings.
    SchemaError
        If a site's own schema tells anything else.
    """
    schema = consortium.schema
    if own is not None:
        schema = schema.written_as(Schema.load(own), str(own))
    try:
        return ESTIMATORS[consortium.kind](schema=schema, **consortium.settings)
    except (KeyError, TypeError):
        raise SettingError(
            f"The consortium is of {consortium.kind!r} or has settings that are not known here; "
            f"expected {' or '.join(ESTIMATORS)}, and the settings of the estimator."
        ) from None
