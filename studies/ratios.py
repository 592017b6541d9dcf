"""Every ratio of speeds that README or docs claim, measured again: the two sides in turns, in one process.

``python -m studies.ratios`` on a machine that does nothing else; ``--only`` measures some. The benchmarks in
tests/benchmarks hold the first two to what is promised.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import librosa
import mir_eval
import numpy as np
import torch
import typer
from threadpoolctl import threadpool_limits

from audeo_bench.api import SAMPLE_RATE
from audeo_bench.contestants import birth
from audeo_bench.contestants.loading import alone, find
from audeo_bench.contestants.module import load_class
from audeo_bench.contestants.process import Worker
from audeo_bench.identify.catalogue.pitch import FRAME_RATE, PITCHES, PitchIndex
from audeo_bench.nn.stage import BATCH, StackedFrames, TorchStage
from audeo_bench.roll import FRAMES_PER_SECOND, LOWEST_PITCH
from audeo_bench.score.frames import AVERAGES, KEY_RANGES, average, frame_counts
from audeo_bench.synth.fluidsynth import render_roll
from studies.tables import Keep, Table, show

FULL_SIZE = (100, 900)
ROUNDS = 4
PIECE_SECONDS = 285
"""Mean length of ASAP's performances: 227 of them last 18 hours."""
SCORED_FRAMES, THRESHOLDS = 20_000, (0.3, 0.4, 0.5)
Clock = Callable[[], float]


@dataclass(frozen=True)
class Claim:
    """Where a ratio stands in the manual, and the words that say it; None where nothing is claimed yet."""

    what: str
    page: str
    words: str | None
    measure: Callable[[], Iterator[tuple[str, float, float]]]
    """Gives details, and the seconds of the slower and of the faster side."""


def alternating(
    first: Callable[[], Any], second: Callable[[], Any], clock: Clock, rounds: int = ROUNDS
) -> tuple[float, float]:
    """Seconds of each in its least disturbed round, measured in turns, so that a busy machine slows both; one
    round before does not count.
    """
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds + 1):
        for call, kept in zip((first, second), times, strict=True):
            begun = clock()
            call()
            kept.append(clock() - begun)
    return min(times[0][1:]), min(times[1][1:])


def video2roll(width: int, frame_shape: tuple[int, int] = FULL_SIZE) -> TorchStage:
    """Untrained."""
    torch.manual_seed(0)
    stage = load_class(find("video2roll"))(width=width, frame_shape=frame_shape)  # type: ignore[call-arg]
    assert isinstance(stage, TorchStage)
    stage.net.eval()
    return stage


@torch.inference_mode()
def inference(clock: Clock = time.process_time) -> tuple[float, float]:
    """Seconds that full-size Video2Roll Net takes for a batch as released, and as it answers here.

    Both get the same stacks in memory and the same number of threads; the release's code answers them as they
    come (contiguous, eager, batch norms and all).

    Raises
    ------
    AssertionError
        Their answers differ by more than 1e-4.
    """
    stage = video2roll(64)
    fast = stage.inference_net(torch.device("cpu"))
    stacks = torch.rand(BATCH, 5, *FULL_SIZE)
    laid = stacks.contiguous(memory_format=torch.channels_last)
    np.testing.assert_allclose(fast(laid), stage.net(stacks), atol=1e-4)
    return alternating(lambda: stage.net(stacks), lambda: fast(laid), clock)


def piano_like_rolls() -> tuple[np.ndarray, np.ndarray]:
    """Three to four keys a frame in runs of ten frames, and probabilities that mostly agree; (88, frames)."""
    rng = np.random.default_rng(0)
    truth = np.repeat(rng.random((88, SCORED_FRAMES // 10)) < 0.04, 10, axis=1)
    noise = rng.random((88, SCORED_FRAMES), dtype=np.float32)
    return truth, np.where(truth, noise**0.5, noise**12).astype(np.float32)


def by_mir_eval(truth: np.ndarray, probabilities: np.ndarray) -> list[tuple[float, ...]]:
    """All 88 keys at three thresholds; it has one average and no key ranges."""
    hertz = mir_eval.util.midi_to_hz(np.arange(88) + LOWEST_PITCH)
    times = np.arange(truth.shape[1]) / FRAMES_PER_SECOND
    answers = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for threshold in THRESHOLDS:
            reference, estimate = (
                [hertz[frame] for frame in roll.T] for roll in (truth, probabilities >= threshold)
            )
            answers.append(mir_eval.multipitch.metrics(times, reference, times, estimate))
    return answers


def by_us(truth: np.ndarray, probabilities: np.ndarray) -> list[Any]:
    """Both averages in both key ranges at three thresholds."""
    counts = [frame_counts(truth, probabilities, THRESHOLDS, keys) for keys in KEY_RANGES]
    return [average(sums, kind) for sums in counts for kind in AVERAGES]


@torch.inference_mode()
def keywise(clock: Clock = time.process_time) -> tuple[float, float]:
    """Seconds that full-size Video2Roll Net as released takes for a batch, and Keywise for as many frames."""
    released = video2roll(64).net
    stage = alone("keywise").load()
    assert isinstance(stage, StackedFrames)
    stacks = torch.rand(BATCH, 5, *FULL_SIZE)
    frames = np.random.default_rng(0).integers(0, 256, (50 * BATCH, *FULL_SIZE), np.uint8)
    first, second = alternating(lambda: released(stacks), lambda: stage.roll(frames), clock)
    return first, second / 50


def index_of(pieces: int) -> PitchIndex:
    """A catalogue of so many pieces; what it holds does not change the cost, so it is sparse and random."""
    rng = np.random.default_rng(0)
    frames = round(PIECE_SECONDS * FRAME_RATE)
    saliences = np.maximum(rng.normal(-0.2, 0.2, (pieces * frames, len(PITCHES))), 0).astype(np.float16)
    return PitchIndex(saliences, np.arange(pieces + 1) * frames)


def query() -> np.ndarray:
    """Twenty seconds of six tones."""
    rng = np.random.default_rng(1)
    seconds = np.arange(20 * SAMPLE_RATE) / SAMPLE_RATE
    tones = [np.sin(2 * np.pi * 440 * 2 ** (rng.integers(-24, 24) / 12) * seconds + i) for i in range(6)]
    return np.sum(tones, axis=0).astype(np.float32) / 6


def identification(pieces: int = 227, clock: Clock = time.process_time) -> tuple[float, float]:
    """Seconds of one thread that librosa's subsequence DTW takes for a query, and our search.

    DTW gets its features for nothing: ten chroma vectors a second, audio matching's usual rate.
    """
    rng = np.random.default_rng(0)
    theirs = rng.random((pieces, 12, PIECE_SECONDS * 10), np.float32)
    chroma, sound, index = rng.random((12, 200), np.float32), query(), index_of(pieces)

    def dtw() -> None:
        for piece in theirs:
            librosa.sequence.dtw(chroma, piece, metric="cosine", subseq=True, backtrack=False)

    with threadpool_limits(1):
        return alternating(dtw, lambda: index.search(sound), clock, rounds=1)


def _inference() -> Iterator[tuple[str, float, float]]:
    for threads in (1, 2):
        torch.set_num_threads(threads)
        yield f"{threads} threads, processor time", *inference()


def _scoring() -> Iterator[tuple[str, float, float]]:
    rolls = piano_like_rolls()
    sides = (lambda: by_mir_eval(*rolls), lambda: by_us(*rolls))
    yield f"{SCORED_FRAMES} frames", *alternating(*sides, time.perf_counter, rounds=1)


def _keywise() -> Iterator[tuple[str, float, float]]:
    torch.set_num_threads(1)
    yield f"{BATCH} frames, 1 thread", *keywise()


def _identification() -> Iterator[tuple[str, float, float]]:
    yield "20 seconds among 227 pieces", *identification()


def _start() -> Iterator[tuple[str, float, float]]:
    contestant = alone("keywise")

    def forked() -> None:
        Worker(contestant).close()

    def anew() -> None:
        for nursery in birth._nurseries.values():
            nursery.close()
        birth._nurseries.clear()
        forked()

    yield "first, and any later", *alternating(anew, forked, time.perf_counter)


def _midi(cores: set[int], workers: int) -> float:
    """Seconds that the command takes for the paper's three recordings and two systems, on some cores."""
    systems = ("--system", "keywise", "--system", "video2roll")
    words = ["midi", "--split", "wtc2", "--no-figure", *systems, "--workers", str(workers)]
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "audeo_bench", *words, "--runs", folder],
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
            check=True,
            capture_output=True,
        )
        return time.perf_counter() - begun


def _workers() -> Iterator[tuple[str, float, float]]:
    one, *others = sorted(os.sched_getaffinity(0))
    both = {one, *others[:1]}
    _midi(both, 1)  # what is compiled on first use is there for all
    two = _midi(both, 2)
    yield "one process on one core, two workers on two", _midi({one}, 1), two
    yield "one process on two cores, two workers on them", _midi(both, 1), two


def _sound() -> Iterator[tuple[str, float, float]]:
    truth, _ = piano_like_rolls()
    minute = truth[:, : 60 * FRAMES_PER_SECOND]
    render_roll(minute)
    begun = time.perf_counter()
    render_roll(minute)
    yield "a minute", 60.0, time.perf_counter() - begun


CLAIMS = {
    "inference": Claim(
        "full-size Video2Roll Net: as released, here", "docs/notebook/speed.md", "a ratio of 1.62", _inference
    ),
    "keywise": Claim(
        "full-size Video2Roll Net as released, Keywise", "docs/notebook/speed.md", "a 30th", _keywise
    ),
    "identification": Claim(
        "librosa's subsequence DTW, ours", "docs/notebook/identify.md", "135 times as long", _identification
    ),
    "scoring": Claim("mir_eval.multipitch, ours", "docs/notebook/speed.md", "a ratio of 518", _scoring),
    "start": Claim("a contestant's process: new, forked", "docs/notebook/speed.md", "0.1 s forked", _start),
    "workers": Claim("`midi`: one process, two workers", "docs/scale.md", "1.2 times as fast", _workers),
    "sound": Claim(
        "FluidSynth: a film's length, its rendering", "docs/corpus.md", "250 to 320 times faster", _sound
    ),
}


def main(
    only: Annotated[list[str] | None, typer.Option(help=f"Some of {', '.join(CLAIMS)}; repeatable.")] = None,
    keep: Keep = None,
) -> None:
    """Measure every ratio of speeds that the manual claims."""
    rows = []
    for name in only or CLAIMS:
        claim = CLAIMS[name]
        for details, slower, faster in claim.measure():
            measured = (f"{slower:.3g} s", f"{faster:.3g} s", f"{slower / faster:.3g}")
            rows.append((claim.what, details, *measured, claim.words or "", claim.page))
    header = ("what", "of", "slower", "faster", "ratio", "claimed", "in")
    show([Table(header, tuple(rows))], keep, threads=torch.get_num_threads())


if __name__ == "__main__":
    typer.run(main)
