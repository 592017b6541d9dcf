"""Joining with answers only: a folder of rolls or MIDI files, from any framework, becomes a run folder.

The folder holds one file a recording, named by its id: ``wtc2-01.npz`` with one array of shape (88, frames),
probabilities in 0..1 at 25 frames a second, or ``wtc2-01.mid``.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import JsonValue

from audeo_bench.api import FRAMES_PER_SECOND, KEYS, AudeoBenchError, Recording
from audeo_bench.contestants.answer import check_roll
from audeo_bench.files import file_name
from audeo_bench.formats.midi import PedalRule, read_midi
from audeo_bench.formats.npz import array_names, read_array
from audeo_bench.records import StageRecord
from audeo_bench.roll import notes_to_roll
from audeo_bench.runs.predict import keep_answers
from audeo_bench.runs.task import Task

SUFFIXES = (".npz", ".mid", ".midi")
SLACK = FRAMES_PER_SECOND
"""How many frames an answer may be shorter or longer than its recording: a second."""
LONGEST_LAG = 5 * FRAMES_PER_SECOND
_GAIN = 1.02
"""By how much a shifted answer must agree better with the truth than the answer as it is, to be called
shifted.
"""

Kind = Literal["missing", "extra", "short", "long", "shifted", "unreadable", "midi"]


@dataclass(frozen=True)
class Remark:
    """Something about one recording's file; a ``fatal`` one keeps the answers off."""

    recording: str
    kind: Kind
    words: str
    fatal: bool


@dataclass(frozen=True)
class Joined:
    """A run folder made of answers, and what there was to remark."""

    run: Path
    remarks: tuple[Remark, ...]
    lag: int
    """Frames by which every answer was moved earlier."""


class RefusedAnswers(AudeoBenchError):
    """Answers that cannot be scored; ``remarks`` says why, recording by recording."""

    def __init__(self, folder: Path, remarks: Sequence[Remark]) -> None:
        self.remarks = tuple(remarks)
        fatal = [remark for remark in remarks if remark.fatal]
        words = "; ".join(f"{remark.recording}: {remark.words.rstrip('.')}" for remark in fatal)
        super().__init__(f"{folder}: {words}.")


def join_answers(
    folder: Path,
    task: Task,
    name: str | None = None,
    trained_on: Sequence[str] = (),
    apply_lag: bool = False,
    pedal: PedalRule = "ignore",
) -> Joined:
    """Turn a folder of answers into a run folder, or say recording by recording what is wrong with it.

    Parameters
    ----------
    folder : Path
    task : Task
        What the answers are for.
    name : str or None
        The contestant's name; None takes the folder's.
    trained_on : sequence of str
        As a contestant declares it.
    apply_lag : bool
        Move all answers by the constant lag that was measured; otherwise a lag is only reported.
    pedal : 'ignore' or 'hold'
        Whether MIDI files' notes end with their keys or last as long as the sustain pedal holds them; the
        record of a run of such files names it.

    Raises
    ------
    RefusedAnswers
        A recording is missing, unreadable, or more than a second too short or too long.
    AudeoBenchError
        No such folder; ``apply_lag`` where the recordings' lags differ.
    """
    if not folder.is_dir():
        raise AudeoBenchError(f"{folder}: no such folder of answers.")
    recordings = {recording.id: recording for recording in task.recordings()}
    answers, remarks = _read_all(folder, recordings, pedal)
    if any(remark.fatal for remark in remarks):
        raise RefusedAnswers(folder, remarks)
    rolls = {name: answer.roll for name, answer in answers.items()}
    lags = {name: measure_lag(roll, recordings[name].sounding) for name, roll in rolls.items()}
    remarks += [
        Remark(
            name,
            "shifted",
            f"comes {abs(lag)} frames ({abs(lag) / FRAMES_PER_SECOND:.2f} s) too "
            f"{'late' if lag > 0 else 'early'}; "
            f"{'moved' if apply_lag else 'left so, unless you write --lag'}",
            False,
        )
        for name, lag in lags.items()
        if lag
    ]
    lag = _constant_lag(lags) if apply_lag else 0
    fitted = {name: fit(roll, len(recordings[name]), lag) for name, roll in rolls.items()}
    system = file_name(name or folder.resolve().name)
    facts: dict[str, JsonValue] = {"answers moved earlier by frames": lag} if lag else {}
    if any(answer.is_midi for answer in answers.values()):
        facts["pedal"] = pedal
    stage = StageRecord(
        name=system,
        file=folder.resolve().name,
        sha256=None,
        weights_sha256=None,
        parameters=None,
        configuration=facts,
        trained_on=tuple(sorted(trained_on)),
    )
    run = keep_answers(stage, task, ((name, roll, None) for name, roll in fitted.items()))
    return Joined(run.folder, tuple(remarks), lag)


def measure_lag(roll: np.ndarray, truth: np.ndarray) -> int:
    """By how many frames an answer comes late (negative: early), at most five seconds.

    The shift at which the answer's keys and the truth's coincide most, by cross-correlation over time summed
    over keys; 0 unless that agrees clearly better than no shift.

    Parameters
    ----------
    roll : np.ndarray, shape (88, T), probabilities
    truth : np.ndarray, shape (88, T'), bool
    """
    # Long enough that no shift wraps around onto another.
    size = 1 << (roll.shape[1] + truth.shape[1] + 2 * LONGEST_LAG).bit_length()
    spectrum = np.fft.rfft(roll, size) * np.conj(np.fft.rfft(truth.astype(np.float32), size))
    agreement = np.fft.irfft(spectrum.sum(axis=0), size)
    shifts = np.arange(-LONGEST_LAG, LONGEST_LAG + 1)
    best = int(shifts[np.argmax(agreement[shifts])])
    return best if agreement[best] > _GAIN * max(agreement[0], 0) and agreement[best] > 0 else 0


def fit(roll: np.ndarray, frames: int, lag: int = 0) -> np.ndarray:
    """Move a roll ``lag`` frames earlier and cut or fill it with silence to ``frames``: shape (88,
    frames).
    """
    fitted = np.zeros((KEYS, frames), roll.dtype)
    source = roll[:, max(lag, 0) :]
    start = max(-lag, 0)
    length = min(source.shape[1], frames - start)
    fitted[:, start : start + length] = source[:, :length]
    return fitted


def _constant_lag(lags: dict[str, int]) -> int:
    values = list(lags.values())
    if max(values) - min(values) > 1:
        each = ", ".join(f"{name} {lag}" for name, lag in lags.items())
        raise AudeoBenchError(f"--lag: the recordings' lags differ (frames: {each}); mend the files instead.")
    return int(np.median(values))


@dataclass(frozen=True)
class _Answer:
    """A file's roll; ``frames`` is how long the file is, of which the roll holds at most what can count."""

    roll: np.ndarray
    frames: int
    is_midi: bool = False
    remarks: tuple[str, ...] = ()


def _read_all(
    folder: Path, recordings: dict[str, Recording], pedal: PedalRule
) -> tuple[dict[str, _Answer], list[Remark]]:
    answers: dict[str, _Answer] = {}
    remarks: list[Remark] = []
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    for path in files:
        if path.stem not in recordings:
            remarks.append(
                Remark(
                    path.stem, "extra", f"{path.name} belongs to no recording of the split; ignored", False
                )
            )
    for name, recording in recordings.items():
        own = [path for path in files if path.stem == name]
        if not own:
            remarks.append(Remark(name, "missing", f"no {name}.npz or {name}.mid", True))
            continue
        if len(own) > 1:
            remarks.append(
                Remark(name, "extra", f"several files ({', '.join(p.name for p in own)}); leave one", True)
            )
            continue
        try:
            answer = _read(own[0], recording, pedal)
        except AudeoBenchError as fault:
            remarks.append(Remark(name, "unreadable", str(fault), True))
            continue
        answers[name] = answer
        remarks += _length_remarks(name, answer.frames, len(recording))
        kind: Kind = "midi" if answer.is_midi else "extra"
        remarks += [Remark(name, kind, words, False) for words in answer.remarks]
    return answers, remarks


def _length_remarks(name: str, found: int, expected: int) -> list[Remark]:
    if found == expected:
        return []
    kind, treated = (
        ("short", "the end is taken as silent") if found < expected else ("long", "the end is cut off")
    )
    fatal = abs(found - expected) > SLACK
    words = f"{found} frames, the recording has {expected}" + ("" if fatal else f"; {treated}")
    return [Remark(name, kind, words, fatal)]


def _read(path: Path, recording: Recording, pedal: PedalRule) -> _Answer:
    if path.suffix.lower() != ".npz":
        return _read_midi(path, len(recording), pedal)
    roll = _read_npz(path, recording)
    remarks: tuple[str, ...] = ()
    with suppress(AudeoBenchError):  # an .npy file by this name holds no others
        others = [name for name in array_names(path, remedy="") if name != "roll"]
        if len(others) < len(array_names(path, remedy="")):
            remarks = tuple(f"its array {name!r} is ignored: every frame is scored" for name in others)
    return _Answer(roll, roll.shape[1], remarks=remarks)


def _read_npz(path: Path, recording: Recording) -> np.ndarray:
    roll = read_array(path, ["roll"], remedy="write it again with numpy.savez_compressed")
    frames = roll.shape[1] if roll.ndim == 2 and roll.shape[0] == KEYS else len(recording)
    return check_roll(roll, frames, str(path), recording.id)


def _read_midi(path: Path, frames: int, pedal: PedalRule) -> _Answer:
    """A MIDI file has no length but its last note's end; only one that plays on is too long."""
    midi = read_midi(path, pedal)
    # Float error may leave an end a trifle behind the frame's edge.
    last = int(np.ceil(midi.notes.intervals[:, 1].max(initial=0) * FRAMES_PER_SECOND - 1e-4))
    length = max(frames, last)
    roll = notes_to_roll(midi.notes, min(length, frames + SLACK)).astype(np.float32)
    return _Answer(roll, length, True, midi.remarks)
