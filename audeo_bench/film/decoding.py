"""When a film shows which picture: its packets' time table, and a decoder that is asked by time.

The time of presentation decides; the order and the number of the packets do not. Time 0 is the first picture
that a player shows, so what an edit list leaves out before it has negative times and is not shown.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
from av.container import InputContainer
from av.error import EOFError as EndOfFile
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from audeo_bench.errors import AudeoBenchError
from audeo_bench.formats.regular import regular_file

__all__ = ["Decoder", "Shown", "Timeline", "open_film", "read_packets", "read_timeline"]

FORMATS = (
    "3g2,3gp,amv,apng,asf,avi,av1,cavsvideo,dirac,dv,dvd,evc,flv,gif,gxf,h261,h263,h264,hevc,ivf,ivr,m4a,m4v,"
    "matroska,mjpeg,mjpeg_2000,mj2,mov,mp4,mpeg,mpegts,mpegtsraw,mpegvideo,mxf,nsv,nut,nuv,obu,ogg,ogv,psp,rm,"
    "svcd,swf,vc1,vc1test,vcd,vob,vvc,webm,wtv,yuv4mpegpipe"
)
"""FFmpeg's names of what is read as a film. It takes more for one: plain text, pictures, and play lists that
make it open other files and addresses.
"""
# Titles that are no UTF-8 stopped PyAV up to 18, the last for Python 3.11, unless it was told what to do.
ODD_TITLES: dict[str, Any] = (
    {"metadata_errors": "replace"} if int(av.__version__.partition(".")[0]) < 19 else {}
)
MAX_PIXELS = 2**26
"""Of one picture; 8K has 2**25."""
MAX_SECONDS = 24 * 3600.0
LONGEST_LAST = 60.0
"""Seconds that the last picture may stand; what is announced beyond is taken for damage."""
FAR = 1.0
"""Seconds ahead from which looking for a key picture is cheaper than decoding on."""
TRIES = 8

_NO_FILM = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image


@dataclass(frozen=True)
class Timeline:
    """The times of all pictures of a film, without decoding any.

    Attributes
    ----------
    times : np.ndarray, shape (n,), float64
        Seconds after the first picture, ascending.
    end : float
        When the last picture's time is over.
    keys : np.ndarray, shape (k,), int64
        Time stamps, in units of the stream, of pictures that decode without others; ascending.
    origin : int
        Time stamp of the first picture.
    base : float
        Seconds a unit.
    discarding : bool
        There are packets that are only decoded, never shown, as an edit list wants it.
    counted : bool
        The packets' stamps do not say which picture is shown when (raw streams, B-frames in AVI): the n-th
        picture that is decoded has the n-th time.
    """

    times: np.ndarray
    end: float
    keys: np.ndarray
    origin: int
    base: float
    discarding: bool
    counted: bool

    @property
    def step(self) -> float:
        """The usual time between two pictures, in seconds."""
        return float(np.median(np.diff(self.times))) if len(self.times) > 1 else self.end


class Shown(NamedTuple):
    time: float
    frame: VideoFrame


def open_film(path: Path) -> tuple[InputContainer, VideoStream]:
    """Open a file and choose its film: of several, the one marked as default, then the largest.

    Raises
    ------
    AudeoBenchError
        No file, or no film in it, or one whose pictures are absurdly large.
    """
    remedy = "give the path of a film"
    if regular_file(path, remedy).stat().st_size == 0:
        raise AudeoBenchError(f"{path}: the file is empty; fetch or copy it again.")
    try:
        # An absolute path: FFmpeg takes what stands before a colon in `12:30.mp4` for a protocol.
        container = av.open(
            str(path.absolute()),
            container_options={"format_whitelist": FORMATS, "protocol_whitelist": "file"},
            **ODD_TITLES,
        )
    except (FFmpegError, OSError, ValueError) as fault:
        reason = getattr(fault, "strerror", None) or fault
        raise AudeoBenchError(
            f"{path}: cannot be read as a film ({reason}); it may be cut off, or no film."
        ) from fault
    streams = [s for s in container.streams.video if s.codec_context and not s.disposition & _NO_FILM]
    if not streams:
        found = "sound" if container.streams.audio else "streams" if len(container.streams) else "nothing"
        cover = " and a cover picture" if container.streams.video else ""
        container.close()
        raise AudeoBenchError(f"{path}: holds {found}{cover}, but no film; {remedy}.")
    stream = max(streams, key=lambda s: (bool(s.disposition & Disposition.default), s.width * s.height))
    if stream.width * stream.height > MAX_PIXELS:
        container.close()
        raise AudeoBenchError(
            f"{path}: pictures of {stream.width}x{stream.height}, more than {MAX_PIXELS:,} pixels are not "
            "read; make the film smaller."
        )
    stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
    stream.thread_type = "AUTO"  # type: ignore[assignment]
    return container, stream


def read_packets(
    container: InputContainer, stream: VideoStream, damaged: Callable[[str], object] = lambda reason: None
) -> Iterator[Packet]:
    """The packets with data in file order. An empty one, as AVI has them, means that nothing changes."""
    failed = 0
    while failed < TRIES:
        try:
            for packet in container.demux(stream):
                if packet.size:
                    failed = 0
                    yield packet
            return
        except FFmpegError as fault:
            failed += 1
            damaged(fault.strerror or str(fault))


def read_timeline(path: Path, container: InputContainer, stream: VideoStream) -> Timeline:
    """Read a film's packets once, decoding none.

    Raises
    ------
    AudeoBenchError
        There are no pictures, or their times span more than a day.
    """
    base = float(stream.time_base or 0)
    stamps, keys, missing, last, duration = array("q"), array("q"), 0, -inf, 0
    ascending, discarding = True, False
    for packet in read_packets(container, stream):
        stamp = packet.pts
        if stamp is None:
            missing += 1
            continue
        if packet.is_keyframe:
            keys.append(stamp)
        if packet.is_discard:
            discarding = True
            continue
        ascending &= stamp > last
        if stamp > last:
            last, duration = stamp, packet.duration or 0
        stamps.append(stamp)
    if not len(stamps) + missing:
        raise AudeoBenchError(f"{path}: the film holds no pictures; it may be cut off, fetch it again.")
    shown = np.unique(np.frombuffer(stamps, np.int64)) if stamps else np.zeros(0, np.int64)
    context = stream.codec_context
    rate = float(context.framerate or stream.average_rate or 25)
    counted = base <= 0 or missing > len(stamps)
    # AVI has no presentation times; where no parser makes them up, they are those of the file's order.
    in_file_order = ascending and "avi" in container.format.name and bool(context.has_b_frames)
    if counted:
        times = np.arange(len(stamps) + missing) / rate
        end = len(times) / rate
    else:
        times = (shown - shown[0]) * base
        step = duration * base
        if not 0 < step < LONGEST_LAST:
            step = float(np.median(np.diff(times))) if len(times) > 1 else 1 / rate
        end = float(times[-1]) + step
    if not end <= MAX_SECONDS:
        raise AudeoBenchError(
            f"{path}: the pictures' times span {end / 3600:,.0f} hours, more than a day is not read; "
            "cut the film, or write it anew (ffmpeg -i FILM NEW.mp4)."
        )
    origin = 0 if counted else int(shown[0])
    counted |= in_file_order
    return Timeline(times, end, np.unique(np.array(keys, np.int64)), origin, base, discarding, counted)


class Decoder:
    """An open film that is asked for the picture of a time; asked in ascending order, it decodes each once.

    For one thread and one process.

    Parameters
    ----------
    path : Path
    timeline : Timeline or None
        As :func:`read_timeline` gave it for this file before.
    say : callable
        Is told in a few words, each of them once, what of the film does not decode.
    """

    def __init__(
        self, path: Path, timeline: Timeline | None = None, say: Callable[[str], object] = lambda remark: None
    ) -> None:
        self.path, self._say, self._reason = path, say, ""
        self.container, self.stream = open_film(path)
        if timeline is None:
            timeline = read_timeline(path, self.container, self.stream)
            self.container.close()
            self.container, self.stream = open_film(path)
        self.timeline = timeline
        self._begin(seeking=False)

    def close(self) -> None:
        """Free the decoder now: as garbage it could be freed in a forked process, which has none of its
        threads and would wait for them for ever.
        """
        self._frames, self._before, self._after = iter(()), None, None  # the frames hold the decoder, it them
        self.container.close()

    def at(self, time: float) -> VideoFrame:
        """The picture whose presentation time is nearest to ``time``; of two equally near ones the earlier.

        Raises
        ------
        AudeoBenchError
            No picture of the film decodes.
        """
        time = max(0.0, time)
        if time < self._floor or self._far_ahead(time):
            self._seek(time)
        while self._after is not None and self._after.time < time:
            self._advance()
        before, after = self._before, self._after
        if before is None and after is None:
            reason = f" ({self._reason})" if self._reason else ""
            raise AudeoBenchError(
                f"{self.path}: damaged, no picture of it decodes{reason}; fetch or copy it again."
            )
        if after is None or (before is not None and time - before.time <= after.time - time + 1e-9):
            assert before is not None
            return before.frame
        return after.frame

    def key_at(self, time: float) -> VideoFrame:
        """The last key picture that is shown at ``time`` or before: a nearby one that decodes quickly."""
        self._seek(time)
        return self.at(time) if self._after is None else self._after.frame

    def pictures(self) -> Iterator[Shown]:
        """All pictures with their times in seconds, once, in the order in which they are shown; ask nothing
        else of this decoder before or after.
        """
        if self._after is not None:
            yield self._after
        yield from self._frames

    def _begin(self, seeking: bool) -> None:
        self._frames = self._decode(seeking)
        self._before: Shown | None = None
        self._after: Shown | None = next(self._frames, None)
        # The earliest time that is still answered without looking back.
        self._floor = self._after.time if seeking and self._after else -inf

    def _advance(self) -> None:
        assert self._after is not None
        if self._before is not None:
            self._floor = self._after.time
        self._before, self._after = self._after, next(self._frames, None)
        last = self._before.time
        if self._after is None and last < self.timeline.times[-1] - 1.5 * self.timeline.step:
            count = int((self.timeline.times > last + 1e-9).sum())
            self._say(f"the last {count} pictures do not decode; the one before them stands")

    def _far_ahead(self, time: float) -> bool:
        line = self.timeline
        if self._after is None or line.counted or time < self._after.time + FAR:
            return False
        place = np.searchsorted(line.keys, line.origin + time / line.base, "right") - 1
        return bool(place >= 0 and (line.keys[place] - line.origin) * line.base > self._after.time + FAR)

    def _seek(self, time: float) -> None:
        """Go to the last key picture that is shown at ``time`` or before, or to the beginning."""
        line = self.timeline
        if not line.counted:
            place = int(np.searchsorted(line.keys, line.origin + time / line.base + 1e-6, "right"))
            # WMV finds places seconds after the one asked for, and some key pictures do not decode: then
            # one further back.
            for key in line.keys[[place - back for back in (1, 2, 3, 6, 12, 24) if back <= place]].tolist():
                try:
                    self.container.seek(key, stream=self.stream)
                except FFmpegError:
                    break
                self._begin(seeking=True)
                if self._after is not None and self._after.time <= time + 1e-9:
                    return
        self.container.close()
        self.container, self.stream = open_film(self.path)
        self._begin(seeking=False)

    def _decode(self, seeking: bool) -> Iterator[Shown]:
        line, last, count, first = self.timeline, -inf, 0, -inf
        for frame in self._raw(seeking):
            if line.counted:
                time = float(line.times[count]) if count < len(line.times) else last + line.step
                count += 1
            elif frame.pts is not None:
                time = (frame.pts - line.origin) * line.base
            else:
                time = max(0.0, last + line.step)
            if seeking:
                first, seeking = self._key_time, False
            # Before the key: pictures that lean on others which were not decoded. Outside of the film: what
            # an edit list leaves out.
            if last < time and max(-1e-9, first) <= time < max(line.end, 1e-9):
                last = time
                yield Shown(time, frame)

    def _raw(self, seeking: bool) -> Iterator[VideoFrame]:
        line = self.timeline
        for packet in read_packets(self.container, self.stream, self._damaged):
            if seeking:
                if not packet.is_keyframe or packet.pts is None:
                    continue
                self._key_time = (packet.pts - line.origin) * line.base
                seeking = False
            try:
                yield from self.stream.decode(packet)
            except FFmpegError as fault:
                self._damaged(fault.strerror or str(fault))
        try:
            yield from self.stream.decode(None)
        except EndOfFile:
            pass  # the decoder was told of the end already
        except FFmpegError as fault:
            self._damaged(fault.strerror or str(fault))

    def _damaged(self, reason: str) -> None:
        self._reason = reason
        self._say(f"a part of the film does not decode ({reason}); the picture before it stands")
