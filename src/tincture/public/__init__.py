"""What is known before a record is seen: columns, cells, outcomes, what to expect."""

__all__ = [
    "case",
    "causes",
    "cells",
    "columns",
    "dialect",
    "encoding",
    "fields",
    "notation",
    "rules",
    "schema",
    "tasks",
    "times",
    "words",
]
