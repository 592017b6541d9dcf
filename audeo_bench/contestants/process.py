"""A contestant in a process of its own: started, asked, listened to, ended.

Whatever a contestant does to its interpreter stays in its process: it may exit, crash, print, close its
output, change folder, number type, threads or signals; the harness says in one line how it ended, and the
next contestant answers as if it were alone. It is no sandbox: the process may do what its user may.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from audeo_bench.api import AudeoBenchError, Frames, Notes
from audeo_bench.contestants.answer import check_roll
from audeo_bench.contestants.line import Line
from audeo_bench.contestants.module import Contestant, missing_weights
from audeo_bench.contestants.roster import Kind
from audeo_bench.provenance import changed, code_of

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
        self.line = Line(contestant, seed)
        try:
            self.declared = self._look()
        except BaseException:
            self.close()
            raise

    def load(self, **options: Any) -> Declared:
        """Make an instance with its weights, ``options`` for its constructor."""
        if self.contestant.weights is None and self.declared.takes_weights:
            raise missing_weights(self.contestant)
        weights = self.contestant.weights
        [(found, _)] = self.line.ask(
            {
                "do": "load",
                "weights": None if weights is None else str(weights),
                "weights_sha256": self.contestant.weights_sha256,
                "options": options,
            }
        )
        code = code_of(self.contestant.path) if self.contestant.shipped else found["code"]
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
        self.line.lend(frames, read)
        order = {"shape": frames.shape, "frames": len(frames), "window": window, "watch": watch}
        return self._answer(order | {"recording": recording}, None)

    def midi(self, roll: np.ndarray, recording: str) -> Answer:
        """The contestant's answer about a first stage's roll, (88, T)."""
        return self._answer({"frames": roll.shape[1], "recording": recording}, roll)

    def audio(self, roll: np.ndarray, recording: str) -> np.ndarray:
        """The sound of a roll, (88, T), bool: float32 samples at 16 kHz."""
        [(_, samples)] = self.line.ask({"do": "audio", "recording": recording}, roll)
        assert samples is not None
        return samples

    def play(self, notes: Notes, seconds: float, recording: str) -> Iterator[np.ndarray]:
        """The sound of notes, not yet scaled: consecutive float32 samples at 16 kHz."""
        table = np.column_stack([notes.intervals, notes.pitches, notes.velocities]).astype(np.float64)
        for _, block in self.line.ask({"do": "play", "recording": recording, "seconds": seconds}, table):
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
        [(header, made)] = self.line.ask(order, array)
        return header["facts"], made

    def close(self) -> None:
        """End the process and all that it started; show what it printed, once."""
        self.line.close()

    def _look(self) -> Declared:
        [(found, _)] = self.line.ask(
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
        begun, waited, last = time.perf_counter(), self.line.served.seconds, {}
        roll, seconds = None, 0.0
        for header, found in self.line.ask({"do": "answer", **order}, array):
            if found is not None:
                roll, seconds = found, time.perf_counter() - begun - (self.line.served.seconds - waited)
            elif "begun" in header:
                begun = time.perf_counter()
            else:
                last = header
        roll = check_roll(roll, order["frames"], self.contestant.name, order["recording"])
        reached = tuple(last.get("reached", ()))
        return Answer(roll, max(seconds, 1e-6), last.get("code", {}), bool(last.get("windows")), reached)


_idle: list[Worker] = []
_warming: list[threading.Thread] = []


def take(contestant: Contestant, seed: int = 0) -> Worker:
    """A process for a contestant: one that waits, or a new one."""
    while _warming:
        _warming.pop().join()
    for worker in _idle:
        known = worker.contestant
        same = (known.path, known.sha256, worker.seed) == (contestant.path, contestant.sha256, seed)
        if same and worker.line.alive and not changed(worker.declared.code):
            _idle.remove(worker)
            worker.contestant = worker.line.contestant = contestant
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
