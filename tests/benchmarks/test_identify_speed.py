"""One 20-second query against a catalogue of real pieces' length, beside librosa's subsequence DTW.

Run with ``pytest tests/benchmarks/test_identify_speed.py --benchmark-only``. Times are CPU seconds of one
thread.
"""

import os
import time

import pytest
from threadpoolctl import threadpool_limits

from studies.ratios import identification, index_of, query

FACTOR = float(os.environ.get("AUDEO_BENCH_SLOWDOWN", "1"))


@pytest.mark.parametrize(("pieces", "limit"), [(227, 0.050), (1000, 0.150)])
def test_a_query_costs_milliseconds(benchmark, pieces, limit):
    index = index_of(pieces)
    with threadpool_limits(1):
        benchmark._timer = time.process_time
        benchmark.pedantic(index.search, args=(query(),), rounds=15, warmup_rounds=2)
    assert benchmark.stats.stats.median < limit * FACTOR


def test_it_is_60_times_faster_than_dtw(benchmark):
    theirs, ours = benchmark.pedantic(identification, rounds=1)
    benchmark.extra_info["times faster than DTW"] = round(theirs / ours, 1)
    assert theirs > 60 * ours, f"DTW {theirs:.2f} s, ours {ours * 1000:.1f} ms"
