"""What people read and look at; it receives summaries, never records."""

__all__ = ["card", "codes", "figure", "in_house", "page", "papers", "summary", "validation"]
