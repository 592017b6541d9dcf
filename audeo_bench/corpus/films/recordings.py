"""The corpus of a set of real films: ``--corpus akbari``, or the name of a set of the user's own."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from audeo_bench.api import FRAMES_PER_SECOND, AudeoBenchError, Notes, Provenance, Recording, Work
from audeo_bench.corpus import Corpus
from audeo_bench.corpus.films.preparing import GEOMETRY, Job, Prepared, frames_of, prepare
from audeo_bench.corpus.sets.film import Film, listing_of
from audeo_bench.corpus.sets.here import FilmHere, films_of, open_set
from audeo_bench.corpus.sets.labels import read_labels
from audeo_bench.film.reading import film_info
from audeo_bench.formats.npz import read_array
from audeo_bench.formats.sound import read_sound
from audeo_bench.roll import KEYS, LOWEST_PITCH, notes_to_roll

__all__ = ["FilmCorpus"]

HOW = "run `audeo-bench data fetch {0}`, or `audeo-bench data add recordings {0} MANIFEST` for your own"


class FilmCorpus(Corpus):
    """Real films with labels, each warped by its four corners.

    Films of the set that are not here, or have no labels, are in no split: :attr:`missing` says how many.
    ``pressed`` is known where the truth is the instrument's own MIDI, and then it is scored; other labels say
    what sounds.

    Raises
    ------
    AudeoBenchError
        No film of the set is here.
    """

    provenance: ClassVar[Provenance] = "recorded"

    def __init__(self, name: str, seed: int = 0) -> None:
        super().__init__(seed)
        self.name = name  # type: ignore[misc]
        self.set, _ = open_set(name)
        if self.training_split not in self.set.splits:  # the paper's films keep the paper's word
            self.training_split = self.whole_training_split = "train"
        self.truth = "pressed" if self.set.truth == "true MIDI" else "sounding"
        self._here = {here.film.id: here for here in films_of(name) if here.midi is not None}
        if not self._here:
            raise AudeoBenchError(
                f"corpus {name}: none of its films is here with labels; {HOW.format(name)}."
            )
        digest = hashlib.sha256(GEOMETRY.encode())
        for here in self._here.values():
            digest.update(here.film.model_dump_json(by_alias=True).encode() + here.sha256.encode())
        self.version = f"1+{digest.hexdigest()[:8]}"

    @cached_property
    def missing(self) -> Mapping[str, str]:
        """Split -> such as ``22 of 24``, where films are missing."""
        here = self.listing()
        return {
            split: f"{len(here.get(split, ()))} of {count}"
            for split, count in self.set.splits.items()
            if len(here.get(split, ())) < count
        }

    def listing(self) -> Mapping[str, tuple[str, ...]]:
        return listing_of(here.film for here in self._here.values())

    def work(self, recording_id: str) -> Work:
        return self._here[recording_id].film.played

    def make(self, recording_id: str) -> Recording:
        here = self._here[recording_id]
        job = Job(self.name, here)
        ready = prepare(job)
        frames = frames_of(job, ready)
        kept = _kept(here.film, len(frames))
        roll, notes = _truth(here, ready)
        roll = roll[:, kept]
        whole = bool(np.all(np.diff(kept) == 1))
        first = int(kept[0])
        if notes is not None:
            notes = (
                _within(notes, first / FRAMES_PER_SECOND, len(kept) / FRAMES_PER_SECOND) if whole else None
            )
        film = here.film
        return Recording(
            id=recording_id,
            title=film.title or film.work or film.id,
            work=self.work(recording_id),
            split=film.split,
            provenance=self.provenance,
            frames=frames[first : first + len(kept)] if whole else Picked(frames, kept),
            sounding=roll,
            pressed=roll if self.truth == "pressed" else None,
            notes=notes,
            audio=(lambda: _sound(here, kept)) if film_info(here.path).has_sound else None,
        )


@dataclass(frozen=True)
class Picked:
    """Frames of a film without those that its set's file blocks."""

    frames: np.ndarray
    kept: np.ndarray

    @property
    def shape(self) -> tuple[int, int, int]:
        return (len(self.kept), *self.frames.shape[1:])  # type: ignore[return-value]

    def __len__(self) -> int:
        return len(self.kept)

    def __getitem__(self, window: slice, /) -> np.ndarray:
        return self.frames[self.kept[window]]


def _kept(film: Film, frames: int) -> np.ndarray:
    """The frames that count, in order: not before ``trim_s``, not in a blocked span."""
    times = (np.arange(frames) + 0.5) / FRAMES_PER_SECOND
    counts = times >= film.trim_s
    for begin, end in film.blocked:
        counts &= (times < begin) | (times >= (np.inf if end is None else end))
    if not counts.any():
        raise AudeoBenchError(f"film {film.id}: no frame is left by trim_s and blocked; correct its row.")
    return np.flatnonzero(counts)


def _truth(here: FilmHere, ready: Prepared) -> tuple[np.ndarray, Notes | None]:
    """The labels in film time: roll (88, frames), bool, and notes where the labels are notes."""
    film, frames = here.film, ready.frames
    assert here.midi is not None
    if film.npz is not None:
        stored = read_array(here.midi, ("roll", "pressed", "sounding"), remedy="give an .npz with a roll")
        if stored.ndim != 2 or stored.shape[0] != KEYS:
            raise AudeoBenchError(
                f"{here.midi}: found shape {stored.shape}; a roll is (88, frames) at 25 a second."
            )
        roll = np.zeros((KEYS, frames), bool)
        first = round(ready.start_s * FRAMES_PER_SECOND)
        part = stored[:, max(0, -first) :][:, : frames - max(0, first)] >= 0.5
        roll[:, max(0, first) : max(0, first) + part.shape[1]] = part
        return roll, None
    notes = read_labels(here.midi)
    intervals = ready.start_s + ready.rate * notes.intervals
    pitches = notes.pitches + ready.pitch_add
    there = (pitches >= LOWEST_PITCH) & (pitches < LOWEST_PITCH + KEYS)
    moved = Notes(intervals[there], pitches[there], notes.velocities[there])
    return notes_to_roll(_within(moved, 0.0, frames / FRAMES_PER_SECOND), frames), moved


def _within(notes: Notes, start: float, seconds: float) -> Notes:
    """Notes that begin in ``seconds`` from ``start``, in time from there; what began before counts from 0."""
    intervals = notes.intervals - start
    there = (intervals[:, 0] < seconds) & (intervals[:, 1] > 0)
    return Notes(np.clip(intervals[there], 0, seconds), notes.pitches[there], notes.velocities[there])


def _sound(here: FilmHere, kept: np.ndarray) -> np.ndarray:
    samples = read_sound(here.path).samples
    each = 16_000 // FRAMES_PER_SECOND
    padded = np.pad(samples, (0, max(0, (int(kept[-1]) + 1) * each - len(samples))))
    return np.concatenate([padded[part[0] * each : (part[-1] + 1) * each] for part in _runs(kept)])


def _runs(kept: np.ndarray) -> list[np.ndarray]:
    return np.split(kept, np.flatnonzero(np.diff(kept) != 1) + 1)
