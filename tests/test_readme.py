"""Every block of the README below a line ``<!-- run -->`` runs, in order, in one empty folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

README = Path(__file__).parents[1] / "README.md"
BLOCK = re.compile(r"^<!-- run -->\n+```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INSTALLING = re.compile(r"^\s*(\$ )?((python3? -m )?pip|uv|pipx|conda|git clone)\b")


class Block(NamedTuple):
    """A fenced block and the line it begins on."""

    language: str
    code: str
    line: int


def blocks() -> list[Block]:
    text = README.read_text(encoding="utf-8")
    return [Block(m[1], m[2], text[: m.start()].count("\n") + 2) for m in BLOCK.finditer(text)]


def commands(code: str, language: str) -> str:
    """Shell lines without those that install; of a console session only what was typed."""
    lines = code.splitlines()
    if language == "console":
        lines = [line.removeprefix("$ ") for line in lines if line.startswith(("$ ", "> "))]
    return "\n".join(line for line in lines if not INSTALLING.match(line))


def test_only_blocks_that_can_be_run_are_marked() -> None:
    marks = len(re.findall(r"^<!-- run -->$", README.read_text(encoding="utf-8"), re.MULTILINE))
    assert len(blocks()) == marks
    assert {b.language for b in blocks()} <= {"bash", "console", "python"}


def test_there_is_something_to_run_for_both_the_shell_and_python() -> None:
    languages = [b.language for b in blocks()]
    assert "python" in languages
    assert {"bash", "console"} & set(languages)


@pytest.mark.slow
def test_every_marked_block_runs(tmp_path: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    earlier = ""  # python blocks share one namespace, so that a later one sees the earlier
    for block in blocks():
        if block.language == "python":
            earlier += block.code
            command = [sys.executable, "-W", "error", "-c", earlier]
        else:
            command = ["bash", "-euo", "pipefail", "-c", commands(block.code, block.language)]
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env=os.environ | {"PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"README.md, line {block.line}:\n{done.stderr[-2000:]}"
        assert "Traceback" not in done.stderr
