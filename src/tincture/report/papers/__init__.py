"""What a board files beside a release: drawn from its package, its ledger and its files alone."""

__all__ = ["board", "facts", "filed"]
