"""Networks for stays: they learn, repeat themselves, and leave torch as it was."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tincture.arrays import Integers
from tincture.errors import SettingError

torch = pytest.importorskip("torch")

from torch.optim.optimizer import register_optimizer_step_pre_hook  # noqa: E402

from tincture.evaluation.metrics.classes import auroc  # noqa: E402
from tincture.evaluation.metrics.figure import plain  # noqa: E402
from tincture.stays.learners import DEVICES, learners_of  # noqa: E402
from tincture.stays.networks import NETWORKS, Network, Recipe, device_of, train  # noqa: E402

FEW = Recipe(steps=40, batch=32, rate=5e-3)


def made(
    n: int = 200, bins: int = 12, share: float = 0.3, shift: float = 1.0, seed: int = 0
) -> tuple[NDArray[np.float32], Integers]:
    """Standardised stays of four channels; one of them tells the classes apart."""
    rng = np.random.default_rng(seed)
    label = (rng.random(n) < share).astype(np.int64)
    inputs = rng.standard_normal((n, bins, 4)).astype(np.float32)
    inputs[..., 2] += (shift * (label - share))[:, None]
    return inputs, label


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_learns_what_is_plain(name: str) -> None:
    network = train(NETWORKS[name], *made(), 0, recipe=FEW)
    inputs, label = made(seed=1)
    odds = network.log_odds(inputs)
    assert odds.shape == (200,)
    assert plain(auroc(np.stack([-odds, odds], axis=1), label), 200) > 0.8


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("bins", [1, 7, 48])
def test_every_network_sees_the_whole_of_a_stay_of_any_length(name: str, bins: int) -> None:
    module = NETWORKS[name](bins, 3).eval()
    inputs = torch.randn(2, bins, 3, requires_grad=True)
    logits = module(inputs)
    assert logits.shape == (2, 1)
    logits[0].sum().backward()
    assert inputs.grad[0, 0].abs().sum() > 0
    assert inputs.grad[1].abs().sum() == 0  # each stay by itself


def test_a_gpu_is_used_where_there_is_one_unless_told_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert {device_of(name).type for name in ("auto", "cpu")} == {"cpu"}
    for name, told in (("cuda", "torch sees no GPU; use auto or cpu"), ("tpu", "use auto, cpu, ")):
        with pytest.raises(SettingError, match=told):
            learners_of(["gru"], device=name)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert [device_of(name).type for name in DEVICES] == ["cuda", "cpu", "cuda"]
    learners, _ = learners_of(["gru"], recipe=Recipe(steps=2), device="cpu")
    trained = learners[0].train(*made(), 0, lambda step, network: None)
    assert isinstance(trained, Network)
    assert trained.device.type == "cpu"


def test_the_seed_decides_and_torch_is_left_as_it_was() -> None:
    table, (asked, _) = made(), made(seed=1)
    before = torch.random.get_rng_state()
    first, again, other = (
        train(NETWORKS["gru"], *table, seed, recipe=Recipe(steps=5)).log_odds(asked)
        for seed in (0, 0, 1)
    )
    assert torch.equal(torch.random.get_rng_state(), before)
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0


def test_rare_outcomes_count_as_much_as_others() -> None:
    network = train(NETWORKS["mlp"], *made(600, share=0.05, shift=0.0), 0, recipe=FEW)
    assert abs(network.log_odds(np.zeros((1, 12, 4), np.float32))[0]) < 1


def test_whoever_watches_sees_every_step_and_disturbs_nothing() -> None:
    table, (asked, _) = made(), made(seed=1)
    steps = []

    def watch(step: int, network: Network) -> None:
        steps.append(step)
        assert network.module.training
        network.log_odds(asked)
        assert network.module.training

    recipe = Recipe(steps=6)
    watched = train(NETWORKS["mlp"], *table, 0, recipe=recipe, watch=watch)
    alone = train(NETWORKS["mlp"], *table, 0, recipe=recipe)
    assert steps == [1, 2, 3, 4, 5, 6]
    assert not watched.module.training
    np.testing.assert_array_equal(watched.log_odds(asked), alone.log_odds(asked))


def test_the_rate_falls_to_nothing() -> None:
    rates: list[float] = []
    watching = register_optimizer_step_pre_hook(
        lambda optimiser, *_: rates.append(optimiser.param_groups[0]["lr"])
    )
    try:
        train(NETWORKS["mlp"], *made(), 0, recipe=Recipe(steps=10, rate=1e-3))
    finally:
        watching.remove()
    expected = 1e-3 * (1 + np.cos(np.pi * np.arange(10) / 10)) / 2
    np.testing.assert_allclose(rates, expected, rtol=1e-6)


def test_a_table_of_two_stays_is_enough() -> None:
    inputs, _ = made(2)
    network = train(NETWORKS["gru"], inputs, np.array([0, 1]), 0, recipe=Recipe(steps=2))
    assert np.isfinite(network.log_odds(inputs)).all()
