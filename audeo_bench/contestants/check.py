"""Contract tests over a contestant's file: does it answer as the harness expects, before hours are spent on
it?

Each test asks the contestant, in a process of its own as ever, for a short simulated recording and compares
answers; what a fault looks like is in the finding's words. Lengths follow the contestant's speed, so that a
slow one is through in about the same time.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

import numpy as np

from audeo_bench.api import FRAMES_PER_SECOND, SAMPLE_RATE, AudeoBenchError
from audeo_bench.contestants.loading import alone
from audeo_bench.contestants.module import Contestant
from audeo_bench.contestants.process import Declared, Worker, take
from audeo_bench.corpus import open_corpus

Outcome = Literal["pass", "warn", "fail"]
TOLERANCE = 1e-4
"""How far probabilities may differ between window sizes: float32 sums in another order, no more."""
AT_ONCE = 600
"""The most frames that may be read at once: 54 MB."""
PATIENCE = 8.0
"""Seconds that a contestant is watched reading."""
_FRAMES_RENDERED = 100
_SLOW = 5.0
"""Frames a second below which answers are kept short."""


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
        found = alone(contestant, weights)
        bench = _Bench(found)
    except Exception as fault:
        yield Finding("loads", "fail", _words(fault))
        return
    try:
        yield Finding("loads", "pass", str(bench.declared.kind))
        yield _declares(bench.declared)
        tests = [bench.shapes, bench.deterministic, bench.unmoved, bench.attentive]
        if bench.declared.kind == "video to roll":
            tests += [bench.windows, bench.peeking, bench.reading]
        for test in tests:
            try:
                if not bench.worker.line.alive:  # an earlier test may have cost it its life
                    bench.worker = bench.started()
                yield test()
            except Exception as fault:
                yield Finding(_CONTRACTS[test.__name__], "fail", _words(fault))
                if test == bench.shapes:
                    return
    finally:
        bench.worker.close()


def _words(fault: Exception) -> str:
    return str(fault) if isinstance(fault, AudeoBenchError) else f"{type(fault).__name__}: {fault}"


_CONTRACTS = {
    "shapes": "shapes and range",
    "deterministic": "deterministic under a seed",
    "unmoved": "unmoved by earlier recordings",
    "attentive": "looks at its input",
    "windows": "independent of window size",
    "peeking": "no peeking",
    "reading": "reads window by window",
}


def _declares(declared: Declared) -> Finding:
    contract, names = "declares its training data", declared.trained_on
    wrong = [name for name in names if name.count("/") != 1 or not all(name.split("/"))]
    if wrong:
        words = (
            f"trained_on names {wrong[0]!r}; write corpus/split or corpus/recording, such as simulated/wtc1."
        )
        return Finding(contract, "fail", words)
    if names:
        return Finding(contract, "pass", ", ".join(names[:4]) + (" …" if len(names) > 4 else ""))
    if declared.learned:
        words = (
            "has learned weights but no trained_on; declare what they saw, such as "
            'trained_on = ("simulated/wtc1",).'
        )
        return Finding(contract, "fail", words)
    return Finding(contract, "pass", "nothing: no learned weights found")


@dataclass
class _Cycle:
    """Frames that repeat a few rendered ones forth and back, so that any length costs no rendering and no
    memory.
    """

    base: np.ndarray
    length: int

    @property
    def shape(self) -> tuple[int, int, int]:
        height, width = self.base.shape[1:]
        return self.length, height, width

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, window: slice) -> np.ndarray:
        period = 2 * len(self.base)
        place = np.arange(*window.indices(self.length)) % period
        return self.base[np.minimum(place, period - 1 - place)]


@cache
def _clip() -> tuple[np.ndarray, np.ndarray]:
    """The beginning of a simulated training recording: frames, and what sounds, (88, T), bool."""
    corpus = open_corpus("simulated")
    whole = corpus.recording(corpus.ids("wtc1")[0])
    length = min(len(whole), _FRAMES_RENDERED)
    return np.asarray(whole.frames[0:length]), whole.sounding[:, :length]


@dataclass
class _Bench:
    """A contestant and what it is asked."""

    contestant: Contestant
    worker: Worker = field(init=False)
    declared: Declared = field(init=False)
    longest: int = _FRAMES_RENDERED

    def __post_init__(self) -> None:
        self.worker = self.started()
        self.declared = self.worker.declared

    def started(self) -> Worker:
        """Another process for the same contestant."""
        worker = take(self.contestant)
        try:
            worker.load()
        except BaseException:
            worker.close()
            raise
        return worker

    def shapes(self) -> Finding:
        few, times = 16, []
        for _ in range(2):
            begun = time.perf_counter()
            self.ask(few)
            times.append(time.perf_counter() - begun)
        speed = few / max(1e-6, *times[1:])
        # A few more answers of the whole length follow; a very slow contestant is judged on less. There are
        # two lengths and no more, so that how busy the machine is seldom changes what is asked.
        self.longest = _FRAMES_RENDERED if speed >= _SLOW else few
        lengths = (1, 2, self.longest)
        self.answer = [self.ask(length) for length in lengths][-1]
        of = ", ".join(map(str, lengths))
        return self._says("shapes", True, f"recordings of {of} frames; about {speed:.0f} frames a second")

    def deterministic(self) -> Finding:
        again = self.ask(self.longest)
        if np.array_equal(self.answer, again):
            return self._says("deterministic", True, "two answers are equal to the bit")
        gap = _gap(self.answer, again)
        if gap <= TOLERANCE:
            words = f"two answers differ by rounding, at most {TOLERANCE:g}"
            return self._says("deterministic", True, words)
        words = f"two answers under one seed differ by up to {gap:.2g}; seed what you draw, or draw nothing."
        return self._says("deterministic", False, words)

    def unmoved(self) -> Finding:
        """A run that was stopped goes on in another process, which has not heard the recordings before."""
        self.worker.close()
        self.worker = self.started()
        first = self.ask(self.longest)
        self.ask(self.longest, upside_down=True)
        gap = max(_gap(first, self.answer), _gap(first, self.ask(self.longest)))
        if gap <= TOLERANCE:
            return self._says("unmoved", True, "alone or after others, a recording gets the same answer")
        words = (
            f"the answer changes by up to {gap:.2g} with what was answered before; keep nothing from one "
            "recording to the next, neither in the class nor in the module."
        )
        return self._says("unmoved", False, words)

    def attentive(self) -> Finding:
        if np.array_equal(self.answer, self.ask(self.longest, upside_down=True)):
            words = "the answer is the same for quite another input"
            return Finding(_CONTRACTS["attentive"], "warn", words)
        return self._says("attentive", True, "another input gets another answer")

    def windows(self) -> Finding:
        sizes, gaps = (7, 64), []
        for size in sizes:
            answer = self.worker.roll(_Cycle(_clip()[0], self.longest), "check", window=size)
            if not answer.windows:
                return self._says("windows", True, "does not read through api.windows; nothing to vary")
            gaps.append(_gap(self.answer, answer.roll))
        if max(gaps) <= TOLERANCE:
            words = f"windows of {sizes[0]} and {sizes[1]} frames change no value by over {TOLERANCE:g}"
            return self._says("windows", True, words)
        words = (
            f"other window sizes change values by up to {max(gaps):.2g}; read enough context on both sides "
            "and keep nothing from one window to the next."
        )
        return self._says("windows", False, words)

    def peeking(self) -> Finding:
        answer = self.worker.roll(_Cycle(_clip()[0], self.longest), "check", watch=True)
        if answer.reached:
            words = f"asked for the corpus ({answer.reached[0]}) while answering; frames are all it may see."
            return self._says("peeking", False, words)
        return self._says("peeking", True, "asks no corpus for a recording while it answers")

    def reading(self) -> Finding:
        """Only how a long recording is read, not its answer, so that a slow contestant is not waited for."""
        begun, read = time.perf_counter(), 0

        def watched(count: int) -> None:
            nonlocal read
            read += count
            if read > AT_ONCE or time.perf_counter() - begun > PATIENCE:
                self.worker.line.end()

        length = 5 * AT_ONCE
        try:
            self.worker.roll(_Cycle(_clip()[0], length), "check", watched)
        except AudeoBenchError:
            if self.worker.line.alive:
                raise
        longest = self.worker.line.served.longest
        if longest > AT_ONCE:
            words = f"reads {longest} of {length} frames at once; read through api.windows."
            return self._says("reading", False, words)
        words = f"at most {longest} of {length} frames at once"
        if read < length:
            words += f", as far as it was watched: {read} frames in {PATIENCE:g} s"
        return self._says("reading", True, words)

    def ask(self, length: int, upside_down: bool = False) -> np.ndarray:
        """One answer about the first ``length`` frames, seeded and checked as a run does it."""
        pictures, sounding = _clip()
        if self.declared.kind == "video to roll":
            return self.worker.roll(_Cycle(255 - pictures if upside_down else pictures, length), "check").roll
        roll = _rough_roll(sounding, length)
        roll = roll[::-1].copy() if upside_down else roll
        if self.declared.kind == "roll to midi":
            return self.worker.midi(roll, "check").roll
        return _checked_sound(self.worker.audio(roll >= 0.5, "check"), length, self.contestant.name)

    def _says(self, test: str, holds: bool, words: str) -> Finding:
        return Finding(_CONTRACTS[test], "pass" if holds else "fail", words)


def _rough_roll(sounding: np.ndarray, length: int) -> np.ndarray:
    """A roll as a first stage might answer it, repeated to ``length`` frames."""
    rng = np.random.default_rng(0)
    rough = np.clip(0.75 * sounding + 0.2 * rng.random(sounding.shape), 0, 1).astype(np.float32)
    return np.tile(rough, (1, -(-length // rough.shape[1])))[:, :length]


def _checked_sound(samples: np.ndarray, length: int, name: str) -> np.ndarray:
    expected = length * SAMPLE_RATE // FRAMES_PER_SECOND
    if abs(len(samples) - expected) > SAMPLE_RATE:
        raise AudeoBenchError(
            f"{name}: {len(samples)} samples for {length} frames; answer {expected} mono float32 samples."
        )
    if np.abs(samples).max(initial=0) > 1:
        raise AudeoBenchError(f"{name}: samples beyond -1..1.")
    return samples


def _gap(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one - other).max(initial=0)) if one.shape == other.shape else float("inf")
