"""Matching stays to networks, for free: nothing here ever holds a record or asks a question."""

__all__ = ["rounds"]
