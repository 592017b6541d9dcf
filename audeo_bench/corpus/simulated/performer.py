"""How a pianist plays a score: when each key goes down, for how long, how hard, by which hand, and the pedal.

The ingredients are the classical ones of performance research: phrase arches and final slowing of the tempo
(Todd 1992; Friberg & Sundberg 1999), the melody's lead over its accompaniment (Goebl 2001), articulation as
the ratio of a note's duration to its value (Repp 1995), metrical accents, balance between voices, and
syncopated pedalling.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from audeo_bench.corpus.simulated.fingering import GROUP_SECONDS, LARGEST_SPAN, finger, split_hands
from audeo_bench.keyboard import KEY_X
from audeo_bench.roll import LOWEST_PITCH, Notes

if TYPE_CHECKING:
    from audeo_bench.corpus.simulated.composer import Piece

TAIL_SECONDS = 2.0
LEAD_IN_SECONDS = (0.8, 2.0)
LEAP_SPEED = 2500.0
"""mm/s at which a hand leaps."""
SHORTEST_NOTE = 0.045
REPETITION_GAP = 0.07
"""Seconds that a key needs to come up before it can be struck again."""


@dataclass(frozen=True)
class Style:
    """How freely a performance departs from its score.

    Attributes
    ----------
    rubato : float
        Depth of the phrase arches, as a share of the tempo.
    slowing : float
        Share of the tempo lost at a cadence; twice that at the last one.
    drift : float
        Standard deviation of the slow tempo drift, as a share of the tempo.
    melody_lead : float
        Seconds by which the highest voice comes before the others.
    jitter : float
        Standard deviation of a single onset, seconds.
    loudness, dynamics : float
        Mean MIDI velocity, and the depth of the phrase dynamics in velocity steps.
    pedal : float
        Probability that a bar (or half of a long one) is pedalled.
    """

    rubato: float = 0.07
    slowing: float = 0.12
    drift: float = 0.02
    melody_lead: float = 0.014
    jitter: float = 0.009
    loudness: float = 66.0
    dynamics: float = 10.0
    pedal: float = 0.08


BACH = Style()
"""Clear, steady, nearly without pedal."""
ROMANTIC = Style(
    rubato=0.16,
    slowing=0.22,
    drift=0.04,
    melody_lead=0.024,
    jitter=0.012,
    loudness=60.0,
    dynamics=18.0,
    pedal=0.9,
)
"""Free in time, wide in dynamics, pedalled throughout."""


@dataclass(frozen=True)
class Performance:
    """One performance of one piece.

    Attributes
    ----------
    notes : Notes
        When keys are down; sorted by onset, then pitch; no two notes of one pitch overlap.
    hands : np.ndarray, shape (n,), int8
        0 left, 1 right.
    pedal : np.ndarray, shape (m, 2), float64
        Sustain pedal down and up, seconds.
    seconds : float
        Length, including about two seconds of tail.
    """

    notes: Notes
    hands: np.ndarray
    pedal: np.ndarray
    seconds: float


def perform(piece: Piece, rng: np.random.Generator, style: Style = BACH) -> Performance:
    """Play ``piece`` once.

    Parameters
    ----------
    piece : Piece
        Onsets and durations in quarter beats.
    rng : np.random.Generator
        The only source of chance: the same state plays the same performance.
    style : Style

    Returns
    -------
    Performance
    """
    onsets, durations = np.asarray(piece.onsets, float), np.asarray(piece.durations, float)
    pitches, voices = np.asarray(piece.pitches, np.int64), np.asarray(piece.voices, np.int64)
    end = float((onsets + durations).max(initial=1.0))
    phrases = _phrase_borders(np.asarray(piece.cadences, float), end, float(piece.beats_per_bar))
    start = rng.uniform(*LEAD_IN_SECONDS)
    beats, seconds = _tempo_map(phrases, end, float(piece.tempo), style, rng)

    def clock(beat: np.ndarray) -> np.ndarray:
        return start + np.interp(beat, beats, seconds)

    count = len(onsets)
    lead = style.melody_lead * rng.uniform(0.6, 1.4)
    played = clock(onsets) + np.where(voices == voices.min(initial=0), -lead, 0.0)
    played += np.clip(rng.normal(0, style.jitter, count), -2.5 * style.jitter, 2.5 * style.jitter)
    released = clock(onsets + durations * _duration_ratio(piece, durations, rng))
    # Legato means that the next key goes down before this one comes up.
    articulation = np.broadcast_to(np.asarray(piece.articulation, float), (count,))
    released += np.where(articulation > 0.7, rng.uniform(0.0, 0.045, count), 0.0)
    released = np.maximum(released, played + SHORTEST_NOTE * rng.uniform(1.0, 1.6, count))
    velocities = _velocities(piece, phrases, style, rng)

    keep, intervals = _playable(played, released, pitches)
    notes = Notes(intervals, pitches[keep], velocities[keep])
    hands = _hands(notes, voices[keep])
    notes = _let_go(notes, hands)
    length = float(notes.intervals[:, 1].max(initial=start)) + TAIL_SECONDS
    return Performance(notes, hands, _pedal(piece, clock, end, style, rng), length)


def _phrase_borders(cadences: np.ndarray, end: float, beats_per_bar: float) -> np.ndarray:
    """Beats at which phrases begin and end: the cadences, or every four bars where there are none."""
    inner = cadences[(cadences > 0.5) & (cadences < end - 0.5)]
    if len(inner) == 0:
        inner = np.arange(4 * beats_per_bar, end - beats_per_bar, 4 * beats_per_bar)
    return np.unique(np.concatenate([[0.0], inner, [end]]))


def _arch(beats: np.ndarray, phrases: np.ndarray) -> np.ndarray:
    """1 in the middle of a phrase, 0 at its borders: Todd's parabola."""
    phrase = np.clip(np.searchsorted(phrases, beats, side="right") - 1, 0, len(phrases) - 2)
    place = (beats - phrases[phrase]) / (phrases[phrase + 1] - phrases[phrase])
    return np.clip(4 * place * (1 - place), 0, 1)


def _tempo_map(
    phrases: np.ndarray, end: float, tempo: float, style: Style, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Beats on a fine grid and the seconds at which they fall."""
    step = 0.125
    beats = np.arange(0, end + 8 + step, step)
    speed = 1 + style.rubato * rng.uniform(0.6, 1.4) * (_arch(beats, phrases) - 0.6)
    for number, border in enumerate(phrases[1:], start=2):
        last = number == len(phrases)
        depth = style.slowing * rng.uniform(0.6, 1.4) * (2 if last else 1)
        width = rng.uniform(1.5, 2.5) * (1.5 if last else 1)
        before = np.clip(1 - (border - beats) / width, 0, 1) * (beats <= border + step)
        # After an inner cadence the tempo comes back within one beat; after the last it does not.
        after = (beats > border) * (1.0 if last else np.clip(1 - (beats - border), 0, 1) * 0.5)
        speed *= 1 - min(depth, 0.6) * np.maximum(before**2, after)
    # A random walk through one anchor every four beats, pulled back to the tempo.
    anchors = np.zeros(int(beats[-1] // 4) + 2)
    for place in range(1, len(anchors)):
        anchors[place] = 0.8 * anchors[place - 1] + rng.normal(0, 0.6 * style.drift)
    speed *= 1 + np.clip(np.interp(beats, 4 * np.arange(len(anchors)), anchors), -0.15, 0.15)
    seconds = np.concatenate([[0.0], np.cumsum(60.0 / (tempo * speed[:-1]) * step)])
    return beats, seconds


def _duration_ratio(piece: Piece, durations: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Share of its written value that each note is held, 0.2 .. 1.05."""
    articulation = np.asarray(piece.articulation, float)
    ratio = 0.38 + 0.62 * articulation + rng.normal(0, 0.05, len(durations))
    # Long notes are held nearly to their end even in a detached style.
    return np.clip(ratio + 0.12 * np.clip(durations - 1, 0, 2) * (1 - ratio), 0.2, 1.05)


def _velocities(piece: Piece, phrases: np.ndarray, style: Style, rng: np.random.Generator) -> np.ndarray:
    onsets, pitches, voices = (np.asarray(a, float) for a in (piece.onsets, piece.pitches, piece.voices))
    count = len(onsets)
    in_bar = onsets % float(piece.beats_per_bar)
    accent = np.where(in_bar < 1e-3, 6.0, np.where(onsets % 1 < 1e-3, 2.5, -2.0))
    lowest = voices.max(initial=0)
    balance = np.where(voices == voices.min(initial=0), 6.0, np.where(voices == lowest, 0.0, -6.0))
    swell = style.dynamics * (_arch(onsets, phrases) - 0.5)
    # Phrases differ in loudness from each other.
    level = rng.normal(0, 0.4 * style.dynamics, len(phrases))
    terrace = level[np.clip(np.searchsorted(phrases, onsets, side="right") - 1, 0, len(phrases) - 2)]
    contour = 0.25 * (pitches - (np.median(pitches) if count else 0)) * (voices == voices.min(initial=0))
    noise = rng.normal(0, 4.0, count)
    loudness = style.loudness * rng.uniform(0.88, 1.12)
    velocity = loudness + accent + balance + swell + terrace + np.clip(contour, -6, 6) + noise
    return np.clip(np.round(velocity), 1, 127).astype(np.int64)


def _playable(played: np.ndarray, released: np.ndarray, pitches: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which notes remain, sorted, and their intervals, so that one key never goes down while it is down.

    Two voices that meet on one key become one press; a repeated note leaves the key time to come up.
    """
    order = np.lexsort((pitches, played))
    keep: list[int] = []
    onset, offset = played.copy(), released.copy()
    previous: dict[int, int] = {}
    for note in order:
        key = int(pitches[note])
        before = previous.get(key)
        if before is not None:
            between = onset[note] - onset[before]
            if between < 2 * SHORTEST_NOTE:
                offset[before] = max(offset[before], offset[note])
                continue
            gap = min(REPETITION_GAP, 0.4 * between)
            offset[before] = min(offset[before], onset[note] - gap)
        previous[key] = note
        keep.append(note)
    kept = np.asarray(keep, np.int64)
    return kept, np.stack([onset[kept], offset[kept]], axis=1).reshape(-1, 2)


def _hands(notes: Notes, voices: np.ndarray) -> np.ndarray:
    """Outer voices go to their own hand; inner and single voices to the hand that reaches them better."""
    present = np.unique(voices)
    if len(present) == 2:
        return (voices == present[0]).astype(np.int8)
    leaning = np.zeros(len(notes))
    if len(present) > 2:
        leaning[voices == present[0]] = 1.0
        leaning[voices == present[-1]] = -1.0
    return split_hands(notes, leaning)


def _let_go(notes: Notes, hands: np.ndarray) -> Notes:
    """Release what a hand cannot hold: a key whose finger is needed, or out of reach of the next one.

    The finger or hand also needs time to get there, so that leaps come with a gap, as they do in reality.
    """
    x = KEY_X[notes.pitches - LOWEST_PITCH]
    onsets, offsets = notes.intervals[:, 0], notes.intervals[:, 1].copy()
    fingering = finger(notes, hands)
    latest = float((offsets - onsets).max(initial=0.0))
    for note in range(len(notes)):
        after = slice(note + 1, int(np.searchsorted(onsets, onsets[note] + latest + 0.3)))
        distance = np.abs(x[after] - x[note])
        mine = (hands[after] == hands[note]) & (onsets[after] > onsets[note] + GROUP_SECONDS)
        bound = mine & ((fingering[after] == fingering[note]) | (distance > LARGEST_SPAN))
        if bound.any():
            travel = 0.02 + distance[bound] / LEAP_SPEED
            between = onsets[after][bound] - onsets[note]
            offsets[note] = min(
                offsets[note], onsets[note] + (between - np.minimum(travel, between / 2)).min()
            )
    return Notes(np.stack([onsets, offsets], axis=1), notes.pitches, notes.velocities)


def _pedal(
    piece: Piece,
    clock: Callable[[np.ndarray], np.ndarray],
    end: float,
    style: Style,
    rng: np.random.Generator,
) -> np.ndarray:
    """Syncopated pedalling: the foot goes down just after a harmony is struck and up as the next one is."""
    bar = float(piece.beats_per_bar)
    change = bar / 2 if bar >= 4 and bar % 2 == 0 else bar
    borders = np.arange(0, end + change, change)
    chosen = rng.random(len(borders) - 1) < style.pedal
    down = clock(borders[:-1]) + rng.uniform(0.08, 0.2, len(chosen))
    up = clock(np.minimum(borders[1:], end)) + rng.uniform(-0.02, 0.05, len(chosen))
    pedal = np.stack([down, up], axis=1)[chosen]
    return pedal[pedal[:, 1] - pedal[:, 0] > 0.1]
