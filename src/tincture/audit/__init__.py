"""Attacks on a release and on the vault; in-house, as most look at real records."""

__all__ = ["attacks", "audit", "findings", "membership", "target", "told"]
