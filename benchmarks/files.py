"""What it takes to read files of other software, beside the library that reads them.

    python benchmarks/files.py make FOLDER
    python benchmarks/files.py ours FOLDER/table.sav
    python benchmarks/files.py library FOLDER/table.sav

Each reading is to be a process of its own; it prints processor seconds and the peak of memory.
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path

N_RECORDS = 1_000_000


def make(folder: Path) -> None:
    """Twelve amounts, six coded columns and two of words."""
    import numpy as np
    import pandas as pd
    import pyreadstat

    rng = np.random.default_rng(0)
    amounts = {f"x{i}": rng.normal(50, 20, N_RECORDS).round(1) for i in range(12)}
    codes = {f"k{i}": rng.integers(0, 5, N_RECORDS).astype(float) for i in range(6)}
    words = {f"s{i}": rng.choice(["male", "female", "other"], N_RECORDS) for i in range(2)}
    table = pd.DataFrame(amounts | codes | words)
    pyreadstat.write_sav(table, folder / "table.sav")
    pyreadstat.write_sav(table, folder / "table.zsav", compress=True)
    pyreadstat.write_dta(table, folder / "table.dta")
    pyreadstat.write_xport(table, folder / "table.xpt")


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


def tell(who: str, path: Path, start: float) -> None:
    """Print what was taken; memory in GB as Linux counts it."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{who} {path.name}: {time.process_time() - start:.1f} CPU-seconds, {peak:.2f} GB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["make", "ours", "library"])
    parser.add_argument("path", type=Path)
    told = parser.parse_args()
    {"make": make, "ours": ours, "library": library}[told.what](told.path)
