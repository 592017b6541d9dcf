"""The process that a contestant lives in: its file is imported once, then it answers recording by recording.

:mod:`.birth` starts it and tells it where the harness listens.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NoReturn
from unittest import mock

import numpy as np

from audeo_bench.api import (
    AudeoBenchError,
    Frames,
    Notes,
    Recording,
    RollToMidi,
    Stage,
    Synthesizer,
    VideoToRoll,
    windows,
)
from audeo_bench.contestants.answer import check_roll, check_sound, seed_everything
from audeo_bench.contestants.module import (
    Contestant,
    bound_recursion,
    changed_meanwhile,
    failure,
    kind_of,
    load_class,
    takes_weights,
)
from audeo_bench.contestants.served_frames import Place, ServedFrames
from audeo_bench.contestants.wire import receive, send
from audeo_bench.files import sha256_of
from audeo_bench.formats.text import parse_json
from audeo_bench.provenance import code_of, hardware, loaded

TRACED, LONGEST_TRACE = 50, 20_000
"""Calls of a traceback, and characters of it, that are kept for the record."""


def main() -> NoReturn:
    """Serve the harness that tells on standard input where it listens."""
    serve(json.loads(sys.stdin.readline()))


def serve(told: Mapping[str, str]) -> NoReturn:
    """Serve the harness that listens at ``told["address"]``, with ``told["key"]``, until it hangs up."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    bound_recursion()
    place = Place(told["address"], bytes.fromhex(told["key"]))
    threading.Thread(target=_end_with, args=(place.connect("life"),), daemon=True).start()
    connection = place.connect("orders")
    inhabitant = _Inhabitant(place)
    while True:
        try:
            order, array = receive(connection)
        except (EOFError, OSError, ValueError):
            os._exit(0)  # whatever the contestant left running or registered for the end
        try:
            for header, made in getattr(inhabitant, order.pop("do"))(order, array):
                send(connection, header, made)
            send(connection, {"done": True})
        except BaseException as fault:
            send(connection, inhabitant.report(fault, order.get("recording")))


def _end_with(life: Connection) -> None:
    """End this process and all that it started when the harness is gone, however it went."""
    try:
        life.recv_bytes()
    except (EOFError, OSError):
        os.killpg(0, signal.SIGKILL) if hasattr(os, "killpg") else os._exit(1)


Reply = Iterator[tuple[dict[str, Any], np.ndarray | None]]


class _Inhabitant:
    """A contestant and what it is asked; each method answers one order of :class:`.process.Worker`."""

    contestant: Contestant
    reads: list[Path]

    def __init__(self, place: Place) -> None:
        self.place = place
        self.number = 0
        self.options: dict[str, Any] = {}
        self.seed = 0
        self.kept: Stage | None = None
        self.imported: dict[str, str] = {}

    def look(self, order: dict[str, Any], array: np.ndarray | None) -> Reply:
        """Import the file; say what its class is."""
        self.contestant = Contestant(order["name"], Path(order["path"]), order["sha256"])
        self.seed = order["seed"]
        seed_everything(self.seed, "")
        cls = load_class(self.contestant)
        self.reads = _reads(cls, self.contestant.path)
        declared = {"takes_weights": takes_weights(cls), "keeps_state": bool(cls.keeps_state)}
        yield {"kind": kind_of(cls), "code": self.code(), **declared}, None

    def load(self, order: dict[str, Any], array: np.ndarray | None) -> Reply:
        """Make an instance with its weights; say what it declares."""
        weights, digest = order["weights"], order["weights_sha256"]
        if weights is not None and sha256_of(Path(weights)) != digest:
            raise changed_meanwhile(weights)
        self.contestant = replace(
            self.contestant, weights=None if weights is None else Path(weights), weights_sha256=digest
        )
        self.options = order["options"]
        self.kept = stage = self._instance()
        yield (
            {
                "facts": _facts(stage),
                "trained_on": _trained_on(stage),
                "learned": _learned(stage),
                "code": self.code(),
                "hardware": hardware(),
            },
            None,
        )

    def answer(self, order: dict[str, Any], array: np.ndarray | None) -> Reply:
        """A roll about one recording's frames or roll."""
        stage = self._for_one_recording()
        with _window_size(order.get("window")) as windows, _corpus_watched(order.get("watch")) as reached:
            if array is None:
                self.number += 1
                frames = ServedFrames(self.place, self.number, tuple(order["shape"]))
                seed_everything(self.seed, order["recording"])
                yield {"begun": True}, None
                assert isinstance(stage, VideoToRoll), stage
                answer = stage.roll(frames)
            else:
                seed_everything(self.seed, order["recording"])
                yield {"begun": True}, None
                assert isinstance(stage, RollToMidi), stage
                answer = stage.midi(array)
            roll = check_roll(answer, order["frames"], self.contestant.name, order["recording"])
            yield {}, roll
            yield {"windows": bool(windows), "reached": reached[:1], "code": self.code()}, None

    def audio(self, order: dict[str, Any], array: np.ndarray | None) -> Reply:
        """The sound of a roll, (88, T), bool."""
        stage = self._for_one_recording()
        assert isinstance(stage, Synthesizer) and array is not None
        seed_everything(self.seed, order["recording"])
        yield {}, check_sound(stage.audio(array), self.contestant.name, order["recording"])

    def play(self, order: dict[str, Any], array: np.ndarray | None) -> Reply:
        """The sound of notes, (n, 4): onset, offset, pitch, velocity; block by block."""
        stage = self._for_one_recording()
        assert isinstance(stage, Synthesizer) and array is not None
        seed_everything(self.seed, order["recording"])
        pitches, velocities = array[:, 2:].astype(np.int64).T
        for block in stage.play(Notes(array[:, :2], pitches, velocities), order["seconds"]):
            yield {}, check_sound(block, self.contestant.name, order["recording"])

    def call(self, order: dict[str, Any], array: np.ndarray | None) -> Reply:
        """What a function of the package makes of the instance."""
        stage = self.kept = self._instance() if self.kept is None else self.kept
        work = getattr(import_module(order["module"]), order["function"])
        facts, made = work(stage, array, **order["given"])
        yield {"facts": facts}, made

    def code(self) -> dict[str, str]:
        """What was imported by now but libraries, what that imports, and what the class says that it reads;
        shipped ones have only themselves.

        Raises
        ------
        AudeoBenchError
            Something has changed since it was imported, and what answers is no longer what lies there.
        """
        path = self.contestant.path
        if not self.contestant.shipped:
            if sha256_of(path) != self.contestant.sha256:
                raise changed_meanwhile(path)
            found = code_of(path, *loaded(), *self.reads)
            for name, digest in found.items():
                if self.imported.setdefault(name, digest) != digest:
                    raise changed_meanwhile(name)
        return self.imported

    def report(self, fault: BaseException, recording: str | None) -> dict[str, Any]:
        """What the user is told of a failure, in one line, and its traceback for the record."""
        trace = "".join(traceback.format_exception(fault, limit=-TRACED))[-LONGEST_TRACE:]
        return {"error": failure(fault, self.contestant, recording), "trace": trace}

    def _instance(self) -> Stage:
        seed_everything(self.seed, "")
        return self.contestant.load(**self.options)

    def _for_one_recording(self) -> Stage:
        if self.kept is None:
            return self._instance()
        stage = self.kept
        if not stage.keeps_state:
            self.kept = None  # the next recording gets a fresh one
        return stage


def _reads(cls: type[Stage], file: Path) -> list[Path]:
    """The files beside a contestant's that its class names."""
    declared: Any = cls.reads
    if not isinstance(declared, (list, tuple)) or not all(isinstance(name, str) for name in declared):
        raise AudeoBenchError(f"{file}: {cls.__name__}.reads is {declared!r}; make it a tuple of file names.")
    paths = [file.parent / name for name in declared]
    for path in paths:
        if not path.is_file():
            raise AudeoBenchError(f"{file}: {cls.__name__}.reads names {path}, but there is no such file.")
    return paths


def _facts(stage: Stage) -> dict[str, Any]:
    name, facts = f"{type(stage).__name__}.describe()", stage.describe()
    try:
        if not isinstance(facts, dict):
            raise TypeError(f"it is {type(facts).__name__}")
        text = json.dumps(facts, default=_plain, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as fault:
        raise AudeoBenchError(
            f"{name} must return a dict of texts, numbers and lists, but {fault}."
        ) from fault
    found = parse_json(text, name, remedy="return texts, numbers and lists")
    parameters = found.get("parameters")
    if parameters is not None and (type(parameters) is not int or parameters < 0):
        raise AudeoBenchError(f"{name}: parameters is {parameters!r}; give how many there are.")
    return found


def _plain(value: Any) -> Any:
    """numpy's and torch's numbers and arrays, and paths, as JSON has them."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    raise TypeError(f"it holds {type(value).__name__}")


def _trained_on(stage: Stage) -> list[str]:
    declared: Any = stage.trained_on
    if not isinstance(declared, (list, tuple, set, frozenset)) or not all(
        isinstance(name, str) for name in declared
    ):
        raise AudeoBenchError(
            f"{type(stage).__name__}.trained_on is {declared!r}; make it a tuple of corpus/split or "
            "corpus/recording names, such as ('simulated/wtc1',)."
        )
    return list(declared)


def _learned(stage: Stage) -> bool:
    """Whether something in the instance looks like learned weights: a torch module with parameters, or read
    weights.
    """
    if takes_weights(type(stage)):
        return True
    torch = sys.modules.get("torch")
    return torch is not None and any(
        isinstance(value, torch.nn.Module) and any(True for _ in value.parameters())
        for value in vars(stage).values()
    )


@contextmanager
def _window_size(size: int | None) -> Iterator[list[int]]:
    """Make every reader of ``api.windows`` get windows of ``size``; the list fills if anyone reads."""
    used: list[int] = []
    if size is None:
        yield used
        return
    original = windows

    def resized(frames: Frames, _size: int = 0, context: int = 0) -> Iterator[tuple[int, np.ndarray]]:
        used.append(size)
        return original(frames, size, context)

    holders = [module for module in list(sys.modules.values()) if vars(module).get("windows") is original]
    with ExitStack() as stack:
        for module in holders:
            stack.enter_context(mock.patch.object(module, "windows", resized))
        yield used


@contextmanager
def _corpus_watched(watch: bool | None) -> Iterator[list[str]]:
    """Note whenever a recording is fetched from a corpus: that is where truth and sound are."""
    reached: list[str] = []
    if not watch:
        yield reached
        return
    from audeo_bench.corpus import Corpus

    original = Corpus.recording

    def watched(self: Corpus, recording_id: str) -> Recording:
        reached.append(f"{self.name}/{recording_id}")
        return original(self, recording_id)

    with mock.patch.object(Corpus, "recording", watched):
        yield reached
