"""A table that lies in several files of a folder, read a batch after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tincture.errors import TableError
from tincture.io.readers import read_source
from tincture.io.readers.formats import LABELLED, PARQUET, TEXT, Source, located, named
from tincture.io.readers.guard import read_with
from tincture.io.readers.labelled import BATCH as STREAM
from tincture.io.readers.labelled import Labelled
from tincture.public.dialect import DIALECT, Dialect

BATCH = 65_536  # records read at once


@dataclass(frozen=True, slots=True)
class Partitioned:
    """Records of one table in several files of one format, each with all columns.

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
            If there are none, or of two formats, or links, by which records could count twice.
        """
        folder = Path(self.folder)
        if not folder.is_dir():
            raise TableError(f"{folder} is no folder; expected one of Parquet, CSV or other files.")
        below = [p for p in folder.rglob("*") if not _is_hidden(p.relative_to(folder))]
        if any(path.is_symlink() for path in below):
            raise TableError(f"{folder} holds links; expected the files of the parts themselves.")
        formats = {path: _format(path) for path in sorted(below) if path.is_file()}
        titles = sorted({title for title in formats.values() if title is not None})
        if len(titles) > 1:
            raise TableError(
                f"{folder} holds {' and '.join(titles)} files; expected parts of one format."
            )
        if not titles:
            raise TableError(
                f"{folder} holds no Parquet or CSV file, nor any other that is read; expected "
                "parts of a table."
            )
        return [path for path, title in formats.items() if title is not None]

    def tables(
        self, size: int | None = None, dialect: Dialect = DIALECT
    ) -> Iterator[tuple[str, pl.DataFrame]]:
        """The name of each part, with so many of its records at most, or with all of them.

        Parameters
        ----------
        size : int, optional
            Records at once; by default those of a part.
        dialect : Dialect
            How text is written.

        Raises
        ------
        TableError
            If a part cannot be read; as for `tincture.io.frames.read_table`.
        """
        for done, path in enumerate(parts := self.parts):
            if self.progress is not None:
                self.progress(done, len(parts))
            for batch in _batches(located(path), dialect, size is not None):
                for table in batch.iter_slices(size or len(batch)):
                    yield str(path.relative_to(self.folder)), table


def _is_hidden(path: Path) -> bool:
    return any(name.startswith((".", "_")) for name in path.parts)


def _format(path: Path) -> str | None:
    """The title of a part's format; a .txt beside them is no part."""
    found = named(path)
    is_told = found is not None and (found[0] is not TEXT or ".txt" not in path.name.lower())
    return found[0].title if found is not None and is_told else None


def _batches(source: Source, dialect: Dialect, is_streamed: bool) -> Iterator[pl.DataFrame]:
    """Records of a part, of which only they are in memory where its format allows it."""
    path = source.path
    if not is_streamed or source.format not in (PARQUET, *LABELLED):
        yield read_source(source, dialect).frame
    elif source.format is PARQUET:
        lazy = pl.scan_parquet(path, glob=False, hive_partitioning=False)
        whole = "a whole Parquet file"
        n_records: int = read_with(path, lambda: lazy.select(pl.len()).collect().item(), whole)
        for start in range(0, n_records, BATCH):
            some = lazy.slice(start, BATCH)
            yield read_with(path, some.collect, whole)
    else:
        yield from Labelled(source).frames(STREAM)
