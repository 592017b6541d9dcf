"""Building the boards from a thousand rows takes under five seconds of processor time."""

import time

import pytest

from audeo_bench.report.boards import build


@pytest.mark.benchmark(group="boards")
def test_boards_from_a_thousand_rows(benchmark, thousand_rows):
    seconds = []

    def timed() -> None:
        begun = time.process_time()
        build(thousand_rows)
        seconds.append(time.process_time() - begun)

    benchmark.pedantic(timed, rounds=2)
    assert min(seconds) < 5
