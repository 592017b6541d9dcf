"""The corpus ``audeo``: the paper's own recordings, from the authors' release as a user has it.

``audeo-bench import-release DIR`` reads the release once and keeps truth and the authors' answers, checked,
as arrays of numbers under the data folder. Pictures stay where they are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from audeo_bench.api import FRAME_HEIGHT, FRAME_WIDTH, AudeoBenchError, Notes, Provenance, Recording, Work
from audeo_bench.corpus import Corpus
from audeo_bench.corpus.audeo.release import (
    FOLDERS,
    ReleaseRecording,
    StoredRoll,
    picture_numbers,
    read_recording,
    recordings_in,
)
from audeo_bench.corpus.reenacted.recordings import clavier_listing, clavier_work
from audeo_bench.corpus.registry import data_home
from audeo_bench.files import atomic_write
from audeo_bench.formats.npz import read_arrays
from audeo_bench.formats.picture import read_picture
from audeo_bench.formats.text import read_text
from audeo_bench.progress import progress_bar

__all__ = ["AudeoRecorded", "Imported", "ImportedRecording", "import_recordings", "imported_labels"]

HOW = "run `audeo-bench import-release DIR` with DIR the data folder of the authors' release"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ImportedRecording(_Model):
    """One recording, as it is stored.

    Attributes
    ----------
    file, sha256 : str
        Of its arrays, in the folder ``audeo`` of the data folder.
    frames : int
    answered : dict
        The authors' system (``authors-roll``, ``authors-midi``) -> frames that it answered.
    pictures : Path or None
        Where ``frame<number>.jpg`` lie.
    pictured : int
        How many of the frames have a picture.
    """

    book: int
    number: int
    file: str
    sha256: str
    frames: int
    answered: dict[str, int]
    pictures: Path | None
    pictured: int
    remarks: tuple[str, ...]


class Imported(_Model):
    """An imported release."""

    schema_version: int = 1
    directory: Path
    recordings: dict[str, ImportedRecording]

    @property
    def fingerprint(self) -> str:
        listing = "\n".join(f"{name} {entry.sha256}" for name, entry in sorted(self.recordings.items()))
        return hashlib.sha256(listing.encode()).hexdigest()[:8]


def import_recordings(directory: Path) -> Imported | None:
    """Read a release folder and keep its recordings as the corpus ``audeo``, in place of those before.

    Returns
    -------
    imported : Imported or None
        None where the folder holds no recording whose truth is known; what was imported before then stays.

    Raises
    ------
    AudeoBenchError
        No such folder; a file that is damaged or refused. Nothing is stored then.
    """
    directory = Path(directory).expanduser().resolve()
    if not directory.is_dir():
        raise AudeoBenchError(f"{directory}: no such folder; give the data folder of the authors' release.")
    home, entries = _home(), {}
    found = recordings_in(directory)
    with progress_bar("reading the release", total=len(found), unit="recordings") as bar:
        for (book, number), places in found.items():
            recording = read_recording(places)
            if recording is not None:
                entries[f"wtc{book}-{number:02d}"] = _store(home, book, number, recording)
            bar.advance(1)
    if not entries:
        return None
    imported = Imported(directory=directory, recordings=entries)
    with atomic_write(home / "imported.json") as temporary:
        temporary.write_text(imported.model_dump_json(indent=2) + "\n", encoding="utf-8")
    kept = {entry.file for entry in entries.values()}
    for path in home.glob("*.npz"):
        if path.name not in kept:
            path.unlink()
    return imported


def _home() -> Path:
    return data_home() / "audeo"


def _store(home: Path, book: int, number: int, recording: ReleaseRecording) -> ImportedRecording:
    arrays: dict[str, np.ndarray] = {"numbers": recording.numbers, "sounding": recording.sounding}
    if recording.notes is not None:
        arrays |= {
            "intervals": recording.notes.intervals,
            "pitches": recording.notes.pitches,
            "velocities": recording.notes.velocities,
        }
    for name, answer in recording.answers.items():
        arrays |= {name: answer.roll, f"{name} answered": answer.answered}
    digest = hashlib.sha256()
    for name, array in arrays.items():
        digest.update(
            f"{name} {array.dtype} {array.shape}\n".encode() + np.ascontiguousarray(array).tobytes()
        )
    # The name tells the content: an import that is stopped half-way leaves the one before as it was.
    file = f"wtc{book}-{number:02d}-{digest.hexdigest()[:16]}.npz"
    if not (home / file).is_file():
        with atomic_write(home / file) as temporary:
            np.savez_compressed(temporary, allow_pickle=False, **arrays)
    shown = np.isin(recording.numbers, picture_numbers(recording.pictures)) if recording.pictures else [False]
    return ImportedRecording(
        book=book,
        number=number,
        file=file,
        sha256=digest.hexdigest(),
        frames=len(recording.numbers),
        answered={name: int(answer.answered.sum()) for name, answer in recording.answers.items()},
        pictures=recording.pictures,
        pictured=int(np.sum(shown)),
        remarks=recording.remarks,
    )


def imported_labels(recording_id: str) -> Path | None:
    """The arrays that hold the release's labels of a recording; None where it was not imported.

    ``numbers`` are the video's frames, 25 a second, ``sounding`` is (88, frames).
    """
    if not (_home() / "imported.json").is_file():
        return None
    entry = _imported().recordings.get(recording_id)
    return None if entry is None else _home() / entry.file


class AudeoRecorded(Corpus):
    """The paper's recordings by the authors' release: real video, labels made from the real sound.

    ``wtc2`` is the paper's test set; Book I is ``wtc1`` and ``validation``, as in the simulated corpus. Where
    the release's pictures are not at hand, the authors' stored answers can be scored, but no model be run.
    """

    name: ClassVar[str] = "audeo"
    provenance: ClassVar[Provenance] = "recorded"

    def __init__(self, seed: int = 0) -> None:
        super().__init__(seed)
        self.imported = _imported()
        self.version = f"1+{self.imported.fingerprint}"

    def listing(self) -> Mapping[str, tuple[str, ...]]:
        splits = clavier_listing({name: (r.book, r.number) for name, r in self.imported.recordings.items()})
        return {split: ids for split, ids in splits.items() if ids}

    def work(self, recording_id: str) -> Work:
        entry = self.imported.recordings[recording_id]
        return clavier_work(entry.book, entry.number)

    def answers(self, split: str) -> tuple[str, ...]:
        """The authors' systems that answered for any frame of a split."""
        stored = [self.imported.recordings[recording_id].answered for recording_id in self.ids(split)]
        return tuple(
            sorted({name for each in stored for name, frames in each.items() if frames}, reverse=True)
        )

    def answer(self, recording_id: str, system: str) -> StoredRoll:
        """What one of the authors' systems answered; nothing at all where the release has no answer."""
        arrays = self._arrays(recording_id)
        if system not in arrays:
            shape = arrays["sounding"].shape
            return StoredRoll(np.zeros(shape, np.float32), np.zeros(shape[1], bool))
        return StoredRoll(arrays[system], arrays[f"{system} answered"])

    def make(self, recording_id: str) -> Recording:
        entry, arrays = self.imported.recordings[recording_id], self._arrays(recording_id)
        work = self.work(recording_id)
        notes = None
        if "intervals" in arrays:
            notes = Notes(arrays["intervals"], arrays["pitches"], arrays["velocities"])
        folder = (
            entry.pictures or self.imported.directory / FOLDERS[-1] / f"... No.{entry.number} B{entry.book}"
        )
        return Recording(
            id=recording_id,
            title=work.title,
            work=work,
            split=self.split_of(recording_id),
            provenance=self.provenance,
            frames=PictureFrames(recording_id, folder, arrays["numbers"]),
            sounding=arrays["sounding"],
            notes=notes,
        )

    def _arrays(self, recording_id: str) -> dict[str, Any]:
        path = _home() / self.imported.recordings[recording_id].file
        return read_arrays(path, remedy=f"{HOW} again")


@dataclass(frozen=True)
class PictureFrames:
    """Frames from ``frame<number>.jpg`` files, opened when they are sliced: grey, 900 x 100."""

    recording: str
    folder: Path
    numbers: np.ndarray

    @property
    def shape(self) -> tuple[int, int, int]:
        return len(self.numbers), FRAME_HEIGHT, FRAME_WIDTH

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, window: slice, /) -> np.ndarray:
        chosen = self.numbers[window]
        pictures = np.empty((len(chosen), FRAME_HEIGHT, FRAME_WIDTH), np.uint8)
        for place, number in enumerate(chosen):
            pictures[place] = self._read(self.folder / f"frame{number}.jpg")
        return pictures

    def _read(self, path: Path) -> np.ndarray:
        from PIL import Image

        if not path.exists():
            here = len(picture_numbers(self.folder))
            span = f"frame{self.numbers[0]}.jpg to frame{self.numbers[-1]}.jpg"
            raise AudeoBenchError(
                f"{path}: missing; a model needs a picture of each of the {len(self):,} frames of "
                f"{self.recording} ({span}), {here:,} of them are there. Put the release's pictures there,"
                f" then {HOW} again; without pictures only the authors' stored answers can be scored (leave "
                "out --system)."
            )
        # As the release: grey first, then PIL's own default filter.
        grey = Image.fromarray(read_picture(path, remedy="copy it again"))
        return np.asarray(grey.resize((FRAME_WIDTH, FRAME_HEIGHT)))


def _imported() -> Imported:
    path = _home() / "imported.json"
    if not path.exists():
        raise AudeoBenchError(f"corpus audeo: no release has been imported here; {HOW}.")
    try:
        return Imported.model_validate_json(read_text(path, remedy=f"{HOW} again"))
    except ValidationError as fault:
        raise AudeoBenchError(f"{path}: not an import of this version; {HOW} again.") from fault
