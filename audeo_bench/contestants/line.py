"""The line to a contestant's process: orders go out, answers come back, frames are lent meanwhile.

Frames stay with the harness and are served when they are read, so that a contestant is given no truth, any
``Frames`` will do, and the time that rendering or decoding takes is known.
"""

from __future__ import annotations

import atexit
import os
import queue
import re
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import AuthenticationError
from multiprocessing.connection import Connection, Listener
from typing import Any

import numpy as np

from audeo_bench.api import AudeoBenchError, Frames
from audeo_bench.contestants.birth import born
from audeo_bench.contestants.module import Contestant
from audeo_bench.contestants.wire import Message, receive, send
from audeo_bench.formats.text import plain

SHOWN, SHOWN_LINES = 4000, 10
"""Bytes, and lines, of what a contestant prints that the user is shown."""


@dataclass
class Served:
    """Frames that are lent to a contestant.

    Attributes
    ----------
    frames : Frames
    number : int
        Counts what was lent; who asks for other frames than the last is refused.
    read : callable
        Told how many frames were read beyond those read before.
    furthest, longest : int
        How far it read, and the most frames that were asked for at once.
    seconds : float
        What reading them took: rendering, decoding, passing on.
    fault : Exception or None
        Why they could not be read.
    """

    frames: Frames
    number: int = 0
    read: Callable[[int], None] = lambda count: None
    furthest: int = 0
    longest: int = 0
    seconds: float = 0.0
    fault: Exception | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, wanted: dict[str, Any], connection: Connection) -> None:
        begun, low, high = time.perf_counter(), int(wanted["low"]), int(wanted["high"])
        self.longest = max(self.longest, int(wanted["asked"]))
        try:
            pictures = np.asarray(self.frames[low:high])
        except Exception as fault:
            self.fault = fault
            send(connection, {"error": f"frames {low} to {high} cannot be read: {fault}"})
            return
        send(connection, {}, pictures)
        self.seconds += time.perf_counter() - begun
        if high > self.furthest:
            self.read(high - self.furthest)
            self.furthest = high


class Line:
    """A process that was started for a contestant, whose name and file errors tell, and what is said to it;
    an error if it ends before it can be asked anything.
    """

    def __init__(self, contestant: Contestant, seed: int) -> None:
        self.contestant = contestant
        self.served = Served(np.zeros((0, 1, 1), np.uint8))
        self._printed, self._lines = bytearray(), 0
        key, family = secrets.token_bytes(16), None
        address: Any = None
        if sys.platform == "linux":  # a name that no file stands for, so that none is left behind
            address, family = f"\0audeo-bench-{os.getpid()}-{secrets.token_hex(8)}", "AF_UNIX"
        self._listener = Listener(address, family, backlog=64, authkey=key)
        self._orders: queue.Queue[Connection] = queue.Queue()
        self._drained = threading.Event()
        told = {"address": address or self._listener.address, "key": key.hex()}
        self.process, self._output = born(told, contestant.path, seed)
        _alive.add(self)
        self._thread(self._accept)
        self._thread(self._drain)
        try:
            self._connection = self._connected()
        except BaseException:
            self.close()
            raise

    def lend(self, frames: Frames, read: Callable[[int], None]) -> None:
        """Serve these frames from now on, and those lent before no more."""
        self.served = Served(frames, self.served.number + 1, read)

    def ask(self, order: dict[str, Any], array: np.ndarray | None = None) -> Iterator[Message]:
        """What the process answers to an order, message by message; a failure ends it."""
        recording = order.get("recording")
        try:
            with self._told(recording):
                send(self._connection, order, array)
            while True:
                with self._told(recording):
                    while not self._connection.poll(0.1):
                        if not self.alive and not self._connection.poll(0):
                            raise EOFError
                    header, found = receive(self._connection)
                if "error" in header:
                    raise self._failure(header)
                if "done" in header:
                    return
                yield header, found
        except BaseException:  # or nobody waits any more, and half an answer is still on its way
            self.end()
            raise

    def close(self) -> None:
        """End the process and all that it started; show what it printed, once."""
        self.end()
        _alive.discard(self)
        with suppress(OSError):
            self._listener.close()
        if hasattr(self, "_connection"):
            self._connection.close()
        self._drained.wait(0.5)
        printed, begun = self._printed, bytes(self._printed[:SHOWN])
        shown = [plain(line.decode("utf-8", "replace")) for line in begun.splitlines()[:SHOWN_LINES]]
        if begun.strip():
            if len(printed) > SHOWN and len(shown) < SHOWN_LINES:
                shown[-1] += "…"
            more = max(0, self._lines - len(shown))
            rest = [f"... and {more:,} {'lines' if more > 1 else 'line'} more"] if more else []
            print(f"{self.contestant.name} printed:", *shown, *rest, sep="\n", file=sys.stderr)
        printed.clear()

    def end(self) -> None:
        """End the process and all that it started, at once; whoever waits for an answer is told so."""
        if hasattr(os, "killpg"):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
        with suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def _failure(self, header: dict[str, Any]) -> Exception:
        if self.served.fault is not None:  # its own fault is only that of what it was given
            return self.served.fault
        fault = AudeoBenchError(str(header["error"]))
        fault.add_note(str(header.get("trace", "")))
        return fault

    @contextmanager
    def _told(self, recording: str | None) -> Iterator[None]:
        """What goes wrong with the line to the process is told as what became of the process."""
        try:
            yield
        except (EOFError, OSError, ValueError, KeyError, TypeError) as fault:
            at = "" if recording is None else f" on recording {recording}"
            raise AudeoBenchError(
                f"{self.contestant.path}: {self.contestant.name} failed{at}: {self._how()}."
            ) from fault

    def _how(self) -> str:
        """How the process ended, or that it does not say what it should."""
        with suppress(subprocess.TimeoutExpired):
            return ended(self.process.wait(1))
        return "it broke the line to the harness"

    def _connected(self) -> Connection:
        while True:
            with suppress(queue.Empty):
                return self._orders.get(timeout=0.1)
            if not self.alive:
                raise AudeoBenchError(f"{self.contestant.path}: {self._how()} before it was imported.")

    def _thread(self, work: Callable[..., None], *given: Any) -> None:
        threading.Thread(target=work, args=given, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection = self._listener.accept()
            except (AuthenticationError, EOFError):
                continue
            except OSError:
                return
            self._thread(self._attend, connection)

    def _attend(self, connection: Connection) -> None:
        with suppress(EOFError, OSError, ValueError, KeyError):
            role = receive(connection)[0]["role"]
            if role == "orders":
                self._orders.put(connection)
                return
            while role == "frames":
                wanted, _ = receive(connection)
                served = self.served
                if wanted["number"] != served.number:
                    send(connection, {"error": "these frames are of a recording that is over"})
                    continue
                with served.lock:
                    served.answer(wanted, connection)
            connection.recv_bytes()  # held open: the process ends when the harness does
        connection.close()

    def _drain(self) -> None:
        with suppress(OSError):
            while chunk := os.read(self._output, 2**16):
                # As bytes.splitlines counts them; a progress bar ends its lines with \r.
                self._lines += len(re.findall(rb"\r\n|\r|\n", chunk))
                if len(self._printed) <= SHOWN:
                    self._printed += chunk
        os.close(self._output)
        self._drained.set()


def ended(code: int) -> str:
    """How a process ended, in words, by its exit code."""
    if code >= 0:
        return f"it ended its process with exit code {code}"
    name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
    hint = "; the memory may have run out" if name == "SIGKILL" else ""
    return f"its process was ended by {name}{hint}"


_alive: set[Line] = set()


@atexit.register
def _end_all() -> None:
    for line in list(_alive):
        line.close()
