"""The corpus of a set of real films: ``--corpus akbari``, or the name of a set of the user's own."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from audeo_bench.api import FRAMES_PER_SECOND, AudeoBenchError, Frames, Notes, Provenance, Recording, Work
from audeo_bench.corpus import Corpus
from audeo_bench.corpus.films.preparing import GEOMETRY, Job, frames_of, prepare, prepared
from audeo_bench.corpus.sets.film import Film, listing_of
from audeo_bench.corpus.sets.here import FilmHere, films_of, open_set
from audeo_bench.corpus.sets.labels import Place, labelled_frames, notes_within, placed, read_labels
from audeo_bench.files import sha256_of
from audeo_bench.film.reading import film_info
from audeo_bench.formats.sound import read_sound
from audeo_bench.progress import progress_bar

__all__ = ["FilmCorpus", "counted"]


class FilmCorpus(Corpus):
    """Real films with labels, each warped by its four corners.

    Films of the set that are not here, or have no labels, are in no split: :meth:`films_here` says how many
    are. ``pressed`` is known where the truth is the instrument's own MIDI, and then it is scored; other
    labels say what sounds.

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
                f"corpus {name}: none of its films is here with labels; run `audeo-bench data fetch {name}`."
            )
        digest = hashlib.sha256(GEOMETRY.encode())
        for here in self._here.values():
            digest.update(here.film.model_dump_json(by_alias=True).encode() + here.sha256.encode())
            if self.set.from_first_note and here.midi is not None:
                digest.update(sha256_of(here.midi).encode())
        self.version = f"1+{digest.hexdigest()[:8]}"

    def listing(self) -> Mapping[str, tuple[str, ...]]:
        return listing_of(here.film for here in self._here.values())

    def truth_by(self, split: str) -> str:
        by = Counter(self._here[name].labels[0].by for name in self.ids(split))
        return ", ".join(f"{who} ({count})" if len(by) > 1 else who for who, count in by.most_common())

    def unready(self, split: str) -> tuple[str, ...]:
        return tuple(one for one in self.ids(split) if prepared(Job(self.name, self._here[one])) is None)

    def films_here(self, split: str) -> str | None:
        here, listed = len(self.ids(split)), len(listing_of(self.set.films)[split])
        return f"{here} of {listed} films" if here < listed else None

    def work(self, recording_id: str) -> Work:
        return self._here[recording_id].film.played

    def held_notes(self, recording_id: str) -> Notes | None:
        here = self._here[recording_id]
        labels = here.labels[0].path
        if self.truth != "pressed" or labels.suffix.lower() == ".npz":
            return None
        film = self._labelled(here)
        return film.cut(placed(read_labels(labels, "hold"), film.place))

    def _labelled(self, here: FilmHere) -> _Labelled:
        job = Job(self.name, here)
        if (ready := prepared(job)) is None:
            with progress_bar(f"{self.name}: making {here.film.id} ready, once", 1, "films") as bar:
                ready = prepare(job)
                bar.advance(1)
        frames = frames_of(job, ready)
        labels = here.labels[0]
        place = Place() if labels.in_film_time else Place(ready.start_s, ready.rate, ready.pitch_add)
        roll, counts, notes = labelled_frames(labels.path, len(frames), place)
        if self.set.from_first_note and roll.any():
            counts[: int(roll.any(0).argmax())] = False
        return _Labelled(frames, place, roll, notes, _kept(here.film, counts))

    def make(self, recording_id: str) -> Recording:
        here = self._here[recording_id]
        labelled = self._labelled(here)
        kept, roll = labelled.kept, labelled.roll[:, labelled.kept]
        film = here.film
        return Recording(
            id=recording_id,
            title=film.title or film.work or film.id,
            work=self.work(recording_id),
            split=film.split,
            provenance=self.provenance,
            frames=labelled.shown,
            sounding=roll,
            pressed=roll if self.truth == "pressed" else None,
            notes=None if labelled.notes is None else labelled.cut(labelled.notes),
            audio=(lambda: _sound(here, kept)) if film_info(here.path).has_sound else None,
        )


@dataclass(frozen=True)
class _Labelled:
    """A film with its labels: all frames, the labels' place, and which frames count."""

    frames: np.ndarray
    place: Place
    roll: np.ndarray
    notes: Notes | None
    kept: np.ndarray

    @property
    def whole(self) -> bool:
        """Whether the frames that count follow one another."""
        return bool(np.all(np.diff(self.kept) == 1))

    @property
    def shown(self) -> Frames:
        first = int(self.kept[0])
        return self.frames[first : first + len(self.kept)] if self.whole else Picked(self.frames, self.kept)

    def cut(self, notes: Notes) -> Notes | None:
        """Notes in film time in that of the frames that count; None where these have gaps."""
        start, seconds = int(self.kept[0]) / FRAMES_PER_SECOND, len(self.kept) / FRAMES_PER_SECOND
        return notes_within(notes, start, seconds) if self.whole else None


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


def counted(film: Film, counts: np.ndarray) -> np.ndarray:
    """Of the frames that count, (T,) bool, those not before ``trim_s`` and in no blocked span: (T,) bool."""
    times = (np.arange(len(counts)) + 0.5) / FRAMES_PER_SECOND
    counts = counts & (times >= film.trim_s)
    for begin, end in film.blocked:
        counts &= (times < begin) | (times >= (np.inf if end is None else end))
    return counts


def _kept(film: Film, counts: np.ndarray) -> np.ndarray:
    """The numbers of the frames that count, in order."""
    counts = counted(film, counts)
    if not counts.any():
        raise AudeoBenchError(
            f"film {film.id}: no frame is left by its labels, trim_s and blocked; correct its row."
        )
    return np.flatnonzero(counts)


def _sound(here: FilmHere, kept: np.ndarray) -> np.ndarray:
    samples = read_sound(here.path).samples
    each = 16_000 // FRAMES_PER_SECOND
    padded = np.pad(samples, (0, max(0, (int(kept[-1]) + 1) * each - len(samples))))
    return np.concatenate([padded[part[0] * each : (part[-1] + 1) * each] for part in _runs(kept)])


def _runs(kept: np.ndarray) -> list[np.ndarray]:
    return np.split(kept, np.flatnonzero(np.diff(kept) != 1) + 1)
