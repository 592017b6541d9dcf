"""What can be turned into sound: a roll in an .npz or .npy file, a run folder's rolls, a MIDI file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audeo_bench.api import FRAMES_PER_SECOND, KEYS, PAPER_KEYS, AudeoBenchError, Notes
from audeo_bench.formats.midi import read_midi
from audeo_bench.formats.npz import read_array
from audeo_bench.roll import notes_to_roll, roll_to_notes

__all__ = ["Score", "read_roll_file", "read_scores"]

ROLL_NAMES = ("roll", "midi", "sounding", "pressed")
"""The arrays looked for in an .npz file, in this order: a run's, the release's, an exported recording's."""
RING_SECONDS = 1.0
"""How long the last note of a MIDI file may ring."""


@dataclass(frozen=True)
class Score:
    """Something to be played.

    Attributes
    ----------
    name : str
        A recording's id, or the file's stem.
    notes : Notes
    frames : int
        Length in frames of 1/25 s.
    remarks : tuple of str
        What was read past or left out.
    """

    name: str
    notes: Notes
    frames: int
    remarks: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        return self.frames / FRAMES_PER_SECOND

    @property
    def roll(self) -> np.ndarray:
        """Shape (88, frames), bool."""
        return notes_to_roll(self.notes, self.frames)


def read_scores(path: Path, threshold: float = 0.4, velocity: int | None = None) -> Iterator[Score]:
    """Read everything playable at ``path``, one at a time.

    Parameters
    ----------
    path : Path
        ``.npz`` or ``.npy`` with a roll, ``.mid`` or ``.midi``, or a run folder.
    threshold : float
        From which probability upwards a key of a roll is on (``>=``); ignored for bool rolls and MIDI.
    velocity : int or None
        Of every note, 1..127. None is the paper's 100 for a roll, and a MIDI file's own velocities.

    Raises
    ------
    AudeoBenchError
        The path is none of these, or holds no roll, or no note.
    """
    path = Path(path)
    if path.is_dir():
        from audeo_bench.runs.folder import read_record, read_roll

        answers = read_record(path).answers
        if not answers:
            raise AudeoBenchError(
                f"{path}: this run has no rolls yet; run its `audeo-bench midi` command again."
            )
        for recording in answers:
            yield _of_roll(recording, read_roll(path, recording), threshold, velocity)
    elif path.suffix.lower() in (".mid", ".midi"):
        midi = read_midi(path, pedal="hold")
        notes = midi.notes
        if not len(notes) or not np.any(np.diff(notes.intervals) > 0):
            raise AudeoBenchError(f"{path}: has no note that lasts, so there is nothing to play.")
        if velocity is not None:
            notes = Notes(notes.intervals, notes.pitches, np.full(len(notes), velocity, np.int64))
        seconds = float(notes.intervals[:, 1].max()) + RING_SECONDS
        yield Score(path.stem, notes, int(np.ceil(seconds * FRAMES_PER_SECOND)), midi.remarks)
    elif path.suffix.lower() in (".npz", ".npy"):
        yield _of_roll(path.stem, read_roll_file(path), threshold, velocity)
    elif path.exists():
        raise AudeoBenchError(f"{path}: neither a roll (.npz, .npy), a MIDI file (.mid) nor a run folder.")
    else:
        raise AudeoBenchError(
            f"{path}: no such file; give a roll (.npz), a MIDI file (.mid) or a run folder."
        )


def read_roll_file(path: Path) -> np.ndarray:
    """The roll of an .npz or .npy file, shape (88, T), bool or numbers as stored.

    (T, 88) is turned round, and 51 keys, (51, T) or (T, 51), stand for the paper's 15..65. An .npz file's
    array is the first there is of ``roll``, ``midi``, ``sounding``, ``pressed``, or the only one.
    """
    roll = read_array(path, ROLL_NAMES, remedy="give an .npz or .npy file with a roll")
    paper = PAPER_KEYS.stop - PAPER_KEYS.start
    if roll.ndim == 2 and roll.dtype.kind in "buif":
        for keys in (KEYS, paper):
            if keys in roll.shape:
                upright = roll if roll.shape[0] == keys else roll.T
                if keys == KEYS:
                    return upright
                whole = np.zeros((KEYS, upright.shape[1]), upright.dtype)
                whole[PAPER_KEYS] = upright
                return whole
    raise AudeoBenchError(
        f"{path}: found {roll.dtype} of shape {roll.shape}; a roll has shape (88, T) or (T, 88), "
        "or 51 keys instead of 88."
    )


def _of_roll(name: str, roll: np.ndarray, threshold: float, velocity: int | None) -> Score:
    on = roll if roll.dtype == bool else roll >= threshold
    notes = roll_to_notes(np.ascontiguousarray(on), 100 if velocity is None else velocity)
    return Score(name, notes, roll.shape[1])
