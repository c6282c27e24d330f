"""What is known before a record is seen: columns, cells, outcomes, what to expect."""

__all__ = [
    "case",
    "causes",
    "cells",
    "columns",
    "dates",
    "dialect",
    "encoding",
    "fields",
    "notation",
    "origins",
    "patterns",
    "rules",
    "schema",
    "tasks",
    "times",
    "words",
]
