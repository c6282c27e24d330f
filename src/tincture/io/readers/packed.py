"""Files that are packed, unpacked to a size that they can be trusted with."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from pathlib import Path
from typing import IO, Any

from tincture.errors import TableError
from tincture.io.readers.formats import BZIP2, GZIP, TEXT, XZ, ZIP, Format
from tincture.public.fields import listed

MOST, RATIO = 1 << 26, 100  # bytes, or as many times the size of the file: a bomb is more
CHUNK = 1 << 20
OPENERS: dict[str, Any] = {GZIP.title: gzip.open, BZIP2.title: bz2.open, XZ.title: lzma.open}


def most_bytes(path: Path) -> int:
    """What a file may unpack to."""
    return max(MOST, RATIO * path.stat().st_size)


def refuse_bomb(path: Path) -> None:
    """Raise the sentence about a file that unpacks to more.

    Raises
    ------
    TableError
    """
    raise TableError(
        f"The table {path} unpacks to more than {RATIO} times its size; if you know that it is "
        "sound, unpack it yourself, or save it unpacked."
    )


def unpacked(path: Path, packing: Format | None, part: str | None = None) -> bytes:
    """The content of a packed file, or of a member of an archive.

    Raises
    ------
    TableError
        If it unpacks to too much, or the member cannot be told.
    """
    if packing is None:
        return path.read_bytes()
    if packing is ZIP:
        with zipfile.ZipFile(path) as archive, archive.open(_member(path, archive, part)) as file:
            return _bounded(path, file)
    with OPENERS[packing.title](path) as file:
        return _bounded(path, file)


def unpacked_archive(path: Path, suffixes: tuple[str, ...]) -> IO[bytes]:
    """A zip archive with members of these endings alone, unpacked.

    So each is read once, and neither damaged nor longer than it says: whoever reads on need not
    unpack it again.

    Raises
    ------
    TableError
        If its members unpack to too much.
    BadZipFile
        If one is damaged.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(out, "w") as copy:
        if sum(member.file_size for member in archive.infolist()) > most_bytes(path):
            refuse_bomb(path)
        for name in archive.namelist():
            if name.lower().endswith(suffixes):
                copy.writestr(name, archive.read(name))
    out.seek(0)
    return out


def _bounded(path: Path, file: IO[bytes]) -> bytes:
    content, most = bytearray(), most_bytes(path)
    while more := file.read(CHUNK):
        content += more
        if len(content) > most:
            refuse_bomb(path)
    return bytes(content)


def _member(path: Path, archive: zipfile.ZipFile, part: str | None) -> str:
    """The one text of an archive, or that which is named."""
    names = [
        m.filename
        for m in archive.infolist()
        if Path(m.filename).suffix.lower() in TEXT.suffixes
        and not m.filename.startswith("__MACOSX/")
    ]
    wanted = names if part is None else [name for name in names if name == part]
    if len(wanted) == 1:
        if archive.getinfo(wanted[0]).flag_bits & 1:
            raise TableError(f"The archive {path} is locked with a password; unpack it yourself.")
        return wanted[0]
    raise TableError(
        f"The archive {path} holds {listed(names) if names else 'no CSV'}; expected "
        + ("one of them" if part is not None else f"one CSV, or its name, as in {path.name}#NAME")
        + "."
    )
