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
WHOLE = "a whole Parquet file"


@dataclass(frozen=True, slots=True)
class Part:
    """One of the files.

    Attributes
    ----------
    path : Path
    name : str
        Within the folder.
    """

    path: Path
    name: str

    def tables(self, size: int | None = None, dialect: Dialect = DIALECT) -> Iterator[pl.DataFrame]:
        """Its records in their order.

        Parameters
        ----------
        size : int, optional
            Records at once at most; by default all.
        dialect : Dialect
            How text is written.

        Raises
        ------
        TableError
            If it cannot be read; as for `tincture.io.frames.read_table`.
        """
        for batch in _batches(located(self.path), dialect, size is not None):
            yield from batch.iter_slices(size or len(batch))

    def count(self, dialect: Dialect = DIALECT) -> int:
        """Its records, of which Parquet tells the number by itself.

        Raises
        ------
        TableError
            As `tables`.
        """
        source = located(self.path)
        if source.format is PARQUET:
            return _scanned(source.path)[1]
        return sum(len(batch) for batch in _batches(source, dialect, True))


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
    workers : int, optional
        Processes of this machine that read the parts; by default this one does alone. They need
        the extra ``cluster``, and change no byte of what is made.
    scheduler : str, optional
        Instead, the address of a Dask scheduler whose workers do, where the folder has this path
        too.
    """

    folder: str | Path
    progress: Callable[[int, int], None] | None = None
    workers: int | None = None
    scheduler: str | None = None

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

    @property
    def is_spread(self) -> bool:
        """Whether others than this process read the parts."""
        return self.workers is not None or self.scheduler is not None

    def listed(self) -> list[Part]:
        """The files with their names, by paths that workers on other machines know too.

        Raises
        ------
        TableError
            As `parts`.
        """
        names = [(path, str(path.relative_to(self.folder))) for path in self.parts]
        is_near = self.scheduler is None
        return [Part(path if is_near else path.absolute(), name) for path, name in names]

    def tell(self, done: int, total: int) -> None:
        """Whom it is told how many parts were read."""
        if self.progress is not None:
            self.progress(done, total)


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
        lazy, n_records = _scanned(path)
        for start in range(0, n_records, BATCH):
            yield read_with(path, lazy.slice(start, BATCH).collect, WHOLE)
    else:
        yield from Labelled(source).frames(STREAM)


def _scanned(path: Path) -> tuple[pl.LazyFrame, int]:
    """A file of Parquet, to be read, and how many records it has."""
    lazy = pl.scan_parquet(path, glob=False, hive_partitioning=False)
    return lazy, read_with(path, lambda: lazy.select(pl.len()).collect().item(), WHOLE)
