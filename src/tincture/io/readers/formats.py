"""Formats of tables, by the ending of a file's name; what a file begins with must agree."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tincture.errors import TableError

HEAD = 1024  # bytes, by which a format is known


@dataclass(frozen=True, slots=True)
class Format:
    """A format of tables.

    Parameters
    ----------
    title : str
        As people call it.
    suffixes : tuple of str
        Endings of file names, in small letters.
    begins : str
        Pattern of its first bytes; of text there is none.
    """

    title: str
    suffixes: tuple[str, ...]
    begins: str = ""

    def fits(self, head: bytes) -> bool:
        """Whether a file of it begins so."""
        return re.match(self.begins.encode("latin-1"), head, re.DOTALL) is not None


TEXT = Format("CSV", (".csv", ".tsv", ".txt"))
PARQUET = Format("Parquet", (".parquet", ".pq"), "PAR1")
SPSS = Format("SPSS", (".sav", ".zsav"), r"\$FL[23]")
PORTABLE = Format("portable SPSS", (".por",), r".{0,600}SPSSPORT")
STATA = Format("Stata", (".dta",), r"<stata_dta>|[\x66-\x73][\x01\x02]\x01")
SAS = Format("SAS", (".sas7bdat",), r"\x00{12}\xc2\xea\x81\x60\xb3\x14\x11\xcf")
TRANSPORT = Format("SAS transport", (".xpt", ".xport"), r"HEADER RECORD\*{7}LIB")
EXCEL = Format("Excel", (".xlsx", ".xlsm"), r"PK\x03\x04")
R = Format("R", (".rds", ".rdata", ".rda"), r"RD[ABX][23]\r?\n|[ABX]\r?\n")
FORMATS = (TEXT, PARQUET, SPSS, PORTABLE, STATA, SAS, TRANSPORT, EXCEL, R)
LABELLED = (SPSS, PORTABLE, STATA, SAS, TRANSPORT)

GZIP = Format("gzip", (".gz",), r"\x1f\x8b")
BZIP2 = Format("bzip2", (".bz2",), r"BZh")
XZ = Format("xz", (".xz",), r"\xfd7zXZ\x00")
ZIP = Format("zip", (".zip",), r"PK\x03\x04")
PACKINGS = (GZIP, BZIP2, XZ, ZIP)
OTHERS = (
    Format("old Excel or locked with a password", (".xls",), r"\xd0\xcf\x11\xe0"),
    Format("zstd", (".zst",), r"\x28\xb5\x2f\xfd"),
    Format("Feather", (".feather",), "ARROW1"),
)
# A text could begin as the others do.
TOLD = (PARQUET, SPSS, PORTABLE, SAS, TRANSPORT, *PACKINGS, *OTHERS, Format("Stata", (), "<stata_"))
ENDINGS = ", ".join(s for f in FORMATS for s in f.suffixes[:2])


@dataclass(frozen=True, slots=True)
class Source:
    """A table that lies in a file.

    Parameters
    ----------
    path : Path
    format : Format
    packing : Format or None
        Of a packed text.
    part : str or None
        Which table of the file: a sheet, an object of R, a member of a zip archive.
    """

    path: Path
    format: Format
    packing: Format | None = None
    part: str | None = None

    @property
    def head(self) -> bytes:
        """The first bytes."""
        with self.path.open("rb") as file:
            return file.read(HEAD)

    @property
    def is_tabbed(self) -> bool:
        """Whether the name says that tabs stand between cells."""
        return ".tsv" in (s.lower() for s in self.path.suffixes)


def named(path: Path) -> tuple[Format, Format | None] | None:
    """The format and packing that a name tells, or None."""
    suffix = path.suffix.lower()
    packing = next((p for p in PACKINGS if suffix in p.suffixes), None)
    if packing is not None:
        inner = Path(path.stem).suffix.lower()
        return (TEXT, packing) if inner in TEXT.suffixes or packing is ZIP or not inner else None
    found = next((f for f in FORMATS if suffix in f.suffixes), None)
    return None if found is None else (found, None)


def located(path: str | Path) -> Source:
    """The table that a path means: a file, or ``file#part``.

    Raises
    ------
    TableError
        If there is no such file, its ending is not known, or it is no file of its ending.
    """
    whole, part = _divided(path)
    if not whole.is_file():
        found = "is a directory" if whole.is_dir() else "does not exist"
        raise TableError(f"The table {whole} {found}; give a file, such as a CSV or Parquet file.")
    told = named(whole)
    if told is None:
        raise TableError(
            f"The table {whole} has an ending that is not known; expected {ENDINGS}, or a packed "
            "text such as .csv.gz. Unpack the file, or give it the ending of what it is."
        )
    source = Source(whole, *told, part)
    if part is not None and not (source.format in (EXCEL, R) or source.packing is ZIP):
        raise TableError(f"The file {whole} holds one table; leave out #{part}.")
    return _as_named(source)


def _divided(path: str | Path) -> tuple[Path, str | None]:
    """The file and the part of it."""
    text = str(path)
    for place in (i for i, c in enumerate(text) if c == "#" and not Path(path).exists()):
        if Path(text[:place]).is_file():
            return Path(text[:place]), text[place + 1 :]
    return Path(path), None


def _as_named(source: Source) -> Source:
    """The same, if it begins as its ending says."""
    try:
        head = source.head
    except OSError:
        head = None
    if head is None:
        raise TableError(f"The table {source.path} cannot be opened; check who may read it.")
    expected = source.packing or source.format
    is_packed = source.format is R and any(p.fits(head) for p in (GZIP, BZIP2, XZ))
    if not head or is_packed or (expected.fits(head) and expected is not TEXT):
        return source
    other = next((f for f in TOLD if f.fits(head)), None)
    if other is not None:
        raise TableError(
            f"The table {source.path} is {other.title} by its content, and not {expected.title} "
            "as its ending says; give it the ending of what it is, or save it anew."
        )
    if expected is not TEXT:
        raise TableError(
            f"The table {source.path} cannot be read: it does not begin as {expected.title} does; "
            "give it the ending of what it is, or copy the file again."
        )
    return source
