"""Sound files, and the sound of films: any of 1 to 64 channels as one channel at 16 kHz."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from audeo_bench.errors import AudeoBenchError
from audeo_bench.formats.regular import regular_file

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.container import InputContainer

__all__ = ["LONGEST", "RATE", "Audio", "read_sound"]

RATE = 16_000
LONGEST = 3 * 3600.0
"""Seconds of one file; 0.7 GB at 16 kHz."""
CHANNELS, RATES = 64, range(1_000, 768_001)
LOUDEST = 1_000.0
"""Full scale is 1; a float file may go beyond it, but not that far."""
CANCELLED = 1e-4
"""Power of the mixture, as a share of the channels' mean power, below which they count as cancelling."""
WHOLE = 0.95
"""Share of the length that a file says it has, from which it counts as whole."""
CONTAINERS = (
    "wav,w64,aiff,au,caf,flac,mp3,ogg,aac,ac3,eac3,amr,ape,wv,tta,mov,matroska,webm,avi,asf,flv,mpeg,mpegts"
)
"""FFmpeg's others are rare, or lists of further files and addresses to open."""


@dataclass(frozen=True)
class Audio:
    """What a file sounds like.

    Attributes
    ----------
    samples : np.ndarray, shape (n,), float32
        Mono at 16 kHz, finite; full scale is 1.
    remarks : tuple of str
        What was read past, and what may not be as it was meant.
    """

    samples: np.ndarray
    remarks: tuple[str, ...] = ()


def read_sound(path: Path, longest: float = LONGEST) -> Audio:
    """Read the first sound track of a file as the mean of its channels.

    Parts that cannot be decoded are read past with a remark; so is an end that is missing.

    Parameters
    ----------
    path : Path
    longest : float
        Seconds.

    Raises
    ------
    AudeoBenchError
        Missing, no file, no sound in it, nothing that can be decoded; NaN, infinite or absurdly large
        samples; more than 64 channels, a rate outside 1 to 768 kHz, or too long.
    """
    import av
    import av.error

    remedy = "give a WAV, FLAC or MP3"
    regular_file(path, remedy)
    try:
        # A file object: a name such as "concat:a.wav" or "http:a.wav" would be taken as an instruction.
        with (
            path.open("rb") as file,
            av.open(file, "r", options={"format_whitelist": CONTAINERS}) as container,
        ):
            return _decoded(container, longest)
    except (av.error.FFmpegError, OSError, ValueError, OverflowError, RuntimeError) as fault:
        reason = getattr(fault, "strerror", None) or fault
        raise AudeoBenchError(f"{path}: cannot be read as sound ({reason}); {remedy}.") from None


def _decoded(container: InputContainer, longest: float) -> Audio:
    import av
    import av.error
    import soxr

    if not container.streams.audio:
        raise ValueError("it has no sound track")
    stream = container.streams.audio[0]
    codec = stream.codec_context
    if codec is None:
        raise ValueError("of a kind that is not known here")
    rate, channels = codec.sample_rate, codec.layout.nb_channels
    if rate not in RATES or not 1 <= channels <= CHANNELS:
        raise ValueError(f"{channels} channels at {rate} Hz")
    # Packed, since FFmpeg's frames name no more than 8 planes. Only the sample format is left to FFmpeg: its
    # mono is louder than the mean of the channels.
    packed = av.AudioResampler(format="flt", rate=rate)
    resampler = soxr.ResampleStream(rate, RATE, 1, dtype="float32")
    pieces: list[np.ndarray] = []
    length, bad, good = 0, 0, 0
    mixed = single = 0.0
    cut = False
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except av.error.FFmpegError:
            cut, packet = True, None
        if packet is None:
            break
        try:
            frames = packet.decode()
        except av.error.FFmpegError:
            bad += 1
            continue
        good += bool(frames)
        for frame in frames:
            for block in map(_channels, packed.resample(frame)):
                length += len(block)
                if length > longest * rate:
                    raise ValueError(f"longer than {longest / 3600:g} hours")
                if not np.abs(block).max(initial=0) <= LOUDEST:  # NaN compares false
                    raise ValueError("NaN, infinite or absurdly large samples")
                mono = block.mean(axis=1)
                mixed += float(mono @ mono)
                single += float(np.square(block).mean(axis=1).sum())
                pieces.append(resampler.resample_chunk(mono))
    if bad > good:
        raise ValueError(f"{bad} of its {bad + good} parts are damaged")
    pieces.append(resampler.resample_chunk(np.zeros(0, np.float32), last=True))
    remarks = []
    if bad:
        remarks.append(f"{bad} of {bad + good} parts cannot be decoded and were left out")
    said = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else 0.0
    if cut or length < WHOLE * said * rate:
        remarks.append(f"cut off after {length / rate:.1f} s" + (f" of {said:.1f}" if said else ""))
    if channels > 1 and mixed < CANCELLED * single:
        remarks.append(
            f"its {channels} channels cancel each other, so that nearly silence is heard; give one"
        )
    return Audio(np.concatenate(pieces), tuple(remarks))


def _channels(frame: AudioFrame) -> np.ndarray:
    """Samples by channels of a packed float frame."""
    count = frame.layout.nb_channels
    return np.frombuffer(memoryview(frame.planes[0]), np.float32)[: frame.samples * count].reshape(-1, count)
