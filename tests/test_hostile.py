"""A few kills of a site and messages of a hostile coordinator; `benchmarks/hostile.py` has more."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hostile import killing, message, usual
from sites import make_site
from tincture.flare.carrying import REFUSED, SENT, SHARE, STATE, reply_of

MESSAGES, KILLS = 300, 8
A_SITE = 60  # messages


def test_whatever_comes_a_site_sends_a_share_or_a_word() -> None:
    rng, refused = np.random.default_rng(0), 0
    for _ in range(MESSAGES // A_SITE):
        site = make_site()
        for _ in range(A_SITE):
            reply = reply_of(site, message(rng))
            assert reply == {STATE: REFUSED} or (
                reply[STATE] == SENT and set(reply) == {STATE, SHARE}
            )
            refused += reply[STATE] == REFUSED
        assert site.ledger.epsilon() <= site.ledger.plan.epsilon
    assert 0.6 * MESSAGES < refused < MESSAGES
    assert reply_of(make_site(), usual()[0].packed())[STATE] == SENT


@pytest.mark.slow
def test_a_site_killed_at_random_moments_never_books_less_than_it_sent(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    with killing() as sites:
        moments = rng.uniform(0, sites.longest(tmp_path), (KILLS // 2, 2))
        hits = [sites.survives(tmp_path / str(i), list(two))[0] for i, two in enumerate(moments)]
    assert sum(hits) > 0
