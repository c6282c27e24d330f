"""Models that are trained on stays, as their recipient would train them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from tincture.arrays import Floats, Integers
from tincture.errors import ModelError, SettingError
from tincture.evaluation.bench import Fitted
from tincture.evaluation.bench import Watch as Told
from tincture.stays.classical import boosting, logistic
from tincture.stays.inputs import Standard, Trained
from tincture.stays.layout import Grid

if TYPE_CHECKING:
    from tincture.stays.networks import Recipe

Watch = Callable[[int, Trained], None]
Trainer = Callable[[Grid, Integers, int, Watch], Trained]
CLASSICAL = {"logistic": logistic, "boosting": boosting}  # that need no torch
DEVICES = "auto", "cpu", "cuda"  # where networks are trained: on a GPU if there is one
RARE = 1e-3  # a prevalence is taken to lie this far from 0 and 1
WITHOUT_NETWORKS = (
    "Networks were not scored, since torch is not installed; see what they learn by "
    'pip install "tincture[deep]".'
)


@dataclass(frozen=True, eq=False)
class Table:
    """Stays to train on or to ask about.

    Attributes
    ----------
    inputs : float32 ndarray of shape (n, bins, channels)
        Not standardised.
    label : ndarray of int, shape (n,)
        Class of each stay.
    prevalence : float
        To which predictions are corrected, since models see both classes alike.
    """

    inputs: Grid
    label: Integers
    prevalence: float

    @classmethod
    def of(cls, inputs: Grid, outcomes: Floats, prevalence: float | None = None) -> Table:
        """With the table's own share of the case, unless another is known."""
        share = float(outcomes.mean()) if prevalence is None else prevalence
        return cls(inputs, outcomes[:, 0].astype(np.int64), min(max(share, RARE), 1 - RARE))

    def chances(self, odds: Floats) -> Floats:
        """Log odds where both classes are as frequent, to probabilities at its prevalence."""
        moved = odds + np.log(self.prevalence / (1 - self.prevalence))
        risk = 1 / (1 + np.exp(-np.clip(moved, -30, 30)))
        return np.stack([1 - risk, risk], axis=1)


@dataclass(frozen=True)
class StaysLearner:
    """A trainer by its name; `Fitted.model` is what it trained, with the table's standard."""

    name: str
    train: Trainer

    def learn(self, table: Table, seed: int, watch: Told) -> Fitted:
        """Train on standardised stays."""
        standard = Standard.of(table.inputs)
        seen = cache(lambda asked: standard(asked.inputs))  # once, however often it is watched

        def watched(step: int, network: Trained) -> None:
            watch(step, lambda asked: table.chances(network.log_odds(seen(asked))))

        start = time.perf_counter()
        trained = self.train(standard(table.inputs), table.label, seed, watched)
        seconds = time.perf_counter() - start

        def predict(asked: Table) -> Floats:
            return table.chances(trained.log_odds(standard(asked.inputs)))

        return Fitted(predict, seconds, (trained, standard))


def learners_of(
    networks: Sequence[Any] | None,
    *,
    recipe: Recipe | None = None,
    deep: bool = True,
    device: str = "auto",
) -> tuple[list[StaysLearner], str]:
    """Networks, then classical models; and what to say where there are no networks.

    Parameters
    ----------
    networks : sequence of str or callable, optional
        Names, or makers of a torch module from bins and channels; by default all that have a name.
    recipe : Recipe, optional
        How networks are trained, if not as usual.
    deep : bool
        Whether torch may be used where it is installed.
    device : str
        One of DEVICES.

    Raises
    ------
    SettingError, ModelError
    """
    if device not in DEVICES:
        raise SettingError(f"The device {device!r} is not known; use {', '.join(DEVICES)}.")
    classical = [StaysLearner(name, _unwatched(fit)) for name, fit in CLASSICAL.items()]
    family = _family() if deep else None
    if family is None:
        if networks:
            raise ModelError(
                'Networks need torch, which is not installed; run pip install "tincture[deep]", or '
                "leave out --network."
            )
        return classical, WITHOUT_NETWORKS
    family.device_of(device)  # or it would be refused after others were trained

    def trainer(network: Any) -> Trainer:
        if not callable(network) and network not in family.NETWORKS:
            known = ", ".join(family.NETWORKS)
            raise SettingError(f"The network {network!r} is not known; use {known}.")
        maker = network if callable(network) else family.NETWORKS[network]
        how = {"recipe": recipe, "device": device}
        return lambda x, y, seed, watch: family.train(maker, x, y, seed, **how, watch=watch)

    chosen = family.NETWORKS if networks is None else networks
    every = [StaysLearner(getattr(n, "__name__", str(n)), trainer(n)) for n in chosen]
    return [*every, *classical], ""


def _unwatched(fit: Callable[[Grid, Integers], Trained]) -> Trainer:
    """A trainer that draws nothing, and has no steps to be looked at."""
    return lambda inputs, label, seed, watch: fit(inputs, label)


def _family() -> Any:
    """The networks, or None where torch is not installed."""
    try:
        return import_module("tincture.stays.networks")
    except ImportError:
        return None
