"""The simulated ear: from what the hands did to what an audio transcriber would write down.

The labels of the field's video data sets are made from sound. They differ from the movement of the keys in
three ways, and each has its own function here: the pedal holds strings that the fingers have left, a string
dies away while its key is still held, and the transcriber errs. :func:`listen` is their sequence.

Every constant is checked against a real transcriber (``python -m studies.ear_agreement``,
docs/notebook/ear.md).
"""

from __future__ import annotations

import numpy as np

from audeo_bench.roll import LOWEST_PITCH, Notes

__all__ = ["audible_seconds", "err", "hold_with_pedal", "listen"]

ATTACK_HEADROOM_DB = 30.0
"""How far a note of velocity 64 falls before the transcriber loses it."""
DB_PER_VELOCITY = 0.15
"""A louder note starts higher above the threshold."""
LOWEST_DECAY, DECAY_PER_OCTAVE = 2.2, 1.33
"""Decay of A0 in dB a second, and the factor by which each octave decays faster."""
RELEASE_SECONDS = 0.01
"""A damper needs this long to silence its string."""
PEDAL_SHARE = (1.8, 0.6)
"""Beta distribution: the share of a string's ringing, after its key came up, that is heard; mean 75 %."""

MISSED, SPURIOUS = 0.04, 0.02
"""Share of notes missed at middle loudness, length and polyphony; spurious notes for each true one."""
ONSET_JITTER = 0.02
"""Standard deviation in seconds."""
OFFSET_JITTER, OFFSET_JITTER_SHARE = 0.025, 0.08
"""Standard deviation of an offset in seconds, and the part that grows with the note's length."""
SHORTEST = 0.03
SPURIOUS_STEPS = np.array([12, -12, 19, 7, -7, 24])
"""Semitones from a true note to the note it is mistaken for: octaves and fifths, and their compounds."""
SPURIOUS_WEIGHTS = np.array([0.4, 0.2, 0.15, 0.1, 0.05, 0.1])


def audible_seconds(pitches: np.ndarray, velocities: np.ndarray) -> np.ndarray:
    """How long an undamped string is heard by a transcriber.

    Parameters
    ----------
    pitches, velocities : np.ndarray, shape (n,)

    Returns
    -------
    np.ndarray, shape (n,), float64
        Seconds: some ten seconds in the bass, under one at the top.
    """
    decay = LOWEST_DECAY * DECAY_PER_OCTAVE ** ((np.asarray(pitches) - LOWEST_PITCH) / 12)
    return np.maximum(ATTACK_HEADROOM_DB + DB_PER_VELOCITY * (np.asarray(velocities) - 64.0), 6.0) / decay


def hold_with_pedal(notes: Notes, pedal: np.ndarray) -> np.ndarray:
    """When each string stops, by damper, by decay, or because its key is struck again.

    Parameters
    ----------
    notes : Notes
        The keys as they were pressed.
    pedal : np.ndarray, shape (m, 2)
        Intervals in seconds with the sustain pedal down, sorted, not overlapping.

    Returns
    -------
    np.ndarray, shape (n,), float64
        Offsets in seconds, each at or before the next onset of the same key.
    """
    onsets, released = notes.intervals[:, 0], notes.intervals[:, 1]
    damped = released + RELEASE_SECONDS
    if len(pedal):
        last = np.searchsorted(pedal[:, 0], released, side="right") - 1
        held = (last >= 0) & (released < pedal[np.maximum(last, 0), 1])
        damped = np.where(held, pedal[np.maximum(last, 0), 1] + RELEASE_SECONDS, damped)
    faded = onsets + audible_seconds(notes.pitches, notes.velocities)
    return np.minimum.reduce([damped, faded, _struck_again(notes)])


def err(notes: Notes, rng: np.random.Generator) -> Notes:
    """Add the errors of a transcriber: notes missed and invented, onsets and offsets off.

    The errors are correlated as real ones are. Soft, short and crowded notes are missed, and notes whose
    octave sounds louder; an invented note is the octave, twelfth or fifth of a true one, begins with it and
    dies before it, and lies among the keys that the piece uses at all; the notes of a chord err in time
    together.
    """
    if not len(notes):
        return notes
    onsets, lengths = notes.intervals[:, 0], np.diff(notes.intervals, axis=1)[:, 0]
    struck_together = np.searchsorted(onsets, onsets + 0.05) - np.searchsorted(onsets, onsets - 0.05)
    difficulty = (
        0.03 * (64.0 - notes.velocities)
        + 1.2 * np.clip(0.12 - lengths, 0, None) / 0.12
        + 0.3 * (struck_together - 1)
        + 1.0 * _masked_by_octave(notes)
    )
    missed = rng.random(len(notes)) < np.clip(0.6 * MISSED * np.exp(difficulty), 0, 0.5)

    step = rng.choice(SPURIOUS_STEPS, len(notes), p=SPURIOUS_WEIGHTS)
    loudness = np.exp(0.02 * (notes.velocities - 64.0))
    invented = rng.random(len(notes)) < SPURIOUS * loudness * 1.6
    invented &= np.isin(notes.pitches + step, notes.pitches) & ~missed
    invented_lengths = lengths * rng.uniform(0.2, 0.8, len(notes))

    chords = np.concatenate([[0], np.cumsum(np.diff(onsets) > 0.03)])
    shift = 0.6 * rng.standard_normal(chords[-1] + 1)[chords] + 0.8 * rng.standard_normal(len(notes))
    start = onsets + ONSET_JITTER * shift
    spread = np.hypot(OFFSET_JITTER, OFFSET_JITTER_SHARE * lengths)
    stop = onsets + lengths + spread * rng.standard_normal(len(notes))
    stop = np.maximum(stop, start + SHORTEST)

    kept = np.stack([start, stop], axis=1)[~missed]
    ghosts = np.stack([start, start + np.maximum(invented_lengths, SHORTEST)], axis=1)[invented]
    return _tidy(
        np.concatenate([kept, ghosts]),
        np.concatenate([notes.pitches[~missed], (notes.pitches + step)[invented]]),
        np.concatenate([notes.velocities[~missed], np.maximum(notes.velocities[invented] // 2, 1)]),
    )


def listen(notes: Notes, pedal: np.ndarray, rng: np.random.Generator, seconds: float) -> Notes:
    """What an audio transcriber would write down of a performance.

    Parameters
    ----------
    notes : Notes
        Key presses.
    pedal : np.ndarray, shape (m, 2)
        Intervals in seconds with the sustain pedal down; may be empty.
    rng : np.random.Generator
        Draws the transcriber's errors.
    seconds : float
        Length of the recording; nothing sounds after it.

    Returns
    -------
    Notes
        ``sounding`` in continuous time: at most one note of a key at a time, none shorter than 30 ms.
    """
    if not len(notes):
        return notes
    onsets, released = notes.intervals[:, 0], notes.intervals[:, 1]
    # A string that rings on after its key came up fades into the others: the transcriber loses it somewhere
    # on the way.
    ringing = hold_with_pedal(notes, pedal) - released
    stops = released + np.where(ringing > 0, rng.beta(*PEDAL_SHARE, len(notes)), 1.0) * ringing
    stops = np.maximum(stops, onsets + SHORTEST)
    heard = err(Notes(np.stack([onsets, stops], axis=1), notes.pitches, notes.velocities), rng)
    return _tidy(np.clip(heard.intervals, 0.0, seconds), heard.pitches, heard.velocities)


def _struck_again(notes: Notes) -> np.ndarray:
    """The next onset of the same key, inf where there is none; shape (n,)."""
    again = np.full(len(notes), np.inf)
    by_key = np.lexsort((notes.intervals[:, 0], notes.pitches))
    same = notes.pitches[by_key[:-1]] == notes.pitches[by_key[1:]]
    again[by_key[:-1][same]] = notes.intervals[by_key[1:][same], 0]
    return again


def _masked_by_octave(notes: Notes) -> np.ndarray:
    """Whether the note an octave below is struck within 30 ms and is louder; shape (n,), bool."""
    onsets, pitches = notes.intervals[:, 0], notes.pitches
    masked = np.zeros(len(notes), bool)
    first, last = np.searchsorted(onsets, onsets - 0.03), np.searchsorted(onsets, onsets + 0.03)
    for index in np.flatnonzero(last - first > 1):
        near = slice(first[index], last[index])
        masked[index] = np.any(
            (pitches[near] == pitches[index] - 12) & (notes.velocities[near] > notes.velocities[index])
        )
    return masked


def _tidy(intervals: np.ndarray, pitches: np.ndarray, velocities: np.ndarray) -> Notes:
    """Sort by onset and pitch, and end each note of a key before the key's next one begins."""
    order = np.lexsort((pitches, intervals[:, 0]))
    notes = Notes(intervals[order], pitches[order], velocities[order])
    stops = np.minimum(notes.intervals[:, 1], _struck_again(notes))
    whole = stops - notes.intervals[:, 0] >= SHORTEST - 1e-9
    return Notes(
        np.stack([notes.intervals[:, 0], stops], axis=1)[whole], notes.pitches[whole], notes.velocities[whole]
    )
