"""A video with a new sound track; its picture is copied, not encoded again, where the format can hold it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import OutputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.video.stream import VideoStream

from audeo_bench.api import SAMPLE_RATE, AudeoBenchError
from audeo_bench.files import atomic_write
from audeo_bench.film.decoding import Decoder, Timeline, open_film, read_packets, read_timeline
from audeo_bench.film.picture import display_matrix
from audeo_bench.perform.outputs import Outputs
from audeo_bench.perform.sound_files import Sound

__all__ = ["check_output", "write_soundtrack"]

SUFFIXES = (".mp4", ".mov", ".mkv")
AHEAD = 1.0
"""Seconds by which the sound is written ahead of the picture, so that players need not search the file."""
TICKS = 90_000
"""A second, in the times of pictures that are encoded."""


def write_soundtrack(video: Path, output: Path, sound: Sound) -> bool:
    """Write ``video`` with ``sound`` in place of whatever sound it had; memory does not grow with its length.

    Parameters
    ----------
    video : Path
        Its film is taken, with rotation flag and sample aspect ratio.
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
        The film cannot be read, input and output are one file, or the output's format is unknown.
    """
    source, shown = open_film(video)
    with source:
        line = read_timeline(video, source, shown)
        with atomic_write(output) as temporary:
            copied = _can_copy(line, shown, temporary)
            with av.open(str(temporary.absolute()), "w") as target:
                if copied:
                    begin, pictures = line.origin * line.base, _copied(video, target)
                else:
                    begin, pictures = 0.0, _encoded(Decoder(video, line), target)
                next(pictures)
                track = target.add_stream("aac", rate=SAMPLE_RATE, layout="mono")
                assert isinstance(track, av.AudioStream)
                position = round(begin * SAMPLE_RATE)
                blocks = sound.blocks(SAMPLE_RATE)
                for time, packets in pictures:
                    while position / SAMPLE_RATE < time + AHEAD:
                        block = next(blocks, None)
                        if block is None:
                            break
                        target.mux(track.encode(_frame(block, position)))
                        position += len(block)
                    target.mux(packets)
                for block in blocks:
                    target.mux(track.encode(_frame(block, position)))
                    position += len(block)
                target.mux(track.encode(None))
    return copied


def check_output(film: Path, outputs: Outputs) -> None:
    """Refuse what could not be written after all the work, before any of it.

    Raises
    ------
    AudeoBenchError
        A file would be written over the input or over another of the files, is a
        folder, or has a format that is not written.
    """
    wanted = [path for path in astuple(outputs) if path is not None]
    for path, suffixes in (
        (outputs.film, SUFFIXES),
        (outputs.overlay, SUFFIXES),
        (outputs.midi, (".mid", ".midi")),
        (outputs.wav, (".wav",)),
        (outputs.keyboard, (".png", ".jpg")),
    ):
        if path is not None and path.suffix.lower() not in suffixes:
            raise AudeoBenchError(f"{path}: give a name that ends in {', '.join(suffixes)}.")
    taken = {Path(film).resolve(): "is the input itself; give another name, the input is kept"}
    for path in wanted:
        if path.is_dir():
            raise AudeoBenchError(f"{path}: is a folder; give the name of a file.")
        if path.resolve() in taken:
            raise AudeoBenchError(f"{path}: {taken[path.resolve()]}.")
        taken[path.resolve()] = "is to be written twice; give each output a name of its own"


def _can_copy(line: Timeline, shown: VideoStream, temporary: Path) -> bool:
    """Whether the format holds these packets; some say so and refuse when the header is written."""
    if line.counted or (line.discarding and temporary.suffix.lower() == ".mkv"):
        return False  # nothing says when each is shown, or what is not to be shown
    try:
        with av.open(str(temporary.absolute()), "w") as target:
            if shown.codec_context.name not in target.supported_codecs:
                return False
            target.add_stream_from_template(shown)
            target.start_encoding()
    except (FFmpegError, ValueError):
        return False
    return True


# Both of these first yield once for the stream that they add, then pairs of seconds and what to write.


def _copied(video: Path, target: OutputContainer) -> Iterator[tuple[float, list[Packet]]]:
    source, shown = open_film(video)
    with source:
        base = shown.time_base or Fraction(1)
        picture = target.add_stream_from_template(shown)
        if shown.sample_aspect_ratio:
            picture.codec_context.sample_aspect_ratio = shown.sample_aspect_ratio
        yield 0.0, []
        last = None
        for packet in read_packets(source, shown):
            if packet.dts is None or packet.pts is None:
                continue
            if last is not None and packet.dts <= last:  # hidden pictures of VP8 and VP9 share a time
                packet.dts = last + 1
                packet.pts = max(packet.pts, packet.dts)
            last = packet.dts
            time = float(packet.dts * base)
            packet.stream = picture
            yield time, [packet]


def _encoded(decoder: Decoder, target: OutputContainer) -> Iterator[tuple[float, list[Packet]]]:
    first, shown = decoder.at(0.0), decoder.stream
    options = {"crf": "18"}
    picture = target.add_stream("libx264", rate=shown.average_rate or 25, options=options)
    assert isinstance(picture, VideoStream)
    # An odd row or column is left out: H.264's colour planes are half the size.
    picture.width, picture.height = first.width // 2 * 2, first.height // 2 * 2
    picture.pix_fmt = "yuv420p"
    picture.codec_context.time_base = Fraction(1, TICKS)
    if shown.sample_aspect_ratio:
        picture.codec_context.sample_aspect_ratio = shown.sample_aspect_ratio
    matrix = display_matrix(first)
    if matrix is not None:
        picture.set_display_matrix(matrix.tolist())
    yield 0.0, []
    last = -1
    for time, frame in decoder.pictures():
        plain = frame.reformat(picture.width, picture.height, "yuv420p", dst_color_range="MPEG")
        last = max(last + 1, round(time * TICKS))
        plain.pts, plain.time_base = last, Fraction(1, TICKS)
        yield time, picture.encode(plain)
    decoder.close()
    yield decoder.timeline.end, picture.encode(None)


def _frame(samples: np.ndarray, position: int) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples)[None], format="fltp", layout="mono")
    frame.sample_rate = SAMPLE_RATE
    frame.pts = position
    return frame
