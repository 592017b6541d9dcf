"""Cutting sound into the queries that a listener is asked about.

The paper cuts every reconstruction into consecutive pieces of 20 seconds. What is left at the end is a
query of its own if it is at least 12 seconds long (as much as a Shazam fingerprint covers), and is dropped
if it is shorter.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from audeo_bench.api import SAMPLE_RATE, AudeoBenchError

SEGMENT_SECONDS = 20
SHORTEST_SECONDS = 12


@dataclass(frozen=True, eq=False)
class Segment:
    """One query.

    Attributes
    ----------
    index : int
        Its place in the recording, from 0.
    start : float
        Seconds from the recording's beginning.
    pcm : np.ndarray, shape (n,), int16
        16 kHz mono; what a service is sent, and what :attr:`sha256` is taken of.
    recording : str
        What was played; with :attr:`index` it says in which room the offline listeners hear it.
    """

    index: int
    start: float
    pcm: np.ndarray
    recording: str = ""

    @property
    def seconds(self) -> float:
        return len(self.pcm) / SAMPLE_RATE

    @property
    def samples(self) -> np.ndarray:
        """The same sound as float32 in [-1, 1]."""
        return self.pcm.astype(np.float32) / 32767

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the samples as little-endian 16-bit integers: one name everywhere."""
        return hashlib.sha256(self.pcm.astype("<i2").tobytes()).hexdigest()


def cut(audio: np.ndarray, name: str = "audio", recording: str = "") -> list[Segment]:
    """Cut a recording into segments of 20 seconds; the last may be shorter, down to 12.

    Parameters
    ----------
    audio : np.ndarray, shape (n,), float
        16 kHz mono in [-1, 1]; louder samples are clipped.
    name : str
        Names the sound in an error.
    recording : str
        Of every segment.

    Returns
    -------
    list of Segment
        Empty for a recording shorter than 12 seconds.

    Raises
    ------
    AudeoBenchError
        If the audio is not one finite channel.
    """
    audio = np.asarray(audio)
    if audio.ndim != 1:
        raise AudeoBenchError(
            f"{name}: expected mono samples of shape (n,), found shape {audio.shape}; mix it down."
        )
    if not np.isfinite(audio).all():
        raise AudeoBenchError(f"{name}: the audio holds NaN or infinite samples; repair what wrote it.")
    pcm = np.round(np.clip(audio, -1, 1) * 32767).astype(np.int16)
    length, shortest = SEGMENT_SECONDS * SAMPLE_RATE, SHORTEST_SECONDS * SAMPLE_RATE
    starts = [start for start in range(0, len(pcm), length) if len(pcm) - start >= shortest]
    return [
        Segment(index, start / SAMPLE_RATE, pcm[start : start + length], recording)
        for index, start in enumerate(starts)
    ]


def segment_count(seconds: float) -> int:
    """How many segments :func:`cut` makes of a recording."""
    whole, left = divmod(seconds, SEGMENT_SECONDS)
    return int(whole) + (left >= SHORTEST_SECONDS)
