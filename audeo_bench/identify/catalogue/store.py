"""A catalogue on disk: one folder that both offline engines search.

It holds ``catalogue.json`` (entries, feature versions), the saliences of :mod:`.pitch` one after the other
(``pitch.npy``) and the postings of :mod:`.landmark` (``moments.npy``, ``pointers.npy``), all read through
memory maps.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
import psutil

from audeo_bench.api import SAMPLE_RATE, AudeoBenchError, Work
from audeo_bench.crew import Crew, Unit
from audeo_bench.formats.npz import map_array
from audeo_bench.formats.text import read_json
from audeo_bench.identify.catalogue import landmark, pitch

SCHEMA = 3
"""Goes up whenever a catalogue's form, or the voice of its references, changes; others are refused."""
VERSIONS = {"schema": SCHEMA, "pitch": pitch.FEATURE_VERSION, "landmark": landmark.FEATURE_VERSION}


class Source(Protocol):
    """A reference performance; travels to worker processes, so it is small and picklable."""

    @property
    def id(self) -> str: ...

    @property
    def work(self) -> Work: ...

    def audio(self) -> np.ndarray:
        """Float32 mono samples at 16 kHz."""
        ...


@dataclass(frozen=True)
class Entry:
    """One reference performance of a work; several may perform the same work.

    Attributes
    ----------
    frames, ticks : int
        How many of the saliences' frames and of the landmarks' ticks are its own.
    """

    id: str
    work: Work
    seconds: float
    frames: int
    ticks: int


def build(
    sources: Iterable[Source],
    folder: Path,
    name: str,
    provenance: str,
    who: Crew | None = None,
    on_progress: Callable[[], None] = lambda: None,
) -> Catalogue:
    """Analyse every source and write a catalogue; all of it appears at once, or nothing.

    Parameters
    ----------
    sources : iterable of Source
    folder : Path
        Replaced where it is a catalogue already.
    name, provenance : str
        Shown beside every rate.
    who : Crew or None
        Who listens; None is this process.
    on_progress : callable
        Called after every source.

    Raises
    ------
    AudeoBenchError
        If there is nothing to put into it, or the folder holds something else.
    """
    if folder.exists() and not folder.is_dir():
        raise AudeoBenchError(f"{folder}: a catalogue is a folder, and this is a file; give another place.")
    if folder.exists() and any(folder.iterdir()) and not (folder / "catalogue.json").is_file():
        raise AudeoBenchError(f"{folder}: is not empty and no catalogue; give a folder of its own.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    _sweep(folder)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}-{os.getpid()}-", dir=folder.parent))
    try:
        entries, postings = [], []
        with (temporary / "pitch.raw").open("wb") as raw:
            for entry, frames, pairs in _analysed(sources, who or Crew()):
                frames.tofile(raw)
                entries.append(entry)
                postings.append(pairs)
                on_progress()
        if not entries:
            raise AudeoBenchError(f"{folder}: there is nothing to put into the catalogue.")
        total = sum(entry.frames for entry in entries)
        saliences = np.memmap(temporary / "pitch.raw", np.float16, "r", shape=(total, len(pitch.PITCHES)))
        np.save(temporary / "pitch.npy", saliences)
        (temporary / "pitch.raw").unlink()
        moments, pointers, _ = landmark.build_postings(postings, [entry.ticks for entry in entries])
        np.save(temporary / "moments.npy", moments)
        np.save(temporary / "pointers.npy", pointers)
        digest = _digest(temporary, entries)
        record = {
            "name": name,
            "provenance": provenance,
            "versions": VERSIONS,
            "digest": digest,
            "entries": [asdict(entry) for entry in entries],
        }
        (temporary / "catalogue.json").write_text(
            json.dumps(record, ensure_ascii=False, indent=0), encoding="utf-8"
        )
        _replace(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return Catalogue(folder)


def _sweep(folder: Path) -> None:
    """Clear away what a build left that was killed: a folder named after a process that is no more."""
    for left in folder.parent.glob(f".{folder.name}-*"):
        process = left.name.removeprefix(f".{folder.name}-").partition("-")[0]
        if process.isdecimal() and not psutil.pid_exists(int(process)):
            shutil.rmtree(left, ignore_errors=True)


def _digest(folder: Path, entries: Iterable[Entry]) -> str:
    """Of everything that a search depends on."""
    digest = hashlib.sha256()
    for part in ("pitch.npy", "moments.npy", "pointers.npy"):
        with (folder / part).open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    digest.update(json.dumps([asdict(entry) for entry in entries]).encode())
    return digest.hexdigest()


def _replace(temporary: Path, folder: Path) -> None:
    old = temporary.with_name(temporary.name + "-old")
    if folder.exists():
        folder.rename(old)
    temporary.chmod(0o755)
    temporary.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


Analysed = tuple[Entry, np.ndarray, np.ndarray]


def _analysed(sources: Iterable[Source], who: Crew) -> Iterator[Analysed]:
    """In the sources' order, whoever is done first."""
    units = (Unit(f"performance {place}", _analyse, (one,)) for place, one in enumerate(sources, 1))
    early: dict[str, Analysed] = {}
    place = 1
    for unit, found in who.done(units):
        early[unit.name] = found
        while (name := f"performance {place}") in early:
            yield early.pop(name)
            place += 1


def _analyse(source: Source) -> Analysed:
    audio = source.audio()
    frames, pairs = pitch.salience(audio), landmark.landmarks(audio)
    ticks = len(audio) * landmark.TICKS_PER_SECOND // SAMPLE_RATE + 1
    return Entry(source.id, source.work, len(audio) / SAMPLE_RATE, len(frames), ticks), frames, pairs


class Catalogue:
    """A catalogue, opened for searching.

    Raises
    ------
    AudeoBenchError
        If the folder is no catalogue, is damaged, or was built by other versions of the features.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        path = folder / "catalogue.json"
        if not path.is_file():
            raise AudeoBenchError(
                f"{folder}: no catalogue there; build one with `audeo-bench catalogue build`."
            )
        try:
            record = read_json(path, remedy="build the catalogue again")
            versions = record["versions"]
            self.name: str = record["name"]
            self.provenance: str = record["provenance"]
            self.digest: str = record["digest"]
            self.entries = [Entry(**{**entry, "work": Work(**entry["work"])}) for entry in record["entries"]]
        except (ValueError, KeyError, TypeError, AttributeError) as problem:
            raise AudeoBenchError(f"{path}: damaged ({problem}); build the catalogue again.") from None
        if versions != VERSIONS:
            raise AudeoBenchError(
                f"{folder}: built with features {versions}, this program has {VERSIONS}; build it again."
            )
        try:
            found = _digest(folder, self.entries)
        except OSError as problem:
            raise AudeoBenchError(
                f"{folder}: cannot be read ({problem}); build the catalogue again."
            ) from None
        if found != self.digest:
            raise AudeoBenchError(f"{folder}: not what was built; build the catalogue again.")

    @property
    def hours(self) -> float:
        return sum(entry.seconds for entry in self.entries) / 3600

    @property
    def pieces(self) -> int:
        """How many different works it knows."""
        return len({entry.work for entry in self.entries})

    @cached_property
    def pitch(self) -> pitch.PitchIndex:
        borders = np.cumsum([0, *(entry.frames for entry in self.entries)])
        frames = self._array("pitch.npy")
        self._check(len(frames) == borders[-1], "pitch.npy")
        return pitch.PitchIndex(frames, borders)

    @cached_property
    def landmark(self) -> landmark.LandmarkIndex:
        moments, pointers = self._array("moments.npy"), self._array("pointers.npy")
        self._check(len(moments) == pointers[-1], "moments.npy")
        return landmark.LandmarkIndex(moments, pointers, landmark.starts([e.ticks for e in self.entries]))

    def _array(self, name: str) -> np.ndarray:
        return map_array(self.folder / name, remedy="build the catalogue again")

    def _check(self, sound: bool, name: str) -> None:
        if not sound:
            raise AudeoBenchError(
                f"{self.folder / name}: does not fit catalogue.json; build the catalogue again."
            )
