"""Blocks of a page below a line ``<!-- run -->``, run in order in one folder."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

MARK = re.compile(r"^<!-- run -->$", re.MULTILINE)
BLOCK = re.compile(r"^<!-- run -->\n+```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INSTALLING = re.compile(r"^\s*((python3? -m )?pip|uv|pipx|conda|git clone)\b")
SHELL = ("bash", "console")


class Block(NamedTuple):
    """A fenced block and the line it begins on."""

    language: str
    code: str
    line: int


def blocks(page: Path) -> list[Block]:
    """All marked blocks of a page.

    Raises
    ------
    ValueError
        If a mark stands above anything else.
    """
    text = page.read_text(encoding="utf-8")
    found = [Block(m[1], m[2], text[: m.start()].count("\n") + 2) for m in BLOCK.finditer(text)]
    if len(found) != len(MARK.findall(text)):
        raise ValueError(f"{page.name}: a mark without a block")
    return found


def without_installing(code: str) -> str:
    """The code without lines that install something."""
    return "\n".join(line for line in code.splitlines() if not INSTALLING.match(line))


def run_blocks(page: Path, folder: Path) -> None:
    """Run them all; each must succeed and say nothing on standard error. R only if present."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    earlier = ""  # the Python blocks share their names, so each runs after those before it
    for block in blocks(page):
        if block.language == "python":
            earlier += block.code
            command = [sys.executable, "-W", "error", "-c", earlier]
        elif block.language == "r":
            if shutil.which("Rscript") is None:
                continue
            command = ["Rscript", "--vanilla", "-e", f"options(warn = 2)\n{block.code}"]
        else:
            assert block.language in SHELL
            command = ["bash", "-euo", "pipefail", "-c", without_installing(block.code)]
        done = subprocess.run(
            command,
            cwd=folder,
            env=os.environ | {"PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        place = f"{page.name}, line {block.line}"
        if (done.returncode, done.stderr) != (0, ""):  # pytest explains no assertion of this file
            raise AssertionError(f"{place} ended with {done.returncode} and said: {done.stderr}")
