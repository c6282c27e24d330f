"""The noise is what the ledger says: its scale, its shape, its independence.

Every test states its sample size, its threshold and how often it would fail by chance; each is also
run on a sabotaged noise, which it must reject. Together they fail by chance less often than once in
40 000 runs.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from helpers import Ask, interactions, make_teacher, make_vault, plan_of, value_of
from sabotage import Sampler, noisy, reused, sampling, scaled, shared
from tincture.privacy.accounting import Mechanism
from tincture.privacy.ledger import Ledger
from tincture.privacy.query import Query, Records, Sealed
from tincture.privacy.stream import Stream, in_turn
from tincture.privacy.vault import Vault
from tincture.public.tasks import Classification
from tincture.spine.questions import ResidualSums
from tincture.spine.teaching import Teacher
from tincture.spine.weighing import Scaled
from tincture.tables.balance import Balance
from tincture.tables.copula import Lines
from tincture.tables.questions import RankProducts
from tincture.tables.validation import ScoreCounts

pytestmark = pytest.mark.slow
ALARM = 1e-6  # false-alarm rate of each test
DRAWS, SIZE = 4000, 80

TEACHER = make_teacher(np.random.default_rng(0))


class Constant:
    """Predicts the same risk for everybody."""

    def predict(self, records: np.ndarray) -> np.ndarray:
        return np.full((1, len(records), 2), 0.5)


QUERIES: dict[str, Query] = {
    "nothing": Ask(lambda r: np.zeros((len(r), SIZE)), size=SIZE, clip=0.7),
    "residual sums": ResidualSums(Classification("died", 2), TEACHER, np.array([20.0, 10.0])),
    "sums of classes": ResidualSums(
        Classification("stage", 3),
        Teacher(TEACHER.basis, np.stack([TEACHER.weights, -TEACHER.weights / 2])),
        np.array([20.0, 10.0, 5.0]),
    ),
    "weighted sums": Balance.of(TEACHER.basis.marginals, "ward").of_query(
        ResidualSums(Classification("died", 2), TEACHER, np.array([20.0, 10.0]))
    ),
    "sums of a site that counts less": Scaled(
        ResidualSums(Classification("died", 2), TEACHER, np.array([20.0, 10.0])), 0.3
    ),
    "interaction sums": interactions(Classification("died", 2), TEACHER, np.array([20.0, 10.0])),
    "external validation": ScoreCounts(
        [Constant()] * 2, np.tile(np.linspace(0.1, 0.9, 19), (2, 1))
    ),
    "rank products": RankProducts(Lines.along(TEACHER.basis.marginals, TEACHER)),
}


def noise_of(
    sigma: float, query: Query = QUERIES["nothing"], kind: type[Vault] = Vault
) -> np.ndarray:
    """What 4000 noisy values differ by from the exact ones, in units of the noise they claim."""
    claimed = sigma * query.clip
    question = query.question
    exact = make_vault(Ledger(plan_of(0.0, question=question)), 30).noisy_sum(query, Mechanism(0.0))
    vault = make_vault(Ledger(plan_of(sigma, question=question)), 30, kind=kind)
    answers = [vault.noisy_sum(query, Mechanism(sigma)) for _ in range(DRAWS // query.size)]
    assert {a.noise for a in answers} == {claimed}
    return np.stack([value_of(a) - value_of(exact) for a in answers]) / claimed


def scale_is_right(draws: np.ndarray) -> bool:
    """Two-sided χ² test of the variance.

    With n = 4000 it accepts a scale between 0.95 and 1.05 of the claim and a scale off by 30 % lies
    over 15 standard deviations outside.
    """
    low, high = stats.chi2.ppf([ALARM / 2, 1 - ALARM / 2], draws.size)
    return bool(low <= np.square(draws).sum() <= high)


def neighbours_are_independent(draws: np.ndarray) -> bool:
    """Correlation at lag 1 between calls, and between coordinates, within ±4.9/√n."""
    pairs = [(draws[1:], draws[:-1]), (draws[:, 1:], draws[:, :-1])]
    limit = stats.norm.ppf(1 - ALARM / 4)
    return all(abs(np.mean(a * b)) <= limit * np.mean(draws**2) / np.sqrt(a.size) for a, b in pairs)


def shape_is_normal(draws: np.ndarray) -> bool:
    """Kolmogorov-Smirnov test against the standard normal."""
    return bool(stats.kstest(draws.ravel(), "norm").pvalue > ALARM)


def stream(ledger: Ledger, rate: float, *opening: Query, kind: type[Vault] = Vault) -> Vault:
    """A vault that 500 records passed in two parts."""
    nothing = np.zeros((250, 1), dtype=np.float32)
    part = Sealed(Records(nothing, nothing, np.zeros((250, 1))))
    return kind(lambda _: Stream(in_turn([part, part]), opening, rate), None, ledger)


def noise_of_stream(
    sigma: float, rate: float, opening: tuple[Query, ...], kind: type[Vault] = Vault
) -> np.ndarray:
    """Likewise of a stream, in units of the noise that is due."""
    query = QUERIES["nothing"]
    vault = stream(Ledger(plan_of(sigma)), rate, *opening, kind=kind)
    answers = [vault.noisy_sum(query, Mechanism(sigma)) for _ in range(DRAWS // SIZE)]
    due = sigma * query.clip / (1.0 if query in opening else rate)
    assert {a.noise for a in answers} == {due}
    return np.stack([value_of(a) for a in answers]) / due


# Of a stream, both what opens, whose sum is there before it is asked, and what the sample answers.
@pytest.mark.parametrize("opening", [(QUERIES["nothing"],), ()], ids=["all", "sample"])
def test_the_noise_on_a_stream_is_that_claimed(opening: tuple[Query, ...]) -> None:
    draws = noise_of_stream(3.0, 0.3, opening)
    assert scale_is_right(draws)
    assert neighbours_are_independent(draws)
    assert shape_is_normal(draws)
    for factor in (0.7, 1.3):
        assert not scale_is_right(noise_of_stream(3.0, 0.3, opening, scaled(factor)))


@pytest.mark.parametrize(
    ("sigma", "name"),
    [
        (0.5, "nothing"),
        (3.0, "nothing"),
        (400.0, "nothing"),
        (3.0, "residual sums"),
        (3.0, "sums of a site that counts less"),
        (3.0, "interaction sums"),
        (3.0, "sums of classes"),
        (3.0, "rank products"),
        (3.0, "external validation"),
    ],
)
def test_the_noise_has_the_scale_the_shape_and_the_independence_claimed(
    sigma: float, name: str
) -> None:
    draws = noise_of(sigma, QUERIES[name])
    assert scale_is_right(draws)
    assert neighbours_are_independent(draws)
    assert shape_is_normal(draws)
    # Every draw is new: of 4000 on a lattice this fine, hardly two are equal.
    assert len(np.unique(draws)) > 0.99 * draws.size


def test_two_vaults_never_draw_the_same_noise() -> None:
    assert not np.isin(noise_of(2.0), noise_of(2.0)).mean() > 0.01


def uniform() -> type[Vault]:
    rng = np.random.default_rng(0)
    return noisy(
        lambda totals, scale: (
            totals + np.rint(rng.uniform(-1, 1, len(totals)) * scale * 3**0.5).astype(np.int64)
        )
    )


@pytest.mark.parametrize(
    ("kind", "test"),
    [
        (scaled(0.7), scale_is_right),
        (scaled(1.3), scale_is_right),
        (scaled(0.0), scale_is_right),
        (reused(np.random.default_rng(0).standard_normal(SIZE)), neighbours_are_independent),
        (shared(), neighbours_are_independent),
        (uniform(), shape_is_normal),
    ],
    ids=["weak", "strong", "absent", "reused", "shared", "uniform"],
)
def test_sabotaged_noise_is_rejected(kind: type[Vault], test: Callable[[np.ndarray], bool]) -> None:
    assert not test(noise_of(3.0, kind=kind))


@pytest.mark.parametrize("name", sorted(set(QUERIES) - {"nothing"}))
@pytest.mark.parametrize("factor", [0.7, 1.3])
def test_noise_off_by_30_percent_is_rejected_in_every_question(name: str, factor: float) -> None:
    assert not scale_is_right(noise_of(3.0, QUERIES[name], scaled(factor)))


def sizes(vault: Vault, rate: float) -> np.ndarray:
    ones = Ask(lambda r: np.ones((len(r), 1)))
    answers = [value_of(vault.noisy_sum(ones, Mechanism(0.0, rate))) for _ in range(400)]
    return np.rint(np.concatenate(answers) * rate)


def sizes_are_poisson(counts: np.ndarray, n: int, rate: float) -> bool:
    """Mean and variance of 400 binomial sample sizes, each within its 4.9 standard deviations."""
    limit = stats.norm.ppf(1 - ALARM / 4)
    spread = n * rate * (1 - rate)
    mean_is_right = abs(counts.mean() - n * rate) <= limit * np.sqrt(spread / len(counts))
    low, high = stats.chi2.ppf([ALARM / 4, 1 - ALARM / 4], len(counts) - 1)
    return bool(mean_is_right and low <= counts.var() * len(counts) / spread <= high)


@pytest.mark.parametrize("rate", [0.05, 0.3, 0.9])
def test_a_sample_takes_each_unit_by_its_own_coin(rate: float) -> None:
    vault = make_vault(Ledger(plan_of(0.0, rate)), 500)
    assert sizes_are_poisson(sizes(vault, rate), 500, rate)


def test_a_stream_keeps_each_unit_by_its_own_coin() -> None:
    ones = Ask(lambda r: np.ones((len(r), 1)))
    vaults = [stream(Ledger(plan_of(0.0)), 0.3) for _ in range(400)]
    kept = np.array([value_of(v.noisy_sum(ones, Mechanism(0.0)))[0] for v in vaults])
    assert sizes_are_poisson(np.rint(kept * 0.3), 500, 0.3)


@pytest.mark.parametrize(
    "sampler",
    [
        lambda n, q: np.arange(n) < n * q,  # always as many, always the same
        lambda n, q: np.random.default_rng().uniform(size=n) < q * 1.3,
        lambda n, q: np.random.default_rng().uniform(size=n) < q * 0.7,
    ],
    ids=["fixed", "more", "fewer"],
)
def test_a_sabotaged_sample_is_rejected(sampler: Sampler) -> None:
    vault = make_vault(Ledger(plan_of(0.0, 0.3)), 500, kind=sampling(sampler))
    assert not sizes_are_poisson(sizes(vault, 0.3), 500, 0.3)
