"""The demonstration: one real study, condensed and judged."""

from tincture.demo.study import MODELS, TASK, run, support2

__all__ = ["MODELS", "TASK", "run", "support2"]
