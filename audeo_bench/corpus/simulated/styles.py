"""Simulated pieces in other styles than Bach's: melodies over accompaniments, and textures of their own."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from audeo_bench.corpus.simulated.counterpoint import fugue, hold
from audeo_bench.corpus.simulated.figuration import (
    PRELUDES,
    Writer,
    chorale,
    draw_figure,
    figure_pitches,
    harmonic_plan,
    toccata,
)
from audeo_bench.corpus.simulated.harmony import TONIC, Chord, Key, chord_tones, pick, progression, shuffled
from audeo_bench.corpus.simulated.voices import Note, Sketch, fill, run_between, voicings

Pattern = tuple[tuple[int, int, tuple[int, ...]], ...]
"""(tick in the bar, duration in ticks, accompanying voices from 1) of every event of an accompaniment."""

_RANGES = ((65, 86), (57, 71), (52, 66), (47, 61), (36, 53))

WALTZ: Pattern = ((0, 12, (4,)), (12, 10, (2, 3)), (24, 10, (2, 3)))
NOCTURNE: Pattern = tuple((6 * slot, 6, (voice,)) for slot, voice in enumerate((4, 3, 2, 1, 2, 3)))
NOCTURNE_FOUR: Pattern = tuple((6 * slot, 6, (voice,)) for slot, voice in enumerate((4, 3, 2, 3, 1, 3, 2, 3)))
SONG: Pattern = ((0, 24, (4,)), *((3 * slot, 3, (voice,)) for slot, voice in enumerate((3, 2, 1, 2) * 4)))
RAGTIME: Pattern = ((0, 6, (4,)), (6, 6, (2, 3)), (12, 6, (4,)), (18, 6, (2, 3)))
MINUET: Pattern = ((0, 12, (4,)), (12, 12, (3,)), (24, 12, (3,)))
ALBERTI: Pattern = tuple((6 * slot, 6, (voice,)) for slot, voice in enumerate((4, 2, 3, 2) * 2))


def drawn_order(rng: Random, pattern: Pattern) -> Pattern:
    """The pattern with its inner voices in another order, so that pieces of one style differ."""
    inner = sorted({voice for _, _, voices in pattern for voice in voices} - {4})
    order = dict(zip(inner, shuffled(rng, inner), strict=True)) | {4: 4}
    groups = [tuple(sorted(order[voice] for voice in voices)) for _, _, voices in pattern]
    if len(groups) >= 6 and rng.random() < 0.5:  # two events trade places
        first, second = shuffled(rng, range(1, len(groups)))[:2]
        groups[first], groups[second] = groups[second], groups[first]
    return tuple((*event[:2], voices) for event, voices in zip(pattern, groups, strict=True))


# A bar of melody, as durations in ticks; a negative one is a rest.
_RAG_RHYTHMS = (
    (3, 6, 3, 6, 6),
    (6, 3, 6, 3, 6),
    (3, 6, 6, 3, 6),
    (3, 3, 3, 6, 3, 6),
    (6, 6, 3, 9),
    (-3, 6, 3, 6, 6),
)


_STRAIN = 8
"""Bars."""


def strain(rng: Random, key: Key, metre: tuple[int, int], pattern: Pattern, pace: int, rag: bool) -> Sketch:
    """Eight bars of melody over an accompaniment, ending in a cadence."""
    beat, bar = metre
    chords = progression(rng, key, _STRAIN)
    harmony = Sketch(beat * bar, _RANGES, chords)
    rows = voicings(harmony, rng)
    sketch = Sketch(beat, _RANGES, [chord for chord in chords for _ in range(bar)])
    for place, row in enumerate(rows):
        for onset, duration, voices in pattern:
            for voice in voices:
                sketch.write(voice, place * beat * bar + onset, duration, row[voice])
    if not rag:
        fill(sketch, rng, 0, range(len(sketch.chords)), pace, suspend=0.4)
        return sketch
    motifs = [pick(rng, _RAG_RHYTHMS) for _ in range(3)]
    for place, row in enumerate(rows):
        rhythm = motifs[(0, 1, 0, 2)[place % 4]]
        after = rows[place + 1][0] if place + 1 < len(rows) else row[0]
        onset = place * beat * bar
        pitches = _melody(rng, chords[place], row[0], after, len(rhythm))
        for length, pitch in zip(rhythm, pitches, strict=True):
            if length > 0:
                sketch.write(0, onset, length, pitch)
                if rng.random() < 0.25 and length > 3:  # the octave below, as pianists of the style add
                    sketch.write(1, onset, length, pitch - 12)
            onset += abs(length)
    return sketch


def _melody(rng: Random, chord: Chord, start: int, goal: int, count: int) -> list[int]:
    middle = pick(rng, chord_tones(chord, max(60, start - 9), min(86, start + 9)))
    half = max(1, count // 2)
    return run_between(rng, chord, start, middle, half) + run_between(rng, chord, middle, goal, count - half)


def _append(whole: Sketch, part: Sketch) -> None:
    start = whole.end
    whole.notes += [Note(note.onset + start, note.duration, note.pitch, note.voice) for note in part.notes]
    whole.chords += part.chords
    whole.cadences.append(whole.end - part.beat)


def song_form(pattern: Pattern, pace: int | None = None, rag: bool = False) -> Writer:
    """A writer of strains in the order A A B A C A ..., B and C in related keys."""

    def write(rng: Random, key: Key, beat: int, bar: int, length: int, usual_pace: int) -> Sketch:
        whole = Sketch(beat, _RANGES)
        own = drawn_order(rng, pattern)
        first = strain(rng, key, (beat, bar), own, pace or usual_pace, rag)
        _append(whole, first)
        other = 0
        while len(whole.chords) + _STRAIN * bar <= length:
            if other % 2:
                _append(whole, first)
            else:
                station = key.related[other // 2 % 5]
                _append(whole, strain(rng, station, (beat, bar), own, pace or usual_pace, rag))
            other += 1
        hold(whole, rng, Chord(key, TONIC), bar)
        return whole

    return write


def etude(rng: Random, key: Key, beat: int, bar: int, length: int, pace: int) -> Sketch:
    """A hand that runs in one wide figure over octaves and fifths in the other, the hands changing places."""
    unit = 2
    chords, closes = harmonic_plan(rng, key, length // unit, 8)
    sketch = Sketch(beat * unit, ((62, 80), (57, 71), (36, 53)), chords)
    rows = voicings(sketch, rng)
    figures = [draw_figure(rng, unit * 4, 5) for _ in range(3)]
    for place, (row, chord) in enumerate(zip(rows, chords, strict=True)):
        start, turn = place * sketch.beat, place // 8 % 3
        low = turn == 2
        for slot, pitch in enumerate(figure_pitches(chord, row[2] + 5 if low else row[0] - 4, figures[turn])):
            sketch.write(2 if low else 0, start + 3 * slot, 3, pitch)
        if low:
            sketch.write(0, start, sketch.beat, row[0])
            sketch.write(1, start, sketch.beat, row[1])
        else:
            sketch.write(2, start, beat, row[2])
            sketch.write(2, start + beat, beat, row[2] + (12 if row[2] < 48 else 7))
    sketch.cadences = [sketch.beat * close for close in closes[:-1]]
    hold(sketch, rng, Chord(key, TONIC), 1)
    return sketch


def minimal(rng: Random, key: Key, beat: int, bar: int, length: int, pace: int) -> Sketch:
    """A short pattern that repeats while one note at a time changes, over slow chords."""
    chords = progression(rng, key, max(4, length // (2 * bar)), closing=False)
    sketch = Sketch(2 * bar * beat, ((62, 80), (50, 64), (38, 52)), chords)
    rows = voicings(sketch, rng)
    size = pick(rng, (5, 6, 7, 8))
    right, left = list(draw_figure(rng, size)), list(draw_figure(rng, pick(rng, (3, 4, 5)), 2))
    for place, (row, chord) in enumerate(zip(rows, chords, strict=True)):
        start = place * sketch.beat
        right[place % size] = (pick(rng, (0, 1, 2, 3)), 0)
        upper = figure_pitches(chord, row[0] - 3, tuple(right))
        lower = figure_pitches(chord, row[1], tuple(left))
        for slot in range(sketch.beat // 6):
            sketch.write(0, start + 6 * slot, 6, upper[slot % size])
            sketch.write(1, start + 6 * slot, 6, lower[slot % len(left)])
        sketch.write(2, start, sketch.beat, row[2])
    sketch.cadences = [sketch.end]
    hold(sketch, rng, Chord(key, TONIC), 1)
    return sketch


def fughetta(rng: Random, key: Key, beat: int, bar: int, length: int, pace: int) -> Sketch:
    """A short fugue."""
    return fugue(rng, key, pick(rng, (2, 3, 3)), (beat, bar), length, pace)


@dataclass(frozen=True)
class Style:
    """How a style is written and played.

    Attributes
    ----------
    name : str
        As it stands in titles.
    write : Writer
    beat, bar : int
        Ticks in a beat, beats in a bar.
    pace : int
        Notes a beat in the running voice.
    tempo : tuple of float
        Slowest and fastest, quarter beats a minute.
    """

    name: str
    write: Writer
    beat: int = 12
    bar: int = 4
    pace: int = 4
    tempo: tuple[float, float] = (70, 100)
    articulation: float = 0.8
    right_voices: int = 2


STYLES = (
    Style("Nocturne", song_form(NOCTURNE_FOUR, 3), 12, 4, 3, (66, 84), 0.95, 1),
    Style("Waltz", song_form(WALTZ, 2), 12, 3, 2, (130, 168), 0.7, 1),
    Style("Etude", etude, 12, 4, 4, (92, 124), 0.85, 2),
    Style("Hymn", chorale, 12, 4, 2, (72, 92), 0.9, 2),
    Style("Ragtime", song_form(RAGTIME, rag=True), 12, 2, 4, (78, 96), 0.6, 2),
    Style("Minuet", song_form(MINUET, 2), 12, 3, 2, (108, 132), 0.65, 1),
    Style("Minimal Pattern", minimal, 12, 4, 2, (112, 144), 0.8, 1),
    Style("Song without Words", song_form(SONG, 2), 12, 4, 2, (66, 88), 0.95, 2),
    Style("Toccata", toccata, 12, 4, 4, (84, 108), 0.7, 3),
    Style("Sonatina", song_form(ALBERTI, 4), 12, 4, 4, (96, 132), 0.7, 1),
    Style("Fughetta", fughetta, 12, 4, 4, (72, 96), 0.8, 2),
    Style("Barcarolle", song_form(NOCTURNE, 3), 18, 2, 3, (84, 108), 0.95, 1),
    *(
        Style(f"Prelude ({writer.__name__.replace('_', ' ')})", writer, 12, 4, 4, (72, 100))
        for writer in PRELUDES[:7]
    ),
)
