"""Full-size Video2Roll Net: as the authors released it, beside what answers here, in one run.

``pytest tests/benchmarks/test_inference_speed.py --benchmark-only -s``, on a machine that does nothing else.
"""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch

from audeo_bench.nn.stage import BATCH
from studies.ratios import FULL_SIZE, inference, video2roll


@pytest.mark.benchmark(group="full-size Video2Roll Net, one batch")
@pytest.mark.parametrize("threads", [1, 2])
def test_full_size_inference_is_half_again_as_fast_as_released(benchmark, capsys, threads) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        released, ours = inference(time.perf_counter)
        busy_released, busy_ours = benchmark.pedantic(inference, rounds=1)
    finally:
        torch.set_num_threads(before)
    with capsys.disabled():
        print(
            f"\nfull-size Video2Roll Net, {threads} threads, batch {BATCH}: released "
            f"{BATCH / released:.1f}, ours {BATCH / ours:.1f} frames/s, ratio {released / ours:.2f}; "
            f"processor time {1e3 * busy_released / BATCH:.0f} and {1e3 * busy_ours / BATCH:.0f} ms a frame, "
            f"ratio {busy_released / busy_ours:.2f}"
        )
    assert busy_released / busy_ours >= 1.5


@pytest.mark.benchmark(group="Video2Roll by width, from frames to roll")
@pytest.mark.parametrize(
    ("width", "frame_shape", "frames"),
    [
        (8, (50, 450), 256),
        (16, (50, 450), 256),
        (32, (50, 450), 128),
        (32, FULL_SIZE, 64),
        (64, FULL_SIZE, 32),
    ],
)
def test_frames_per_second_by_width(benchmark, capsys, width, frame_shape, frames) -> None:
    stage = video2roll(width, frame_shape)
    pictures = np.random.default_rng(0).integers(0, 256, (frames, *FULL_SIZE), np.uint8)
    benchmark.pedantic(stage.roll, (pictures,), rounds=3, warmup_rounds=1)
    speed = frames / benchmark.stats.stats.median
    with capsys.disabled():
        print(f"\nwidth {width} at {frame_shape[0]}x{frame_shape[1]}: {speed:.0f} frames/s")
