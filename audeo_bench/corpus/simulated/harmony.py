"""Keys, chords and functional progressions: the ground on which the simulated composer builds.

A place on the staff is an *index*: ``7 * octave + degree`` of a key, degree 0 the tonic. Raised and natural
minor have the same indices, so a melody written in indices keeps its shape in another key or mode.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from functools import cache
from random import Random
from typing import NamedTuple, TypeVar

T = TypeVar("T")

MAJOR = (0, 2, 4, 5, 7, 9, 11)
NATURAL_MINOR = (0, 2, 3, 5, 7, 8, 10)
MELODIC_MINOR = (0, 2, 3, 5, 7, 9, 11)
TONIC, SUPERTONIC, MEDIANT, SUBDOMINANT, DOMINANT, SUBMEDIANT, LEADING = range(7)

# What a chord of each degree moves to, with weights: the usual functional grammar.
_FOLLOWS: dict[int, tuple[tuple[int, float], ...]] = {
    TONIC: ((SUBDOMINANT, 3), (DOMINANT, 3), (SUBMEDIANT, 2.5), (SUPERTONIC, 2), (MEDIANT, 1)),
    SUPERTONIC: ((DOMINANT, 5), (LEADING, 1)),
    MEDIANT: ((SUBMEDIANT, 3), (SUBDOMINANT, 2)),
    SUBDOMINANT: ((DOMINANT, 4), (SUPERTONIC, 2.5), (TONIC, 1.5), (LEADING, 0.7)),
    DOMINANT: ((TONIC, 4), (SUBMEDIANT, 2)),
    SUBMEDIANT: ((SUPERTONIC, 3), (SUBDOMINANT, 3), (DOMINANT, 1)),
    LEADING: ((TONIC, 4), (MEDIANT, 1)),
}
# How often a chord of each degree has a seventh.
_SEVENTHS = (0.04, 0.6, 0.25, 0.35, 0.55, 0.25, 0.4)
# Root movements of harmonic sequences, in degrees.
_SEQUENCES = ((3,), (3, -4), (-2, 3), (4, -2), (-3, 1), (5, -3))


class Key(NamedTuple):
    """A key: pitch class of the tonic (0 = C) and mode."""

    tonic: int
    minor: bool

    @property
    def dominant(self) -> Key:
        return Key((self.tonic + 7) % 12, self.minor)

    @property
    def related(self) -> tuple[Key, ...]:
        """The keys one accidental away, nearest in function first."""
        steps = (
            ((3, False), (7, True), (5, True), (8, False), (10, False))
            if self.minor
            else ((9, True), (7, False), (2, True), (5, False), (4, True))
        )
        return tuple(Key((self.tonic + up) % 12, minor) for up, minor in steps)


class Chord(NamedTuple):
    """A diatonic triad or seventh chord on a degree of a key; minor dominants take the leading tone."""

    key: Key
    degree: int
    seventh: bool = False


@cache
def ladder(key: Key, raised: bool) -> tuple[int, ...]:
    """MIDI pitch of every index of the key, lowest first, from far below any piano to far above.

    ``raised`` takes the melodic minor's sixth and seventh.
    """
    scale = MAJOR if not key.minor else MELODIC_MINOR if raised else NATURAL_MINOR
    return tuple(key.tonic + 12 * octave + step for octave in range(-2, 12) for step in scale)


@cache
def chord_ladder(chord: Chord) -> tuple[int, ...]:
    """The ladder of the scale that goes with the chord."""
    return ladder(chord.key, chord.degree in (DOMINANT, LEADING))


@cache
def pitch_classes(chord: Chord) -> tuple[int, ...]:
    """Pitch classes of the chord, root first."""
    steps = chord_ladder(chord)
    classes = [steps[chord.degree + third] % 12 for third in ((0, 2, 4, 6) if chord.seventh else (0, 2, 4))]
    if chord.key.minor and chord.degree == LEADING and chord.seventh:
        classes[3] = (classes[3] - 1) % 12  # the diminished seventh takes the natural sixth degree
    return tuple(classes)


@cache
def chord_tones(chord: Chord, low: int, high: int) -> tuple[int, ...]:
    """MIDI pitches of the chord in ``low..high``, ascending."""
    classes = pitch_classes(chord)
    return tuple(pitch for pitch in range(low, high + 1) if pitch % 12 in classes)


def nearest_index(steps: Sequence[int], pitch: int) -> int:
    """Index of the ladder's pitch that is nearest to ``pitch``, the upper one of two."""
    above = bisect_left(steps, pitch)
    return above - 1 if above and pitch - steps[above - 1] < steps[above] - pitch else above


def pick(rng: Random, choices: Sequence[T]) -> T:
    """One of ``choices``, each as likely; uses ``random()`` alone, whose stream Python promises to keep."""
    return choices[int(rng.random() * len(choices))]


def pick_weighted(rng: Random, choices: Sequence[tuple[T, float]]) -> T:
    """One of the (choice, weight) pairs."""
    place = rng.random() * sum(weight for _, weight in choices)
    for choice, weight in choices:
        place -= weight
        if place < 0:
            return choice
    return choices[-1][0]


def shuffled(rng: Random, choices: Sequence[T]) -> list[T]:
    """The choices in a drawn order."""
    return [
        choice
        for _, choice in sorted(((rng.random(), place), choice) for place, choice in enumerate(choices))
    ]


def close(rng: Random, key: Key) -> list[Chord]:
    """Predominant, dominant seventh, tonic."""
    predominant = pick(rng, (SUPERTONIC, SUBDOMINANT, SUPERTONIC))
    return [
        Chord(key, predominant, predominant == SUPERTONIC and rng.random() < 0.6),
        Chord(key, DOMINANT, rng.random() < 0.7),
        Chord(key, TONIC),
    ]


def progression(rng: Random, key: Key, length: int, closing: bool = True) -> list[Chord]:
    """A functional phrase of ``length`` chords from the tonic; ``closing`` ends it with a cadence."""
    body = length - 3 if closing else length
    degrees = [TONIC]
    while len(degrees) < body:
        if rng.random() < 0.15 and body - len(degrees) >= 4:
            moves = pick(rng, _SEQUENCES)
            degrees += [(degrees[-1] + sum((moves * 4)[: step + 1])) % 7 for step in range(4)]
        else:
            degrees.append(pick_weighted(rng, _FOLLOWS[degrees[-1]]))
    chords = [Chord(key, degree, rng.random() < _SEVENTHS[degree]) for degree in degrees[: max(body, 0)]]
    return (chords + close(rng, key))[-length:] if closing else chords


def sequence(rng: Random, start: Key, goal: Key, length: int) -> list[Chord]:
    """A harmonic sequence that leaves ``start`` and ends on the dominant of ``goal``."""
    moves = pick(rng, _SEQUENCES)
    degree = pick(rng, (TONIC, SUBMEDIANT, SUBDOMINANT))
    chords = []
    for step in range(length - 1):
        key = start if step < length // 2 else goal
        chords.append(Chord(key, degree % 7, rng.random() < 0.25))
        degree += moves[step % len(moves)]
    return [*chords, Chord(goal, DOMINANT, True)]


def tonal_plan(rng: Random, key: Key, stations: int) -> list[Key]:
    """Keys of the middle sections: related keys in a drawn order, one of the two nearest first."""
    near = [pick(rng, key.related[:2])]
    rest = shuffled(rng, [other for other in key.related if other != near[0]])
    return (near + rest * 2)[:stations]
