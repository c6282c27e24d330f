"""Rules between columns, declared and never learned, and how rows are made to obey them."""

from tincture.public.rules.mending import Rules
from tincture.public.rules.reading import KEY, rules_read
from tincture.public.rules.rule import Rule

__all__ = ("KEY", "Rule", "Rules", "rules_read")
