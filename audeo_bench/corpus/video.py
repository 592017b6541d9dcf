"""Video files in and out: frames with sound to an MP4, any top-view video to the benchmark's grey crop."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.filter import Graph
from av.video.frame import VideoFrame

from audeo_bench.api import FRAME_HEIGHT, FRAME_WIDTH, SAMPLE_RATE, AudeoBenchError, Frames, windows
from audeo_bench.files import atomic_write
from audeo_bench.roll import FRAMES_PER_SECOND

__all__ = ["VideoFrames", "write_video"]

_FAR = 120
"""Source frames ahead beyond which looking for a later key frame is cheaper than decoding on."""


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


class VideoFrames:
    """A video file as an :class:`audeo_bench.api.Frames`: decoded window by window, never held as a whole.

    Frame t is the source frame whose time stamp is nearest to t / 25 s after the first one, whatever the
    source's rate. Reading forwards decodes every source frame once; reading backwards seeks to the key frame
    before.

    Parameters
    ----------
    path : Path or str
    crop : tuple of 4 ints or None
        left, top, right, bottom of the keyboard in source pixels, the last two exclusive; None is the whole
        picture. Its content is resized to 900 x 100 by averaging over areas.

    Raises
    ------
    AudeoBenchError
        The file is missing, is no video, is cut off, or the crop lies outside of the picture.
    """

    def __init__(self, path: Path | str, crop: tuple[int, int, int, int] | None = None) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise AudeoBenchError(f"{self.path}: no such file; give the path of a video.")
        with self._open() as container:
            stream = container.streams.video[0]
            self.size = stream.codec_context.width, stream.codec_context.height
            announced = stream.frames
            self._stamps = self._read_stamps(container)
            base = stream.time_base
        if len(self._stamps) == 0 or base is None:
            raise AudeoBenchError(
                f"{self.path}: the file holds no video frames; it may be cut off, fetch it again."
            )
        if announced > len(self._stamps):
            raise AudeoBenchError(
                f"{self.path}: the file announces {announced} frames and holds {len(self._stamps)}; "
                "it is cut off, fetch it again."
            )
        self.crop = self._checked(crop)
        seconds = (self._stamps - self._stamps[0]) * float(base)
        step = float(np.median(np.diff(seconds))) if len(seconds) > 1 else 1 / FRAMES_PER_SECOND
        self._length = max(1, round((seconds[-1] + step) * FRAMES_PER_SECOND))
        times = np.arange(self._length) / FRAMES_PER_SECOND
        after = np.clip(np.searchsorted(seconds, times), 1, max(1, len(seconds) - 1))
        after = np.minimum(after, len(seconds) - 1)
        before = np.maximum(after - 1, 0)
        self._source = np.where(times - seconds[before] <= seconds[after] - times + 1e-9, before, after)
        self._position = 0

    @property
    def shape(self) -> tuple[int, int, int]:
        return self._length, FRAME_HEIGHT, FRAME_WIDTH

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, window: slice, /) -> np.ndarray:
        start, stop, step = window.indices(self._length)
        if step != 1:
            raise ValueError(f"frames are read in windows of step 1, not {step}")
        out = np.empty((max(0, stop - start), FRAME_HEIGHT, FRAME_WIDTH), np.uint8)
        last = -1
        for index, source in enumerate(self._source[start:stop]):
            # A source slower than 25 frames a second shows the same picture more than once.
            out[index] = out[index - 1] if source == last else self._picture(int(source))
            last = source
        return out

    def __getstate__(self) -> dict[str, Any]:
        """An open decoder cannot travel to another process; the copy opens its own."""
        return {name: value for name, value in self.__dict__.items() if name != "_decoder"} | {"_position": 0}

    def close(self) -> None:
        """Close the file; reading again opens it again."""
        decoder = self.__dict__.pop("_decoder", None)
        if decoder is not None:
            decoder.close()
        self._position = 0

    def _open(self) -> InputContainer:
        try:
            container = av.open(str(self.path))
        except (FFmpegError, OSError) as fault:
            raise AudeoBenchError(
                f"{self.path}: cannot be read as a video ({fault.strerror or fault}); "
                "it may be cut off or no video."
            ) from fault
        if not container.streams.video:
            container.close()
            raise AudeoBenchError(f"{self.path}: the file has no video stream; give a video.")
        return container

    def _read_stamps(self, container: InputContainer) -> np.ndarray:
        """Presentation time stamps of all frames, without decoding any."""
        try:
            stamps = [
                packet.pts for packet in container.demux(video=0) if packet.pts is not None and packet.size
            ]
        except FFmpegError as fault:
            raise AudeoBenchError(
                f"{self.path}: damaged after it began ({fault.strerror}); it may be cut off, fetch it again."
            ) from fault
        return np.sort(np.array(stamps, np.int64))

    def _checked(self, crop: tuple[int, int, int, int] | None) -> tuple[int, int, int, int]:
        width, height = self.size
        if crop is None:
            return 0, 0, width, height
        left, top, right, bottom = crop
        if not (0 <= left < right <= width and 0 <= top < bottom <= height):
            raise AudeoBenchError(
                f"{self.path}: crop {left},{top},{right},{bottom} lies outside of the picture of "
                f"{width}x{height}; give left,top,right,bottom in its pixels."
            )
        return left, top, right, bottom

    @cached_property
    def _decoder(self) -> _Decoder:
        return _Decoder(self._open(), self.crop)

    def _picture(self, source: int) -> np.ndarray:
        decoder, stamp = self._decoder, int(self._stamps[source])
        if source < self._position or source > self._position + _FAR:
            decoder.seek(stamp)
        picture = decoder.read_until(stamp)
        if picture is None:
            raise AudeoBenchError(
                f"{self.path}: source frame {source} of {len(self._stamps)} cannot be decoded; "
                "the file is damaged."
            )
        self._position = source + 1
        return picture


class _Decoder:
    """One open file: decodes forwards, crops, greys and resizes what is asked for."""

    def __init__(self, container: InputContainer, crop: tuple[int, int, int, int]) -> None:
        self._container, self._crop = container, crop
        self._stream = container.streams.video[0]
        self._stream.thread_type = "AUTO"
        self._frames = container.decode(video=0)
        self._graph: Graph | None = None

    def close(self) -> None:
        self._container.close()

    def seek(self, stamp: int) -> None:
        self._container.seek(stamp, stream=self._stream, backward=True)
        self._frames = self._container.decode(video=0)

    def read_until(self, stamp: int) -> np.ndarray | None:
        """The grey crop of the frame shown at ``stamp`` or of the first later one; None at the end."""
        try:
            for frame in self._frames:
                if frame.pts is not None and frame.pts >= stamp:
                    return self._resize(frame)
        except FFmpegError:
            return None
        return None

    def _resize(self, frame: VideoFrame) -> np.ndarray:
        if self._graph is None:
            self._graph = self._build_graph()
        self._graph.push(frame)
        resized = self._graph.pull()
        assert isinstance(resized, VideoFrame)
        return resized.to_ndarray(format="gray")

    def _build_graph(self) -> Graph:
        left, top, right, bottom = self._crop
        graph = Graph()
        steps = [
            graph.add_buffer(template=self._stream),
            graph.add("format", "gray"),
            graph.add("crop", f"{right - left}:{bottom - top}:{left}:{top}:exact=1"),
            graph.add("scale", f"{FRAME_WIDTH}:{FRAME_HEIGHT}:flags=area"),
            graph.add("buffersink"),
        ]
        for source, target in pairwise(steps):
            source.link_to(target)
        graph.configure()
        return graph
