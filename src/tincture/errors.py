"""Every exception Tincture raises on purpose.

Each message is one sentence for a person: what was found, what was expected, what to do. No message
holds a value read from a record.
"""


class TinctureError(Exception):
    """Base of all errors below; the command line prints it and exits with ``exit_code``."""

    exit_code = 1


class SettingError(TinctureError, ValueError):
    """A setting or flag is out of its range, or two of them contradict each other."""

    exit_code = 2


class SchemaError(TinctureError, ValueError):
    """The schema is unreadable, incomplete or inconsistent."""

    exit_code = 3


class TableError(TinctureError, ValueError):
    """The table cannot be read, or does not agree with its schema."""

    exit_code = 4


class ModelError(TinctureError, ValueError):
    """A model cannot be made, fitted or asked for finite predictions."""

    exit_code = 5


class BudgetError(TinctureError):
    """A question would spend more privacy than was allowed."""

    exit_code = 6


class QueryFailed(TinctureError):
    """A question failed inside the vault; by design it carries neither values nor a cause."""

    exit_code = 7


class ReleaseError(TinctureError, OSError):
    """A release, ledger or budget file cannot be written, read or continued."""

    exit_code = 8


class Refused(TinctureError):
    """A site refuses a question; why is told in its own house, and to nobody else."""

    exit_code = 9
