"""Preludes: drawn figures over a functional plan of chords, one function a type."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from audeo_bench.corpus.simulated.counterpoint import cadence, fugue, hold
from audeo_bench.corpus.simulated.harmony import (
    TONIC,
    Chord,
    Key,
    chord_ladder,
    chord_tones,
    nearest_index,
    pick,
    pick_weighted,
    progression,
    sequence,
    tonal_plan,
)
from audeo_bench.corpus.simulated.voices import (
    HIGHEST,
    LOWEST,
    RANGES,
    Sketch,
    fill,
    lead,
    ornament,
    voicings,
)

Figure = tuple[tuple[int, int], ...]
"""One (chord tone counted from the voice's own, step away from it) pair a note."""


def harmonic_plan(rng: Random, key: Key, count: int, phrase: int) -> tuple[list[Chord], list[int]]:
    """About ``count`` chords in phrases through related keys, back to the tonic; and where phrases close."""
    stations = max(2, round(count / phrase))
    keys = [key, *tonal_plan(rng, key, stations - 2), key]
    chords: list[Chord] = []
    closes = []
    for place, station in enumerate(keys):
        if place and rng.random() < 0.5:
            lead_in = sequence(rng, keys[place - 1], station, max(2, phrase // 2))
            chords += lead_in + progression(rng, station, max(4, phrase - len(lead_in)))
        else:
            chords += progression(rng, station, phrase)
        closes.append(len(chords) - 1)
    return chords, closes


def draw_figure(rng: Random, size: int, reach: int = 3) -> Figure:
    """A figure of ``size`` notes: a walk over chord tones, with neighbour notes between."""
    tone, figure = pick(rng, (0, 0, 1, 2, -1)), []
    for place in range(size):
        middle = 0 < place < size - 1
        if middle and figure[-1][1] == 0 and rng.random() < 0.28:
            figure.append((tone, pick(rng, (-1, -1, 1))))
            continue
        if figure and figure[-1][1] == 0:
            tone += pick(rng, [step for step in (-2, -1, -1, 1, 1, 2) if -1 <= tone + step <= reach])
        figure.append((tone, 0))
    return tuple(figure)


def figure_pitches(chord: Chord, base: int, figure: Figure) -> list[int]:
    """The pitches of a figure on a chord, from the chord tone nearest to ``base``."""
    tones = chord_tones(chord, LOWEST, HIGHEST)
    steps = chord_ladder(chord)
    root = nearest_index(tones, base) if base < tones[-1] else len(tones) - 1
    pitches = []
    for tone, away in figure:
        pitch = tones[min(max(root + tone, 0), len(tones) - 1)]
        if away:
            neighbour = steps[nearest_index(steps, pitch) + away]
            if chord.key.minor and away < 0 and (pitch - chord.key.tonic) % 12 == 0:
                neighbour = pitch - 1
            pitch = neighbour if LOWEST <= neighbour <= HIGHEST else pitch
        pitches.append(pitch)
    return pitches


def _close_with_chord(sketch: Sketch, rng: Random, key: Key, beats: int) -> Sketch:
    mode = Key(key.tonic, key.minor and rng.random() < 0.4)
    sketch.cadences.append(sketch.end)
    hold(sketch, rng, Chord(mode, TONIC), beats)
    return sketch


def arpeggio(rng: Random, key: Key, beat: int, bar: int, length: int, pace: int) -> Sketch:
    """Arpeggiated chords: bass and tenor hold, the upper voices follow in one drawn order throughout."""
    ranges = ((64, 80), (59, 76), (54, 71), (48, 64), (38, 55))
    unit = pick(rng, [count for count in (1, 2, 2, 3, 4) if bar % count == 0])
    chords, closes = harmonic_plan(rng, key, length // unit, 8)
    slots, step = unit * pace, beat // pace
    upper = [2, 1, 0]
    period = [pick(rng, upper)]
    while len(period) < slots:
        period.append(pick(rng, [voice for voice in upper if voice != period[-1]]))
    period = (period[: pick(rng, (3, 4, 6))] * slots)[:slots]
    if rng.random() < 0.4:
        period = (upper * slots)[:slots]
    enters = pick(rng, (1, 2))
    whole = Sketch(beat * unit, ranges, chords)
    rows = voicings(whole, rng)
    for place, row in enumerate(rows):
        start, span = place * beat * unit, slots * step
        whole.write(4, start, span, row[4])
        whole.write(3, start + step * enters, span - step * enters, row[3])
        for slot in range(enters + 1, slots):
            whole.write(period[slot], start + step * slot, step, row[period[slot]])
    whole.cadences = [whole.beat * close for close in closes[:-1]]
    return _close_with_chord(whole, rng, key, 1 if unit > 1 else 2)


def broken_chords(rng: Random, key: Key, beat: int, bar: int, length: int, pace: int) -> Sketch:
    """Both hands run in sixteenths on figures of their own, one chord a half bar or a bar."""
    unit = pick(rng, [count for count in (2, 3, 4) if bar % count == 0])
    chords, closes = harmonic_plan(rng, key, length // unit, pick(rng, (6, 8)))
    slots, step = unit * pace, beat // pace
    sketch = Sketch(beat * unit, ((60, 76), (42, 57)), chords)
    rows = voicings(sketch, rng)
    size = slots if slots <= 8 or rng.random() < 0.3 else slots // 2
    right = [draw_figure(rng, size) for _ in range(2)]
    left = [tuple((1 - tone, away) for tone, away in figure) for figure in right]
    if rng.random() < 0.6:
        left = [draw_figure(rng, size // 2, 2) for _ in range(2)]
    for place, (row, chord) in enumerate(zip(rows, chords, strict=True)):
        which = place % 4 == 3
        for voice, figure in ((0, right[which]), (1, left[which])):
            each = step * size // len(figure)
            pitches = figure_pitches(chord, row[voice], figure)
            for slot in range(step * slots // each):
                sketch.write(voice, place * sketch.beat + slot * each, each, pitches[slot % len(figure)])
    sketch.cadences = [sketch.beat * close for close in closes[:-1]]
    return _close_with_chord(sketch, rng, key, 1)


def perpetual(rng: Random, key: Key, beat: int, bar: int, length: int, pace: int) -> Sketch:
    """Perpetual sixteenths over a walking bass, with a pedal point under the opening and before the end."""
    chords, closes = harmonic_plan(rng, key, length // 2, 8)
    chords = [chord for chord in chords for _ in range(2)]
    sketch = Sketch(beat, RANGES[2], chords)
    step = beat // pace
    figures = [draw_figure(rng, pace * 2) for _ in range(3)]
    total, pedal = len(chords), 2 * bar
    tonic = next(pitch for pitch in range(38, 50) if pitch % 12 == key.tonic)
    sketch.write(1, 0, pedal * beat, tonic)
    walk = pick(rng, (1, 2, 2))
    fill(sketch, rng, 1, range(pedal, total - pedal), walk, suspend=0.0)
    dominant = tonic + 7 if tonic < 43 else tonic - 5
    for start in range(total - pedal, total, bar):
        sketch.write(1, start * beat, min(bar, total - start) * beat, dominant)
    before: int | None = None
    for place in range(0, total, 2):
        before = lead(sketch, rng, 0, place, before)
        if place % 8 == 6:
            sketch.skeleton[0][place - 1] = before
            fill(sketch, rng, 0, range(place, place + 2), pace)
            continue
        for slot, pitch in enumerate(figure_pitches(chords[place], before, figures[place // 8 % 3])):
            sketch.write(0, place * beat + step * slot, step, pitch)
    sketch.cadences = [beat * 2 * close for close in closes[:-1]]
    return _close_with_chord(sketch, rng, key, bar)


def chorale(rng: Random, key: Key, beat: int, bar: int, length: int, pace: int) -> Sketch:
    """Four voices that move together, with passing notes, and hold at the end of every phrase."""
    sketch = Sketch(beat, RANGES[4])
    keys = [key, *tonal_plan(rng, key, max(1, length // (4 * bar) - 2))]
    for station in keys:
        sketch.chords += progression(rng, station, 3 * bar - 2, closing=False)
        first = sketch.cadences[-1] // beat + 1 if sketch.cadences else 0
        for voice in (3, 0, 1, 2):
            walk = pick(rng, (2, 2, 3)) if pace > 2 else pace
            fill(sketch, rng, voice, range(first, len(sketch.chords)), walk)
        cadence(sketch, rng, station, bar, pace)
    cadence(sketch, rng, key, bar, pace, final=True)
    return sketch


def sinfonia(rng: Random, key: Key, beat: int, bar: int, length: int, pace: int) -> Sketch:
    """Three free voices in which one always runs."""
    chords, closes = harmonic_plan(rng, key, length, 2 * bar)
    sketch = Sketch(beat, RANGES[3], chords)
    for voice in (2, 0, 1):
        fill(sketch, rng, voice, range(len(chords)), pace)
    sketch.cadences = [beat * close for close in closes[:-1]]
    return _close_with_chord(sketch, rng, key, bar)


def aria(rng: Random, key: Key, beat: int, bar: int, length: int, pace: int) -> Sketch:
    """A florid melody over repeated chords and a slow bass: a siciliano where the beat is compound."""
    unit = pick(rng, [count for count in (1, 2, 3) if bar % count == 0])
    chords, closes = harmonic_plan(rng, key, length // unit, 8)
    ranges = ((64, 84), (55, 69), (50, 64), (38, 54))
    harmony = Sketch(beat * unit, ranges, chords)
    rows = voicings(harmony, rng)
    sketch = Sketch(beat, ranges, [chord for chord in chords for _ in range(unit)])
    siciliano = pick(rng, (((0, 6), (6, 6), (12, 6)), ((6, 6), (12, 6)), ((0, 12), (12, 6))))
    plain = pick(rng, (((0, 6), (6, 6)), ((6, 6),), ((0, 12),)))
    for place, row in enumerate(rows):
        start = place * unit * beat
        sketch.write(3, start, unit * beat, row[3])
        for part in range(unit):
            for onset, duration in siciliano if beat == 18 else plain:
                for voice in (1, 2):
                    sketch.write(voice, start + part * beat + onset, duration, row[voice])
    walk = pick(rng, (2, 3) if pace == 3 else (3, pace))
    fill(sketch, rng, 0, range(len(sketch.chords)), walk)
    ornament(sketch, rng, 0.2)
    sketch.cadences = [beat * unit * close for close in closes[:-1]]
    return _close_with_chord(sketch, rng, key, bar)


def toccata(rng: Random, key: Key, beat: int, bar: int, length: int, pace: int) -> Sketch:
    """Scales and broken figures that break off into chords."""
    chords, closes = harmonic_plan(rng, key, length // 2, 8)
    ranges = ((64, 84), (57, 74), (50, 66), (38, 55))
    sketch = Sketch(2 * beat, ranges, chords)
    rows = voicings(sketch, rng)
    slots, step = 2 * pace, beat // pace
    figures = [draw_figure(rng, slots) for _ in range(2)]
    kinds = (("figure", 2.0), ("scale", 2.0), ("chord", 0.8), ("left", 1.3))
    shape = [pick_weighted(rng, kinds) for _ in range(8)]
    # A scale with turns and a skip of its own.
    moves = [pick(rng, (1, 1, 1, 1, 2, -1)) for _ in range(slots)]
    for place, (row, chord) in enumerate(zip(rows, chords, strict=True)):
        start = place * sketch.beat
        kind = shape[place % 8] if place not in closes else "chord"
        steps = chord_ladder(chord)
        if kind == "chord":
            for voice in range(4):
                sketch.write(voice, start, sketch.beat - step * (place not in closes), row[voice])
            continue
        if kind == "figure":
            pitches = figure_pitches(chord, row[0] - 5, figures[place % 2])
        elif kind == "scale":
            way = 1 if row[0] < 72 else -1
            index = nearest_index(steps, row[0])
            pitches = [steps[index + way * sum(moves[:slot])] for slot in range(slots)]
            pitches = [pitch if pitch <= HIGHEST else pitch - 12 for pitch in pitches]
        else:
            pitches = figure_pitches(chord, row[3] + 4, figures[(place + 1) % 2])
        runner, held = (3, (0, 1)) if kind == "left" else (0, (3,))
        for slot, pitch in enumerate(pitches):
            sketch.write(runner, start + step * slot, step, pitch)
        whole = kind == "left" or rng.random() < 0.5
        for voice in held:
            sketch.write(voice, start, sketch.beat if whole else beat, row[voice])
    sketch.cadences = [sketch.beat * close for close in closes[:-1]]
    return _close_with_chord(sketch, rng, key, 1)


def invention(rng: Random, key: Key, beat: int, bar: int, length: int, pace: int) -> Sketch:
    """Two voices in imitation."""
    return fugue(rng, key, 2, (beat, bar), length, pace)


Writer = Callable[[Random, Key, int, int, int, int], Sketch]
PRELUDES: tuple[Writer, ...] = (
    arpeggio,
    broken_chords,
    invention,
    perpetual,
    sinfonia,
    aria,
    toccata,
    chorale,
)
"""Every writer takes (rng, key, ticks a beat, beats a bar, length in beats, notes a beat where it runs)."""
