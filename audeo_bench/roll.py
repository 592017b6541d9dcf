"""Piano rolls, notes and MIDI files, and the ways between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

KEYS = 88
LOWEST_PITCH = 21
"""MIDI number of key index 0, A0."""
FRAMES_PER_SECOND = 25
PAPER_KEYS = slice(15, 66)
"""The 51 keys (MIDI 36..86) that the authors' release models and scores."""


@dataclass(frozen=True)
class Notes:
    """Notes in continuous time, in mir_eval's conventions.

    Attributes
    ----------
    intervals : np.ndarray, shape (n, 2), float64
        Onset and offset in seconds, onset < offset, sorted by onset then pitch.
    pitches : np.ndarray, shape (n,), int64
        MIDI numbers, 21..108.
    velocities : np.ndarray, shape (n,), int64
        MIDI velocities, 1..127.
    """

    intervals: np.ndarray
    pitches: np.ndarray
    velocities: np.ndarray

    def __len__(self) -> int:
        return len(self.pitches)
