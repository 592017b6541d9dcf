"""What lies between a sound and an offline listener: a room, noise, and a lossy codec.

A service hears music over a loudspeaker, across a room, among other noises, through a telephone. Each
segment is heard in a room of its own, which follows from where the segment lies, so that all systems'
reconstructions of one passage are heard in the same room.
"""

from __future__ import annotations

import hashlib
import io
from functools import lru_cache

import numpy as np
import scipy.fft

from audeo_bench.api import SAMPLE_RATE
from audeo_bench.identify.segments import Segment

ROOM_VERSION = 2
"""Goes up whenever :func:`through_room` changes; part of the listeners' version."""

REVERBERATION = (0.3, 0.9)
"""Seconds until an echo has fallen by 60 dB."""
DIRECT_TO_ECHO = (-3.0, 6.0)
"""Decibels of the direct sound over all echoes together."""
SIGNAL_TO_NOISE = (0.0, 15.0)
"""Decibels of the music over pink noise."""
CODEC, BITS_A_SECOND = "mp2", 24_000
"""FFmpeg's own MPEG-2 layer II encoder: always there, and quick."""
_LEVEL = 0.08
"""Root mean square at which the codec is given the mixture."""


@lru_cache(maxsize=1)
def through_room(segment: Segment) -> np.ndarray:
    """What is heard of a segment, (n,), float32 at 16 kHz; the last is kept for the next listener."""
    seed = hashlib.sha256(f"room {segment.recording} {segment.index}".encode()).digest()
    rng = np.random.default_rng(list(seed))
    size = len(segment.pcm)
    echo = _echo(rng)
    length = scipy.fft.next_fast_len(size + len(echo), real=True)
    spectrum = np.asarray(scipy.fft.rfft(segment.samples, length)) * np.asarray(scipy.fft.rfft(echo, length))
    music = np.asarray(scipy.fft.irfft(spectrum, length))[:size]
    noise = _pink(size, rng)
    ratio = 10 ** (rng.uniform(*SIGNAL_TO_NOISE) / 20)
    loudness = max(float(np.sqrt(np.mean(music**2))), 1e-5)
    mixture = music / loudness + noise / ratio
    return coded(mixture * np.float32(_LEVEL))


def _echo(rng: np.random.Generator) -> np.ndarray:
    """An impulse response: the direct sound, and noise that dies away."""
    reverberation = rng.uniform(*REVERBERATION)
    moments = np.arange(round(reverberation * SAMPLE_RATE)) / SAMPLE_RATE
    echo = rng.standard_normal(len(moments)) * 10 ** (-3 * moments / reverberation)
    echo *= 10 ** (-rng.uniform(*DIRECT_TO_ECHO) / 20) / np.linalg.norm(echo)
    echo[0] = 1
    return echo.astype(np.float32)


def _pink(size: int, rng: np.random.Generator) -> np.ndarray:
    """Noise of equal power in every octave from 27.5 Hz up, of root mean square 1."""
    length = scipy.fft.next_fast_len(size, real=True)
    spectrum = np.asarray(scipy.fft.rfft(rng.standard_normal(length, np.float32)))
    hertz = scipy.fft.rfftfreq(length, 1 / SAMPLE_RATE)
    spectrum *= np.where(hertz < 27.5, 0, 1 / np.sqrt(np.maximum(hertz, 27.5))).astype(np.float32)
    noise = np.asarray(scipy.fft.irfft(spectrum, length))[:size]
    return noise / np.sqrt(np.mean(noise**2))


def coded(sound: np.ndarray) -> np.ndarray:
    """What a low-rate codec leaves of a sound, (n,), float32."""
    import av

    pcm = np.round(np.clip(sound, -1, 1) * 32767).astype(np.int16)
    stored = io.BytesIO()
    with av.open(stored, "w", format=CODEC) as file:
        stream = file.add_stream(CODEC, rate=SAMPLE_RATE, layout="mono", bit_rate=BITS_A_SECOND)
        frame = av.AudioFrame.from_ndarray(pcm[None], format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    stored.seek(0)
    with av.open(stored, "r") as file:
        decoded = np.concatenate([part.to_ndarray()[0] for part in file.decode(audio=0)])
    return decoded[: len(sound)].astype(np.float32) / 32767
