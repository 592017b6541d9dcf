"""A video with a new sound track; its picture is copied, not encoded again, where the format can hold it."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np

from audeo_bench.api import SAMPLE_RATE, AudeoBenchError
from audeo_bench.files import atomic_write
from audeo_bench.perform.sound_files import Sound

__all__ = ["write_soundtrack"]

SUFFIXES = (".mp4", ".mov", ".mkv")
AHEAD = 1.0
"""Seconds by which the sound is written ahead of the picture, so that players need not search the file."""


def write_soundtrack(video: Path, output: Path, sound: Sound) -> bool:
    """Write ``video`` with ``sound`` in place of whatever sound it had; memory does not grow with its length.

    Parameters
    ----------
    video : Path
        Its first video stream is taken, packet by packet.
    output : Path
        ``.mp4``, ``.mov`` or ``.mkv``; replaced only when the whole film is written.
    sound : Sound
        Begins with the first picture; becomes AAC, mono, 16 kHz.

    Returns
    -------
    bool
        Whether the picture was copied. A codec that the output's format cannot hold is turned into H.264.

    Raises
    ------
    AudeoBenchError
        Input and output are one file, or the output's format is unknown.
    """
    check_output(video, output)
    with (
        atomic_write(output) as temporary,
        av.open(str(video)) as source,
        av.open(str(temporary), "w") as target,
    ):
        shown = source.streams.video[0]
        base = shown.time_base
        assert base is not None
        copied = shown.codec_context.name in target.supported_codecs
        if copied:
            picture = target.add_stream_from_template(shown)
        else:
            picture = target.add_stream("libx264", rate=shown.average_rate, options={"crf": "18"})
            picture.width, picture.height = shown.width - shown.width % 2, shown.height - shown.height % 2
            picture.pix_fmt = "yuv420p"
        track = target.add_stream("aac", rate=SAMPLE_RATE, layout="mono")
        assert isinstance(track, av.AudioStream)
        begin = float((shown.start_time or 0) * base)
        position = round(begin * SAMPLE_RATE)
        blocks = sound.blocks(SAMPLE_RATE)
        for packet in source.demux(shown):
            if packet.dts is None:
                continue
            while position / SAMPLE_RATE < float(packet.dts * base) + AHEAD:
                block = next(blocks, None)
                if block is None:
                    break
                target.mux(track.encode(_frame(block, position)))
                position += len(block)
            if copied:
                packet.stream = picture
                target.mux(packet)
            else:
                for frame in packet.decode():
                    target.mux(picture.encode(frame))  # type: ignore[union-attr, arg-type]
        for block in blocks:
            target.mux(track.encode(_frame(block, position)))
            position += len(block)
        if not copied:
            target.mux(picture.encode(None))  # type: ignore[union-attr]
        target.mux(track.encode(None))
    return copied


def check_output(video: Path, output: Path) -> None:
    """Refuse an output that is the input, or of a format that is not written."""
    if output.suffix.lower() not in SUFFIXES:
        raise AudeoBenchError(f"{output}: give a name that ends in {', '.join(SUFFIXES)}.")
    if output.exists() and output.resolve() == Path(video).resolve():
        raise AudeoBenchError(f"{output}: is the input itself; give another name, the input is kept.")


def _frame(samples: np.ndarray, position: int) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples)[None], format="fltp", layout="mono")
    frame.sample_rate = SAMPLE_RATE
    frame.pts = position
    return frame
