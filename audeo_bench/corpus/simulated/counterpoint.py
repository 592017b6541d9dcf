"""Fugues: entries of a subject and countersubject, episodes in sequence, stretto, a tonal plan, a close."""

from __future__ import annotations

from random import Random

from audeo_bench.corpus.simulated.harmony import (
    DOMINANT,
    TONIC,
    Chord,
    Key,
    close,
    pick,
    pitch_classes,
    sequence,
    shuffled,
    tonal_plan,
)
from audeo_bench.corpus.simulated.themes import Line, answer, lift, spell, stretto, subject
from audeo_bench.corpus.simulated.voices import (
    HIGHEST,
    LOWEST,
    RANGES,
    Sketch,
    fill,
    lead,
    ornament,
)

# The order in which voices enter.
_ORDERS = {
    2: ((0, 1), (1, 0)),
    3: ((1, 0, 2), (0, 1, 2), (2, 1, 0)),
    4: ((2, 1, 0, 3), (1, 0, 2, 3), (3, 2, 1, 0)),
}


def place(sketch: Sketch, line: Line, key: Key, voice: int, first: int) -> None:
    """Write a line into a voice, in the octave that fits its range and keeps clear of its neighbours."""
    low, high = sketch.ranges[voice]
    best: tuple[float, list[int]] = (1e9, [])
    for octave in range(-2, 3):
        pitches = spell(line, key, sketch.beat, octave)
        cost = sum(max(low - p, 0, p - high) for p in pitches) / len(pitches) * 2
        cost += abs(sum(pitches) / len(pitches) - (low + high) / 2) / 4
        cost += 99 * (min(pitches) < LOWEST or max(pitches) > HIGHEST)
        for other, held in enumerate(sketch.skeleton):
            sign = 1 if other > voice else -1
            for step, pitch in zip(line.steps, pitches, strict=True):
                now = held.get(first + step.onset // sketch.beat) if other != voice else None
                cost += 3 * (now is not None and sign * (pitch - now) <= 0) * step.duration / sketch.beat
        cost_and_pitches = (cost, pitches)
        best = min(best, cost_and_pitches, key=lambda found: found[0])
    for step, pitch in zip(line.steps, best[1], strict=True):
        sketch.write(voice, first * sketch.beat + step.onset, step.duration, pitch)
        beat = first + step.onset // sketch.beat
        sketch.busy[beat] = sketch.busy.get(beat, 0) + 1


def _add(sketch: Sketch, line: Line, key: Key) -> int:
    first = len(sketch.chords)
    sketch.chords += [Chord(key, degree, seventh) for degree, seventh in line.chords]
    return first


def _fill_rest(sketch: Sketch, rng: Random, first: int, voices: list[int], pace: int) -> None:
    for voice in sorted(voices, key=lambda other: (other != len(sketch.ranges) - 1, other)):
        fill(sketch, rng, voice, range(first, len(sketch.chords)), pace)


def episode(sketch: Sketch, rng: Random, theme: Line, way: tuple[Key, Key], beats: int, pace: int) -> None:
    """A sequence on the theme's head, tossed between two voices, that leads from one key to another."""
    start, goal = way
    count = len(sketch.ranges)
    unit = 2 if beats >= 4 and rng.random() < 0.6 else 1
    head = theme.head(unit, sketch.beat)
    first = len(sketch.chords)
    roots = sequence(rng, start, goal, max(1, (beats - 1) // unit))
    placed = []
    for root in roots[:-1] or roots:
        line = head.shifted((root.degree - head.chords[0][0] + 3) % 7 - 3)
        placed.append((line, root.key, _add(sketch, line, root.key)))
    while len(sketch.chords) - first < beats:
        sketch.chords.append(Chord(goal, DOMINANT, True))
    voices = shuffled(rng, range(count))
    leaders, resting = voices[:2], voices[2:3] if count > 3 or (count == 3 and rng.random() < 0.3) else []
    for turn, (line, key, where) in enumerate(placed):
        place(sketch, line, key, leaders[turn % 2], where)
    written = {
        leader: {
            where + b for turn, (_, _, where) in enumerate(placed) if turn % 2 == side for b in range(unit)
        }
        for side, leader in enumerate(leaders)
    }
    for voice in sorted(set(voices) - set(resting), key=lambda other: (other != count - 1, other)):
        taken = written.get(voice, set())
        beat = first
        while beat < len(sketch.chords):
            stop = beat
            while stop < len(sketch.chords) and stop not in taken:
                stop += 1
            if stop > beat:
                fill(sketch, rng, voice, range(beat, stop), pace)
            beat = stop + 1


def cadence(sketch: Sketch, rng: Random, key: Key, bar: int, pace: int, final: bool = False) -> None:
    """Predominant, dominant, tonic on the next bar line; the last one holds, in minor often major."""
    first = len(sketch.chords)
    room = (-first) % bar
    while room < 2:
        room += bar
    predominant, dominant, tonic = close(rng, key)
    sketch.chords += [predominant] * (room - room // 2) + [dominant] * (room // 2)
    if final and key.minor and rng.random() < 0.6:
        tonic = Chord(Key(key.tonic, False), TONIC)
    if not final:
        sketch.chords.append(tonic)
    _fill_rest(sketch, rng, first, list(range(len(sketch.ranges))), min(pace, 2 if final else 3))
    sketch.cadences.append((len(sketch.chords) - (not final)) * sketch.beat)
    if final:
        hold(sketch, rng, tonic, bar)


def hold(sketch: Sketch, rng: Random, chord: Chord, beats: int) -> None:
    """The last chord, held for ``beats``: the tonic in the bass, the other voices led to its tones."""
    beat = len(sketch.chords)
    sketch.chords += [chord] * beats
    bass = len(sketch.ranges) - 1
    low, high = sketch.ranges[bass]
    root = pitch_classes(chord)[0]
    before = sketch.skeleton[bass].get(beat - 1, (low + high) // 2)
    roots = [pitch for pitch in range(max(low, LOWEST), high + 1) if pitch % 12 == root]
    sketch.write(
        bass, beat * sketch.beat, beats * sketch.beat, min(roots, key=lambda pitch: abs(pitch - before))
    )
    for voice in range(bass):
        pitch = lead(sketch, rng, voice, beat, sketch.skeleton[voice].get(beat - 1), 0.2)
        sketch.write(voice, beat * sketch.beat, beats * sketch.beat, pitch)


def fugue(rng: Random, key: Key, voices: int, metre: tuple[int, int], length: int, pace: int) -> Sketch:
    """A fugue of about ``length`` beats.

    Parameters
    ----------
    voices : int
        2, 3 or 4.
    metre : tuple of 2 ints
        Ticks in a beat, 12 for a quarter, 18 for a dotted quarter; and beats in a bar.
    pace : int
        Notes a beat in the running voice.
    """
    beat, bar = metre
    sketch = Sketch(beat, RANGES[voices])
    half = bar // 2 if bar % 2 == 0 else bar
    beats = pick(rng, [count for count in (bar, bar + half, 2 * bar, 3 * bar) if 4 <= count <= 9])
    theme = subject(rng, key, beats, beat, pace)
    reply = answer(theme)
    order = pick(rng, _ORDERS[voices])
    counter: Line | None = None
    for turn, voice in enumerate(order):
        line, station = (reply, key.dominant) if turn % 2 else (theme, key)
        first = _add(sketch, line, station)
        place(sketch, line, station, voice, first)
        free = list(order[:turn])
        if turn and counter is None:
            before = len(sketch.notes)
            fill(sketch, rng, order[0], range(first, first + beats), pace)
            counter = lift(sketch.notes[before:], sketch.chords[first:], first * beat, beat)
            free.remove(order[0])
        elif counter is not None:
            place(sketch, counter, station, order[turn - 1], first)
            free.remove(order[turn - 1])
        _fill_rest(sketch, rng, first, free, pace)
        if turn == 1 and voices > 2:
            episode(sketch, rng, theme, (station, key), max(2, bar // 2), pace)
    assert counter is not None
    sketch.cadences.append(sketch.end)
    overlap = stretto(theme, beat)
    here, closing = key, 2 * beats + 3 * bar
    for station in tonal_plan(rng, key, 12):
        if len(sketch.chords) + 2 * bar + beats + closing > length:
            break
        episode(
            sketch, rng, pick(rng, (theme, theme, counter)), (here, station), pick(rng, (bar, 2 * bar)), pace
        )
        entry(sketch, rng, theme, counter, station, pace)
        here = station
        if rng.random() < 0.35:
            cadence(sketch, rng, station, bar, pace)
    episode(sketch, rng, theme, (here, key), max(2, -len(sketch.chords) % bar + bar), pace)
    if overlap is not None and rng.random() < 0.7:
        closely(sketch, rng, theme, key, overlap, pace)
    entry(sketch, rng, theme, counter, key, pace)
    cadence(sketch, rng, key, bar, pace, final=True)
    ornament(sketch, rng, 0.12)
    return sketch


def entry(sketch: Sketch, rng: Random, theme: Line, counter: Line, key: Key, pace: int) -> None:
    """The theme in one voice, the countersubject in another, the rest free."""
    voices = shuffled(rng, range(len(sketch.ranges)))
    first = _add(sketch, theme, key)
    place(sketch, theme, key, voices[0], first)
    free = voices[1:]
    # The countersubject was written over the answer's chords; where those differ a free voice is safer.
    if counter.chords == theme.chords and rng.random() < 0.6:
        place(sketch, counter, key, free.pop(0), first)
    _fill_rest(sketch, rng, first, free, pace)


def closely(sketch: Sketch, rng: Random, theme: Line, key: Key, overlap: tuple[int, int], pace: int) -> None:
    """A stretto: the second voice begins before the first has finished."""
    delay, shift = overlap
    second = theme.shifted(shift)
    first = _add(sketch, Line(theme.chords + second.chords[len(theme.chords) - delay :], ()), key)
    voices = shuffled(rng, range(len(sketch.ranges)))
    place(sketch, theme, key, voices[0], first)
    place(sketch, second, key, voices[1], first + delay)
    end = len(sketch.chords)
    fill(sketch, rng, voices[1], range(first, first + delay), pace)
    fill(sketch, rng, voices[0], range(end - delay, end), pace)
    _fill_rest(sketch, rng, first, voices[2:], pace)
