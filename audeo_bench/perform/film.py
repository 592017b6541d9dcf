"""A silent film of a piano gets its sound: frames -> roll -> notes -> sound -> the same film.

Everything is read and written piece by piece; only the notes are held as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from audeo_bench.api import (
    FRAME_HEIGHT,
    FRAME_WIDTH,
    FRAMES_PER_SECOND,
    KEYS,
    LOWEST_PITCH,
    AudeoBenchError,
    Frames,
)
from audeo_bench.contestants import loading
from audeo_bench.contestants.process import Worker, lent, take
from audeo_bench.contestants.roster import roster
from audeo_bench.film.finding import keyboard_in_film
from audeo_bench.film.reading import FilmFrames, film_info
from audeo_bench.formats.midi import write_midi
from audeo_bench.keyboard import BEFORE, BEHIND, WHITE_LENGTH
from audeo_bench.keyboard.drawing import save_drawing
from audeo_bench.keyboard.finding import SURE
from audeo_bench.keyboard.warp import whole_keyboard
from audeo_bench.perform.outputs import NOTHING, Outputs
from audeo_bench.perform.overlay import write_overlay
from audeo_bench.perform.sound_files import PIANO, Voice, held, open_synthesizer, play, write_wav
from audeo_bench.perform.soundtrack import check_output, write_soundtrack
from audeo_bench.perform.sources import Score
from audeo_bench.progress import progress_bar
from audeo_bench.roll import THRESHOLD, Notes, roll_to_notes

__all__ = ["Performed", "Reader", "Where", "default_system", "notes_of", "perform", "rolls"]

CROP_RATIO = FRAME_WIDTH / FRAME_HEIGHT

SPAN, CONTEXT = 3000, 200
"""Frames that are answered together, two minutes, and neighbours that the answer sees on both sides."""

Crop = tuple[int, int, int, int]


@dataclass(frozen=True)
class Where:
    """Where the keyboard is, as far as the user says; nothing given finds it.

    Attributes
    ----------
    corners : np.ndarray, shape (4, 2), or None
        A0 far, C8 far, C8 near, A0 near in film pixels as displayed.
    crop : tuple of 4 ints or None
        left, top, right, bottom in the film's pixels: what a contestant is shown, as it is.
    lowest_key : int or None
        MIDI pitch of the lowest key that the film shows, where it shows part of a keyboard.
    """

    corners: np.ndarray | None = None
    crop: Crop | None = None
    lowest_key: int | None = None


@dataclass(frozen=True)
class Reader:
    """Who reads the film.

    Attributes
    ----------
    system : str or None
        A chain such as ``keywise+roll2midi``; a synthesizer at its end replaces the voice. None is
        :func:`default_system`.
    weights : sequence of str
        As for :func:`audeo_bench.contestants.loading.system`.
    threshold : float
        From which probability upwards a key sounds.
    """

    system: str | None = None
    weights: Sequence[str] = ()
    threshold: float = THRESHOLD


@dataclass(frozen=True)
class Performed:
    """What :func:`perform` made.

    Attributes
    ----------
    system : str
    place : str
        Where the keyboard is, and who says so.
    corners : np.ndarray, shape (4, 2), or None
        None where a crop was given or the film shows nothing but the keyboard.
    notes : Notes
    seconds : float
    copied : bool
        The picture was copied, not encoded again.
    remarks : tuple of str
        What of the film did not decode.
    """

    system: str
    place: str
    corners: np.ndarray | None
    notes: Notes
    seconds: float
    copied: bool
    remarks: tuple[str, ...]


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
    first: Callable[[Frames], np.ndarray],
    later: Sequence[Callable[[np.ndarray], np.ndarray]],
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
        roll = first(Part(frames, low, high))
        for stage in later:
            roll = stage(roll)
        yield roll[:, start - low : stop - low]


def _refined(worker: Worker, video: str, roll: np.ndarray) -> np.ndarray:
    return worker.midi(roll, video).roll


def notes_of(pieces: Iterable[np.ndarray], threshold: float = THRESHOLD, velocity: int = 100) -> Notes:
    """The notes of a roll that comes in consecutive pieces; one that crosses a border stays one note.

    Equal to ``roll_to_notes(whole >= threshold, velocity)``, without the whole.
    """
    done: list[tuple[int, int, int]] = []
    held: dict[int, int] = {}
    position = 0
    for piece in pieces:
        length = piece.shape[1]
        found = roll_to_notes(np.ascontiguousarray(piece >= threshold))
        edges = np.floor(found.intervals * FRAMES_PER_SECOND).astype(int) + position
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
    intervals = (table[:, [0, 2]] + 0.5) / FRAMES_PER_SECOND
    return Notes(intervals, table[:, 1].copy(), np.full(len(table), velocity, np.int64))


def default_system() -> str:
    """The best shipped chain whose weights are there."""
    for ready in loading.ready_systems(roster().perform):
        return ready.name
    raise loading.none_ready("perform")


def perform(
    film: str | Path,
    outputs: Outputs = NOTHING,
    reader: Reader = Reader(),
    where: Where = Where(),
    voice: Voice = PIANO,
) -> Performed:
    """Answer for a film, and write its notes, its sound, and the film with either.

    Parameters
    ----------
    film : str or Path
        A view of a keyboard from above, from either side of it.
    outputs : Outputs
        What is written; nothing if left out.
    reader : Reader
    where : Where
    voice : Voice

    Raises
    ------
    AudeoBenchError
        The film cannot be read, no keyboard is found for certain, the chain has no weights, or its answer is
        no roll.
    """
    film = Path(film)
    check_output(film, outputs)
    chain = loading.system(reader.system or default_system(), reader.weights)
    if chain.stages[-1].kind == "synthesizer" and chain.stages[-1].name != voice.synthesizer:
        player = take(chain.stages[-1])
        player.load()
    else:
        player = open_synthesizer(voice)

    place = _place(film, where, outputs.keyboard)
    frames = FilmFrames(film, corners=place.corners, crop=where.crop)
    # Neighbours are answered twice, see `rolls`.
    total = len(frames) + 2 * CONTEXT * ((len(frames) - 1) // SPAN)
    with ExitStack() as stack:
        bar = stack.enter_context(progress_bar(chain.name, total=total, unit="frames"))
        first, *later = [stack.enter_context(lent(stage)) for stage in chain.roll_stages]
        pieces = rolls(
            lambda part: first.roll(part, film.stem, bar.advance).roll,
            [partial(_refined, worker, film.stem) for worker in later],
            frames,
        )
        notes = place.shown(notes_of(pieces, reader.threshold))
    remarks = tuple(frames.remarks)
    frames.close()
    if outputs.midi is not None:
        write_midi(notes, outputs.midi)
    copied = False
    score = Score(film.stem, notes, len(frames))
    if outputs.film is not None or outputs.wav is not None or outputs.overlay is not None:
        with held(play(player, score)) as sound:
            if outputs.wav is not None:
                write_wav(outputs.wav, sound)
            if outputs.film is not None:
                copied = write_soundtrack(film, outputs.film, sound)
            if outputs.overlay is not None:
                write_overlay(film, place.drawn, notes, sound, outputs.overlay)
    return Performed(chain.name, place.words, place.corners, notes, score.seconds, copied, remarks)


@dataclass(frozen=True)
class _Place:
    """Where the keyboard was found: corners of A0..C8 (None: the whole picture or a crop), where it is drawn,
    which keys the film shows, and how to say it.
    """

    corners: np.ndarray | None
    drawn: np.ndarray
    keys: tuple[int, int]
    words: str

    def shown(self, notes: Notes) -> Notes:
        """Only notes of keys that the film shows."""
        there = (notes.pitches >= self.keys[0]) & (notes.pitches <= self.keys[1])
        return Notes(notes.intervals[there], notes.pitches[there], notes.velocities[there])


def _place(film: Path, where: Where, picture: Path | None) -> _Place:
    width, height = film_info(film).size
    everything = LOWEST_PITCH, LOWEST_PITCH + KEYS - 1
    if where.corners is not None:
        return _Place(where.corners, where.corners, everything, "as given")
    if where.crop is not None or _is_crop(width, height):
        left, top, right, bottom = where.crop or (0, 0, width, height)
        said = f"crop {left},{top},{right},{bottom}" + ("" if where.crop else ", the whole picture")
        return _Place(None, _keys_in_crop(left, top, right, bottom), everything, said)
    found, still = keyboard_in_film(film, lowest_key=where.lowest_key)
    if picture is not None:
        save_drawing(still, found, picture)
    if found.confidence < SURE and where.lowest_key is None:
        raise AudeoBenchError(
            f"{film}: the keyboard is not found for certain (confidence {found.confidence:.2f}"
            + (f"; {found.remark}" if found.remark else "")
            + f"); look at `audeo-bench keyboard {film} --picture found.png`, then give its --corners "
            "(or --crop left,top,right,bottom), or the lowest key of a part as --lowest-key."
        )
    corners = whole_keyboard(found.corners, found.lowest_key, found.highest_key)
    keys = found.lowest_key, found.highest_key
    part = "" if keys == everything else f", keys {keys[0]} to {keys[1]}"
    return _Place(corners, corners, keys, f"found, confidence {found.confidence:.2f}{part}")


def _is_crop(width: int, height: int) -> bool:
    """Whether a film shows nothing but the keyboard, as the benchmark's own do: 9 to 1, within a fifth."""
    return 0.8 * CROP_RATIO <= width / height <= 1.25 * CROP_RATIO


def _keys_in_crop(left: int, top: int, right: int, bottom: int) -> np.ndarray:
    """Where the keys lie in a crop that shows 7 mm behind them and 50 before, for drawing."""
    row = (bottom - top) / (WHITE_LENGTH + BEHIND + BEFORE)
    far, near = top + BEHIND * row, bottom - BEFORE * row
    return np.array([[left, far], [right, far], [right, near], [left, near]], float)
