"""Small networks of many families, that learn from stays while these are being matched.

Half as wide as those that are evaluated, so that a step of learning costs a few milliseconds, and
without kinks, so that slopes change smoothly (`tincture.stays.matching.unrolled`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from tincture.stays.networks import DROPOUT, Attention, Convolutions, Maker, Recurrent, perceptron

WIDTH = 32
PATCH = 4  # bins


class Residual(nn.Module):
    """Convolutions with batch normalisation beside shortcuts, averaged over time."""

    def __init__(self, channels: int, width: int = 16) -> None:
        super().__init__()
        self.enter = nn.Sequential(
            nn.Conv1d(channels, width, 5, padding=2), nn.BatchNorm1d(width), nn.GELU()
        )
        self.bodies, self.shortcuts = nn.ModuleList(), nn.ModuleList()
        for entering, leaving in ((width, width), (width, 2 * width), (2 * width, 2 * width)):
            self.bodies.append(
                nn.Sequential(
                    nn.Conv1d(entering, leaving, 3, stride=2, padding=1),
                    nn.BatchNorm1d(leaving),
                    nn.GELU(),
                    nn.Dropout(DROPOUT),
                    nn.Conv1d(leaving, leaving, 3, padding=1),
                    nn.BatchNorm1d(leaving),
                )
            )
            self.shortcuts.append(nn.Conv1d(entering, leaving, 1, stride=2))
        self.head = nn.Sequential(nn.Dropout(DROPOUT), nn.Linear(2 * width, 1))

    def forward(self, x: Any) -> Any:
        """Logits (batch, 1)."""
        x = self.enter(x.transpose(1, 2))
        for body, shortcut in zip(self.bodies, self.shortcuts, strict=True):
            x = nn.functional.gelu(body(x) + shortcut(x))
        return self.head(x.mean(dim=2))


class Patches(nn.Module):
    """Attention over patches of a few bins (Dosovitskiy et al. 2021), averaged."""

    def __init__(self, bins: int, channels: int, width: int = WIDTH) -> None:
        super().__init__()
        self.missing = -bins % PATCH
        self.body = Attention((bins + self.missing) // PATCH, PATCH * channels, width)

    def forward(self, x: Any) -> Any:
        """Logits (batch, 1)."""
        x = nn.functional.pad(x, (0, 0, self.missing, 0))
        return self.body(x.reshape(len(x), -1, PATCH * x.shape[2]))


LEARNERS: Mapping[str, Maker] = {
    "gru": lambda bins, channels: Recurrent(nn.GRU, channels, WIDTH),
    "lstm": lambda bins, channels: Recurrent(nn.LSTM, channels, WIDTH),
    "rnn": lambda bins, channels: Recurrent(nn.RNN, channels, WIDTH),
    "mlp": lambda bins, channels: perceptron(bins, channels, 64, 32, nn.GELU),
    "tcn": lambda bins, channels: Convolutions(bins, channels, 16, nn.GELU),
    "transformer": lambda bins, channels: Attention(bins, channels, WIDTH),
    "patches": Patches,
    "residual": lambda bins, channels: Residual(channels),
}
