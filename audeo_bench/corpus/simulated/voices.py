"""Voice leading and diminution: chord tones for every beat, then the notes that run between them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise, product
from random import Random
from typing import NamedTuple

from audeo_bench.corpus.simulated.harmony import (
    Chord,
    chord_ladder,
    chord_tones,
    nearest_index,
    pick,
    pick_weighted,
    pitch_classes,
)

TICKS = 12
"""Ticks in a quarter beat: a sixteenth is 3, a triplet eighth 4."""

LOWEST, HIGHEST = 36, 86

RANGES = {
    1: ((55, 84),),
    2: ((60, 84), (40, 64)),
    3: ((64, 84), (55, 74), (38, 60)),
    4: ((64, 84), (57, 76), (48, 67), (36, 58)),
}
"""Lowest and highest pitch of each voice, highest voice first, by number of voices."""

# Rhythms of one beat in ticks, by number of notes; a beat is a quarter (12) or a dotted quarter (18).
RHYTHMS: dict[int, dict[int, tuple[tuple[int, ...], ...]]] = {
    12: {1: ((12,),), 2: ((6, 6), (9, 3)), 3: ((6, 3, 3), (3, 3, 6), (3, 6, 3)), 4: ((3, 3, 3, 3),)},
    18: {1: ((18,),), 2: ((12, 6), (6, 12)), 3: ((6, 6, 6), (9, 3, 6)), 4: ((6, 6, 3, 3),), 6: ((3,) * 6,)},
}


class Note(NamedTuple):
    """A note in ticks."""

    onset: int
    duration: int
    pitch: int
    voice: int


@dataclass
class Sketch:
    """Music that is being written: a chord a beat, notes, each voice's pitch at the start of each beat."""

    beat: int = 12
    ranges: tuple[tuple[int, int], ...] = RANGES[3]
    chords: list[Chord] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    skeleton: list[dict[int, int]] = field(default_factory=list)
    busy: dict[int, int] = field(default_factory=dict)
    cadences: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.skeleton = [{} for _ in self.ranges]

    @property
    def end(self) -> int:
        return len(self.chords) * self.beat

    def write(self, voice: int, onset: int, duration: int, pitch: int) -> None:
        """Add a note and note which beats it covers."""
        self.notes.append(Note(onset, duration, pitch, voice))
        held = self.skeleton[voice]
        for beat in range(-(-onset // self.beat), -(-(onset + duration) // self.beat)):
            held[beat] = pitch


_LEAP_COST = (0.9, 0.0, 0.0, 0.5, 0.6, 1.0, 4.0, 1.3, 1.8, 2.2, 5.0, 6.0, 2.4)


def lead(
    sketch: Sketch, rng: Random, voice: int, beat: int, previous: int | None, freedom: float = 1.2
) -> int:
    """The chord tone a voice takes at a beat: near its last, clear of its neighbours, no parallel fifths."""
    chord = sketch.chords[beat]
    low, high = sketch.ranges[voice]
    classes = pitch_classes(chord)
    centre = (low + high) / 2 if previous is None else (low + high + 2 * previous) / 4
    others = [
        (other, held.get(beat), held.get(beat - 1))
        for other, held in enumerate(sketch.skeleton)
        if other != voice and beat in held
    ]
    present = {now % 12 for _, now, _ in others if now is not None}
    bass = voice == len(sketch.ranges) - 1
    best, best_cost = low, 1e9
    for pitch in chord_tones(chord, low, high):
        cost = freedom * rng.random() + abs(pitch - centre) / 12
        if previous is not None:
            leap = abs(pitch - previous)
            cost += _LEAP_COST[leap] if leap <= 12 else 4 + leap / 4
        role = classes.index(pitch % 12)
        if bass:
            cost += (0.0, 0.8, 3.0, 1.6)[role]
        elif pitch % 12 in present:
            cost += (0.9, 1.8, 1.0, 3.0)[role]
        elif role in (1, 3):
            cost -= 0.8
        for other, now, before in others:
            if now is None:
                continue
            apart = pitch - now if other > voice else now - pitch
            if apart <= 0:
                cost += 7.0
            elif apart < 3:
                cost += 1.5
            elif apart > 12 and other == voice + 1 and other != len(sketch.ranges) - 1:
                cost += (apart - 12) / 2
            if before is not None and previous is not None and before != now and previous != pitch:
                interval = (pitch - now) % 12
                if interval in (0, 7) and (previous - before) % 12 == interval:
                    cost += 8.0
        if cost < best_cost:
            best, best_cost = pitch, cost
    return best


@cache
def _paths(count: int, distance: int) -> tuple[tuple[tuple[int, ...], float], ...]:
    """Ways to reach an index ``distance`` away in ``count`` moves, smooth ones weighted most."""
    sizes = (-3, -2, -1, 1, 2, 3) if count <= 3 else (-2, -1, 1, 2)
    found = []
    for moves in product(sizes, repeat=count - 1):
        last = distance - sum(moves)
        if last == 0 or abs(last) > max(3, abs(distance) - count):
            continue
        path = (*moves, last)
        skips = sum(abs(move) > 1 for move in path)
        turns = sum(a * b < 0 for a, b in pairwise(path))
        found.append((path, 2.0 ** -(1.6 * skips + 0.7 * turns + max(map(abs, path)) - 1)))
    found.sort(key=lambda item: -item[1])
    return tuple(found[:14])


def run_between(rng: Random, chord: Chord, start: int, goal: int, count: int) -> list[int]:
    """``count`` pitches from ``start`` towards ``goal``, the next beat's: steps, and skips to chord tones.

    In minor a seventh degree that rises to the tonic is raised, with the sixth before it.
    """
    if count == 1:
        return [start]
    steps, classes = chord_ladder(chord), pitch_classes(chord)
    first = nearest_index(steps, start)
    paths = _paths(count, nearest_index(steps, goal) - first)
    allowed = []
    for path, weight in paths:
        place, before = first, 0
        for move in path:
            if (abs(before) > 1 or (before and abs(move) > 1)) and steps[place] % 12 not in classes:
                weight *= 0.04
            place, before = place + move, move
            if not LOWEST <= steps[place] <= HIGHEST:
                weight = 0.0
        if weight:
            allowed.append((path, weight))
    if not allowed:
        return [start] * count
    path = pick_weighted(rng, allowed)
    indices = [first]
    for move in path[:-1]:
        indices.append(indices[-1] + move)
    pitches = [start] + [steps[index] for index in indices[1:]]
    if chord.key.minor:
        tonic = chord.key.tonic
        for place in range(count - 1, 0, -1):
            after = pitches[place + 1] if place + 1 < count else goal
            climbs = (pitches[place] - tonic) % 12 == 10 and after - pitches[place] == 2
            lifts = (pitches[place] - tonic) % 12 == 8 and after - pitches[place] == 3
            pitches[place] += climbs or lifts
    return pitches


def rhythm_for(sketch: Sketch, rng: Random, beat: int, pace: int) -> tuple[int, ...]:
    """A rhythm that complements what other voices do in the beat: one voice runs, the others walk."""
    table = RHYTHMS[sketch.beat]
    if sketch.busy.get(beat, 0) < pace and rng.random() < 0.8:
        count = pace if rng.random() < 0.75 or pace < 3 else 3
    else:
        count = 1 if rng.random() < (0.5 if pace > 1 else 0.85) else 2
    return pick(rng, table[count])


def fill(sketch: Sketch, rng: Random, voice: int, beats: range, pace: int, suspend: float = 0.6) -> None:
    """Write a free voice over some beats against what the other voices already do."""
    held = sketch.skeleton[voice]
    before = held.get(beats.start - 1)
    goals: list[int] = []
    for beat in beats:
        before = lead(sketch, rng, voice, beat, before)
        goals.append(before)
        held[beat] = before
    pending: tuple[int, int, int] | None = None  # a note not yet written, which may be tied over the beat
    for beat, goal in zip(beats, goals, strict=True):
        after = goals[beat + 1 - beats.start] if beat + 1 < beats.stop else goal
        rhythm = list(rhythm_for(sketch, rng, beat, pace))
        onset = beat * sketch.beat
        pitches = run_between(rng, sketch.chords[beat], goal, after, len(rhythm))
        if pending is not None:
            start, length, pitch = pending
            # A step down may be a suspension: the old note stays for half the beat, then resolves.
            if 1 <= pitch - goal <= 2 and len(rhythm) <= 2 and rng.random() < suspend:
                delay = sketch.beat // 2 if sketch.beat == 12 else 12
                length, onset = length + delay, onset + delay
                rhythm, pitches = [sketch.beat - delay], [goal]
                held[beat] = pitch
            elif pitch == goal and rng.random() < 0.7:
                length, onset = length + rhythm[0], onset + rhythm[0]
                rhythm, pitches = rhythm[1:], pitches[1:]
            if rhythm:
                sketch.notes.append(Note(start, length, pitch, voice))
            else:
                pending = (start, length, pitch)
                continue
        for length, pitch in zip(rhythm[:-1], pitches[:-1], strict=True):
            sketch.notes.append(Note(onset, length, pitch, voice))
            onset += length
        pending = (onset, rhythm[-1], pitches[-1])
        sketch.busy[beat] = max(sketch.busy.get(beat, 0), len(rhythm))
    if pending is not None:
        sketch.notes.append(Note(*pending, voice))


def voicings(sketch: Sketch, rng: Random) -> list[tuple[int, ...]]:
    """One chord tone a voice for every chord of the sketch; each row highest voice first."""
    count = len(sketch.ranges)
    order = [count - 1, 0, *range(1, count - 1)]
    for beat in range(len(sketch.chords)):
        for voice in order:
            held = sketch.skeleton[voice]
            held[beat] = lead(sketch, rng, voice, beat, held.get(beat - 1), 0.8)
    return [tuple(held[beat] for held in sketch.skeleton) for beat in range(len(sketch.chords))]


def ornament(sketch: Sketch, rng: Random, chance: float) -> None:
    """Turn some long notes of the highest voice into trills or mordents."""
    notes = []
    for note in sketch.notes:
        last = note.onset + note.duration >= sketch.end - sketch.beat
        if note.voice or note.duration < 12 or last or rng.random() >= chance:
            notes.append(note)
            continue
        steps = chord_ladder(sketch.chords[note.onset // sketch.beat])
        index = nearest_index(steps, note.pitch)
        above = (
            steps[index + 1] if steps[index] == note.pitch and steps[index + 1] <= HIGHEST else note.pitch - 1
        )
        shakes = 3 if rng.random() < 0.5 or note.duration > 18 else note.duration // 2 - 1 | 1
        pitches = [note.pitch if shake % 2 == 0 else above for shake in range(shakes)]
        onset = note.onset
        for pitch in pitches[:-1]:
            notes.append(Note(onset, 2, pitch, 0))
            onset += 2
        notes.append(Note(onset, note.onset + note.duration - onset, pitches[-1], 0))
    sketch.notes = notes
