"""The demonstration: one real study, condensed and judged."""

from tincture.demo.study import run, support2

__all__ = ["run", "support2"]
