"""Full-size Video2Roll Net: as the authors released it, beside what answers here, in one run.

``pytest tests/benchmarks/test_inference_speed.py --benchmark-only -s``, on a machine that does nothing else.
Both get the same stacks in memory and the same number of threads; the release's code answers them as they
come (contiguous, eager, batch norms and all), ours rewritten for answering.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from audeo_bench.contestants.loading import find
from audeo_bench.contestants.module import load_class
from audeo_bench.nn.stage import BATCH, TorchStage

FULL_SIZE = (100, 900)
ROUNDS = 4
Clock = Callable[[], float]


def video2roll(width: int, frame_shape: tuple[int, int] = FULL_SIZE) -> TorchStage:
    torch.manual_seed(0)
    stage = load_class(find("video2roll"))(width=width, frame_shape=frame_shape)
    assert isinstance(stage, TorchStage)
    stage.net.eval()
    return stage


def alternating(
    first: Callable[[], Tensor], second: Callable[[], Tensor], clock: Clock
) -> tuple[float, float]:
    """Seconds of each in its least disturbed round, measured in turns, so that a busy machine slows both."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS + 1):
        for call, kept in zip((first, second), times, strict=True):
            begun = clock()
            call()
            kept.append(clock() - begun)
    return min(times[0][1:]), min(times[1][1:])


@pytest.mark.benchmark(group="full-size Video2Roll Net, one batch")
@torch.inference_mode()
def test_full_size_inference_is_half_again_as_fast_as_released(benchmark, capsys) -> None:
    stage = video2roll(64)
    fast = stage.inference_net(torch.device("cpu"))
    stacks = torch.rand(BATCH, 5, *FULL_SIZE)
    laid = stacks.contiguous(memory_format=torch.channels_last)
    np.testing.assert_allclose(fast(laid), stage.net(stacks), atol=1e-4)
    both = (lambda: stage.net(stacks), lambda: fast(laid))
    released, ours = alternating(*both, time.perf_counter)
    busy_released, busy_ours = alternating(*both, time.process_time)
    benchmark.pedantic(fast, (laid,), rounds=2)
    with capsys.disabled():
        print(
            f"\nfull-size Video2Roll Net, {torch.get_num_threads()} threads, batch {BATCH}: released "
            f"{BATCH / released:.1f}, ours {BATCH / ours:.1f} frames/s, ratio {released / ours:.2f}; "
            f"processor time {1e3 * busy_released / BATCH:.0f} and {1e3 * busy_ours / BATCH:.0f} ms a frame, "
            f"ratio {busy_released / busy_ours:.2f}"
        )
    assert released / ours >= 1.5


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
