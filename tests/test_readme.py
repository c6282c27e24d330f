"""Every block of the README below a line ``<!-- run -->`` runs, in order, in one folder."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pytest

from helpers import DESCRIPTOR, make_table

README = Path(__file__).parents[1] / "README.md"
BLOCK = re.compile(r"^<!-- run -->\n+```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INSTALLING = re.compile(r"^\s*((python3? -m )?pip|uv|pipx|conda|git clone)\b")


class Block(NamedTuple):
    """A fenced block and the line it begins on."""

    language: str
    code: str
    line: int


def blocks() -> list[Block]:
    text = README.read_text(encoding="utf-8")
    return [Block(m[1], m[2], text[: m.start()].count("\n") + 2) for m in BLOCK.finditer(text)]


def without_installing(code: str) -> str:
    return "\n".join(line for line in code.splitlines() if not INSTALLING.match(line))


def provide(folder: Path) -> None:
    """The files that the README takes for granted: records of which ``died`` is the outcome."""
    columns = ["age", "lactate", "sodium", "sex", "diabetes", "died"]
    fields = {f["name"]: f for f in DESCRIPTOR["fields"]}
    fields["sex"] = {"name": "sex", "type": "string", "categories": ["female", "male"]}
    schema = {"name": "records", "fields": [fields[c] for c in columns]}
    (folder / "records.schema.json").write_text(json.dumps(schema))
    for name, seed in (("records", 0), ("heldout", 1)):
        table = make_table(400, seed=seed).with_row_index("sex")
        sex = pl.when(pl.col("sex") % 2 == 0).then(pl.lit("female")).otherwise(pl.lit("male"))
        table.with_columns(sex=sex).select(columns).write_csv(folder / f"{name}.csv")


def test_every_mark_stands_above_a_block_that_can_be_run() -> None:
    marks = len(re.findall(r"^<!-- run -->$", README.read_text(encoding="utf-8"), re.MULTILINE))
    assert len(blocks()) == marks
    assert {b.language for b in blocks()} <= {"bash", "console", "python"}


def test_there_is_something_to_run_for_both_the_shell_and_python() -> None:
    languages = {b.language for b in blocks()}
    assert "python" in languages
    assert languages & {"bash", "console"}


@pytest.mark.slow
def test_every_marked_block_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    provide(tmp_path)
    monkeypatch.chdir(tmp_path)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    earlier = ""  # the Python blocks share their names, so each runs after those before it
    for block in blocks():
        place = f"README.md, line {block.line}"
        if block.language == "python":
            earlier += block.code
            command = [sys.executable, "-W", "error", "-c", earlier]
        else:
            command = ["bash", "-euo", "pipefail", "-c", without_installing(block.code)]
        done = subprocess.run(
            command,
            env=os.environ | {"PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (place, done.returncode, done.stderr) == (place, 0, "")
