"""Rolls with the faults of a video-to-roll system, for training what comes after one."""

from __future__ import annotations

import numpy as np

from audeo_bench.roll import FRAMES_PER_SECOND, KEYS, LOWEST_PITCH, Notes, notes_to_roll, roll_to_notes

__all__ = ["misread"]

NEIGHBOURS = np.array([-12, -2, -1, 1, 2, 12])
"""Where false alarms lie: beside a true key, or an octave off."""


def misread(
    roll: np.ndarray,
    rng: np.random.Generator,
    missed: float = 0.12,
    invented: float = 0.10,
    jitter: float = 0.05,
) -> np.ndarray:
    """A roll as a video-to-roll system might answer it: notes missed, invented, and cut at other moments.

    Parameters
    ----------
    roll : np.ndarray, shape (88, T), bool
    rng : np.random.Generator
    missed, invented : float
        Share of the notes.
    jitter : float
        Standard deviation of onsets and offsets, seconds.

    Returns
    -------
    np.ndarray, shape (88, T), bool
    """
    notes = roll_to_notes(roll)
    kept = rng.random(len(notes)) >= missed
    copied = rng.random(len(notes)) < invented
    intervals = np.concatenate([notes.intervals[kept], notes.intervals[copied]])
    pitches = np.concatenate(
        [notes.pitches[kept], notes.pitches[copied] + rng.choice(NEIGHBOURS, copied.sum())]
    )
    intervals = intervals + rng.normal(0, jitter, intervals.shape)
    intervals[:, 0] = np.maximum(intervals[:, 0], 0)
    intervals[:, 1] = np.maximum(intervals[:, 1], intervals[:, 0] + 1 / FRAMES_PER_SECOND)
    valid = (pitches >= LOWEST_PITCH) & (pitches < LOWEST_PITCH + KEYS)
    count = int(valid.sum())
    return notes_to_roll(
        Notes(intervals[valid], pitches[valid], np.full(count, 100, np.int64)), roll.shape[1]
    )
