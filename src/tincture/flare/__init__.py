"""NVIDIA FLARE carries the questions of several sites; `workers` alone runs inside of it."""

__all__ = ["kit", "session"]
