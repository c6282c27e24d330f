"""What it takes to read files of other software, beside the library that reads them.

    python benchmarks/files.py make FOLDER
    python benchmarks/files.py ours FOLDER/table.sav
    python benchmarks/files.py library FOLDER/table.sav
    python benchmarks/files.py excel FOLDER/table.xlsx

Each reading of the first is to be a process of its own; it prints processor seconds and the peak of
memory. Workbooks are read in turn by both in one process, and the medians are compared.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import time
from collections.abc import Callable
from pathlib import Path

N_RECORDS = 1_000_000
N_LINES = 50_000  # of a workbook
TURNS = 15


def make(folder: Path) -> None:
    """Twelve amounts, six coded columns and two of words."""
    import numpy as np
    import pandas as pd
    import pyreadstat
    import xlsxwriter

    rng = np.random.default_rng(0)
    amounts = {f"x{i}": rng.normal(50, 20, N_RECORDS).round(1) for i in range(12)}
    codes = {f"k{i}": rng.integers(0, 5, N_RECORDS).astype(float) for i in range(6)}
    words = {f"s{i}": rng.choice(["male", "female", "other"], N_RECORDS) for i in range(2)}
    table = pd.DataFrame(amounts | codes | words)
    pyreadstat.write_sav(table, folder / "table.sav")
    pyreadstat.write_sav(table, folder / "table.zsav", compress=True)
    pyreadstat.write_dta(table, folder / "table.dta")
    pyreadstat.write_xport(table, folder / "table.xpt")
    with xlsxwriter.Workbook(folder / "table.xlsx", {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, table.columns)
        for i, row in enumerate(table.head(N_LINES).itertuples(index=False), 1):
            sheet.write_row(i, 0, row)


def ours(path: Path) -> None:
    """By the reader that every command uses."""
    from tincture.io.frames import read_table

    start = time.process_time()
    read_table(path)
    tell("ours", path, start)


def library(path: Path) -> None:
    """By pyreadstat alone, as it comes."""
    import pyreadstat

    readers = {".dta": pyreadstat.read_dta, ".xpt": pyreadstat.read_xport}
    start = time.process_time()
    readers.get(path.suffix, pyreadstat.read_sav)(path)
    tell("library", path, start)


def excel(path: Path) -> None:
    """A workbook by our reader and by python-calamine alone, in turn."""
    from python_calamine import CalamineWorkbook

    from tincture.io.frames import read_table

    def alone() -> None:
        with CalamineWorkbook.from_path(str(path)) as book:
            book.get_sheet_by_index(0).to_python()

    turns = [(taken(lambda: read_table(path)), taken(alone)) for _ in range(TURNS)]
    ours, theirs = (statistics.median(x) for x in zip(*turns, strict=True))
    ratio = statistics.median(x / y for x, y in turns)
    print(f"ours {ours:.2f}, library {theirs:.2f} CPU-seconds; ratio {ratio:.2f}")


def taken(read: Callable[[], object]) -> float:
    """Processor seconds."""
    start = time.process_time()
    read()
    return time.process_time() - start


def tell(who: str, path: Path, start: float) -> None:
    """Print what was taken; memory in GB as Linux counts it."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{who} {path.name}: {time.process_time() - start:.1f} CPU-seconds, {peak:.2f} GB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["make", "ours", "library", "excel"])
    parser.add_argument("path", type=Path)
    told = parser.parse_args()
    {"make": make, "ours": ours, "library": library, "excel": excel}[told.what](told.path)
