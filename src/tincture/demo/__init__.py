"""The demonstration: one real study, condensed and judged."""

from tincture.demo.study import KIND, MODELS, run, support2

__all__ = ["KIND", "MODELS", "run", "support2"]
