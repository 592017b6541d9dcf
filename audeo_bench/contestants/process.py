"""A contestant in a process of its own: started, asked, listened to, ended.

Whatever a contestant does to its interpreter stays in its process: it may exit, crash, print, close its
output, change folder, number type, threads or signals; the harness says in one line how it ended, and the
next contestant answers as if it were alone. It is no sandbox: the process may do what its user may.

Frames stay with the harness and are served when they are read, so that a contestant is given no truth, any
``Frames`` will do, and the time that rendering or decoding takes is known.
"""

from __future__ import annotations

import atexit
import os
import queue
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from multiprocessing import AuthenticationError
from multiprocessing.connection import Connection, Listener
from typing import Any

import numpy as np

from audeo_bench.api import AudeoBenchError, Frames, Notes
from audeo_bench.contestants.answer import check_roll
from audeo_bench.contestants.birth import born
from audeo_bench.contestants.module import Contestant, missing_weights
from audeo_bench.contestants.roster import Kind
from audeo_bench.contestants.wire import receive, send
from audeo_bench.provenance import code_of

SHOWN = 4000
"""Bytes of what a contestant prints that the user is shown."""
IDLE = 3
"""Processes kept waiting for the next question about the same file."""


@dataclass(frozen=True)
class Declared:
    """What a contestant's file says of itself, and its instance where one was made.

    Attributes
    ----------
    kind : Kind
    takes_weights, keeps_state : bool
    facts : dict
        What ``describe()`` said.
    trained_on : tuple of str
    learned : bool
        Something in the instance looks like learned weights.
    code : dict
        What was imported, by :func:`audeo_bench.provenance.code_of`.
    hardware : dict
        What the process found, by :func:`audeo_bench.provenance.hardware`.
    """

    kind: Kind
    takes_weights: bool
    keeps_state: bool
    facts: dict[str, Any] = field(default_factory=dict)
    trained_on: tuple[str, ...] = ()
    learned: bool = False
    code: dict[str, str] = field(default_factory=dict)
    hardware: dict[str, str | int] = field(default_factory=dict)


@dataclass
class Served:
    """Frames that are lent to a contestant.

    Attributes
    ----------
    frames : Frames
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


@dataclass(frozen=True)
class Answer:
    """A roll, how long it took without reading frames, and what was noticed.

    Attributes
    ----------
    roll : np.ndarray, shape (88, T), float32
    seconds : float
    code : dict of str to str
        What has been imported by now, by :func:`audeo_bench.provenance.code_of`.
    windows : bool
        Whether frames were read through ``api.windows``; known where a window size was asked for.
    reached : tuple of str
        Recordings that it fetched from a corpus; known where it was watched.
    """

    roll: np.ndarray
    seconds: float
    code: dict[str, str]
    windows: bool
    reached: tuple[str, ...]


class Worker:
    """A contestant's process. Its file is imported once; every recording gets a fresh instance, unless the
    class says that it keeps state.

    Parameters
    ----------
    contestant : Contestant
    seed : int
        Set before the file is imported and, with the recording's id, before each answer.

    Raises
    ------
    AudeoBenchError
        The file does not import or defines no contestant; its process ended; its answer is none. One line
        that names the file, the recording and the cause.
    """

    def __init__(self, contestant: Contestant, seed: int = 0) -> None:
        self.contestant, self.seed = contestant, seed
        self._printed, self._number, self._served = bytearray(), 0, Served(np.zeros((0, 1, 1), np.uint8))
        key, family = secrets.token_bytes(16), None
        address: Any = None
        if sys.platform == "linux":  # a name that no file stands for, so that none is left behind
            address, family = f"\0audeo-bench-{os.getpid()}-{secrets.token_hex(8)}", "AF_UNIX"
        self._listener = Listener(address, family, backlog=64, authkey=key)
        self._orders: queue.Queue[Connection] = queue.Queue()
        told = {"address": address or self._listener.address, "key": key.hex()}
        self._process, self._output = born(told, contestant.path, seed)
        _alive.add(self)
        self._thread(self._accept)
        self._thread(self._drain)
        try:
            self._connection = self._connected()
            self.declared = self._look()
        except BaseException:
            self.close()
            raise

    def load(self, **options: Any) -> Declared:
        """Make an instance with its weights, ``options`` for its constructor."""
        if self.contestant.weights is None and self.declared.takes_weights:
            raise missing_weights(self.contestant)
        weights = self.contestant.weights
        [(found, _)] = self._ask(
            {
                "do": "load",
                "weights": None if weights is None else str(weights),
                "weights_sha256": self.contestant.weights_sha256,
                "options": options,
            }
        )
        code = code_of(self.contestant.path) | found["code"]
        made = {**found, "trained_on": tuple(found["trained_on"]), "code": code}
        self.declared = replace(self.declared, **made)
        return self.declared

    def roll(
        self,
        frames: Frames,
        recording: str,
        read: Callable[[int], None] = lambda count: None,
        window: int | None = None,
        watch: bool = False,
    ) -> Answer:
        """The contestant's answer about a recording's frames.

        Parameters
        ----------
        frames : Frames
        recording : str
            Its id.
        read : callable
            Told how many more frames were read.
        window : int or None
            The size that ``api.windows`` gives, whatever the contestant asks for.
        watch : bool
            Whether to note what it fetches from a corpus.
        """
        self._number += 1
        self._served = Served(frames, read)
        order = {"shape": frames.shape, "frames": len(frames), "window": window, "watch": watch}
        return self._answer(order | {"recording": recording}, None)

    def midi(self, roll: np.ndarray, recording: str) -> Answer:
        """The contestant's answer about a first stage's roll, (88, T)."""
        return self._answer({"frames": roll.shape[1], "recording": recording}, roll)

    def audio(self, roll: np.ndarray, recording: str) -> np.ndarray:
        """The sound of a roll, (88, T), bool: float32 samples at 16 kHz."""
        [(_, samples)] = self._ask({"do": "audio", "recording": recording}, roll)
        assert samples is not None
        return samples

    def play(self, notes: Notes, seconds: float, recording: str) -> Iterator[np.ndarray]:
        """The sound of notes, not yet scaled: consecutive float32 samples at 16 kHz."""
        table = np.column_stack([notes.intervals, notes.pitches, notes.velocities]).astype(np.float64)
        for _, block in self._ask({"do": "play", "recording": recording, "seconds": seconds}, table):
            if block is not None:
                yield block

    def call(
        self,
        work: Callable[..., tuple[dict[str, Any], np.ndarray | None]],
        array: np.ndarray | None = None,
        **given: Any,
    ) -> tuple[dict[str, Any], np.ndarray | None]:
        """What a function of the package makes of the loaded instance, in its process.

        Parameters
        ----------
        work : callable
            Called as ``work(stage, array, **given)``; returns plain values by name, and an array of numbers
            or None.
        array : np.ndarray or None
        **given
            Plain values.
        """
        order = {"do": "call", "module": work.__module__, "function": work.__name__, "given": given}
        [(header, made)] = self._ask(order, array)
        return header["facts"], made

    def close(self) -> None:
        """End the process and all that it started; show what it printed, once."""
        self._kill()
        _alive.discard(self)
        with suppress(OSError):
            self._listener.close()
        if hasattr(self, "_connection"):
            self._connection.close()
        self._drained.wait(0.5)
        text = bytes(self._printed[:SHOWN]).decode("utf-8", "replace").strip()
        self._printed.clear()
        if text:
            shown = "".join(letter if letter.isprintable() or letter == "\n" else "?" for letter in text)
            print(f"{self.contestant.name} printed:\n{shown}", file=sys.stderr)

    def stop(self) -> None:
        """End the process at once; whoever waits for an answer is told so."""
        self._kill()

    @property
    def longest(self) -> int:
        """The most frames of the last recording that were asked for at once."""
        return self._served.longest

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def _look(self) -> Declared:
        [(found, _)] = self._ask(
            {
                "do": "look",
                "name": self.contestant.name,
                "path": str(self.contestant.path),
                "sha256": self.contestant.sha256,
                "seed": self.seed,
            }
        )
        return Declared(**found)

    def _answer(self, order: dict[str, Any], array: np.ndarray | None) -> Answer:
        begun, waited, last = time.perf_counter(), self._served.seconds, {}
        roll, seconds = None, 0.0
        for header, found in self._ask({"do": "answer", **order}, array):
            if found is not None:
                roll, seconds = found, time.perf_counter() - begun - (self._served.seconds - waited)
            elif "begun" in header:
                begun = time.perf_counter()
            else:
                last = header
        roll = check_roll(roll, order["frames"], self.contestant.name, order["recording"])
        reached = tuple(last.get("reached", ()))
        return Answer(roll, max(seconds, 1e-6), last.get("code", {}), bool(last.get("windows")), reached)

    def _ask(
        self, order: dict[str, Any], array: np.ndarray | None = None
    ) -> Iterator[tuple[dict[str, Any], np.ndarray | None]]:
        recording = order.get("recording")
        try:
            with self._line(recording):
                send(self._connection, order, array)
            while True:
                with self._line(recording):
                    while not self._connection.poll(0.1):
                        if not self.alive and not self._connection.poll(0):
                            raise EOFError
                    header, found = receive(self._connection)
                if "error" in header:
                    raise self._failure(header)
                if "done" in header:
                    return
                yield header, found
        except GeneratorExit:
            self._kill()  # half an answer is still on its way
            raise
        except BaseException:
            self._kill()
            raise

    def _failure(self, header: dict[str, Any]) -> Exception:
        if self._served.fault is not None:  # its own fault is only that of what it was given
            return self._served.fault
        fault = AudeoBenchError(str(header["error"]))
        fault.add_note(str(header.get("trace", "")))
        return fault

    @contextmanager
    def _line(self, recording: str | None) -> Iterator[None]:
        """What goes wrong with the line to the process is told as what became of the process."""
        try:
            yield
        except (EOFError, OSError, ValueError, KeyError, TypeError) as fault:
            at = "" if recording is None else f" on recording {recording}"
            raise AudeoBenchError(
                f"{self.contestant.path}: {self.contestant.name} failed{at}: {self._end()}."
            ) from fault

    def _end(self) -> str:
        """How the process ended, or that it does not say what it should."""
        with suppress(subprocess.TimeoutExpired):
            return ended(self._process.wait(1))
        return "it broke the line to the harness"

    def _connected(self) -> Connection:
        while True:
            with suppress(queue.Empty):
                return self._orders.get(timeout=0.1)
            if not self.alive:
                raise AudeoBenchError(f"{self.contestant.path}: {self._end()} before it was imported.")

    def _kill(self) -> None:
        if hasattr(os, "killpg"):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        with suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait()

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
                served = self._served
                if wanted["number"] != self._number:
                    send(connection, {"error": "these frames are of a recording that is over"})
                    continue
                with served.lock:
                    served.answer(wanted, connection)
            connection.recv_bytes()  # held open: the process ends when the harness does
        connection.close()

    def _drain(self) -> None:
        self._drained = threading.Event()
        with suppress(OSError):
            while chunk := os.read(self._output, 2**16):
                if len(self._printed) < SHOWN:
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


_alive: set[Worker] = set()
_idle: list[Worker] = []
_warming: list[threading.Thread] = []


def take(contestant: Contestant, seed: int = 0) -> Worker:
    """A process for a contestant: one that waits, or a new one."""
    while _warming:
        _warming.pop().join()
    for worker in _idle:
        known = worker.contestant
        same = (known.path, known.sha256, worker.seed) == (contestant.path, contestant.sha256, seed)
        if same and worker.alive:
            _idle.remove(worker)
            worker.contestant = contestant
            return worker
    return Worker(contestant, seed)


def warm(contestant: Contestant, seed: int = 0) -> None:
    """Begin to start a contestant's process, to be taken when it is needed."""

    def start() -> None:
        with suppress(AudeoBenchError):  # said when it is taken
            leave(Worker(contestant, seed))

    thread = threading.Thread(target=start, daemon=True)
    _warming.append(thread)
    thread.start()


def leave(worker: Worker) -> None:
    """Let a process wait for the next question about its file."""
    _idle.append(worker)
    while len(_idle) > IDLE:
        _idle.pop(0).close()


@contextmanager
def lent(contestant: Contestant, seed: int = 0) -> Iterator[Worker]:
    """A contestant's process with an instance loaded, ended afterwards."""
    worker = take(contestant, seed)
    try:
        worker.load()
        yield worker
    finally:
        worker.close()


@atexit.register
def _end_all() -> None:
    for worker in list(_alive):
        worker.close()
