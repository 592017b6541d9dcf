"""How much memory a stretch of code held at its worst, torch's and libraries' own included."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Peak:
    """Bytes of resident memory above the level at the start, at the worst moment."""

    bytes: int = 0


@contextmanager
def peak_memory(every: float = 0.002) -> Iterator[Peak]:
    """Sample this process's resident memory while the body runs.

    Parameters
    ----------
    every : float
        Seconds between samples; what is held for less may be missed.
    """
    import psutil

    process, peak, done = psutil.Process(), Peak(), threading.Event()
    gc.collect()
    start = process.memory_info().rss

    def sample() -> None:
        while not done.wait(every):
            peak.bytes = max(peak.bytes, process.memory_info().rss - start)

    sampler = threading.Thread(target=sample, daemon=True)
    sampler.start()
    try:
        yield peak
    finally:
        done.set()
        sampler.join()
        peak.bytes = max(peak.bytes, process.memory_info().rss - start)
