"""Events as they lie about: tables long and wide, MEDS, databases of intensive care, benchmarks.

Every format becomes batches of events with their cells as they stand, one after the other, so that
memory does not grow with their number; `tincture.stays.events` reads them. A format is recognised
by names of files and columns alone.
"""

__all__ = ["opening", "source", "tables"]
