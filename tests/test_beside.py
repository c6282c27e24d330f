"""A first run shares the compiling of its models with a second process."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tincture.kernels import naive_bayes
from tincture.kernels.beside import Helper, Helping

KERNEL = naive_bayes.fit  # any function stands for one

FIT = """
import sys
import numpy as np
from tincture.kernels import threads
from tincture.models.ahead import compile_beside
from tincture.models.portfolio import PORTFOLIOS
from tincture.public.tasks import Classification

task = Classification("died", 2)
is_first = compile_beside(task, ["naive_bayes"])
rng = np.random.default_rng(1)
model = PORTFOLIOS["classification"].makers["naive_bayes"](task)
outcomes = (np.arange(50) % 2).astype(float)[:, None]
numeric = np.array([True, False, True, True, False])
fitted = model.fit(rng.normal(size=(7, 50, 5)), outcomes, numeric, seed=3)
fitted.predict(rng.normal(size=(11, 5)))
print(is_first, threads.has_compiled())
"""


@pytest.fixture
def helper() -> Iterator[Helper]:
    sleeping = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    helper = Helper(sleeping, tempfile.TemporaryDirectory())
    yield helper
    helper.end()


def took(helper: Helper) -> float:
    """Seconds until a kernel may be compiled."""
    begun = time.monotonic()
    with helper.meet(KERNEL):
        return time.monotonic() - begun


def test_a_kernel_that_nobody_has_begun_is_not_waited_for(helper: Helper) -> None:
    assert took(helper) < 0.5


def test_a_kernel_that_the_other_process_has_begun_is_waited_for(helper: Helper) -> None:
    other = Helping(helper.folder.name).meet(KERNEL)
    other.__enter__()
    threading.Timer(1.0, lambda: other.__exit__(None, None, None)).start()
    assert 0.9 < took(helper) < 10


def test_nobody_waits_for_a_process_that_ended(helper: Helper) -> None:
    Helping(helper.folder.name).meet(KERNEL).__enter__()
    helper.process.kill()
    assert took(helper) < 10


@pytest.mark.slow
def test_what_the_second_process_compiles_the_first_need_not(tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    marks.mkdir()
    env = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "cache"), "NUMBA_NUM_THREADS": "1"}

    def said(*words: str) -> str:
        command = [sys.executable, *words]
        return subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout

    assert (
        said("-m", "tincture.models.ahead", str(marks), "classification", "2", "naive_bayes") == ""
    )
    begun = {p.stem for p in marks.glob("*.begun")}
    assert len(begun) > 1
    assert begun == {p.stem for p in marks.glob("*.done")}
    assert said("-c", FIT).split() == ["False", "False"]
