"""Piano rolls and notes, and the ways between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from audeo_bench.errors import AudeoBenchError

KEYS = 88
LOWEST_PITCH = 21
"""MIDI number of key index 0, A0."""
FRAMES_PER_SECOND = 25
PAPER_KEYS = slice(15, 66)
"""The 51 keys (MIDI 36..86) that the authors' release models and scores."""
THRESHOLD = 0.4
"""A key is on from this probability upwards unless told otherwise, as in the authors' release."""

# A time this close under a frame's beginning (in frames; 4 microseconds) is that beginning, since float error
# puts some multiples of 1/25 just short of a whole number of frames.
_NEARLY = 1e-4


@dataclass(frozen=True, repr=False)
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

    def __repr__(self) -> str:
        return f"Notes({len(self)}, to {self.intervals[:, 1].max(initial=0):.1f} s)"


def notes_to_roll(notes: Notes, frames: int) -> np.ndarray:
    """Which keys are on in which frame.

    Frame ``t`` covers ``[t/25, (t+1)/25)`` seconds. A note is on from the frame its onset lies in up to, not
    including, the frame its offset lies in, as in ``pretty_midi.PrettyMIDI.get_piano_roll``; unlike there, a
    note shorter than that still gets the frame of its onset, and a time within 4 microseconds under a frame's
    beginning counts as that beginning (float error would otherwise move it a frame early).

    Two notes of one pitch where the second starts in the frame in which the first ends merge into one run, as
    in pretty_midi's rolls and so in the paper's labels: a bool roll says that a key is on, not that it was
    struck again. Score strikes with the notes themselves.

    Parameters
    ----------
    notes : Notes
    frames : int
        Length of the roll. What lies beyond is cut off.

    Returns
    -------
    roll : np.ndarray, shape (88, frames), bool
    """
    edges = np.floor(np.asarray(notes.intervals, float).reshape(-1, 2) * FRAMES_PER_SECOND + _NEARLY)
    edges = edges.astype(np.int64)
    first, last = edges[:, 0], np.maximum(edges[:, 1], edges[:, 0] + 1)
    keys = np.asarray(notes.pitches, np.int64) - LOWEST_PITCH
    sounding = np.zeros((KEYS, frames + 1), np.int32)
    np.add.at(sounding, (keys, np.clip(first, 0, frames)), 1)
    np.add.at(sounding, (keys, np.clip(last, 0, frames)), -1)
    np.cumsum(sounding, axis=1, dtype=np.int32, out=sounding)  # a roll of hours has no second copy
    return sounding[:, :frames] > 0


def roll_to_notes(roll: np.ndarray, velocity: int = 100) -> Notes:
    """Turn each unbroken run of a key into a note.

    That a key turns on in a frame says that its note begins somewhere within that frame: the middle errs
    least, by 20 ms at most, where the frame's beginning would be early by 20 ms on average. The same holds
    where it turns off.

    ``notes_to_roll(roll_to_notes(roll), roll.shape[1])`` is ``roll`` again, exactly.

    Parameters
    ----------
    roll : np.ndarray, shape (88, T), bool
        Apply a threshold to probabilities first: ``roll >= 0.4``.
    velocity : int
        Every note's velocity, since a roll knows none.
    """
    roll = np.asarray(roll)
    if roll.ndim != 2 or roll.shape[0] != KEYS or roll.dtype != bool:
        raise AudeoBenchError(
            f"roll_to_notes: found shape {roll.shape} of {roll.dtype}; pass (88, frames) bool, "
            "such as roll >= 0.4."
        )
    silence = np.zeros((KEYS, 1), np.int8)
    steps = np.diff(np.concatenate([silence, roll.view(np.int8), silence], axis=1), axis=1)
    # Both lists run key by key, and a key's runs do not overlap, so the nth onset belongs to the nth offset.
    keys, onsets = np.nonzero(steps == 1)
    offsets = np.nonzero(steps == -1)[1]
    order = np.lexsort((keys, onsets))
    intervals = (np.stack([onsets, offsets], axis=1)[order] + 0.5) / FRAMES_PER_SECOND
    return Notes(intervals, keys[order] + LOWEST_PITCH, np.full(len(keys), velocity, np.int64))
