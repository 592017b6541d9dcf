"""A simulated Well-Tempered Clavier, and simulated pieces in other styles: what the simulated corpus plays.

Nothing here is a copy of a composition. A piece is drawn from its seed: a plan of keys and chords, themes,
figures and voice leading. The same (book, number, seed) always gives the same piece.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

import numpy as np

from audeo_bench.api import AudeoBenchError, Work
from audeo_bench.corpus.simulated.counterpoint import fugue
from audeo_bench.corpus.simulated.figuration import PRELUDES
from audeo_bench.corpus.simulated.harmony import Key, pick
from audeo_bench.corpus.simulated.styles import STYLES, Style
from audeo_bench.corpus.simulated.texture import playable
from audeo_bench.corpus.simulated.voices import HIGHEST, LOWEST, TICKS, Note, Sketch

TONICS = ("C", "C#", "D", "E♭", "E", "F", "F#", "G", "A♭", "A", "B♭", "B")
_BOOK_NAMES = {1: "I", 2: "II"}
_LEAST_NOTES_A_SECOND, _MOST_NOTES_A_SECOND = 4.5, 8.5


@dataclass(frozen=True)
class Piece:
    """A composition, before anybody plays it.

    Attributes
    ----------
    id : str
        ``wtc1-01``, ``wtc1-01-fast``, ``other-03``, ``distractor-0123``.
    title : str
        Starts with ``Simulated``.
    work : Work
    onsets, durations : np.ndarray, shape (n,), float64
        Quarter beats, from 0 and above 0. Sorted by onset, then pitch.
    pitches : np.ndarray, shape (n,), int64
        MIDI numbers. No key is asked for by two notes at once.
    voices : np.ndarray, shape (n,), int8
        0 = highest.
    tempo : float
        Quarter beats a minute.
    beats_per_bar : float
        Quarter beats in a bar.
    cadences : np.ndarray, shape (c,), float64
        Quarter beats at which a phrase closes: the performer slows there.
    articulation : float
        From 0, staccato, to 1, legato.
    right_voices : int
        Voices below this number lie in the right hand.
    """

    id: str
    title: str
    work: Work
    onsets: np.ndarray
    durations: np.ndarray
    pitches: np.ndarray
    voices: np.ndarray
    tempo: float
    beats_per_bar: float
    cadences: np.ndarray
    articulation: float = 0.8
    right_voices: int = 1

    def __len__(self) -> int:
        return len(self.pitches)

    @property
    def seconds(self) -> float:
        """How long the piece lasts at its tempo, played without expression."""
        return float((self.onsets + self.durations).max() * 60 / self.tempo)


def key_name(key: Key) -> str:
    return f"{TONICS[key.tonic]} {'minor' if key.minor else 'major'}"


def key_of(number: int) -> Key:
    """The key of a number from 1 to 24, as Bach orders them: C major, C minor, C# major, ..., B minor."""
    return Key((number - 1) // 2, number % 2 == 0)


def _folded(pitch: int) -> int:
    """The pitch, brought into the keys that the paper scores by octaves."""
    return pitch + 12 * (-(-max(LOWEST - pitch, 0) // 12)) - 12 * (-(-max(pitch - HIGHEST, 0) // 12))


def _arrays(notes: list[Note], cadences: list[int]) -> dict[str, np.ndarray]:
    notes = [note._replace(pitch=_folded(note.pitch)) for note in notes]
    rows = np.array(playable(notes), dtype=np.int64).reshape(-1, 4)
    start = rows[0, 0]
    marks = np.unique(np.asarray(cadences, dtype=np.float64) - start)
    return {
        "onsets": (rows[:, 0] - start) / TICKS,
        "durations": rows[:, 1] / TICKS,
        "pitches": rows[:, 2].copy(),
        "voices": rows[:, 3].astype(np.int8),
        "cadences": marks / TICKS,
    }


def _playable_tempo(arrays: dict[str, np.ndarray], tempo: float, shortest: float, longest: float) -> float:
    """The tempo, changed where fingers could not follow or the piece would last too short or too long."""
    beats = float((arrays["onsets"] + arrays["durations"]).max())
    count = len(arrays["onsets"])
    seconds = min(max(beats * 60 / tempo, count / _MOST_NOTES_A_SECOND), count / _LEAST_NOTES_A_SECOND)
    return round(beats * 60 / min(max(seconds, shortest), longest), 2)


def _right(voices: int) -> int:
    """How many of the voices, from the highest, lie in the right hand."""
    return (voices + 1) // 2


def _joined(first: Sketch, second: Sketch, bar: int) -> tuple[list[Note], list[int], int]:
    """Both movements, a breath between; voices are numbered so that each hand keeps its own."""
    last = max(note.onset + note.duration for note in first.notes)
    start = -(-(last + second.beat) // bar) * bar
    count = max(len(first.ranges), len(second.ranges))
    notes = []
    for sketch, offset in ((first, 0), (second, start)):
        own = len(sketch.ranges)
        for onset, duration, pitch, voice in sketch.notes:
            numbered = voice if voice < _right(own) else voice + count - own
            notes.append(Note(onset + offset, duration, pitch, numbered))
    return notes, [*first.cadences, *(mark + start for mark in second.cadences)], _right(count)


def compose(book: int, number: int, seed: int = 0) -> Piece:
    """A prelude followed by a fugue in the key of ``number``.

    Parameters
    ----------
    book : int
        1 or 2.
    number : int
        1..24.
    seed : int
        Another seed is another collection.

    Raises
    ------
    AudeoBenchError
        If there is no such book or number.
    """
    if book not in _BOOK_NAMES or not 1 <= number <= 24:
        raise AudeoBenchError(
            f"Book {book}, number {number}: the simulated collection has books 1..2, numbers 1..24."
        )
    rng = Random(f"wtc {seed} {book} {number}")
    key = key_of(number)
    # The types of prelude go round from a type drawn for the book: each book has every type three times.
    order = Random(f"types {seed} {book}").random()
    writer = PRELUDES[(number - 1 + int(order * 8) + (number - 1) // 8 * 3) % len(PRELUDES)]
    beat, bar = pick(rng, ((12, 4), (12, 4), (12, 4), (12, 3), (18, 4), (18, 2)))
    pace = 4 if beat == 12 else pick(rng, (3, 3, 6))
    seconds = 94 + 20 * rng.random()
    tempo = float(round((66 + 30 * rng.random()) * (1.6 if pace == 3 else 1.0)))
    beats = seconds * tempo / 60 * TICKS / beat
    share = 0.38 + 0.12 * rng.random()
    prelude = writer(rng, key, beat, bar, round(beats * share), pace)
    voices = pick(rng, (2, 3, 3, 3, 3, 4, 4))
    second = fugue(rng, key, voices, (beat, bar), round(beats * (1 - share)), pace)
    notes, cadences, right_voices = _joined(prelude, second, beat * bar)
    title = f"Simulated Prelude and Fugue No. {number} in {key_name(key)}, Book {_BOOK_NAMES[book]}"
    work = Work(
        composer="Simulated",
        title=title,
        collection=f"Simulated Well-Tempered Clavier, Book {_BOOK_NAMES[book]}",
        number=number,
        key=key_name(key),
    )
    arrays = _arrays(notes, cadences)
    return Piece(
        id=f"wtc{book}-{number:02d}",
        title=title,
        work=work,
        tempo=_playable_tempo(arrays, tempo, 92.0, 136.0),
        articulation=round(0.72 + 0.16 * rng.random(), 2),
        beats_per_bar=bar * beat / TICKS,
        right_voices=right_voices,
        **arrays,
    )


_VARIANTS = (("fast", 1.25, 0.8), ("slow", 0.75, 0.85), ("staccato", 1.0, 0.25), ("legato", 1.0, 1.0))


def variants(seed: int = 0) -> list[Piece]:
    """Eight pieces of Book I played otherwise: two each of fast, slow, staccato and legato."""
    rng = Random(f"variants {seed}")
    numbers = sorted((rng.random(), number) for number in range(1, 25))[:8]
    pieces = []
    for place, (_, number) in enumerate(numbers):
        name, pace, articulation = _VARIANTS[place % 4]
        piece = compose(1, number, seed)
        pieces.append(
            replace(
                piece,
                id=f"{piece.id}-{name}",
                title=f"{piece.title} ({name})",
                tempo=piece.tempo * pace,
                articulation=articulation,
            )
        )
    return sorted(pieces, key=lambda piece: piece.id)


def book_two_variants(seed: int = 0) -> list[Piece]:
    """Eleven pieces of Book II at other tempi: with Book II itself the 24 + 11 of the paper's audio test."""
    rng = Random(f"book two variants {seed}")
    numbers = sorted(number for _, number in sorted((rng.random(), number) for number in range(1, 25))[:11])
    pieces = []
    for number in numbers:
        piece = compose(2, number, seed)
        tempo = piece.tempo * (0.85 + 0.3 * rng.random())
        articulation = 0.5 + 0.5 * rng.random()
        pieces.append(
            replace(
                piece,
                id=f"{piece.id}-again",
                title=f"{piece.title} (another performance)",
                tempo=tempo,
                articulation=articulation,
            )
        )
    return pieces


def _styled(rng: Random, style: Style, key: Key, seconds: float, identifier: str, suffix: str) -> Piece:
    tempo = float(round(style.tempo[0] + (style.tempo[1] - style.tempo[0]) * rng.random()))
    beats = round(seconds * tempo / 60 * TICKS / style.beat)
    sketch = style.write(rng, key, style.beat, style.bar, beats, style.pace)
    arrays = _arrays(sketch.notes, sketch.cadences)
    title = f"Simulated {style.name} in {key_name(key)}{suffix}"
    return Piece(
        id=identifier,
        title=title,
        work=Work(composer="Simulated", title=title, key=key_name(key)),
        tempo=_playable_tempo(arrays, tempo, 50.0, 130.0),
        beats_per_bar=style.bar * style.beat / TICKS,
        articulation=style.articulation,
        right_voices=style.right_voices,
        **arrays,
    )


def other_styles(seed: int = 0) -> list[Piece]:
    """Nine pieces in other styles, one of each."""
    pieces = []
    for place, style in enumerate(STYLES[:9], 1):
        rng = Random(f"other {seed} {place}")
        key = Key(int(rng.random() * 12), rng.random() < 0.4)
        pieces.append(_styled(rng, style, key, 85 + 35 * rng.random(), f"other-{place:02d}", ""))
    return pieces


def distractor(index: int, seed: int = 0) -> Piece:
    """One of any number of further pieces in mixed styles and keys, to fill the catalogue of an identifier.

    Parameters
    ----------
    index : int
        0 or more; every index is another work.
    """
    if index < 0:
        raise AudeoBenchError(f"Distractor {index}: indices start at 0.")
    rng = Random(f"distractor {seed} {index}")
    style = STYLES[index % len(STYLES)]
    key = Key(int(rng.random() * 12), rng.random() < 0.5)
    return _styled(rng, style, key, 55 + 30 * rng.random(), f"distractor-{index:04d}", f", No. {index + 1}")
