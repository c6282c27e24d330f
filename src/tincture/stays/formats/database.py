"""A folder of a database: tables by their public names, their stays and what lies beside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from tincture.errors import SettingError, TableError
from tincture.io.frames import FAULTS, read_table
from tincture.io.readers.formats import GZIP, TEXT
from tincture.public.cells import identity
from tincture.public.times import moments
from tincture.stays.events.members import KEY, STAY, Members
from tincture.stays.formats.presets import PRESETS, Columns, Preset
from tincture.stays.formats.source import (
    END,
    START,
    Source,
    Wanted,
    identified,
    scans,
    table_of,
    types_of,
    with_known,
)
from tincture.stays.formats.tables import first_of, hand_on
from tincture.stays.layout import Use

DIED = "died"
SUFFIXES = (*TEXT.suffixes, *GZIP.suffixes, ".parquet")
Files = Mapping[str, list[Path]]  # by the name of the table, in small letters


def files_of(folder: Path) -> Files:
    """Tables of a folder, else of the folders in it: CSV, also packed, Parquet, or parts of it."""
    found: dict[str, list[Path]] = {}
    inner = [p for p in sorted(folder.iterdir()) if p.is_dir() and not p.name.startswith(".")]
    for place in (folder, *inner):
        here: dict[str, list[Path]] = {}
        for path in sorted(p for p in place.iterdir() if p.is_file()):
            if path.name.startswith(".") or path.suffix.lower() not in SUFFIXES:
                continue
            names = {path.name.split(".")[0].lower()}
            if place != folder and path.suffix.lower() == ".parquet":
                names.add(place.name.lower())
            for name in names:
                here.setdefault(name, []).append(path)
        found = here | found  # a table of the same name elsewhere may be an old one
    return found


def preset_of(files: Files) -> Preset | None:
    """The layout whose table of stays and one of events are there."""
    for preset in PRESETS:
        if preset.stays.lower() in files and any(name.lower() in files for name in preset.tables):
            return preset
    return None


class Database:
    """The tables of a folder.

    Parameters
    ----------
    folder : Path
    preset : Preset
    files : mapping
        As `files_of` finds them.
    wanted : Wanted

    Raises
    ------
    SettingError
        If stays are named by another column than that of the preset.
    """

    def __init__(self, folder: Path, preset: Preset, files: Files, wanted: Wanted) -> None:
        self._folder, self._preset, self._files, self._wanted = folder, preset, files, wanted
        self._stay = preset.form.stay
        if wanted.stay != self._stay:
            raise SettingError(
                f"The folder {folder} is laid out as {preset.name}, whose stays are named by "
                f"{self._stay!r}; say --id {self._stay}, or give one of its tables."
            )

    def open(self, outcomes: Any) -> Source:
        """Its events, and the outcomes, a frame or a path, with what is known of each stay.

        Without outcomes, the table of stays is them.

        Raises
        ------
        TableError
        """
        known = self._known()
        table = known
        if outcomes is not None:
            table = table_of(outcomes, self._wanted.dialect)
            if self._stay not in table.columns:
                raise TableError(f"The outcomes have no column {self._stay!r}.")
            known = known.drop(START) if END in table.columns and START in known.columns else known
            table = with_known(table, known, self._stay)
        table = self._with_deaths(table)
        frames = {name: self._frames(name, columns) for name, columns in self._there()}

        def each(use: Use) -> None:
            for name, columns in self._there():
                for frame in frames[name]:
                    self._hand_on(name, frame, columns, use)

        return Source(self._preset.form, each, table)

    def _there(self) -> Iterable[tuple[str, Columns]]:
        tables = self._preset.tables.items()
        return [(name, columns) for name, columns in tables if name.lower() in self._files]

    def _where(self, name: str) -> str:
        return f"The events in the table {name} of {self._folder}"

    def _frames(self, name: str, columns: Columns) -> list[pl.LazyFrame]:
        where = self._where(name)
        if columns.by and columns.by not in self._stays.columns:
            raise TableError(
                f"The table {self._preset.stays} of {self._folder} has no column {columns.by!r}, "
                f"by which {name} names stays; copy the table again."
            )
        needed = {columns.by or self._stay, columns.variable, columns.value} - {""}
        scanned = scans(_one(self._files, name), where, self._wanted.dialect)
        frames = [_spelled(frame, needed, where) for frame in scanned]
        for types in (types_of(frame, where) for frame in frames):
            if not set(columns.times) & set(types):
                needed |= {columns.times[0]}
            if lacks := sorted(needed - set(types)):
                raise TableError(f"{where} have no column {lacks[0]!r}; copy the table again.")
        return frames

    def _hand_on(self, name: str, frame: pl.LazyFrame, columns: Columns, use: Use) -> None:
        where, variables = self._where(name), self._wanted.variables
        if columns.by:
            use = self._through(columns.by, use)
        hand_on(frame, columns.by or self._stay, columns, variables, where, use)

    def _through(self, by: str, use: Use) -> Use:
        """Events that name something of several stays, as events of each of these."""
        stays = self._stays.filter(pl.col(by).is_not_null())
        among = Members([identity(name) for name in identified(stays[by])])
        names = stays[self._stay]

        def take(batch: pl.DataFrame) -> None:
            mine = among.among(batch, by)
            for some, rows in among.rows(mine[KEY].to_numpy()):
                part = mine if isinstance(some, slice) else mine[some]
                use(part.drop(KEY).with_columns(names.gather(rows).alias(STAY)))

        return take

    def _known(self) -> pl.DataFrame:
        """All that the folder tells of each stay, and when it starts."""
        self._stays = table = self._read(self._preset.stays, self._stay)
        for name, by in self._preset.beside.items():
            if name.lower() in self._files and by in table.columns:
                table = _joined(table, self._read(name, by), by)
        if set(self._preset.starts) & set(table.columns):
            start = first_of(self._preset.starts, table.schema).alias(START)
            table = table.with_columns(start)
        return table

    def _read(self, name: str, by: str) -> pl.DataFrame:
        where = f"The table {name} of {self._folder}"
        parts = [read_table(path, self._wanted.dialect) for path in _one(self._files, name)]
        try:
            table = pl.concat(parts, how="diagonal_relaxed")
        except FAULTS:
            table = pl.DataFrame()
        table = table.rename(_small(table.columns, {by}))
        if by not in table.columns:
            raise TableError(f"{where} has no column {by!r}; copy the table again.")
        return table

    def _with_deaths(self, table: pl.DataFrame) -> pl.DataFrame:
        """Whether somebody died from the first to the last day of the stay, where dates tell."""
        dies = self._preset.dies
        if not dies or DIED in table.columns or not set(dies) <= set(table.columns):
            return table
        days = [
            moments(table[name], f"The column {name!r} of {self._folder}").values.dt.date()
            for name in dies
        ]
        death, first, last = (pl.lit(day) for day in days)
        within = (death >= first) & ((death <= last) | last.is_null())
        return table.with_columns(pl.select(within.fill_null(False).alias(DIED)).to_series())


def _one(files: Files, name: str) -> list[Path]:
    """The files of a table: all parts in Parquet, or one text."""
    found = files[name.lower()]
    return [p for p in found if p.suffix.lower() == ".parquet"] or found[:1]


def _small(names: list[str], needed: set[str]) -> dict[str, str]:
    """New names in small letters, where a header is written in capitals."""
    small = {name: name.lower() for name in names}
    is_capital = not needed <= set(names) and needed <= set(small.values())
    return small if is_capital and len(set(small.values())) == len(names) else {}


def _spelled(frame: pl.LazyFrame, needed: set[str], where: str) -> pl.LazyFrame:
    return frame.rename(_small(types_of(frame, where).names(), needed))


def _joined(table: pl.DataFrame, other: pl.DataFrame, by: str) -> pl.DataFrame:
    """A table with the columns of another that has the same names in ``by``."""
    keep = [c for c in other.columns if c not in table.columns]
    right = other.select(identified(other[by]).alias("\0by"), *keep)
    left = table.with_columns(identified(table[by]).alias("\0by"))
    return left.join(right, on="\0by", how="left", maintain_order="left").drop("\0by")
