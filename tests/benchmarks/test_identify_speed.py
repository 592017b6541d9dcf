"""One 20-second query against a catalogue of real pieces' length, beside librosa's subsequence DTW.

Run with ``pytest tests/benchmarks/test_identify_speed.py --benchmark-only``. Times are CPU seconds of one
thread. What the catalogue holds does not change the cost, so it is filled with sparse random saliences.
"""

import os
import time

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from audeo_bench.api import SAMPLE_RATE
from audeo_bench.identify.catalogue.pitch import FRAME_RATE, PITCHES, PitchIndex

PIECE_SECONDS = 285
"""Mean length of ASAP's performances: 227 of them last 18 hours."""
FACTOR = float(os.environ.get("AUDEO_BENCH_SLOWDOWN", "1"))


def index_of(pieces: int) -> PitchIndex:
    rng = np.random.default_rng(0)
    frames = round(PIECE_SECONDS * FRAME_RATE)
    saliences = np.maximum(rng.normal(-0.2, 0.2, (pieces * frames, len(PITCHES))), 0).astype(np.float16)
    return PitchIndex(saliences, np.arange(pieces + 1) * frames)


@pytest.fixture(scope="module")
def query() -> np.ndarray:
    rng = np.random.default_rng(1)
    time_axis = np.arange(20 * SAMPLE_RATE) / SAMPLE_RATE
    tones = [np.sin(2 * np.pi * 440 * 2 ** (rng.integers(-24, 24) / 12) * time_axis + i) for i in range(6)]
    return np.sum(tones, axis=0).astype(np.float32) / 6


@pytest.mark.parametrize(("pieces", "limit"), [(227, 0.050), (1000, 0.150)])
def test_a_query_costs_milliseconds(benchmark, query, pieces, limit):
    index = index_of(pieces)
    with threadpool_limits(1):
        benchmark._timer = time.process_time
        benchmark.pedantic(index.search, args=(query,), rounds=15, warmup_rounds=2)
    assert benchmark.stats.stats.median < limit * FACTOR


def test_it_is_60_times_faster_than_dtw(benchmark, query):
    import librosa

    index = index_of(227)
    # The baseline gets its features for nothing: ten chroma vectors a second, audio matching's usual rate.
    rng = np.random.default_rng(0)
    pieces = rng.random((227, 12, PIECE_SECONDS * 10), np.float32)
    chroma_of_query = rng.random((12, 200), np.float32)

    def dtw() -> float:
        begun = time.process_time()
        for piece in pieces:
            librosa.sequence.dtw(chroma_of_query, piece, metric="cosine", subseq=True, backtrack=False)
        return time.process_time() - begun

    with threadpool_limits(1):
        librosa.sequence.dtw(chroma_of_query, pieces[0], metric="cosine", subseq=True)  # numba compiles
        baseline = dtw()
        benchmark._timer = time.process_time
        benchmark.pedantic(index.search, args=(query,), rounds=15, warmup_rounds=2)
    ours = benchmark.stats.stats.median
    benchmark.extra_info["times faster than DTW"] = round(baseline / ours, 1)
    assert baseline > 60 * ours, f"DTW {baseline:.2f} s, ours {ours * 1000:.1f} ms"
