"""Libraries that are extras: there, or one sentence that names what lacks."""

from __future__ import annotations

import contextlib
import importlib
from typing import Any

from tincture.errors import SettingError

NAMES = {"python_calamine": "python-calamine", "xlsxwriter": "XlsxWriter"}  # to who installs them


def library(module: str, purpose: str, *, extra: str = "formats", otherwise: str = "") -> Any:
    """A module of an extra.

    Parameters
    ----------
    module : str
        As it is imported.
    purpose : str
        What needs it, as a sentence begins.
    extra : str
        Of ours that installs it.
    otherwise : str
        How the sentence ends, where there is another way.

    Raises
    ------
    SettingError
        If it is not installed.
    """
    with contextlib.suppress(ImportError):
        return importlib.import_module(module)
    name = module.partition(".")[0]
    raise SettingError(
        f"{purpose} needs {NAMES.get(name, name)}, which is not installed; run "
        f'pip install "tincture[{extra}]"{otherwise}.'
    )
