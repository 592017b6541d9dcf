"""Films as the benchmark reads them: any video file, any rate, turned as a player turns it, as grey pictures
of the keyboard at 25 frames a second.

Everything that counts pixels of a film (corners, crops, sizes, stills) means the picture as it is displayed
with its rotation flag obeyed, at the scale in which it is stored: no sample aspect ratio stretches it.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any
from weakref import WeakSet

import numpy as np
from av.video.frame import VideoFrame

from audeo_bench.api import FRAME_HEIGHT, FRAME_WIDTH, AudeoBenchError
from audeo_bench.film.decoding import Decoder
from audeo_bench.film.picture import KeyboardView, displayed, turn_of
from audeo_bench.roll import FRAMES_PER_SECOND

__all__ = ["FilmFrames", "FilmInfo", "film_info", "still_pictures"]

EXACT_PIXELS = 6e8
"""Pixels that are decoded, a few seconds of work, for stills of a film with too few key pictures."""
STILL_BYTES = 10**9
MISSING = 1.0
"""Seconds of announced film that may be missing before it is said."""


@dataclass(frozen=True)
class FilmInfo:
    """What a film is.

    Attributes
    ----------
    size : tuple of 2 ints
        Width and height as displayed, in stored pixels.
    fps : float
        Pictures a second, the mean where it varies.
    seconds : float
        From the first picture to the end of the last.
    frames : int
        Pictures of the film itself, not those at 25 a second.
    has_sound : bool
    rotation : int
        0, 90, 180 or 270 degrees clockwise by which a player turns the stored picture,
    mirrored : bool
        after it swapped left and right.
    pixel_aspect : Fraction
        Width of a stored pixel over its height.
    remarks : tuple of str
        What of the film cannot be read, in words for the user.
    """

    size: tuple[int, int]
    fps: float
    seconds: float
    frames: int
    has_sound: bool
    rotation: int
    mirrored: bool
    pixel_aspect: Fraction
    remarks: tuple[str, ...]


def film_info(path: Path | str) -> FilmInfo:
    """What a film is; reads its packets, and decodes its beginning and its end.

    Raises
    ------
    AudeoBenchError
        The file is missing, no film, or no picture of it decodes.
    """
    remarks: list[str] = []
    decoder = Decoder(Path(path), say=remarks.append)
    try:
        line, stream = decoder.timeline, decoder.stream
        first = decoder.at(0.0)
        turn = turn_of(first)
        mirrored = bool(np.linalg.det(turn) < 0)
        right = turn @ (-1 if mirrored else 1, 0)
        announced = max(
            float((stream.duration or 0) * (stream.time_base or 0)),
            0.0 if decoder.container.streams.audio else (decoder.container.duration or 0) / 1e6,
        )
        if announced > line.end + MISSING:
            remarks.append(
                f"the file announces {announced:.1f} s, its pictures end at {line.end:.1f} s; it is cut off"
            )
        sound, aspect = bool(decoder.container.streams.audio), stream.sample_aspect_ratio or Fraction(1)
        decoder.at(line.end)
        return FilmInfo(
            size=_displayed_size((first.width, first.height), turn),
            fps=(len(line.times) - 1) / float(line.times[-1]) if line.times[-1] > 0 else 1 / line.end,
            seconds=line.end,
            frames=len(line.times),
            has_sound=sound,
            rotation=round(np.degrees(np.arctan2(right[1], right[0]))) % 360,
            mirrored=mirrored,
            pixel_aspect=aspect if aspect > 0 else Fraction(1),
            remarks=tuple(dict.fromkeys(remarks)),
        )
    finally:
        decoder.close()


def still_pictures(path: Path | str, samples: int = 24) -> np.ndarray:
    """Pictures spread over a film.

    Key pictures, which decode without others, where the film has about enough of them, or where decoding more
    would take long; otherwise the pictures at evenly spaced times.

    Parameters
    ----------
    path : Path or str
    samples : int
        At most so many; fewer where the film has fewer, or where they would take more than 1 GB.

    Returns
    -------
    np.ndarray, shape (n, height, width), uint8
        Grey, as displayed, in the order of time; n is at least 1.

    Raises
    ------
    AudeoBenchError
        The file is missing, no film, or no picture of it decodes.
    """
    decoder = Decoder(Path(path))
    try:
        line = decoder.timeline
        first = decoder.at(0.0)
        size, turn = (first.width, first.height), turn_of(first)
        samples = max(1, min(samples, len(line.times), STILL_BYTES // (size[0] * size[1])))
        times = (np.arange(samples) + 0.5) * line.end / samples
        seconds = (line.keys - line.origin) * line.base
        cheap = len(line.times) * size[0] * size[1] <= EXACT_PIXELS
        if line.counted or (len(line.keys) < samples / 2 and cheap):
            ask = decoder.at
        else:
            place = np.searchsorted(seconds, times, "right") - 1
            # One picture of each key: several samples may lie behind the same one.
            times = np.maximum(0.0, times[np.unique(place, return_index=True)[1]])
            ask = decoder.key_at
        return np.stack([displayed(ask(float(time)), size, turn) for time in times])
    finally:
        decoder.close()


class FilmFrames:
    """A film as :class:`audeo_bench.api.Frames`: decoded window by window, never held as a whole.

    Frame t is the picture whose presentation time is nearest to ``start + t / 25`` seconds after the film's
    first one, whatever the film's own rate. Reading forwards decodes each picture once; reading backwards
    seeks. It may be read from any thread, pickled, and taken along into forked and spawned workers: each
    process has a decoder of its own.

    Parameters
    ----------
    path : Path or str
    corners : np.ndarray, shape (4, 2), or None
        A0 far, C8 far, C8 near, A0 near, the outer corners of the keys in film pixels as displayed, counted
        from the centre of the first one; they may lie outside of the picture, and what does is black. The
        keyboard between them is warped by :func:`audeo_bench.keyboard.warp.homography`.
    crop : tuple of 4 ints or None
        left, top, right, bottom in film pixels as displayed, the last two exclusive; resized to 900 x 100 by
        averaging over areas. Where neither is given, the whole picture is.
    start : float
        Seconds after the first picture at which frame 0 lies; before the first picture, that one stands.
    remarks : callable or None
        Is told, in words for the user and each of them once, what of the film turns out not to decode. Also
        kept in the attribute ``remarks``.

    Raises
    ------
    AudeoBenchError
        The file is missing, no film, or no picture of it decodes; corners or crop lie outside of the picture;
        ``start`` lies behind the end.
    """

    def __init__(
        self,
        path: Path | str,
        corners: np.ndarray | None = None,
        crop: tuple[int, int, int, int] | None = None,
        start: float = 0.0,
        remarks: Callable[[str], object] | None = None,
    ) -> None:
        self.path, self.start = Path(path), float(start)
        self.remarks: list[str] = []
        self._tell = remarks
        self._reader: _Reader | None = None
        self._lock = threading.RLock()
        if corners is not None and crop is not None:
            raise AudeoBenchError(f"{self.path}: corners and a crop are given; give one of them.")
        if not abs(self.start) < 1e6:
            raise AudeoBenchError(f"{self.path}: start {self.start:g} is no time in a film; give seconds.")
        self.corners = None if corners is None else np.array(corners, np.float64)
        decoder = Decoder(self.path, say=self._sink())
        try:
            first = decoder.at(0.0)
            self._timeline = decoder.timeline
            self._stored, self._turn = (first.width, first.height), turn_of(first)
            self.size = _displayed_size(self._stored, self._turn)
            end = self._timeline.end
            self._length = max(1, round((end - self.start) * FRAMES_PER_SECOND))
            if self.start > end - 0.5 / FRAMES_PER_SECOND and self.start > 0:
                raise AudeoBenchError(
                    f"{self.path}: the film lasts {end:.2f} s, nothing begins at {self.start:g} s."
                )
            self.crop = _checked(self.path, crop, self.size)
            self._reader = _Reader(decoder, self._view())
        except BaseException:
            decoder.close()
            raise
        _OPEN.add(self)

    @property
    def shape(self) -> tuple[int, int, int]:
        return self._length, FRAME_HEIGHT, FRAME_WIDTH

    @property
    def dtype(self) -> np.dtype:
        return np.dtype(np.uint8)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: Any, /) -> np.ndarray:
        """The frames that numpy would give for this index of the first axis: a number, any slice, an array of
        numbers or of truth values.
        """
        if isinstance(index, slice):
            wanted = np.arange(*index.indices(self._length))
        else:
            wanted = np.asarray(np.arange(self._length)[index])
        out = np.empty((*wanted.shape, FRAME_HEIGHT, FRAME_WIDTH), np.uint8)
        flat, places = out.reshape(-1, FRAME_HEIGHT, FRAME_WIDTH), wanted.ravel()
        with self._lock:
            reader = self._open() if len(places) else None
            for place in np.argsort(places, kind="stable"):
                assert reader is not None
                flat[place] = reader.read(self.start + float(places[place]) / FRAMES_PER_SECOND)
        return out

    def __getstate__(self) -> dict[str, Any]:
        """Neither an open decoder nor a lock can travel to another process; the copy has its own."""
        return self.__dict__ | {"_reader": None, "_lock": None, "_tell": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.RLock()

    def close(self) -> None:
        """Close the file; reading again opens it again."""
        with self._lock:
            reader, self._reader = self._reader, None
            if reader is not None:
                reader.decoder.close()

    def _open(self) -> _Reader:
        if self._reader is None:
            self._reader = _Reader(Decoder(self.path, self._timeline, self._sink()), self._view())
            _OPEN.add(self)
        return self._reader

    def _view(self) -> KeyboardView:
        try:
            return KeyboardView(self._stored, self._turn, self.corners, self.crop)
        except AudeoBenchError as fault:
            raise AudeoBenchError(f"{self.path}: {fault}") from None

    def _sink(self) -> Callable[[str], object]:
        """What a decoder reports to; it does not hold this object, whose end closes the file at once."""
        path, kept, tell = self.path, self.remarks, self._tell

        def say(remark: str) -> None:
            if remark not in kept:
                kept.append(remark)
                if tell is not None:
                    tell(f"{path}: {remark}.")

        return say

    def __del__(self) -> None:
        if getattr(self, "_reader", None) is not None:
            self.close()

    def _leave_to_parent(self) -> None:
        """In a forked process: the threads of the decoder were not copied, so that even closing it would wait
        for them for ever. It is left as it is.
        """
        if self._reader is not None:
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._reader))
        self._reader, self._lock = None, threading.RLock()


class _Reader:
    """A decoder, and the last picture that was made of it: a slow film shows the same one more than once."""

    def __init__(self, decoder: Decoder, view: KeyboardView) -> None:
        self.decoder, self._view = decoder, view
        self._last: VideoFrame | None = None
        self._picture = np.zeros((FRAME_HEIGHT, FRAME_WIDTH), np.uint8)

    def read(self, time: float) -> np.ndarray:
        frame = self.decoder.at(time)
        if frame is not self._last:
            self._last, self._picture = frame, self._view(frame)
        return self._picture


_OPEN: WeakSet[FilmFrames] = WeakSet()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: [film._leave_to_parent() for film in list(_OPEN)])


def _displayed_size(stored: tuple[int, int], turn: np.ndarray) -> tuple[int, int]:
    return stored if turn[0, 0] else (stored[1], stored[0])


def _checked(
    path: Path, crop: tuple[int, int, int, int] | None, size: tuple[int, int]
) -> tuple[int, int, int, int]:
    width, height = size
    if crop is None:
        return 0, 0, width, height
    left, top, right, bottom = crop
    if not (0 <= left < right <= width and 0 <= top < bottom <= height):
        raise AudeoBenchError(
            f"{path}: crop {left},{top},{right},{bottom} lies outside of the picture of {width}x{height}; "
            "give left,top,right,bottom in its pixels."
        )
    return left, top, right, bottom
