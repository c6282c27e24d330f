"""Several processes that each do a part of the work: Dask carries parts to them and results back.

No task raises: what fails on a worker comes back as our own sentence, or as none, since Dask would
write a foreign error, which could quote a record, into its logs. A task must be a function of its
item alone, as Dask runs it again where a worker was lost, or by two workers at a time.
"""

from __future__ import annotations

import contextlib
import logging
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from tincture.errors import SettingError, TableError, TinctureError
from tincture.io.extras import library
from tincture.version import __version__

ENGINE, PURPOSE, EXTRA = "distributed", "Reading parts by several workers", "cluster"
PATIENCE = 30  # seconds, within which a scheduler answers and has a worker
MOST = 1000
THREADS = [f"{who}_NUM_THREADS" for who in ("OMP", "MKL", "OPENBLAS", "NUMBA")]
THREADS.append("POLARS_MAX_THREADS")  # a worker is one of several
ONE = threading.Lock()  # a worker with threads reads one part at a time, as readers hush it
T = TypeVar("T")
R = TypeVar("R")


class Result(NamedTuple):
    """What a task gave, or the kind of our error and its sentence; neither if it failed."""

    version: str
    value: Any = None
    error: type[TinctureError] | None = None
    told: str = ""


@dataclass(frozen=True, slots=True)
class Workers:
    """Processes that wait for tasks."""

    client: Any

    def each(self, function: Callable[[T], R], items: Sequence[T]) -> Iterator[R]:
        """What a function makes of each item, in their order, the first result of each.

        Parameters
        ----------
        function : callable
            Of a module that workers can import too.
        items : sequence
            That can be pickled.

        Raises
        ------
        TinctureError
            That of the first item that fails.
        """
        futures = [self.client.submit(_done, function, item, pure=False) for item in items]
        futures.reverse()
        try:
            while futures:
                yield _value(_fetched(futures.pop()))
        finally:
            self.client.cancel(futures)


@contextlib.contextmanager
def opened(
    workers: int | None, scheduler: str | None, *, patience: float = PATIENCE
) -> Iterator[Workers]:
    """Workers of this machine, or those of a scheduler.

    Ours are reached over TLS, by keys that are made for them alone, and nothing of a record is
    written to a disk for lack of memory. How a scheduler is reached is told to Dask.

    Raises
    ------
    SettingError
        If Dask is not installed, or no worker can be had.
    """
    if workers is not None and (scheduler is not None or not 1 <= workers <= MOST):
        raise SettingError(
            "Give either a number of workers (--workers) from 1 to 1,000 or the address of a "
            "scheduler (--scheduler)."
        )
    distributed = library(ENGINE, PURPOSE, extra=EXTRA)
    with _silent(), contextlib.ExitStack() as stack:
        try:
            near = _local(distributed, workers) if scheduler is None else nullcontext(scheduler)
            address = stack.enter_context(near)
            asking = distributed.Client(address, set_as_default=False, timeout=patience)
            client = stack.enter_context(asking)
            client.wait_for_workers(1, timeout=patience)
        except (OSError, ValueError, RuntimeError):  # whose words are Dask's
            client = None
        if client is None:
            raise SettingError(
                "The workers could not be started; try fewer."
                if scheduler is None
                else f"No worker can be had of the scheduler {scheduler}; expected an address "
                "such as tcp://host:8786 where a Dask scheduler answers and has workers."
            )
        yield Workers(client)


@contextlib.contextmanager
def _local(distributed: Any, workers: int | None) -> Iterator[Any]:
    """A scheduler and workers that end with the run, and that nobody else can speak to."""
    dask = library("dask", PURPOSE, extra=EXTRA)
    library("cryptography", PURPOSE, extra=EXTRA)
    settings: dict[str, Any] = {
        "distributed.scheduler.http.routes": [],
        "distributed.worker.http.routes": [],
        "distributed.worker.memory.spill": False,
        # Dask's own would have glibc give back memory all the time, for a third of the work.
        "distributed.nanny.pre-spawn-environ": dict.fromkeys(THREADS, 1),
    }
    with tempfile.TemporaryDirectory() as folder, dask.config.set(settings):
        cluster = distributed.LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            memory_limit=None,
            host="127.0.0.1",
            protocol="tls",
            security=distributed.Security.temporary(),
            dashboard_address="127.0.0.1:0",
            local_directory=folder,
            silence_logs=logging.CRITICAL,
        )
        try:
            yield cluster
        finally:
            with contextlib.suppress(OSError, RuntimeError):  # all is done; they end with us
                cluster.close()


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Without the words of Dask, for which our sentences stand."""
    log = logging.getLogger(ENGINE)
    before = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(before)


def _done(function: Callable[[T], R], item: T) -> Result:
    """On a worker."""
    try:
        with ONE:
            return Result(__version__, function(item))
    except TinctureError as error:
        return Result(__version__, error=type(error), told=str(error))
    except BaseException:  # also a foreign panic
        return Result(__version__, error=TinctureError)


def _fetched(future: Any) -> Result | None:
    """A worker's result, or None if none comes."""
    try:
        result: Result = future.result()
    except Exception:  # its text and context are Dask's
        return None
    return result


def _value(result: Result | None) -> Any:
    if result is None:
        raise TableError(
            "The workers were lost at a part, or cannot run it; expected workers with memory for a "
            f"part each, and with Tincture {__version__} and the same libraries as here."
        )
    if result.version != __version__:
        raise SettingError(
            f"A worker has Tincture {result.version}, and this machine {__version__}; install the "
            "same on all."
        )
    if result.error is not None:
        raise result.error(
            result.told
            or "A part failed on a worker; why stays there, as it could quote a record. Read the "
            "parts without workers to be told more."
        )
    return result.value
