"""Piano rolls, notes and MIDI files, and the ways between them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from audeo_bench.errors import AudeoBenchError

if TYPE_CHECKING:
    from pretty_midi import PrettyMIDI

KEYS = 88
LOWEST_PITCH = 21
"""MIDI number of key index 0, A0."""
FRAMES_PER_SECOND = 25
PAPER_KEYS = slice(15, 66)
"""The 51 keys (MIDI 36..86) that the authors' release models and scores."""

# A time this close under a frame's beginning (in frames; 4 microseconds) is that beginning, since float error
# puts some multiples of 1/25 just short of a whole number of frames.
_NEARLY = 1e-4


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
    return np.cumsum(sounding, axis=1)[:, :frames] > 0


def roll_to_notes(roll: np.ndarray, velocity: int = 100) -> Notes:
    """Turn each unbroken run of a key into a note, from the frame where it turns on to where it turns off.

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
    intervals = np.stack([onsets, offsets], axis=1)[order] / FRAMES_PER_SECOND
    return Notes(intervals, keys[order] + LOWEST_PITCH, np.full(len(keys), velocity, np.int64))


def write_midi(notes: Notes, path: Path, tempo: float = 80, program: int = 0) -> None:
    """Write a MIDI file of one instrument.

    One tick is exactly one millisecond, so that frames (40 ms) survive a round trip; the tempo is what 60,000
    divided by a whole number of ticks a beat comes closest to (80 is met exactly).

    Parameters
    ----------
    notes : Notes
    path : Path
        Replaced atomically.
    tempo : float
        Beats a minute, 2..60,000. The authors' release writes 80.
    program : int
        General MIDI program, 0 = grand piano.
    """
    import pretty_midi

    from audeo_bench.files import atomic_write

    if not 2 <= tempo <= 60_000:
        raise AudeoBenchError(f"{path}: found tempo {tempo}; give 2 to 60000 beats a minute.")
    resolution = round(60_000 / tempo)
    instrument = pretty_midi.Instrument(program)
    for (onset, offset), pitch, velocity in zip(
        notes.intervals, notes.pitches, notes.velocities, strict=True
    ):
        # A note whose two ends round to the same tick would be read back as none.
        end = max(float(offset), float(onset) + 0.001)
        instrument.notes.append(pretty_midi.Note(int(velocity), int(pitch), float(onset), end))
    # pretty_midi cuts the microseconds a beat to a whole number; float error may leave them just short of it.
    midi = pretty_midi.PrettyMIDI(resolution=resolution, initial_tempo=60_000 / resolution * (1 - 1e-9))
    midi.instruments.append(instrument)
    with atomic_write(Path(path)) as temporary:
        midi.write(str(temporary))


def read_midi(path: Path) -> Notes:
    """Read the notes of a MIDI file, all instruments but drums together.

    Sorted by onset then pitch. Pitches outside 21..108 are dropped. A note that a later one of the same pitch
    overlaps ends where the later begins; of two that begin together the longer stays.

    Raises
    ------
    AudeoBenchError
        The file is missing, truncated or no MIDI file.
    """
    return _notes_of(_open_midi(path))


def read_midi_with_pedal(path: Path) -> tuple[Notes, np.ndarray]:
    """Read notes as :func:`read_midi` does, and when the sustain pedal is down (controller 64 >= 64).

    Returns
    -------
    notes : Notes
    pedal : np.ndarray, shape (m, 2), float64
        Down and up in seconds, sorted, not overlapping. What is down at the end ends with the file.
    """
    midi = _open_midi(path)
    changes = sorted(
        (change.time, change.value >= 64)
        for instrument in midi.instruments
        for change in instrument.control_changes
        if change.number == 64
    )
    pedal: list[tuple[float, float]] = []
    down: float | None = None
    for time, pressed in changes:
        if pressed and down is None:
            down = time
        elif not pressed and down is not None:
            if time > down:
                pedal.append((down, time))
            down = None
    if down is not None and midi.get_end_time() > down:
        pedal.append((down, midi.get_end_time()))
    return _notes_of(midi), np.array(pedal, float).reshape(-1, 2)


def _open_midi(path: Path) -> PrettyMIDI:
    import warnings

    import pretty_midi

    if not Path(path).is_file():
        raise AudeoBenchError(f"{path}: no such file; give a MIDI file.")
    try:
        with warnings.catch_warnings():
            # Tempo changes on later tracks: pretty_midi warns and reads on.
            warnings.simplefilter("ignore", RuntimeWarning)
            return pretty_midi.PrettyMIDI(str(path))
    # The parser answers a broken file with whatever it stumbles over: EOFError, ValueError, KeyError...
    except Exception as fault:
        found = f"{type(fault).__name__} {fault}".strip()
        raise AudeoBenchError(
            f"{path}: not a readable MIDI file ({found}); give a whole .mid file."
        ) from fault


def _notes_of(midi: PrettyMIDI) -> Notes:
    table = np.array(
        [
            (note.start, note.end, note.pitch, note.velocity)
            for instrument in midi.instruments
            if not instrument.is_drum
            for note in instrument.notes
            if LOWEST_PITCH <= note.pitch < LOWEST_PITCH + KEYS and note.end > note.start
        ],
        float,
    ).reshape(-1, 4)
    table = table[np.lexsort((table[:, 1], table[:, 0], table[:, 2]))]
    onset, pitch = table[:, 0], table[:, 2]
    followed = np.zeros(len(table), bool)
    followed[:-1] = pitch[:-1] == pitch[1:]
    following = np.where(followed, np.roll(onset, -1), np.inf)
    table[:, 1] = np.minimum(table[:, 1], following)
    table = table[table[:, 1] > table[:, 0]]
    table = table[np.lexsort((table[:, 2], table[:, 0]))]
    return Notes(table[:, :2].copy(), table[:, 2].astype(np.int64), table[:, 3].astype(np.int64))
