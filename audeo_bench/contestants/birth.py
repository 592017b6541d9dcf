"""How a contestant's process comes to be: forked from one that has imported what takes long, or started anew.

On Linux a nursery (one for every seed, with torch or without) imports once and then forks a process for every
contestant within some ten milliseconds. Each has a session, a standard output and a guardian of its own; the
guardian waits for it and tells the harness how it ended. multiprocessing's forkserver would import the user's
main module into the contestant's process, which this does not. Elsewhere a new interpreter is started.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from multiprocessing import reduction
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any, NoReturn, Protocol

from audeo_bench.contestants.wire import receive, send
from audeo_bench.errors import AudeoBenchError

HEAVY = ("torch", "audeo_bench.nn.stage")
"""What a nursery imports for contestants whose file speaks of one of them."""
START = "import sys; sys.path[:] = {path!r}; from audeo_bench.contestants.{module} import main; main()"


class Process(Protocol):
    """What is wanted of a process, whichever way it was started."""

    pid: int

    def poll(self) -> int | None: ...

    def wait(self, timeout: float | None = None) -> int: ...

    def kill(self) -> None: ...


def born(told: Mapping[str, str], file: Path, seed: int) -> tuple[Process, int]:
    """A new process in a session of its own that runs :func:`.worker.serve` with ``told``.

    Parameters
    ----------
    told : mapping of str to str
        What :func:`.worker.serve` takes.
    file : Path
        The contestant's: its text decides what is imported beforehand.
    seed : int
        Of Python's hashes.

    Returns
    -------
    process : Process
    output : int
        A descriptor to read what it prints; the caller's to close.
    """
    if sys.platform == "linux":
        content = file.read_bytes()
        return _nursery(seed % 2**32, any(name.encode() in content for name in HEAVY)).fork(told)
    process = subprocess.Popen(
        [sys.executable, "-c", START.format(path=_path(), module="worker")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        # Ctrl-C is the harness's to handle; and all that the contestant starts can be ended together.
        start_new_session=True,
        env=_environment(seed % 2**32),
    )
    assert process.stdin is not None and process.stdout is not None
    with suppress(OSError), process.stdin as stdin:
        stdin.write(json.dumps(told).encode() + b"\n")
    with process.stdout:
        return process, os.dup(process.stdout.fileno())


def _path() -> list[str]:
    return [place or str(Path.cwd()) for place in sys.path]


def _environment(seed: int) -> dict[str, str]:
    return os.environ | {"PYTHONHASHSEED": str(seed)}


class Forked:
    """A process whose guardian tells on a pipe first its number, then its exit code."""

    def __init__(self, status: int) -> None:
        self._status, self._lock, self._code = status, threading.Lock(), None
        number = self._line()
        if not number:
            raise AudeoBenchError(
                "no process can be started for the contestant; the memory may have run out."
            )
        self.pid = int(number)

    def poll(self) -> int | None:
        with suppress(subprocess.TimeoutExpired):
            return self.wait(0)
        return None

    def wait(self, timeout: float | None = None) -> int:
        with self._lock:
            if self._code is None:
                if not select.select([self._status], [], [], timeout)[0]:
                    raise subprocess.TimeoutExpired("contestant", timeout or 0.0)
                self._code = int(self._line() or -signal.SIGKILL)
                os.close(self._status)
            return self._code

    def kill(self) -> None:
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)

    def _line(self) -> bytes:
        line = b""
        while not line.endswith(b"\n") and (byte := os.read(self._status, 1)):
            line += byte
        return line


class _Nursery:
    """The harness's side of a process that forks others."""

    def __init__(self, seed: int, heavy: bool) -> None:
        self._connection, theirs = Pipe()
        self._lock = threading.Lock()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", START.format(path=_path(), module="birth"), str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                env=_environment(seed),
            )
        self.seed = seed
        send(self._connection, {"imports": HEAVY if heavy else ()})

    def fork(self, told: Mapping[str, str]) -> tuple[Forked, int]:
        read, written = os.pipe()
        status, reported = os.pipe()
        order = {
            "told": dict(told),
            "path": _path(),
            "folder": str(Path.cwd()),
            "environment": _environment(self.seed),
        }
        try:
            with self._lock:
                send(self._connection, order)
                for descriptor in (written, reported):
                    reduction.send_handle(self._connection, descriptor, self._process.pid)
        finally:
            os.close(written)
            os.close(reported)
        return Forked(status), read

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def close(self) -> None:
        self._connection.close()
        self._process.wait()


_nurseries: dict[tuple[int, int, bool], _Nursery] = {}
_starting = threading.Lock()


def _nursery(seed: int, heavy: bool) -> _Nursery:
    key = os.getpid(), seed, heavy  # a forked harness must not share its parent's
    with _starting:
        if key not in _nurseries or not _nurseries[key].alive:
            _nurseries[key] = _Nursery(seed, heavy)
        return _nurseries[key]


@atexit.register
def _close_all() -> None:
    for (harness, _, _), nursery in _nurseries.items():
        if harness == os.getpid():
            nursery.close()


def main() -> NoReturn:
    """The nursery: import, then fork a process for every order until the harness hangs up."""
    from audeo_bench.contestants import worker

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for guardians
    connection = Connection(int(sys.argv[1]))
    with suppress(EOFError, OSError):
        for name in receive(connection)[0]["imports"]:
            with suppress(ImportError):
                import_module(name)
        while True:
            order, _ = receive(connection)
            output, status = (reduction.recv_handle(connection) for _ in range(2))
            if os.fork() == 0:
                connection.close()
                _guard(order, output, status, worker.serve)
            os.close(output)
            os.close(status)
    os._exit(0)


def _guard(order: dict[str, Any], output: int, status: int, serve: Any) -> NoReturn:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    child = os.fork()
    if child == 0:
        os.setsid()
        os.close(status)
        for standard in (1, 2):
            os.dup2(output, standard)
        os.close(output)
        os.environ.clear()
        os.environ.update(order["environment"])
        sys.path[:], sys.argv[:] = order["path"], ["-c"]
        os.chdir(order["folder"])
        serve(order["told"])
    os.close(output)
    with suppress(OSError):
        os.write(status, b"%d\n" % child)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        os.write(status, b"%d\n" % code)
    os._exit(0)
