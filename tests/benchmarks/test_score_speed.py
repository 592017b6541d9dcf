"""Scoring 20,000 frames: under 50 ms, and at least 50 times less than mir_eval.multipitch takes.

Run with ``pytest tests/benchmarks/test_score_speed.py --benchmark-only -s``.
"""

from __future__ import annotations

import time
import warnings

import mir_eval
import numpy as np
import pytest

from audeo_bench.roll import LOWEST_PITCH
from audeo_bench.score.frames import AVERAGES, KEY_RANGES, average, frame_counts
from audeo_bench.score.measure import Measure
from audeo_bench.score.statistics import compare_counts

FRAMES, THRESHOLDS = 20_000, (0.3, 0.4, 0.5)


def piano_like_rolls() -> tuple[np.ndarray, np.ndarray]:
    """Three to four keys a frame in runs of ten frames, and probabilities that mostly agree."""
    rng = np.random.default_rng(0)
    truth = np.repeat(rng.random((88, FRAMES // 10)) < 0.04, 10, axis=1)
    noise = rng.random((88, FRAMES), dtype=np.float32)
    return truth, np.where(truth, noise**0.5, noise**12).astype(np.float32)


def by_mir_eval(truth: np.ndarray, probabilities: np.ndarray) -> list[tuple[float, ...]]:
    """All 88 keys at the same thresholds; it has one average and no key ranges."""
    hertz = mir_eval.util.midi_to_hz(np.arange(88) + LOWEST_PITCH)
    times = np.arange(truth.shape[1]) / 25
    answers = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for threshold in THRESHOLDS:
            reference, estimate = (
                [hertz[frame] for frame in roll.T] for roll in (truth, probabilities >= threshold)
            )
            answers.append(mir_eval.multipitch.metrics(times, reference, times, estimate))
    return answers


def by_us(truth: np.ndarray, probabilities: np.ndarray) -> list:
    counts = [frame_counts(truth, probabilities, THRESHOLDS, keys) for keys in KEY_RANGES]
    return [average(sums, kind) for sums in counts for kind in AVERAGES]


@pytest.mark.benchmark(group="20,000 frames x 3 thresholds")
def test_scoring_is_fast_and_far_faster_than_mir_eval(benchmark, capsys: pytest.CaptureFixture[str]) -> None:
    truth, probabilities = piano_like_rolls()
    ours = benchmark(by_us, truth, probabilities)
    started = time.perf_counter()
    theirs = by_mir_eval(truth, probabilities)
    theirs_seconds, ours_seconds = time.perf_counter() - started, benchmark.stats.stats.median
    with capsys.disabled():
        print(
            f"\nscoring {FRAMES} frames x {len(THRESHOLDS)} thresholds: "
            f"audeo_bench {ours_seconds * 1e3:.1f} ms (both averages, both key ranges), "
            f"mir_eval.multipitch {theirs_seconds * 1e3:.0f} ms, ratio {theirs_seconds / ours_seconds:.0f}"
        )
    for row in range(len(THRESHOLDS)):
        assert ours[1].precision[row] == pytest.approx(theirs[row][0], abs=1e-9)
        assert ours[1].recall[row] == pytest.approx(theirs[row][1], abs=1e-9)
    assert ours_seconds < 0.050
    assert theirs_seconds / ours_seconds >= 50


def test_comparing_two_runs_takes_less_than_a_second(benchmark) -> None:
    """Three recordings of 250 s, from the stored sums alone."""
    truth, probabilities = piano_like_rolls()
    pieces = {f"r{n}": slice(n * 6250, (n + 1) * 6250) for n in range(3)}
    left, right = (
        {name: frame_counts(truth[:, piece], roll[:, piece], (0.4,)) for name, piece in pieces.items()}
        for roll in (probabilities, probabilities * np.float32(0.9))
    )
    benchmark(lambda: compare_counts({"left": [left], "right": [right]}, Measure()))
    assert benchmark.stats.stats.median < 1
