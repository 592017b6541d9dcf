"""Labels of a film as notes: MIDI, or a table of notes as PianoVAM has them."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audeo_bench.errors import AudeoBenchError
from audeo_bench.formats.midi import PedalRule, read_midi
from audeo_bench.formats.npz import array_names, read_array
from audeo_bench.formats.text import read_text
from audeo_bench.roll import FRAMES_PER_SECOND, KEYS, LOWEST_PITCH, Notes, notes_to_roll, roll_to_notes

__all__ = ["Place", "labelled_frames", "notes_within", "placed", "read_labels", "read_roll", "read_tsv"]

MOST_FRAMES = 25 * 24 * 3600
"""A day: beyond it nobody labels a film."""
_OFFSETS = {"ignore": "key_offset", "hold": "frame_offset"}
"""Where notes end in a table: with their keys, or as the sustain pedal holds them."""


def read_labels(path: Path, pedal: PedalRule = "ignore") -> Notes:
    """Notes out of a ``.tsv`` table, a MIDI file or a roll, in seconds of the labels' own clock.

    Parameters
    ----------
    path : Path
    pedal : 'ignore' or 'hold'
        Whether notes end with their keys or as the sustain pedal holds them; of a roll it says nothing.

    Raises
    ------
    AudeoBenchError
        The file is missing, or not of its form.
    """
    suffix = Path(path).suffix.lower()
    if suffix == ".npz":
        return roll_to_notes(read_roll(path)[0])
    return read_tsv(path, pedal) if suffix == ".tsv" else read_midi(path, pedal).notes


def read_roll(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Labels that are a roll: ``roll``, ``pressed`` or ``sounding``, (88, T), 25 frames a second.

    Returns
    -------
    roll : np.ndarray, shape (88, T), bool
    known : np.ndarray, shape (T,), bool
        The frames that the labels speak of: all, or those whose numbers the file gives, as those of the
        authors' release.

    Raises
    ------
    AudeoBenchError
        The file is missing, or holds no roll.
    """
    remedy = "give an .npz with a roll"
    stored = read_array(path, ("roll", "pressed", "sounding"), remedy=remedy)
    if stored.ndim != 2 or stored.shape[0] != KEYS:
        raise AudeoBenchError(f"{path}: found shape {stored.shape}; a roll is (88, frames) at 25 a second.")
    numbers = np.arange(stored.shape[1])
    if "numbers" in array_names(path, remedy=remedy):
        numbers = read_array(path, ("numbers",), remedy=remedy)
        rising = numbers.dtype.kind in "iu" and bool(np.all(np.diff(numbers) > 0))
        if (
            numbers.shape != stored.shape[1:]
            or not rising
            or not np.all((numbers >= 0) & (numbers < MOST_FRAMES))
        ):
            raise AudeoBenchError(f"{path}: numbers must rise, one for each frame of the roll; {remedy}.")
    known = np.zeros(int(numbers.max(initial=-1)) + 1, bool)
    known[numbers] = True
    roll = np.zeros((KEYS, len(known)), bool)
    roll[:, numbers] = stored >= 0.5
    return roll, known


@dataclass(frozen=True)
class Place:
    """Where labels lie in a film: film time = ``start_s + rate * label time``, pitch = theirs + pitch_add."""

    start_s: float = 0.0
    rate: float = 1.0
    pitch_add: int = 0


def labelled_frames(labels: Path, frames: int, place: Place) -> tuple[np.ndarray, np.ndarray, Notes | None]:
    """Labels in a film's frames.

    Parameters
    ----------
    labels : Path
    frames : int
        Of the film, at 25 a second.
    place : Place
        Of a roll the start alone counts.

    Returns
    -------
    roll : np.ndarray, shape (88, frames), bool
    known : np.ndarray, shape (frames,), bool
        The frames that the labels speak of.
    notes : Notes or None
        In film time; None of a roll.

    Raises
    ------
    AudeoBenchError
        See :func:`read_labels`.
    """
    if labels.suffix.lower() == ".npz":
        first = round(place.start_s * FRAMES_PER_SECOND)
        roll, known = (_moved(part, first, frames) for part in read_roll(labels))
        return roll, known, None
    moved = placed(read_labels(labels), place)
    seen = notes_within(moved, 0.0, frames / FRAMES_PER_SECOND)
    return notes_to_roll(seen, frames), np.ones(frames, bool), moved


def placed(notes: Notes, place: Place) -> Notes:
    """Labels' notes in film time, without those that lie beyond the piano's keys."""
    pitches = notes.pitches + place.pitch_add
    there = (pitches >= LOWEST_PITCH) & (pitches < LOWEST_PITCH + KEYS)
    intervals = place.start_s + place.rate * notes.intervals[there]
    return Notes(intervals, pitches[there], notes.velocities[there])


def notes_within(notes: Notes, start: float, seconds: float) -> Notes:
    """Notes that begin in ``seconds`` from ``start``, in time from there; what began before counts from 0."""
    intervals = notes.intervals - start
    there = (intervals[:, 0] < seconds) & (intervals[:, 1] > 0)
    return Notes(np.clip(intervals[there], 0, seconds), notes.pitches[there], notes.velocities[there])


def _moved(part: np.ndarray, first: int, frames: int) -> np.ndarray:
    """The last axis ``first`` frames later, ``frames`` long, False where nothing is."""
    moved = np.zeros((*part.shape[:-1], frames), bool)
    inside = part[..., max(0, -first) :][..., : max(0, frames - max(0, first))]
    moved[..., max(0, first) :][..., : inside.shape[-1]] = inside
    return moved


def read_tsv(path: Path, pedal: PedalRule = "ignore") -> Notes:
    """Read a tab-separated table with one header line, which may begin with ``#``.

    Columns ``onset``, ``key_offset``, ``note`` (MIDI number) and ``velocity`` count, in any order; with
    ``hold``, ``frame_offset`` (where the pedal lets go) instead of ``key_offset``. Form: PianoVAM's folder
    ``TSV``.

    Raises
    ------
    AudeoBenchError
        Missing, of other columns, or a line that is no note; names the line.
    """
    path = Path(path)
    text = read_text(path, remedy="give a table of notes")
    try:
        lines = csv.reader(io.StringIO(text, newline=""), delimiter="\t")
        header = [name.strip().lstrip("# ").lower() for name in next(lines, [])]
        columns = ("onset", _OFFSETS[pedal], "note", "velocity")
        missing = [name for name in columns if name not in header]
        if missing:
            raise AudeoBenchError(
                f"{path}: line 1: no column {missing[0]!r}; found {', '.join(header) or 'nothing'}."
            )
        places = [header.index(name) for name in columns]
        rows = [
            _note([row[place] for place in places], path, lines.line_num)
            for row in lines
            if row and not row[0].startswith("#")
        ]
    except (csv.Error, IndexError) as fault:
        raise AudeoBenchError(f"{path}: not a table of notes ({fault}); fetch it again.") from None
    table = np.array([row for row in rows if row[1] > row[0]], float).reshape(-1, 4)
    table = table[np.lexsort((table[:, 2], table[:, 0]))]
    table = table[(table[:, 2] >= LOWEST_PITCH) & (table[:, 2] < LOWEST_PITCH + KEYS)]
    return Notes(table[:, :2].copy(), table[:, 2].astype(np.int64), table[:, 3].astype(np.int64))


def _note(cells: list[str], path: Path, line: int) -> tuple[float, float, float, float]:
    try:
        onset, offset, pitch, velocity = map(float, cells)
    except ValueError:
        onset = offset = pitch = velocity = math.nan
    if not (0 <= onset < 1e6 and 0 <= offset < 1e6 and 0 <= pitch <= 127 and 0 <= velocity <= 127):
        raise AudeoBenchError(f"{path}: line {line}: not a note ({', '.join(cells)[:80]}).")
    return onset, offset, round(pitch), max(1, round(velocity))
