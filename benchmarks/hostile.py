"""Messages of a hostile coordinator, and kills of a site; a few of each are in the suite.

python benchmarks/hostile.py --messages 10000 --kills 50 --out benchmarks/hostile.md
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from hostile import killing, message, run_of_questions
from sites import make_site
from tincture.flare.carrying import REFUSED, SHARE, STATE, reply_of

A_SITE = 60  # messages
PAGE = """# A hostile coordinator, and kills of a site

`python benchmarks/hostile.py --messages {messages} --kills {kills} --out benchmarks/hostile.md`,
seed {seed}.

**Messages.** {messages} that are almost questions: bytes cut or put in, keys of the header changed
at any depth, arrays of another shape, type or content, arrays of one kind of question for another.
{refused} were refused in a word; {shares} were questions after all (an array of other numbers is
one) and got a share with noise of its own. Nothing else left a site, and no site spent more than
its plan. The slowest took {slowest:.1f} s.

**Kills.** SIGKILL at {kills} random moments of sites that answer a run of {questions} questions and
go on with their books, {hits} of them before the run's end. No site booked less than it had sent;
every share that had left came again with the same bytes. Shares lost to a kill: {lost}; they were
never drawn again.
"""


def messages(n: int, seed: int) -> tuple[int, float]:
    """How many were refused, and the seconds of the slowest."""
    rng, refused, slowest = np.random.default_rng(seed), 0, 0.0
    for start in range(0, n, A_SITE):
        site = make_site()
        for _ in range(min(A_SITE, n - start)):
            content, began = message(rng), time.perf_counter()
            reply = reply_of(site, content)
            slowest = max(slowest, time.perf_counter() - began)
            assert reply == {STATE: REFUSED} or reply.keys() == {STATE, SHARE}
            refused += reply[STATE] == REFUSED
        assert site.ledger.epsilon() <= site.ledger.plan.epsilon
    return refused, slowest


def kills(n: int, seed: int) -> tuple[int, int]:
    """How many hit a site that was answering, and how many shares they cost."""
    rng, hits, lost = np.random.default_rng(seed), 0, 0
    with tempfile.TemporaryDirectory() as folder, killing() as sites:
        longest = sites.longest(Path(folder))
        for i in range(n // 2):
            books = Path(folder) / str(i)
            hit, gone = sites.survives(books, list(rng.uniform(0, longest, 2)))
            hits, lost = hits + hit, lost + gone
    return hits, lost


def main() -> None:
    """Both, as a page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    hits, lost = kills(options.kills, options.seed)
    refused, slowest = messages(options.messages, options.seed)
    options.out.write_text(
        PAGE.format(
            messages=options.messages,
            kills=options.kills,
            seed=options.seed,
            refused=refused,
            shares=options.messages - refused,
            slowest=slowest,
            questions=len(run_of_questions()),
            hits=hits,
            lost=lost,
        )
    )


if __name__ == "__main__":
    main()
