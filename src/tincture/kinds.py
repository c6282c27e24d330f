"""The kinds of data there are: one line each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tincture.errors import ReleaseError, SettingError
from tincture.federation.consortium import Consortium
from tincture.spine.estimator import Releasing
from tincture.spine.release import Release, kind_of, read_package
from tincture.stays.release import CondensedSeries
from tincture.tables.condenser import Condenser
from tincture.tables.release import CondensedTable

KINDS: dict[str, type[Release]] = {"rows": CondensedTable, "stays": CondensedSeries}
ESTIMATORS: dict[str, Callable[..., Releasing]] = {"rows": Condenser}  # that several sites can run


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


def estimator_of(consortium: Consortium) -> Releasing:
    """With the settings that all sites agreed on.

    Raises
    ------
    SettingError
        If they are of another kind of data, or none of its settings.
    """
    try:
        return ESTIMATORS[consortium.kind](schema=consortium.schema, **consortium.settings)
    except (KeyError, TypeError):
        raise SettingError(
            f"The consortium is of {consortium.kind!r} or has settings that are not known here; "
            f"expected {' or '.join(ESTIMATORS)}, and the settings of the estimator."
        ) from None
