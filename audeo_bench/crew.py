"""Who does the work: this process alone, several processes, or the workers of a dask scheduler.

What is done elsewhere is a :class:`Unit`: a function of the package and what it is given, which must give the
same whoever does it. dask.distributed (``pip install 'audeo-bench[scale]'``) brings units to workers, results
back, and the units of a lost worker to another one; docs/scale.md says how machines are joined.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import platform
import secrets
import signal
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any

import psutil

from audeo_bench.errors import AudeoBenchError
from audeo_bench.files import sha256_of
from audeo_bench.places import PACKAGE
from audeo_bench.provenance import code_digest, place

MEMORY_OF_ONE = 3 * 2**29
"""Bytes that a worker and its contestant may need."""
LOSSES = 20
"""Workers of ours that may be lost over one unit before it is given up."""
MOST = 64
"""Workers that are started on one machine."""
WORTH_IT = 4
"""Units of some seconds each for which workers are started unasked."""
REMEMBERED = 64
"""How many units back a unit may name one that comes before it."""
PATIENCE = "20s"
"""How long a scheduler is waited for."""
LOOK, LONELY = 10, 12
"""Seconds between two looks at whether there is any worker, and how many looks without one are the end."""


@dataclass(frozen=True)
class Unit:
    """One piece of work.

    Attributes
    ----------
    name : str
        Stands in errors and is unique among the units of one call.
    work : callable
        A function that a worker can import.
    given : tuple
        Its arguments.
    after : tuple of str
        The names of units before, whose results are its last arguments.
    lasting : bool
        Any later unit may be after it; other results are forgotten after :data:`REMEMBERED` units.
    """

    name: str
    work: Callable[..., Any]
    given: tuple[Any, ...] = ()
    after: tuple[str, ...] = ()
    lasting: bool = False


Done = Iterator[tuple[Unit, Any]]


class Crew:
    """This process alone: units are done one after the other."""

    alone = True
    elsewhere = False
    """Whether workers may see other files than this process does."""

    @property
    def width(self) -> int:
        """How many units are done at once."""
        return 1

    def done(self, units: Iterable[Unit]) -> Done:
        """Units with their results, in the order in which they are done.

        Raises
        ------
        Exception
            What a unit raised, after what was finished by then.
        AudeoBenchError
            Too many workers were lost over a unit, or the scheduler is gone.
        """
        results = _Recent()
        for unit in units:
            found = unit.work(*unit.given, *results.before(unit))
            results.add(unit, found)
            yield unit, found


class _Dask(Crew):
    alone = False

    def __init__(self, client: Any, elsewhere: bool) -> None:
        self._client, self.elsewhere = client, elsewhere
        self._code = package_code()

    @property
    def width(self) -> int:
        return max(1, sum(self._client.nthreads().values()))

    def done(self, units: Iterable[Unit]) -> Done:
        token, waiting = secrets.token_hex(4), iter(units)
        known = _Recent()
        running: dict[Any, Unit] = {}
        try:
            while True:
                room = max(8, 4 * self.width) - len(running)
                for unit in islice(waiting, max(0, room)):
                    given = (self._code, unit.work, *unit.given, *known.before(unit))
                    future = self._client.submit(_do, *given, key=f"{unit.name}-{token}")
                    known.add(unit, future)
                    running[future] = unit
                if not running:
                    return
                self._wait(running)
                # A result that is lost with its worker just now is pending again, and waited for anew.
                for future in [future for future in running if future.status == "finished"]:
                    unit, found = running.pop(future), future.result()
                    known.settle(unit, found)
                    yield unit, found
                for future in [future for future in running if future.status in ("error", "cancelled")]:
                    raise self._fault(running.pop(future), future)
        finally:
            for future in running:
                future.cancel()

    def _wait(self, running: dict[Any, Unit]) -> None:
        """Until one of them is done, or workers of ours are gone; those of a cluster may yet come."""
        from concurrent.futures import CancelledError

        from distributed import wait

        lonely = 0
        while lonely < LONELY:
            try:
                wait(list(running), timeout=LOOK, return_when="FIRST_COMPLETED")
                return
            except TimeoutError:
                lonely = 0 if self.elsewhere or self._client.nthreads() else lonely + 1
            except CancelledError:
                return
        raise AudeoBenchError(
            "all workers are gone, and no new ones started; what was finished is kept, the same command "
            "continues."
        )

    def _fault(self, unit: Unit, future: Any) -> BaseException:
        from distributed import KilledWorker

        if future.status == "error":
            fault = future.exception()
            if not isinstance(fault, KilledWorker):
                return fault
            words = f"{unit.name}: every worker that had it was lost; the memory may have run out there."
        else:
            words = (
                f"{unit.name}: the scheduler is gone; what was finished is kept, the same command continues."
            )
        return AudeoBenchError(words)


class _Recent:
    """Results, or what stands for them, of lasting units and of the last :data:`REMEMBERED` others."""

    def __init__(self) -> None:
        self._lasting: dict[str, Any] = {}
        self._passing: OrderedDict[str, Any] = OrderedDict()

    def add(self, unit: Unit, found: Any) -> None:
        (self._lasting if unit.lasting else self._passing)[unit.name] = found
        if len(self._passing) > REMEMBERED:
            self._passing.popitem(last=False)

    def settle(self, unit: Unit, found: Any) -> None:
        """Hold a result itself instead of what stands for it, which a lost worker would have to make again;
        lasting ones, which may be large, stay with the workers.
        """
        if unit.name in self._passing:
            self._passing[unit.name] = found
        elif found is None:
            self._lasting[unit.name] = None

    def before(self, unit: Unit) -> list[Any]:
        return [self._lasting[n] if n in self._lasting else self._passing[n] for n in unit.after]


def _do(code: str, work: Callable[..., Any], *given: Any) -> Any:
    if package_code() != code:
        raise AudeoBenchError(
            f"worker on {platform.node()}: runs another audeo-bench; install the same one on every machine."
        )
    return work(*given)


@cache
def package_code() -> str:
    """A digest of all of the package's code as this process met it, so that machines can be compared."""
    paths = sorted(PACKAGE.rglob("*.py"))
    return code_digest({place(path): sha256_of(path) for path in paths})


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def fitting(units: int) -> int:
    """How many workers cores and memory of this machine allow; a few units are not worth the start of any."""
    if importlib.util.find_spec("distributed") is None or units < WORTH_IT:
        return 1
    return max(1, min(_cores(), psutil.virtual_memory().available // MEMORY_OF_ONE, units))


@contextmanager
def crew(workers: int = 1, scheduler: str | None = None) -> Iterator[Crew]:
    """Workers, for as long as the context lasts.

    Parameters
    ----------
    workers : int
        Processes of this machine; 1 is this process itself, 0 as many as cores and memory allow.
    scheduler : str or None
        The address of a dask scheduler whose workers do it all, such as ``tcp://host:8786``.

    Raises
    ------
    AudeoBenchError
        dask.distributed is not installed, or no scheduler answers.
    """
    if workers == 0 and scheduler is None:
        workers = fitting(MOST)
    if workers == 1 and scheduler is None:
        yield Crew()
        return
    try:
        import dask.config
        from distributed import Client, LocalCluster
    except ImportError as fault:
        raise AudeoBenchError(
            "several workers need dask: pip install 'audeo-bench[scale]', or use --workers 1."
        ) from fault
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    if scheduler is not None:
        try:
            client = Client(scheduler, timeout=PATIENCE)
        except (OSError, ValueError, TimeoutError) as fault:
            raise AudeoBenchError(
                f"--scheduler {scheduler}: no dask scheduler answers there; start one with `dask scheduler`."
            ) from fault
        warnings.filterwarnings("ignore", message="Sending large graph")  # contestants travel once each
        with client:
            yield _Dask(client, elsewhere=True)
        return
    threads = str(max(1, _cores() // workers))
    settings = {
        "distributed.scheduler.allowed-failures": LOSSES,
        "distributed.logging.distributed": "critical",
        "distributed.nanny.pre-spawn-environ": {"OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads},
        "distributed.worker.daemon": False,  # workers have children of their own
    }
    with (
        dask.config.set(settings),
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            memory_limit=0,
            dashboard_address=":0",
            silence_logs=logging.CRITICAL,
            preload=["audeo_bench.crew"],
        ) as cluster,
        Client(cluster) as client,
    ):
        # A worker that is lost while it starts is not started again by its nanny.
        cluster.adapt(minimum=workers, maximum=workers)  # type: ignore[reportAttributeAccessIssue]
        yield _Dask(client, elsewhere=False)


def dask_setup(worker: Any) -> None:
    """Called by dask in each worker of :func:`crew`: Ctrl-C is for the command alone to handle."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
