"""Frames and files in and out; no error of this room quotes a cell."""

__all__ = ["books", "copies", "draft", "extras", "files", "frames", "parts", "readers", "released"]
