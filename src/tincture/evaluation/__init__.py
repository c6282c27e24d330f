"""Figures of what was learned, whatever it was learned from."""

__all__ = ["bench", "binned", "evaluate", "metrics", "pictures", "scores"]
