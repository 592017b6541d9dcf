"""A silent top-view video of a piano gets its sound: frames -> roll -> notes -> sound -> the same video.

Everything is read and written piece by piece; only the notes are held as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audeo_bench.api import (
    FRAMES_PER_SECOND,
    LOWEST_PITCH,
    AudeoBenchError,
    Frames,
    RollToMidi,
    Synthesizer,
    VideoToRoll,
)
from audeo_bench.formats.midi import write_midi
from audeo_bench.roll import Notes, roll_to_notes

__all__ = ["Performed", "default_system", "notes_of", "perform", "rolls"]

SPAN, CONTEXT = 3000, 200
"""Frames that are answered together, two minutes, and neighbours that the answer sees on both sides."""

Crop = tuple[int, int, int, int]


@dataclass(frozen=True)
class Performed:
    """What :func:`perform` made.

    Attributes
    ----------
    output : Path
    system : str
    crop : tuple of 4 ints
        left, top, right, bottom in the video's pixels.
    crop_picture : Path or None
        Where the found crop is drawn; None where the crop was given.
    notes : int
    seconds : float
    copied : bool
        The picture was copied, not encoded again.
    """

    output: Path
    system: str
    crop: Crop
    crop_picture: Path | None
    notes: int
    seconds: float
    copied: bool


@dataclass(frozen=True)
class Part:
    """``api.Frames`` of the frames low..high of another."""

    whole: Frames
    low: int
    high: int

    @property
    def shape(self) -> tuple[int, int, int]:
        return (self.high - self.low, *self.whole.shape[1:])

    def __len__(self) -> int:
        return self.high - self.low

    def __getitem__(self, window: slice, /) -> np.ndarray:
        start, stop, _ = window.indices(len(self))
        return self.whole[self.low + start : self.low + max(start, stop)]


def rolls(
    first: VideoToRoll,
    later: Sequence[RollToMidi],
    frames: Frames,
    span: int = SPAN,
    context: int = CONTEXT,
) -> Iterator[np.ndarray]:
    """A chain's probabilities for consecutive spans of a recording, each (88, n).

    Every span is answered with ``context`` neighbours on both sides, which are then left out, so that a
    contestant that looks no further answers exactly as if it had been shown the whole.
    """
    total = len(frames)
    for start in range(0, total, span):
        stop = min(start + span, total)
        low, high = max(0, start - context), min(total, stop + context)
        roll = first.roll(Part(frames, low, high))
        for stage in later:
            roll = stage.midi(roll)
        yield roll[:, start - low : stop - low]


def notes_of(pieces: Iterable[np.ndarray], threshold: float = 0.4, velocity: int = 100) -> Notes:
    """The notes of a roll that comes in consecutive pieces; one that crosses a border stays one note.

    Equal to ``roll_to_notes(whole >= threshold, velocity)``, without the whole.
    """
    done: list[tuple[int, int, int]] = []
    held: dict[int, int] = {}
    position = 0
    for piece in pieces:
        length = piece.shape[1]
        found = roll_to_notes(np.ascontiguousarray(piece >= threshold))
        edges = np.rint(found.intervals * FRAMES_PER_SECOND).astype(int) + position
        before, held = held, {}
        for (onset, offset), pitch in zip(edges.tolist(), found.pitches.tolist(), strict=True):
            begun = before.pop(pitch, onset) if onset == position else onset
            if offset == position + length:
                held[pitch] = begun
            else:
                done.append((begun, offset, pitch))
        done += [(onset, position, pitch) for pitch, onset in before.items()]
        position += length
    done += [(onset, position, pitch) for pitch, onset in held.items()]
    table = np.array(sorted((on, pitch, off) for on, off, pitch in done), np.int64).reshape(-1, 3)
    assert not len(table) or table[:, 1].min() >= LOWEST_PITCH
    return Notes(
        table[:, [0, 2]] / FRAMES_PER_SECOND, table[:, 1].copy(), np.full(len(table), velocity, np.int64)
    )


def default_system() -> str:
    """The best shipped chain whose weights are there."""
    from audeo_bench.contestants.loading import ready_systems
    from audeo_bench.contestants.roster import roster

    for ready in ready_systems(roster().perform):
        return ready.name
    raise AudeoBenchError(
        "perform: no contestant has trained weights here; train one with `audeo-bench train keywise`, "
        "or name your own with --contestant ./my_model.py."
    )


def perform(
    video: Path,
    output: Path,
    *,
    contestant: str | None = None,
    weights: Sequence[str] = (),
    synthesizer: str = "fluidsynth",
    instrument: str | None = None,
    soundfont: Path | None = None,
    crop: Crop | None = None,
    threshold: float = 0.4,
    midi: Path | None = None,
    wav: Path | None = None,
) -> Performed:
    """Write ``video`` with the sound that a system reads from its pictures.

    Parameters
    ----------
    video : Path
        A top view of a keyboard, lowest key on the left.
    output : Path
        ``.mp4``, ``.mov`` or ``.mkv``.
    contestant : str or None
        A chain such as ``keywise+roll2midi``; a synthesizer at its end replaces ``synthesizer``. None is
        :func:`default_system`.
    crop : tuple of 4 ints or None
        left, top, right, bottom of the keyboard in the video's pixels; None finds it and draws it into
        ``<output>.crop.png``.
    threshold : float
        From which probability upwards a key sounds.
    midi, wav : Path or None
        Where to write the notes and the sound besides.

    Raises
    ------
    AudeoBenchError
        The video cannot be read, no keyboard is found, or the chain has no weights.
    """
    from audeo_bench.contestants.loading import system
    from audeo_bench.corpus.crop import draw_crop, find_crop
    from audeo_bench.film.reading import FilmFrames
    from audeo_bench.perform.sound_files import held, open_synthesizer, play, write_wav
    from audeo_bench.perform.soundtrack import check_output, write_soundtrack
    from audeo_bench.perform.sources import Score
    from audeo_bench.progress import progress_bar

    check_output(video, output, midi=midi, wav=wav)
    chain = system(contestant or default_system(), weights)
    voice: Synthesizer
    if chain.stages[-1].kind == "synthesizer" and chain.stages[-1].name != synthesizer:
        voice = chain.stages[-1].load()  # type: ignore[assignment]
    else:
        voice = open_synthesizer(synthesizer, instrument, soundfont)
    first, *later = [stage.load() for stage in chain.roll_stages]
    assert isinstance(first, VideoToRoll)

    FilmFrames(video).close()  # a bad file is named before its picture is searched
    picture = None
    if crop is None:
        found, still = find_crop(video)
        crop, picture = found.crop, output.with_suffix(".crop.png")
        draw_crop(still, found, picture)
    frames = FilmFrames(video, crop=crop)
    with progress_bar(chain.name, total=len(frames), unit="frames") as bar:

        def watched() -> Iterator[np.ndarray]:
            for piece in rolls(first, later, frames):  # type: ignore[arg-type]
                yield piece
                bar.advance(piece.shape[1])

        notes = notes_of(watched(), threshold)
    frames.close()
    if midi is not None:
        write_midi(notes, midi)
    score = Score(video.stem, notes, len(frames))
    with held(play(voice, score)) as sound:
        if wav is not None:
            write_wav(wav, sound)
        copied = write_soundtrack(video, output, sound)
    return Performed(output, chain.name, crop, picture, len(notes), score.seconds, copied)
