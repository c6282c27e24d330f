"""A table that lies in several files of a folder, read a batch after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tincture.errors import TableError
from tincture.io.frames import read_table, read_with

PARQUET, CSV = (".parquet",), (".csv", ".tsv", ".csv.gz", ".tsv.gz")
BATCH = 65_536  # records read at once


@dataclass(frozen=True, slots=True)
class Partitioned:
    """Records of one table in several Parquet or CSV files, each with all columns.

    Parameters
    ----------
    folder : path
        All such files in it and below are parts, in the order of their names, but for those whose
        name, or whose folder's, begins with a dot or ``_``: writers leave unfinished copies there.
    progress : callable, optional
        Told the parts read and the parts in all.
    """

    folder: str | Path
    progress: Callable[[int, int], None] | None = None

    @property
    def parts(self) -> list[Path]:
        """The files.

        Raises
        ------
        TableError
            If there are none, or of both kinds, or links, by which records could count twice.
        """
        folder = Path(self.folder)
        if not folder.is_dir():
            raise TableError(f"{folder} is no folder; expected one of Parquet or CSV files.")
        below = [p for p in folder.rglob("*") if not _is_hidden(p.relative_to(folder))]
        if any(path.is_symlink() for path in below):
            raise TableError(f"{folder} holds links; expected the files of the parts themselves.")
        everything = sorted(path for path in below if path.is_file())
        found = [[p for p in everything if p.name.lower().endswith(k)] for k in (PARQUET, CSV)]
        if all(found):
            raise TableError(f"{folder} holds Parquet and CSV files; expected parts of one kind.")
        if not any(found):
            raise TableError(f"{folder} holds no Parquet or CSV file; expected parts of a table.")
        return found[0] or found[1]

    def tables(self, size: int | None = None) -> Iterator[tuple[str, pl.DataFrame]]:
        """The name of each part, with so many of its records at most, or with all of them.

        Raises
        ------
        TableError
            If a part cannot be read; as for `tincture.io.frames.read_table`.
        """
        for done, path in enumerate(parts := self.parts):
            if self.progress is not None:
                self.progress(done, len(parts))
            is_streamed = size is not None and path.name.lower().endswith(PARQUET)
            for batch in _batches(path) if is_streamed else [read_table(path)]:
                for table in batch.iter_slices(size or len(batch)):
                    yield str(path.relative_to(self.folder)), table


def _is_hidden(path: Path) -> bool:
    return any(name.startswith((".", "_")) for name in path.parts)


def _batches(path: Path) -> Iterator[pl.DataFrame]:
    """Of a Parquet file, of which only they are in memory."""
    lazy = pl.scan_parquet(path, glob=False, hive_partitioning=False)
    n_records: int = read_with(path, lambda: lazy.select(pl.len()).collect().item())
    for start in range(0, n_records, BATCH):
        some = lazy.slice(start, BATCH)
        yield read_with(path, some.collect)
