"""Where real records are held, and the only way anything is learned from them."""

__all__ = [
    "accounting",
    "booking",
    "budget",
    "engine",
    "journal",
    "ledger",
    "query",
    "stream",
    "vault",
]
