"""The two classes that NVIDIA FLARE runs; the only module that is loaded inside of it."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from nvflare.apis.controller_spec import TaskCompletionStatus
from nvflare.apis.event_type import EventType
from nvflare.apis.executor import Executor
from nvflare.apis.fl_constant import ReturnCode
from nvflare.apis.impl.controller import Controller, Task
from nvflare.apis.shareable import Shareable, make_reply

from tincture.errors import ReleaseError
from tincture.federation.site import Site
from tincture.flare.carrying import QUESTION, TASK, Carried, Reply, reply_of, until_tick
from tincture.flare.kit import Serving
from tincture.flare.running import conducted, opened_as

STOPPED = "A site went away, or the job was stopped; continue it (--resume) when all are there."


class Answering(Executor):
    """At a site: answers what is asked from books, records and budget that its keeper named."""

    def __init__(self) -> None:
        super().__init__()
        self._open = ExitStack()
        self._site: Site | None = None

    def handle_event(self, event_type: str, fl_ctx: Any) -> None:
        """Open the site with the job, and close it with it."""
        if event_type == EventType.START_RUN:
            local = Path(fl_ctx.get_engine().get_workspace().get_site_config_dir())
            self._site = opened_as(
                fl_ctx.get_identity_name(), Serving.read(local), self._open, self.logger.warning
            )
        elif event_type == EventType.END_RUN:
            self._open.close()

    def execute(self, task_name: str, shareable: Any, fl_ctx: Any, abort_signal: Any) -> Any:
        """A share, or one of two words; always on a tick."""
        started = time.monotonic()
        sent = Shareable()
        sent.update(reply_of(self._site, shareable.get(QUESTION)))
        until_tick(started)
        return sent if task_name == TASK else make_reply(ReturnCode.TASK_UNKNOWN)


class Coordinating(Controller):
    """At the server: asks all sites, and leaves a release, or why there is none, as the result."""

    def __init__(self, resume: bool = False) -> None:
        super().__init__()
        self._resume = resume

    def start_controller(self, fl_ctx: Any) -> None:
        """Nothing to do."""

    def stop_controller(self, fl_ctx: Any) -> None:
        """Nothing to do."""

    def control_flow(self, abort_signal: Any, fl_ctx: Any) -> None:
        """One run, from its first question to its release."""
        workspace, job = fl_ctx.get_engine().get_workspace(), fl_ctx.get_job_id()

        def carry(names: tuple[str, ...], content: bytes, seconds: float) -> dict[str, Reply]:
            data = Shareable()
            data[QUESTION] = content
            task = Task(name=TASK, data=data, timeout=int(seconds))
            self.broadcast_and_wait(
                task, fl_ctx, list(names), min_responses=len(names), abort_signal=abort_signal
            )
            if abort_signal.triggered or task.completion_status == TaskCompletionStatus.CLIENT_DEAD:
                raise ReleaseError(STOPPED)  # so that no further question is lost
            return {t.client.name: t.result for t in task.client_tasks if t.result is not None}

        conducted(
            Path(workspace.get_app_config_dir(job)),
            lambda names: Carried(names, lambda *asked: carry(names, *asked)),
            Path(workspace.get_root_dir()) / "runs",
            Path(workspace.get_result_root(job)),
            resume=self._resume,
        )
