"""Events as a table holds them: whose they are, of what, when and how much, cell by cell.

No event tells how another is read (docs/promise.md, lemma 4). What cannot be read of a declared
variable of a stay that the outcomes name is refused in a sentence that quotes no cell; events of
other stays and other variables are left out unread.
"""

__all__ = ["clocks", "members", "names", "reader", "tables", "values"]
