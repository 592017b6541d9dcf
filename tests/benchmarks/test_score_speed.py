"""Scoring 20,000 frames: under 50 ms, and at least 50 times less than mir_eval.multipitch takes.

Run with ``pytest tests/benchmarks/test_score_speed.py --benchmark-only -s``.
"""

from __future__ import annotations

import time

import numpy as np
import pytest

from audeo_bench.score.frames import frame_counts
from audeo_bench.score.measure import Measure
from audeo_bench.score.statistics import compare_counts
from studies.ratios import SCORED_FRAMES as FRAMES
from studies.ratios import THRESHOLDS, by_mir_eval, by_us, piano_like_rolls


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
