"""The data folder of the authors' release, read as it lies: truth, their answers, their pictures.

Any part of it may be there (names as the release gives them, below ``training`` or ``testing``):

``labels/*/<recording>.pkl``
    Frame number -> 88 velocities, above 0 where the key sounds.
``midi/*/<recording>/<start>-<end>.npz``
    The same in pieces of 50 frames, the last one shorter: ``midi``, (frames, 88).
``OF_midi_files/**/<recording>.mid``
    What Onsets and Frames heard, from which both were made; its clock is the video's, 25 frames a second.
``estimate_Roll/*/<recording>/<start>-<end>.npz``
    Their Video2Roll Net's answers: ``logit``, (50, 88).
``Roll2Midi_results/*/<recording>/<start>-<end>.npz``
    Their Roll2Midi Net's answers at threshold 0.5: ``midi``, (50, 51), on or off.
``input_images/*/<recording>/frame<number>.jpg``
    Pictures of the keyboard crop.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import expit

from audeo_bench.api import FRAMES_PER_SECOND, KEYS, PAPER_KEYS, AudeoBenchError, Notes
from audeo_bench.formats.midi import read_midi
from audeo_bench.formats.npz import read_arrays
from audeo_bench.formats.unpickle import LAST_FRAME, read_vectors
from audeo_bench.roll import notes_to_roll

__all__ = ["ANSWERS", "ReleaseRecording", "StoredRoll", "read_recording", "recordings_in"]

FOLDERS = ("labels", "midi", "OF_midi_files", "estimate_Roll", "Roll2Midi_results", "input_images")
RECORDING = re.compile(r"No\.\s*(\d+)\s+B([12])(?!\d)")
"""As in ``Bach Prelude and Fugue No.1 B2``: number and book of the Well-Tempered Clavier."""
PIECE = re.compile(r"(\d+)-(\d+)$")
PICTURE = re.compile(r"frame(\d+)$")
PIECE_BYTES = 2**24
"""Of one array of a piece; 50 frames of 88 float64 have 35,200."""
WORKS = 24
"""Preludes and fugues in each book."""
SAME_NOTES = 0.9
"""F1 between the truth and the roll of a MIDI file from which the file counts as the truth's own notes."""

Places = Mapping[str, Path]
"""Kind of data (a name in :data:`FOLDERS`) -> where one recording's lie."""


@dataclass(frozen=True)
class StoredRoll:
    """What one of the authors' nets answered.

    Attributes
    ----------
    roll : np.ndarray, shape (88, T), float32
        Probabilities; 0 where it was not asked, and on keys that it does not model.
    answered : np.ndarray, shape (T,), bool
        The frames for which an answer is stored.
    """

    roll: np.ndarray
    answered: np.ndarray


@dataclass(frozen=True)
class ReleaseRecording:
    """One recording, as far as the folder has it.

    Attributes
    ----------
    numbers : np.ndarray, shape (T,), int
        The frames, by their number in the video; rising, usually without a gap.
    sounding : np.ndarray, shape (88, T), bool
    notes : Notes or None
        In seconds from the first frame.
    answers : dict of str to StoredRoll
        By the names in :data:`ANSWERS`.
    pictures : Path or None
        The folder of ``frame<number>.jpg``.
    remarks : tuple of str
        What does not agree with itself.
    """

    numbers: np.ndarray
    sounding: np.ndarray
    notes: Notes | None
    answers: Mapping[str, StoredRoll]
    pictures: Path | None
    remarks: tuple[str, ...] = ()


def recordings_in(directory: Path) -> dict[tuple[int, int], Places]:
    """Which recordings a release folder holds, by (book, number), and where each kind of their data lies.

    Raises
    ------
    AudeoBenchError
        A recording that is there twice.
    """
    found: dict[tuple[int, int], dict[str, Path]] = {}
    for kind in FOLDERS:
        for path in _entries(directory / kind, kind):
            named = RECORDING.search(path.stem if path.is_file() else path.name)
            if not named:
                continue
            if not 1 <= int(named[1]) <= WORKS:
                raise AudeoBenchError(f"{path}: No.{named[1]}, but a book has {WORKS}; rename or remove it.")
            place = found.setdefault((int(named[2]), int(named[1])), {})
            if kind in place:
                raise AudeoBenchError(f"{path}: the same recording as {place[kind]}; keep one of them.")
            place[kind] = path
    return dict(sorted(found.items()))


def read_recording(places: Places) -> ReleaseRecording | None:
    """Read one recording; None where nothing says what sounds.

    Its frames are those for which the truth is known. Where labels and pieces both are there, labels go
    first, and only the frames that pieces (or else pictures) span count: labels may run into the title.

    Raises
    ------
    AudeoBenchError
        A file that is damaged, of other shapes, or refused; its name is in the message.
    """
    labels = _labels(places)
    pieces = {kind: _pieces(places[kind], kind) for kind in _READERS if kind in places}
    truths = [truth for truth in (labels, pieces.pop("midi", None)) if truth]
    midi = read_midi(places["OF_midi_files"]) if "OF_midi_files" in places else None
    heard = midi.notes if midi else None
    if not truths and heard is not None and len(heard):
        truths = [_sampled(heard)]
    if not truths:
        return None
    truth = {frame: row for source in reversed(truths) for frame, row in source.items()}
    low, high = _span(places)
    numbers = np.array(sorted(frame for frame in truth if low <= frame < high))
    if not numbers.size:
        return None
    sounding = np.stack([truth[frame] for frame in numbers], axis=1) > 0
    return ReleaseRecording(
        numbers=numbers,
        sounding=sounding,
        notes=_notes(heard, numbers, sounding),
        answers={ANSWERS[kind]: _stored(rows, numbers) for kind, rows in pieces.items()},
        pictures=places.get("input_images"),
        remarks=(*_disagreements(truths), *(midi.remarks if midi else ())),
    )


ANSWERS = {"estimate_Roll": "authors-roll", "Roll2Midi_results": "authors-midi"}
"""Folders of answers -> the names under which they are scored."""


def _entries(root: Path, kind: str) -> list[Path]:
    if kind == "labels":
        return sorted(root.rglob("*.pkl"))
    if kind == "OF_midi_files":
        return sorted(path for path in root.rglob("*") if path.suffix.lower() in (".mid", ".midi"))
    return sorted(path for depth in ("*", "*/*") for path in root.glob(depth) if path.is_dir())


def _labels(places: Places) -> dict[int, np.ndarray] | None:
    return read_vectors(places["labels"], KEYS) if "labels" in places else None


def _span(places: Places) -> tuple[int, float]:
    for kind in ("midi", "estimate_Roll"):
        if kind in places and (names := _piece_names(places[kind])):
            return min(start for start, _, _ in names), max(end for _, end, _ in names)
    if "input_images" in places and (shown := picture_numbers(places["input_images"])):
        return shown[0], shown[-1] + 1
    return 0, float("inf")


def picture_numbers(folder: Path) -> list[int]:
    """The numbers of the pictures in a folder, rising."""
    named = (PICTURE.match(path.stem) for path in folder.glob("frame*.jpg"))
    return sorted(number for match in named if match and (number := int(match[1])) <= LAST_FRAME)


def _piece_names(folder: Path) -> list[tuple[int, int, Path]]:
    """(first frame, one past the last, file), by first frame: as text, 1003 would come before 253."""
    names = []
    for path in folder.glob("*.npz"):
        match = PIECE.match(path.stem)
        if not match or not int(match[1]) < int(match[2]) <= LAST_FRAME:
            raise AudeoBenchError(f"{path}: not named <start>-<end>.npz, such as 253-303.npz.")
        names.append((int(match[1]), int(match[2]), path))
    return sorted(names)


def _pieces(folder: Path, kind: str) -> dict[int, np.ndarray]:
    """Frame number -> row of 88. A piece may hold fewer rows than its name says, or zeros beyond its end."""
    key, convert = _READERS[kind]
    rows: dict[int, np.ndarray] = {}
    for start, end, path in _piece_names(folder):
        converted = convert(_array(path, key), path)[: end - start]
        rows |= zip(range(start, end), converted, strict=False)
    return rows


def _array(path: Path, key: str) -> np.ndarray:
    array = read_arrays(path, [key], remedy="copy it again", limit=PIECE_BYTES)[key]
    if array.ndim != 2 or not np.isfinite(array).all():
        raise AudeoBenchError(
            f"{path}: {key} is {array.dtype} of shape {array.shape}; "
            "finite numbers by frames and keys are expected."
        )
    return array


def _of_keys(array: np.ndarray, path: Path, counts: tuple[int, ...] = (KEYS,)) -> np.ndarray:
    if array.shape[1] not in counts:
        wanted = " or ".join(map(str, counts))
        raise AudeoBenchError(f"{path}: rows of {array.shape[1]} keys; {wanted} are expected.")
    return array


def _velocities(array: np.ndarray, path: Path) -> np.ndarray:
    return _of_keys(array, path)


def _probabilities(logits: np.ndarray, path: Path) -> np.ndarray:
    """Sigmoid in float32 as the release's; beyond keys 15..65 a logit of 0 says "not modelled", not 0.5."""
    logits = _of_keys(logits, path).astype(np.float32)
    modelled = logits != 0
    modelled[:, PAPER_KEYS] = True
    return np.where(modelled, expit(logits), np.float32(0))


def _on_or_off(array: np.ndarray, path: Path) -> np.ndarray:
    narrow = PAPER_KEYS.stop - PAPER_KEYS.start
    array = _of_keys(array, path, (narrow, KEYS))
    if not np.isin(array, (0, 1)).all():
        raise AudeoBenchError(
            f"{path}: values from {array.min():g} to {array.max():g}; 0 and 1 are expected."
        )
    roll = np.zeros((len(array), KEYS), np.float32)
    roll[:, PAPER_KEYS if array.shape[1] == narrow else slice(None)] = array
    return roll


_READERS: Mapping[str, tuple[str, Callable[[np.ndarray, Path], np.ndarray]]] = {
    "midi": ("midi", _velocities),
    "estimate_Roll": ("logit", _probabilities),
    "Roll2Midi_results": ("midi", _on_or_off),
}


def _stored(rows: Mapping[int, np.ndarray], numbers: np.ndarray) -> StoredRoll:
    answered = np.array([int(frame) in rows for frame in numbers])
    roll = np.zeros((KEYS, len(numbers)), np.float32)
    if answered.any():
        roll[:, answered] = np.stack([rows[int(frame)] for frame in numbers[answered]], axis=1)
    return StoredRoll(roll, answered)


def _sampled(heard: Notes) -> dict[int, np.ndarray]:
    """Frames from the first note to the end of the last, by the video's clock."""
    roll = notes_to_roll(heard, int(np.ceil(heard.intervals.max() * FRAMES_PER_SECOND)))
    used = np.flatnonzero(roll.any(0))
    return {int(frame): roll[:, frame] for frame in range(used[0], used[-1] + 1)} if used.size else {}


def _notes(heard: Notes | None, numbers: np.ndarray, sounding: np.ndarray) -> Notes | None:
    """The notes behind the truth, if the MIDI file's are, cut to the recording's frames."""
    first, stop = int(numbers[0]), int(numbers[-1]) + 1
    if heard is None or not len(heard) or stop - first != len(numbers):
        return None
    begin, end = first / FRAMES_PER_SECOND, stop / FRAMES_PER_SECOND
    inside = (heard.intervals[:, 1] > begin) & (heard.intervals[:, 0] < end)
    intervals = np.clip(heard.intervals[inside], begin, end) - begin
    notes = Notes(intervals, heard.pitches[inside], heard.velocities[inside])
    roll = notes_to_roll(notes, len(numbers))
    both = 2 * (roll & sounding).sum()
    return notes if both >= SAME_NOTES * (roll.sum() + sounding.sum()) else None


def _disagreements(truths: list[dict[int, np.ndarray]]) -> tuple[str, ...]:
    if len(truths) < 2:
        return ()
    labels, pieces = truths
    shared = labels.keys() & pieces.keys()
    differ = sum(bool(((labels[f] > 0) != (pieces[f] > 0)).any()) for f in shared)
    return (f"labels and midi differ in {differ} of {len(shared)} frames; labels count",) if differ else ()
