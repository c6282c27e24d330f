"""What is to be predicted, and a bounded loss for each record: one file a kind of task."""

from tincture.public.tasks.amounts import Amounts
from tincture.public.tasks.bins import PARTS
from tincture.public.tasks.classification import Classification
from tincture.public.tasks.common import apportion
from tincture.public.tasks.protocol import Judged, Outcome, Task, Taught
from tincture.public.tasks.survival import Survival
from tincture.public.tasks.told import TASKS, case_of, of_cause, roles_of, task_of, told_of

__all__ = (
    "PARTS",
    "TASKS",
    "Amounts",
    "Classification",
    "Judged",
    "Outcome",
    "Survival",
    "Task",
    "Taught",
    "apportion",
    "case_of",
    "of_cause",
    "roles_of",
    "task_of",
    "told_of",
)
