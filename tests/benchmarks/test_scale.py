"""Ten thousand recordings: statistics in seconds, memory that does not grow with their number.

Run with ``pytest tests/benchmarks/test_scale.py --benchmark-only -s``.
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from tiny_corpus import READER, TinyCorpus, write_contestant

from audeo_bench.api import Recording
from audeo_bench.contestants.loading import system
from audeo_bench.runs.predict import predict
from audeo_bench.runs.scoring import score_run
from audeo_bench.runs.task import Task
from audeo_bench.score.frames import FrameCounts, frame_counts
from audeo_bench.score.measure import Measure
from audeo_bench.score.spread import interval
from audeo_bench.score.statistics import compare_counts

RECORDINGS = 10_000
FRAMES = 4_500


def sums(rightness: float, seed: int) -> dict[str, FrameCounts]:
    """Block sums of three-minute recordings, of which five differ."""
    rng = np.random.default_rng(seed)
    truth = np.random.default_rng(0).random((88, FRAMES)) < 0.04
    noise = rng.random((5, *truth.shape)) < 0.04
    kinds = [
        frame_counts(truth, np.where(rng.random(truth.shape) < rightness, truth, other), (0.4,), "51")
        for other in noise
    ]
    return {f"r{number:05d}": kinds[number % 5] for number in range(RECORDINGS)}


@pytest.mark.benchmark(group="10,000 recordings")
def test_statistics_of_ten_thousand_recordings(benchmark, capsys: pytest.CaptureFixture[str]) -> None:
    systems = {"one": [sums(0.9, 1)], "two": [sums(0.88, 2)], "three": [sums(0.5, 3)]}
    measure = Measure(keys="51")
    seconds: dict[str, float] = {}

    def timed(what: str, call) -> None:
        begun = time.process_time()
        call()
        seconds[what] = time.process_time() - begun

    def all_of_it() -> None:
        timed("comparison of three", lambda: compare_counts(systems, measure))
        timed("interval", lambda: interval(systems["one"], measure))

    benchmark.pedantic(all_of_it, rounds=1)
    with capsys.disabled():
        print("\n10,000 recordings:", ", ".join(f"{what} {took:.1f} s" for what, took in seconds.items()))
    assert sum(seconds.values()) < 10


class Many(TinyCorpus):
    """As many recordings as wanted, each of ten seconds."""

    count = 0

    def listing(self) -> Mapping[str, tuple[str, ...]]:
        return {"wtc2": tuple(f"wtc2-{number:05d}" for number in range(self.count))}

    def make(self, recording_id: str) -> Recording:
        made = super().make(recording_id)
        roll = np.tile(made.sounding, (1, 5))  # 250 frames
        return Recording(
            recording_id, made.title, made.work, "wtc2", "simulated", Pictures(roll), roll, roll, None
        )


class Pictures:
    """Frames that are drawn when they are read."""

    def __init__(self, roll: np.ndarray) -> None:
        self.roll, self.shape = roll, (roll.shape[1], 100, 900)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, window: slice) -> np.ndarray:
        part = self.roll[:, window]
        frames = np.zeros((part.shape[1], *self.shape[1:]), np.uint8)
        frames[:, :, :880:10] = 255 * part.T[:, None, :]
        return frames


@pytest.mark.benchmark(group="memory")
def test_memory_is_flat_in_the_number_of_recordings(
    benchmark, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch
) -> None:
    """What answering and scoring hold beyond what is kept of each recording's numbers."""
    monkeypatch.setattr("audeo_bench.corpus.HELD", 10)
    reader = system(str(write_contestant(tmp_path, "reader", READER)))
    peaks = {}

    def run(count: int) -> None:
        corpus = Many()
        corpus.count = count
        task = Task(corpus, "wtc2", tmp_path / str(count))
        tracemalloc.start()
        folder = predict(reader, task).folder
        peaks[count, "answering"] = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        score_run(folder, corpus=corpus)
        peaks[count, "scoring"] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

    run(20)
    benchmark.pedantic(run, (200,), rounds=1)
    each = {what: (peaks[200, what] - peaks[20, what]) / 180 for what in ("answering", "scoring")}
    with capsys.disabled():
        print(
            "\nmore memory for each recording more:",
            {what: f"{size / 1e3:.0f} kB" for what, size in each.items()},
        )
    assert each["answering"] < 20e3  # its roll alone has 88 kB
    assert each["scoring"] < 150e3  # its block sums
