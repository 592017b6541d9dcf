"""A stretch of a recording as a recording of its own: many performances, answered in little time."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from audeo_bench.api import FRAMES_PER_SECOND, SAMPLE_RATE, Frames, Recording
from audeo_bench.roll import Notes

__all__ = ["cut"]


@dataclass(frozen=True)
class Stretch:
    """``api.Frames`` that are ``count`` others from ``first``."""

    frames: Frames
    first: int
    count: int

    @property
    def shape(self) -> tuple[int, int, int]:
        return (self.count, *self.frames.shape[1:])

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, window: slice, /) -> np.ndarray:
        low, high, step = window.indices(self.count)
        return self.frames[self.first + low : self.first + max(low, high) : step]


def cut(recording: Recording, name: str, first: int, count: int) -> Recording:
    """The ``count`` frames from ``first``, with their truth and sound, as the recording ``name``.

    A note that is held when the stretch begins starts there; it is left out where its last frame lay before.
    """
    window, audio = slice(first, first + count), recording.audio
    begin = first / FRAMES_PER_SECOND
    end = begin + count / FRAMES_PER_SECOND

    def sound() -> np.ndarray:
        assert audio is not None
        samples = SAMPLE_RATE // FRAMES_PER_SECOND
        return audio()[first * samples : (first + count) * samples]

    return replace(
        recording,
        id=name,
        title=f"{recording.title}, from {_clock(begin)} to {_clock(end)}",
        frames=Stretch(recording.frames, first, count),
        sounding=recording.sounding[:, window],
        pressed=None if recording.pressed is None else recording.pressed[:, window],
        notes=None if recording.notes is None else _within(recording.notes, begin, end),
        audio=None if audio is None else sound,
    )


def _within(notes: Notes, begin: float, end: float) -> Notes:
    onsets, offsets = notes.intervals.T
    there = (onsets < end) & ((onsets >= begin) | (offsets >= begin + 1 / FRAMES_PER_SECOND))
    intervals = np.clip(notes.intervals[there], begin, end) - begin
    order = np.lexsort((notes.pitches[there], intervals[:, 0]))
    return Notes(intervals[order], notes.pitches[there][order], notes.velocities[there][order])


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
