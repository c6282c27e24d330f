"""Figures of what was learned, whatever it was learned from."""

__all__ = ["bench", "evaluate", "metrics", "pictures", "scores"]
