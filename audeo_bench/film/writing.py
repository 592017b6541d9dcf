"""Frames with sound written as an MP4 film."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame

from audeo_bench.api import SAMPLE_RATE, AudeoBenchError, Frames, windows
from audeo_bench.files import atomic_write
from audeo_bench.roll import FRAMES_PER_SECOND

__all__ = ["write_video"]


def write_video(
    path: Path | str,
    frames: Frames,
    audio: np.ndarray | None = None,
    fps: int = FRAMES_PER_SECOND,
    crf: int = 18,
) -> None:
    """Write frames as H.264 and sound as AAC into an MP4 file, one window at a time.

    Parameters
    ----------
    path : Path or str
        Replaced only when the whole film is written.
    frames : Frames
        Shape (T, height, width), uint8, grey. An odd height or width gets one more row or column by
        repetition, since H.264's colour planes are half the size.
    audio : np.ndarray or None, shape (samples,), float32
        Mono at 16 kHz in -1..1; None leaves the film silent.
    fps : int
    crf : int
        x264's constant rate factor: 0 loses nothing, 18 is hardly visible, 28 is coarse.

    Raises
    ------
    AudeoBenchError
        There is no frame to write, or the sound is not a vector of finite samples.
    """
    path = Path(path)
    total, height, width = frames.shape
    if total == 0:
        raise AudeoBenchError(f"{path}: no frames to write; give at least one.")
    if audio is not None and (np.ndim(audio) != 1 or not np.isfinite(audio).all()):
        raise AudeoBenchError(
            f"{path}: audio must be a vector of finite samples, found shape {np.shape(audio)}."
        )
    odd = ((0, 0), (0, height % 2), (0, width % 2))
    with atomic_write(path) as temporary, av.open(str(temporary), "w", format="mp4") as container:
        video = container.add_stream("libx264", rate=fps, options={"crf": str(crf), "preset": "veryfast"})
        video.width, video.height = width + width % 2, height + height % 2
        video.pix_fmt = "yuv420p"
        video.thread_count = 1
        samples = np.asarray(() if audio is None else audio, np.float32)
        sound = None if audio is None else container.add_stream("aac", rate=SAMPLE_RATE, layout="mono")
        for start, window in windows(frames, 64):
            for index, picture in enumerate(np.pad(window, odd, mode="edge")):
                frame = VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="gray")
                frame.pts = start + index
                container.mux(video.encode(frame))
            if sound is not None:
                # The sound of this window, so that both streams lie side by side in the file.
                begin = start * SAMPLE_RATE // fps
                end = (
                    len(samples)
                    if start + len(window) >= total
                    else (start + len(window)) * SAMPLE_RATE // fps
                )
                for packet in _encode_sound(sound, samples[begin:end], begin):
                    container.mux(packet)
        container.mux(video.encode(None))
        if sound is not None:
            container.mux(sound.encode(None))


def _encode_sound(stream: av.AudioStream, samples: np.ndarray, begin: int) -> Iterator[av.Packet]:
    if len(samples) == 0:
        return
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples)[None], format="fltp", layout="mono")
    frame.sample_rate = SAMPLE_RATE
    frame.pts = begin
    yield from stream.encode(frame)
