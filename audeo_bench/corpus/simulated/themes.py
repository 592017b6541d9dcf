"""Themes: a melody free of key and voice, the drawing of a subject, its answer, and its stretto."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from audeo_bench.corpus.simulated.harmony import (
    DOMINANT,
    SUBDOMINANT,
    TONIC,
    Chord,
    Key,
    chord_ladder,
    chord_tones,
    nearest_index,
    pick,
    pick_weighted,
    progression,
)
from audeo_bench.corpus.simulated.voices import RHYTHMS, Note, run_between

_ORIGIN = 49  # ladder index of the tonic that lines count from: the one from middle C up


class Step(NamedTuple):
    """A note of a line: ticks from the line's start, place on the staff from the tonic, raised or not."""

    onset: int
    duration: int
    staff: int
    raised: bool = False


class Line(NamedTuple):
    """A melody free of key and voice, with the chord degrees of the beats that it implies."""

    chords: tuple[tuple[int, bool], ...]
    steps: tuple[Step, ...]

    def shifted(self, by: int) -> Line:
        """The line moved on the staff, its chords with it."""
        return Line(
            tuple(((degree + by) % 7, seventh) for degree, seventh in self.chords),
            tuple(step._replace(staff=step.staff + by) for step in self.steps),
        )

    def head(self, beats: int, beat: int) -> Line:
        """The first beats of the line."""
        kept = [step for step in self.steps if step.onset < beats * beat] or [self.steps[0]._replace(onset=0)]
        kept[-1] = kept[-1]._replace(duration=min(kept[-1].duration, beats * beat - kept[-1].onset))
        return Line(self.chords[:beats], tuple(kept))


def lift(notes: list[Note], chords: list[Chord], start: int, beat: int) -> Line:
    """Notes in one key, written over ``chords`` from tick ``start``, as a line."""
    steps = []
    for note in notes:
        place = chord_ladder(chords[min((note.onset - start) // beat, len(chords) - 1)])
        raised = note.pitch not in place and note.pitch - 1 in place
        index = nearest_index(place, note.pitch - raised)
        steps.append(Step(note.onset - start, note.duration, index - _ORIGIN, raised))
    return Line(tuple((chord.degree, chord.seventh) for chord in chords), tuple(steps))


def spell(line: Line, key: Key, beat: int, octave: int = 0) -> list[int]:
    """MIDI pitches of a line in a key."""
    pitches = []
    for step in line.steps:
        degree, _ = line.chords[min(step.onset // beat, len(line.chords) - 1)]
        index = step.staff + _ORIGIN + 7 * octave
        pitches.append(chord_ladder(Chord(key, degree))[index] + (step.raised and key.minor))
    return pitches


def subject(rng: Random, key: Key, beats: int, beat: int, pace: int) -> Line:
    """A subject: an opening with a rhythm and leap of its own, a run, a close on the tonic."""
    chords = [Chord(key, TONIC)]
    for chord in progression(rng, key, beats, closing=False)[1:-2]:
        chords.append(chords[-1] if rng.random() < 0.3 else chord)
    chords += [Chord(key, DOMINANT, rng.random() < 0.3), Chord(key, TONIC)]
    table = RHYTHMS[beat]
    opening = [pick(rng, table[count]) for count in (pick(rng, (1, 2, 2, 3)), pick(rng, (1, 2, 3, 3)))]
    running = [pick(rng, table[count]) for count in (pick(rng, (3, pace)), pace, pick(rng, (2, 3, pace)))]
    shift = pick(rng, (0, 1))
    rhythms = opening + [running[(place + shift) % 3] for place in range(beats - 3)] + [(beat,)]
    low, high = key.tonic + 55, key.tonic + 72
    goals = [key.tonic + 60 + pick(rng, (0, 0, 0, 7, 7, 3 if key.minor else 4))]
    drift = pick(rng, (-1, 1)) * rng.random() * 2
    for place, chord in enumerate(chords[1:], 1):
        turn = drift if place < beats / 2 else -drift
        choices = [
            (tone, 1 / (1.5 + abs(tone - goals[-1] - 2 * turn)) / (1 + 3 * (tone == goals[-1])))
            for tone in chord_tones(chord, low, high)
            if abs(tone - goals[-1]) not in (6, 10, 11)
        ]
        if place == 1 and rng.random() < 0.6:
            choices = [(tone, 1.0) for tone, _ in choices if 3 <= abs(tone - goals[-1]) <= 9] or choices
        goals.append(pick_weighted(rng, choices) if choices else goals[-1])
    notes = []
    for place, rhythm in enumerate(rhythms):
        after = goals[place + 1] if place + 1 < beats else goals[place]
        onset = place * beat
        pitches = run_between(rng, chords[place], goals[place], after, len(rhythm))
        for length, pitch in zip(rhythm, pitches, strict=True):
            notes.append(Note(onset, length, pitch, 0))
            onset += length
    if rng.random() < 0.4 and notes[0].duration >= 6:  # begin after a rest
        delay = notes[0].duration // 2
        notes[0] = notes[0]._replace(onset=delay, duration=notes[0].duration - delay)
    return lift(notes, chords, 0, beat)


def answer(theme: Line) -> Line:
    """The subject for the dominant key; an opening fifth degree is answered by the tonic of the piece."""
    first = theme.steps[0]
    if first.staff % 7 != 4:
        return theme
    steps = (first._replace(staff=first.staff - 1), *theme.steps[1:])
    return Line(((SUBDOMINANT, False), *theme.chords[1:]), steps)


def stretto(theme: Line, beat: int) -> tuple[int, int] | None:
    """The delay in beats and the shift on the staff at which the theme best accompanies itself, if any."""
    best: tuple[float, tuple[int, int]] | None = None
    length = len(theme.chords)
    for delay in range(1, max(2, length // 2 + 1)):
        for shift in (0, 4, 3):
            clashes = strong = 0
            for step in theme.steps:
                now = delay + step.onset // beat
                if step.onset % beat == 0 and now < length:
                    strong += 1
                    clashes += (step.staff + shift - theme.chords[now][0]) % 7 not in (0, 2, 4)
            if strong >= 2 and clashes <= strong / 3:
                cost = clashes / strong + delay / length / 2
                if best is None or cost < best[0]:
                    best = (cost, (delay, shift))
    return best[1] if best else None
