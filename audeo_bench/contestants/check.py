"""Contract tests over a contestant's file: does it answer as the harness expects, before hours are spent on
it?

Each test asks the contestant for a short simulated recording and compares answers; what a fault looks like is
in the finding's words. Lengths follow the contestant's speed, so that a slow one is through in about the same
time.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal
from unittest import mock

import numpy as np

from audeo_bench import api
from audeo_bench.api import AudeoBenchError, Recording, RollToMidi, Stage, Synthesizer, VideoToRoll
from audeo_bench.contestants.answer import check_roll, seed_everything
from audeo_bench.contestants.loading import alone
from audeo_bench.contestants.memory import peak_memory

Outcome = Literal["pass", "warn", "fail"]
TOLERANCE = 1e-4
"""How far probabilities may differ between window sizes: float32 sums in another order, no more."""
_FRAMES_RENDERED = 100


@dataclass(frozen=True)
class Finding:
    """One contract, whether it holds, and what was seen."""

    contract: str
    outcome: Outcome
    words: str


def check(contestant: str, weights: Sequence[str] = ()) -> Iterator[Finding]:
    """Test a contestant's file against the contract, one finding after another.

    Parameters
    ----------
    contestant : str
        A path, or the name of a built-in contestant.
    weights : sequence of str
        As ``audeo-bench midi --weights``.

    Yields
    ------
    finding : Finding
        The first failure that makes the later tests meaningless is the last finding.
    """
    try:
        stage = alone(contestant, weights).load()
    except AudeoBenchError as fault:
        yield Finding("loads", "fail", str(fault))
        return
    yield Finding("loads", "pass", f"{type(stage).__name__}, {_kind(stage)}")
    yield _declares(stage)
    try:
        bench = _Bench(stage, _recording(isinstance(stage, VideoToRoll)))
        yield bench.shapes()
    except AudeoBenchError as fault:
        yield Finding("shapes and range", "fail", str(fault))
        return
    for test in (bench.deterministic, bench.windows, bench.peeking, bench.attentive, bench.memory):
        try:
            yield test()
        except AudeoBenchError as fault:
            yield Finding(test.__name__, "fail", str(fault))


def _kind(stage: Stage) -> str:
    kinds = {VideoToRoll: "frames to roll", RollToMidi: "roll to midi", Synthesizer: "roll to sound"}
    return next(words for kind, words in kinds.items() if isinstance(stage, kind))


def _declares(stage: Stage) -> Finding:
    contract = "declares its training data"
    declared = stage.trained_on
    if isinstance(declared, str) or not all(isinstance(name, str) for name in declared):
        words = f"trained_on is {declared!r}; make it a tuple of corpus/split or corpus/recording names."
        return Finding(contract, "fail", words)
    wrong = [name for name in declared if name.count("/") != 1 or not all(name.split("/"))]
    if wrong:
        words = (
            f"trained_on names {wrong[0]!r}; write corpus/split or corpus/recording, such as simulated/wtc1."
        )
        return Finding(contract, "fail", words)
    if declared:
        return Finding(contract, "pass", ", ".join(declared[:4]) + (" …" if len(declared) > 4 else ""))
    if _learned(stage):
        words = (
            "has learned weights but no trained_on; declare what they saw, such as "
            'trained_on = ("simulated/wtc1",).'
        )
        return Finding(contract, "fail", words)
    return Finding(contract, "pass", "nothing: no learned weights found")


def _learned(stage: Stage) -> bool:
    """Whether something in the instance looks like learned weights: a torch module with parameters, or read
    weights.
    """
    if type(stage).load is not Stage.load:
        return True
    torch = sys.modules.get("torch")
    return torch is not None and any(
        isinstance(value, torch.nn.Module) and any(True for _ in value.parameters())
        for value in vars(stage).values()
    )


class _Cycle:
    """Frames that repeat a few rendered ones forth and back, so that any length costs no rendering and no
    memory.

    Remembers the longest window that was asked for.
    """

    def __init__(self, base: np.ndarray, length: int) -> None:
        self.base, self.length, self.longest = base, length, 0

    @property
    def shape(self) -> tuple[int, int, int]:
        return (self.length, *self.base.shape[1:])

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, window: slice) -> np.ndarray:
        if not isinstance(window, slice) or window.step not in (None, 1):
            raise AudeoBenchError(
                f"frames[{window}]: read frames by slices with step 1, such as frames[0:256]."
            )
        start, stop, _ = window.indices(self.length)
        self.longest = max(self.longest, stop - start)
        period = 2 * len(self.base)
        place = np.arange(start, max(start, stop)) % period
        return self.base[np.minimum(place, period - 1 - place)]


@cache
def _recording(filmed: bool) -> Recording:
    """The beginning of a simulated training recording from its first note on, frames rendered once."""
    from audeo_bench.corpus import open_corpus

    corpus = open_corpus("simulated")
    whole = corpus.recording(corpus.ids("wtc1")[0])
    window = slice(0, min(len(whole), _FRAMES_RENDERED))
    sounding = whole.sounding[:, window]
    blank = np.zeros((sounding.shape[1], 1, 1), np.uint8)
    frames = np.asarray(whole.frames[window]) if filmed else blank
    pressed = None if whole.pressed is None else whole.pressed[:, window]
    return replace(
        whole,
        frames=_Cycle(frames, len(frames)),
        sounding=sounding,
        pressed=pressed,
        notes=None,
        audio=_silence,
    )


def _silence() -> np.ndarray:
    return np.zeros(api.SAMPLE_RATE, np.float32)


class _Bench:
    """A contestant and what it is asked."""

    def __init__(self, stage: Stage, recording: Recording) -> None:
        self.stage, self.recording = stage, recording
        self.longest = len(recording)
        self.name = stage.name or type(stage).__name__

    def shapes(self) -> Finding:
        begun = time.perf_counter()
        few = 16
        self.ask(few)
        seconds = time.perf_counter() - begun
        begun = time.perf_counter()
        self.ask(few)
        self.speed = few / max(1e-6, min(seconds, time.perf_counter() - begun))
        # Four more answers of the whole length follow; they may take about eight seconds together.
        self.longest = int(np.clip(1.6 * self.speed, few, len(self.recording)))
        lengths = (1, 2, self.longest)
        self.answer = [self.ask(length) for length in lengths][-1]
        of = ", ".join(map(str, lengths))
        return Finding(
            "shapes and range", "pass", f"recordings of {of} frames; about {self.speed:.0f} frames a second"
        )

    def deterministic(self) -> Finding:
        again = self.ask(self.longest)
        if np.array_equal(self.answer, again):
            return Finding("deterministic under a seed", "pass", "two answers are equal to the bit")
        gap = _gap(self.answer, again)
        words = f"two answers under one seed differ by up to {gap:.2g}; seed what you draw, or draw nothing."
        return Finding("deterministic under a seed", "fail", words)

    def windows(self) -> Finding:
        contract = "independent of window size"
        sizes = (7, 64)
        with _window_size(sizes[0]) as used:
            small = self.ask(self.longest)
        if not used:
            return Finding(contract, "pass", "does not read through api.windows; nothing to vary")
        with _window_size(sizes[1]):
            gap = max(_gap(self.answer, small), _gap(self.answer, self.ask(self.longest)))
        if gap <= TOLERANCE:
            return Finding(
                contract,
                "pass",
                f"windows of {sizes[0]} and {sizes[1]} frames change no value by over {TOLERANCE:g}",
            )
        words = (
            f"other window sizes change values by up to {gap:.2g}; read enough context on both sides and "
            "keep nothing "
            "from one window to the next."
        )
        return Finding(contract, "fail", words)

    def peeking(self) -> Finding:
        contract = "no peeking"
        truth, other = self.recording, self.recording
        noise = np.random.default_rng(1).random(truth.sounding.shape) < 0.05
        loud = np.full(api.SAMPLE_RATE, 0.5, np.float32)
        reached: list[str] = []
        pressed = None if truth.pressed is None else ~truth.pressed
        other = replace(truth, sounding=noise, pressed=pressed, audio=lambda: reached.append("audio") or loud)
        with _corpus_watched(reached):
            answer = self.ask(self.longest, other)
        if reached:
            words = f"asked for the {reached[0]} while answering; its frames or roll are all it may see."
            return Finding(contract, "fail", words)
        if not np.array_equal(self.answer, answer):
            gap = _gap(self.answer, answer)
            words = f"the answer changes by up to {gap:.2g} when only truth and audio change."
            return Finding(contract, "fail", words)
        return Finding(
            contract, "pass", "another truth and another sound behind the same input change nothing"
        )

    def attentive(self) -> Finding:
        contract = "looks at its input"
        upset = self.ask(self.longest, self.recording, upside_down=True)
        if np.array_equal(self.answer, upset):
            return Finding(contract, "warn", "the answer is the same for quite another input")
        return Finding(contract, "pass", "another input gets another answer")

    def memory(self) -> Finding:
        contract = "memory flat in length"
        length = int(np.clip(1.5 * self.speed, 2 * self.longest, 3000))
        with peak_memory() as half:
            self.ask(length // 2)
        frames = _Cycle(self.recording.frames.base, length)  # type: ignore[attr-defined]
        with peak_memory() as whole:
            self.ask(length, frames=frames)
        if isinstance(self.stage, VideoToRoll) and frames.longest > max(length // 2, 600):
            words = f"reads {frames.longest} of {length} frames at once; read through api.windows."
            return Finding(contract, "fail", words)
        grown = (whole.bytes - half.bytes) / (length - length // 2)
        frame = (
            np.prod(self.recording.frames.shape[1:]) if isinstance(self.stage, VideoToRoll) else 88 * 4 * 100
        )
        measured = f"{grown / 1024:.1f} KiB a frame more from {length // 2} to {length} frames"
        if isinstance(self.stage, VideoToRoll) and frames.longest > length // 2:
            words = f"one window is over half of the {length} frames there was time for: nothing can be said"
            return Finding(contract, "warn", words)
        if grown > 0.25 * frame:
            words = f"{measured}: keep only the answer (a slice of a window keeps the whole window; copy it)."
            return Finding(contract, "fail", words)
        return Finding(contract, "pass", measured)

    def ask(
        self,
        length: int,
        recording: Recording | None = None,
        upside_down: bool = False,
        frames: _Cycle | None = None,
    ) -> np.ndarray:
        """One answer about the first ``length`` frames, seeded and checked as a run does it."""
        recording = recording or self.recording
        base = recording.frames.base  # type: ignore[attr-defined]
        seed_everything(0, recording.id)
        if isinstance(self.stage, VideoToRoll):
            pixels = 255 - base if upside_down else base
            answer = self._call(self.stage.roll, frames or _Cycle(pixels, length))
            return check_roll(answer, length, self.name, "check")
        roll = _rough_roll(self.recording.sounding, length)
        roll = roll[::-1].copy() if upside_down else roll
        if isinstance(self.stage, RollToMidi):
            return check_roll(self._call(self.stage.midi, roll), length, self.name, "check")
        assert isinstance(self.stage, Synthesizer), self.stage
        return _check_audio(self._call(self.stage.audio, roll >= 0.5), length, self.name)

    def _call(self, verb: Callable[[Any], Any], given: Any) -> Any:
        try:
            return verb(given)
        except AudeoBenchError:
            raise
        except Exception as fault:
            raise AudeoBenchError(
                f"{self.name} failed on {getattr(given, 'shape', given)}: {type(fault).__name__}: {fault}."
            ) from fault


def _rough_roll(sounding: np.ndarray, length: int) -> np.ndarray:
    """A roll as a first stage might answer it, repeated to ``length`` frames."""
    rng = np.random.default_rng(0)
    rough = np.clip(0.75 * sounding + 0.2 * rng.random(sounding.shape), 0, 1).astype(np.float32)
    return np.tile(rough, (1, -(-length // rough.shape[1])))[:, :length]


def _check_audio(answer: Any, length: int, name: str) -> np.ndarray:
    audio = np.asarray(answer)
    expected = length * api.SAMPLE_RATE // api.FRAMES_PER_SECOND
    if (
        audio.ndim != 1
        or not np.issubdtype(audio.dtype, np.floating)
        or abs(len(audio) - expected) > api.SAMPLE_RATE
    ):
        raise AudeoBenchError(
            f"{name}: {audio.dtype} of shape {audio.shape} for {length} frames; answer {expected} mono "
            "float32 samples."
        )
    if not np.isfinite(audio).all() or np.abs(audio).max(initial=0) > 1:
        raise AudeoBenchError(f"{name}: samples that are not finite or beyond -1..1.")
    return audio


def _gap(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one - other).max()) if one.shape == other.shape else float("inf")


@contextmanager
def _window_size(size: int) -> Iterator[list[int]]:
    """Make every reader of ``api.windows`` get windows of ``size``; the list fills if anyone reads."""
    used: list[int] = []
    original = api.windows

    def resized(frames: api.Frames, _size: int = 0, context: int = 0) -> Iterator[tuple[int, np.ndarray]]:
        used.append(size)
        return original(frames, size, context)

    holders = [module for module in list(sys.modules.values()) if vars(module).get("windows") is original]
    with ExitStack() as stack:
        for module in holders:
            stack.enter_context(mock.patch.object(module, "windows", resized))
        yield used


@contextmanager
def _corpus_watched(reached: list[str]) -> Iterator[None]:
    """Note whenever a recording is fetched from a corpus: that is where truth and sound are."""
    from audeo_bench.corpus import Corpus

    original = Corpus.recording

    def watched(self: Corpus, recording_id: str) -> Recording:
        reached.append(f"corpus ({self.name}/{recording_id})")
        return original(self, recording_id)

    with mock.patch.object(Corpus, "recording", watched):
        yield
