"""Figures of merit, each one definition that gives both value and interval."""

__all__ = ["classes", "figure", "survival"]
