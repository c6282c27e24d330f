"""Figures of merit, each one definition that gives both value and interval."""

__all__ = ["amounts", "classes", "figure", "survival"]
