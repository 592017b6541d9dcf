"""Films whose pictures say which one they are: eight upright bars, white for a binary one of the number."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

WIDTH, HEIGHT = 96, 64


def picture(number: int, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """Shape (height, width), uint8; the least bit is on the left."""
    bars = np.where(number >> np.arange(8) & 1, 235, 20).astype(np.uint8)
    return np.repeat(bars[np.arange(width) * 8 // width][None], height, 0)


def numbers(frames: np.ndarray) -> list[int]:
    """What :func:`picture` was given, of pictures of any size, shape (n, height, width)."""
    n, height, width = frames.shape
    middle = frames[:, height // 2, (np.arange(8) * 2 + 1) * width // 16]
    return [int(row @ (1 << np.arange(8))) for row in (middle > 128).astype(int).reshape(n, 8)]


def write_film(
    path: Path,
    codec: str = "libx264",
    *,
    stamps: Iterable[int] = range(30),
    rate: Fraction | int = 25,
    pictures: Sequence[np.ndarray] | None = None,
    pix_fmt: str = "yuv420p",
    options: dict[str, str] | None = None,
    matrix: Sequence[int] | None = None,
    aspect: Fraction | None = None,
    full_range: bool = False,
    format: str | None = None,
    container_options: dict[str, str] | None = None,
) -> Path:
    """Write picture n at ``stamps[n] / rate`` seconds; skips the test where the codec cannot be encoded."""
    try:
        av.Codec(codec, "w")
    except ValueError:
        pytest.skip(f"this PyAV has no encoder {codec}")
    stamps = list(stamps)
    pictures = [picture(n) for n in range(len(stamps))] if pictures is None else pictures
    with av.open(str(path), "w", format=format, container_options=container_options) as container:
        stream = container.add_stream(codec, rate=rate, options=options or {})
        stream.height, stream.width = pictures[0].shape
        stream.pix_fmt = pix_fmt
        stream.codec_context.thread_count = 1
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        if full_range:
            stream.codec_context.color_range = 2
        if matrix is not None:
            stream.set_display_matrix(matrix)
        for stamp, grey in zip(stamps, pictures, strict=True):
            frame = av.VideoFrame.from_ndarray(grey, format="gray")
            frame = frame.reformat(format=pix_fmt, dst_color_range=2 if full_range else None)
            frame.pts, frame.time_base = stamp, 1 / Fraction(rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
