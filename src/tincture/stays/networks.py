"""A small family of networks for stays, and a blind recipe to train them; needs torch.

A network maps (batch, bins, channels) to one logit a stay. Training is blind: a fixed number of
steps on class-balanced batches without validation data, as few stays leave none to spare.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from tincture.arrays import Floats, Integers
from tincture.errors import SettingError
from tincture.stays.layout import Grid

Maker = Callable[[int, int], nn.Module]  # of bins and channels
Watch = Callable[[int, "Network"], None]
Bend = Callable[[], nn.Module]  # what is not linear
ASKED = 256  # stays predicted at once


@dataclass(frozen=True)
class Recipe:
    """How every network is trained.

    Attributes
    ----------
    steps, batch : int
        Steps of AdamW, and stays in each: half of each class, drawn with replacement.
    rate, decay, steepest : float
        Rate at the start, which falls to 0 as a half cosine; weight decay; longest gradient.
    """

    steps: int = 200
    batch: int = 64
    rate: float = 1e-3
    decay: float = 0.1
    steepest: float = 1.0


USUAL = Recipe()
DROPOUT = 0.4


class Recurrent(nn.Module):
    """A recurrent cell, read out at the last bin."""

    def __init__(self, cell: Any, channels: int, width: int = 64) -> None:
        super().__init__()
        self.cell = cell(channels, width, batch_first=True)
        self.head = nn.Sequential(nn.Dropout(DROPOUT), nn.Linear(width, 1))

    def forward(self, x: Any) -> Any:
        """Logits (batch, 1)."""
        states, _ = self.cell(x)
        return self.head(states[:, -1])


class Causal(nn.Module):
    """Two dilated convolutions that look back only, beside a shortcut (Bai et al. 2018)."""

    def __init__(self, channels: int, width: int, dilation: int, bend: Bend = nn.ReLU) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for size in (channels, width):
            layers.append(nn.ConstantPad1d((2 * dilation, 0), 0.0))
            layers.append(nn.Conv1d(size, width, 3, dilation=dilation))
            layers += [bend(), nn.Dropout(DROPOUT)]
        self.body = nn.Sequential(*layers)
        self.shortcut, self.bend = nn.Conv1d(channels, width, 1), bend()

    def forward(self, x: Any) -> Any:
        """From (batch, channels, bins) to (batch, width, bins)."""
        return self.bend(self.body(x) + self.shortcut(x))


class Convolutions(nn.Module):
    """As many blocks as it takes for the last bin to see the whole stay."""

    def __init__(self, bins: int, channels: int, width: int = 32, bend: Bend = nn.ReLU) -> None:
        super().__init__()
        blocks, reach = [Causal(channels, width, 1, bend)], 5
        while reach < bins:
            dilation = 2 ** len(blocks)
            blocks.append(Causal(width, width, dilation, bend))
            reach += 4 * dilation
        self.body = nn.Sequential(*blocks)
        self.head = nn.Linear(width, 1)

    def forward(self, x: Any) -> Any:
        """Logits (batch, 1)."""
        return self.head(self.body(x.transpose(1, 2))[:, :, -1])


class Attention(nn.Module):
    """One encoder layer of attention over bins with learned places, averaged."""

    def __init__(self, bins: int, channels: int, width: int = 32) -> None:
        super().__init__()
        self.enter = nn.Linear(channels, width)
        self.place = nn.Parameter(0.02 * torch.randn(1, bins, width))
        self.body = nn.TransformerEncoderLayer(
            width, 4, 2 * width, DROPOUT, "gelu", batch_first=True, norm_first=True
        )
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 1))

    def forward(self, x: Any) -> Any:
        """Logits (batch, 1)."""
        return self.head(self.body(self.enter(x) + self.place).mean(dim=1))


def perceptron(
    bins: int, channels: int, first: int = 128, second: int = 64, bend: Bend = nn.ReLU
) -> nn.Module:
    """All bins at once, through two hidden layers."""
    layers: list[nn.Module] = [nn.Flatten()]
    for entering, leaving in ((bins * channels, first), (first, second)):
        layers += [nn.Dropout(DROPOUT), nn.Linear(entering, leaving), bend()]
    return nn.Sequential(*layers, nn.Dropout(DROPOUT), nn.Linear(second, 1))


NETWORKS: Mapping[str, Maker] = {
    "gru": lambda bins, channels: Recurrent(nn.GRU, channels),
    "lstm": lambda bins, channels: Recurrent(nn.LSTM, channels),
    "tcn": Convolutions,
    "transformer": Attention,
    "mlp": perceptron,
}


@dataclass(frozen=True)
class Network:
    """A network that is being trained, or has been."""

    module: Any
    device: Any

    def log_odds(self, inputs: Grid) -> Floats:
        """Of the second class, (n,), where both classes are as frequent."""
        was_training = self.module.training
        self.module.eval()
        with torch.no_grad():
            parts = [
                self.module(part.to(self.device))[:, 0].cpu().numpy()
                for part in torch.from_numpy(inputs).split(ASKED)
            ]
        self.module.train(was_training)
        return np.concatenate(parts).astype(np.float64)


def train(
    maker: Maker,
    inputs: Grid,
    label: Integers,
    seed: int,
    *,
    recipe: Recipe | None = None,
    device: str = "auto",
    watch: Watch = lambda step, network: None,
) -> Network:
    """Train a network from scratch.

    Parameters
    ----------
    maker : callable
        Of bins and channels, to a module that gives (n, 1) logits.
    inputs : float32 ndarray of shape (n, bins, channels)
        Standardised.
    label : ndarray of int, shape (n,)
        0 or 1; both occur.
    seed : int
        Of first weights, batches and dropout; torch's own generators are left as they were.
    recipe : Recipe, optional
    device : str
        As for `device_of`.
    watch : callable
        Told of every step done, and given the network as it is then.

    Returns
    -------
    Network

    Raises
    ------
    SettingError
    """
    recipe, place = recipe or USUAL, device_of(device)
    gpus = range(torch.cuda.device_count()) if place.type == "cuda" else []
    with torch.random.fork_rng(devices=gpus):
        torch.manual_seed(seed)
        network = Network(maker(*inputs.shape[1:]).to(place), place)
        _descend(network, torch.from_numpy(inputs), label, seed, recipe, watch)
    network.module.eval()
    return network


def device_of(name: str) -> Any:
    """The torch device of ``"auto"`` (a GPU if torch sees one), ``"cpu"`` or ``"cuda"``.

    Raises
    ------
    SettingError
        If a GPU is asked for that is not there.
    """
    is_gpu = torch.cuda.is_available()
    if name == "cuda" and not is_gpu:
        raise SettingError("The device is cuda, but torch sees no GPU; use auto or cpu.")
    return torch.device("cuda" if is_gpu and name != "cpu" else "cpu")


def _descend(
    network: Network, inputs: Any, label: Integers, seed: int, recipe: Recipe, watch: Watch
) -> None:
    """The steps of the recipe."""
    rng = np.random.default_rng(seed)
    classes = [np.flatnonzero(label == k) for k in (0, 1)]
    half = max(1, min(recipe.batch, len(label)) // 2)
    target = torch.tensor([0.0] * half + [1.0] * half, device=network.device)
    weights = list(network.module.parameters())
    optimiser = torch.optim.AdamW(weights, recipe.rate, weight_decay=recipe.decay)
    fall = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, recipe.steps)
    network.module.train()
    for step in range(1, recipe.steps + 1):
        rows = np.concatenate([rng.choice(rows, half) for rows in classes])
        logits = network.module(inputs[rows].to(network.device))[:, 0]
        loss = nn.functional.binary_cross_entropy_with_logits(logits, target)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(weights, recipe.steepest)
        optimiser.step()
        fall.step()
        watch(step, network)
