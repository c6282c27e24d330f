"""A few broken inputs of every kind; `python tests/fuzz.py --inputs 20000` tries more.

The fuzzer forks, so it runs in a process of its own that has not used a thread pool.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import fuzz
from fuzz_inputs import NAME, NUMBER

HERE = Path(__file__).parent


@pytest.mark.slow
def test_broken_inputs_end_in_success_or_one_sentence() -> None:
    done = subprocess.run(
        [sys.executable, str(HERE / "fuzz.py"), "--inputs", "25", "--seed", "3"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "25 inputs, 0 faults" in done.stdout


SENTENCE = "tincture: The table is empty.\n"


@pytest.mark.parametrize(
    ("code", "out", "err", "written", "fault"),
    [
        (0, "fine\n", "", "", ""),
        (4, "", SENTENCE, "", ""),
        (2, "", "Usage: tincture\nError: No such option.\n", "", ""),
        (-9, "", "", "", "hang"),
        (-11, "", "", "", "crash"),
        (1, "", "Traceback (most recent call last)", "", "traceback"),
        (70, "", "tincture: an internal error\n", "", "internal error"),
        (0, "", "x.py:3: RuntimeWarning\n", "", "words on standard error"),
        (4, "", SENTENCE * 2, "", "no clear sentence"),
        (4, "", "", "", "no clear sentence"),
        (4, "", f"tincture: {NAME}7 is bad.\n", "", "a record's value"),
        (0, "", "", f"journal {NUMBER}", "a record's value"),
    ],
)
def test_the_fuzzer_sees_what_is_wrong(
    code: int, out: str, err: str, written: str, fault: str
) -> None:
    assert fuzz.judged([], code, out, err, written) == fault


def test_a_draft_that_is_asked_for_levels_may_show_them() -> None:
    assert fuzz.judged(["schema", "draft", "--from-data"], 0, NAME, "", "") == ""
    assert fuzz.judged(["schema", "draft"], 0, NAME, "", "") == "a record's value"
