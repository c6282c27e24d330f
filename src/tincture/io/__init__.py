"""Frames and files in and out; no error of this room quotes a cell."""

__all__ = [
    "books",
    "cluster",
    "copies",
    "draft",
    "extras",
    "files",
    "frames",
    "parts",
    "readers",
    "released",
]
