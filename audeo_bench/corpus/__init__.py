"""Where recordings come from: :func:`open_corpus` by name, then splits, then recordings.

>>> corpus = open_corpus("simulated")
>>> [recording.id for recording in corpus.recordings("wtc2")]
['wtc2-01', 'wtc2-02', 'wtc2-03']
"""

from __future__ import annotations

import difflib
import hashlib
import platform
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib import import_module
from typing import Any, ClassVar, Literal

import numpy as np

from audeo_bench.api import AudeoBenchError, Notes, Provenance, Recording, Work

__all__ = ["CORPORA", "PICTURES", "Corpus", "check_choice", "corpus_class", "open_corpus"]

CORPORA: Mapping[str, str] = {
    "simulated": "audeo_bench.corpus.simulated:SimulatedCorpus",
    "audeo-reenacted": "audeo_bench.corpus.reenacted.recordings:AudeoReenacted",
    "asap": "audeo_bench.corpus.reenacted.recordings:AsapReenacted",
    "known-works": "audeo_bench.corpus.reenacted.known_works:KnownWorks",
    "audeo": "audeo_bench.corpus.audeo.recordings:AudeoRecorded",
}
"""Name -> where its class is; opened by name only, so that listing imports nothing heavy."""

PICTURES = "pictures"
"""What stands before the name of a folder of photographs among training data: keyboards, no performance of
anything. No corpus is called so."""

HELD = 100
"""Recordings that a corpus keeps in memory, without their frames: some 100 MB at most."""


class Corpus(ABC):
    """A named, versioned set of recordings in splits.

    Opening and listing are instant. A recording's truth is computed or read when the recording is asked for,
    its frames when they are sliced and its sound when ``audio()`` is called.

    Attributes
    ----------
    name, version : str
        Two corpora of equal name, version and seed hold the same recordings.
    provenance : "simulated", "re-enacted" or "recorded"
    has_takes : bool
        Whether works can be played again, see :meth:`recordings`.
    truth : "sounding" or "pressed"
        Which of a recording's two truths is scored, see :meth:`truth_of`.
    seed : int
    """

    name: ClassVar[str]
    version: str
    provenance: ClassVar[Provenance]
    has_takes: ClassVar[bool] = False
    truth: Literal["sounding", "pressed"] = "sounding"
    training_split: str = "wtc1"
    """On which first stages train."""
    whole_training_split: str = "wtc1"
    """The training works as whole performances, on which what comes behind a first stage trains."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self._made: OrderedDict[str, Recording] = OrderedDict()

    def __reduce__(self) -> tuple[Any, ...]:
        """Another process opens it by its name."""
        return _reopened, (self.name, self.seed, self.version)

    def __repr__(self) -> str:
        splits = ", ".join(f"{split} {len(ids)}" for split, ids in self.listing().items())
        return f"{type(self).__name__}({self.name} {self.version}, {self.provenance}: {splits})"

    @abstractmethod
    def listing(self) -> Mapping[str, tuple[str, ...]]:
        """Split -> the ids of its recordings, in order."""

    @abstractmethod
    def make(self, recording_id: str) -> Recording:
        """Build one listed recording."""

    def splits(self) -> tuple[str, ...]:
        return tuple(self.listing())

    def ids(self, split: str) -> tuple[str, ...]:
        """The ids of a split's recordings, in order, without making them.

        Raises
        ------
        AudeoBenchError
            If there is no such split; names the closest.
        """
        listing = self.listing()
        check_choice("split", split, listing, f"corpus {self.name}")
        return listing[split]

    def split_of(self, recording_id: str) -> str:
        """The first split that lists a recording: the test set before the identification test."""
        return next(split for split, ids in self.listing().items() if recording_id in ids)

    def recordings(self, split: str, take: int = 0) -> list[Recording]:
        """Every recording of a split, in order.

        Parameters
        ----------
        split : str
        take : int
            0 is the performance that is scored. A simulated corpus plays every work again, by another pianist
            before another camera, for each further take; those are for training.
        """
        return [self.recording(self.take_id(recording_id, take)) for recording_id in self.ids(split)]

    def recording(self, recording_id: str) -> Recording:
        """One recording by its id; the last :data:`HELD` that were asked for are kept."""
        if recording_id not in self._made:
            listed = {known for ids in self.listing().values() for known in ids}
            check_choice("recording", recording_id.partition("~")[0], listed, f"corpus {self.name}")
            self._made[recording_id] = self.make(recording_id)
            if len(self._made) > HELD:
                self._made.popitem(last=False)
        self._made.move_to_end(recording_id)
        return self._made[recording_id]

    def work(self, recording_id: str) -> Work:
        """What a recording performs, where a corpus can tell without making the recording."""
        return self.recording(recording_id).work

    def whole(self, recording_id: str) -> str:
        """The recording that a stretch is cut from, which gives it away; else the recording itself."""
        return recording_id

    def take_id(self, recording_id: str, take: int) -> str:
        """The id of a further take; only corpora that can play a work again have any."""
        if take:
            raise AudeoBenchError(
                f"corpus {self.name}: take {take} asked for; every work is there once, take 0."
            )
        return recording_id

    def truth_by(self, split: str) -> str | None:
        """Whose labels a split's truth is, such as ``PianoYT``, or of what kind, such as ``true MIDI``; None
        where the corpus makes it itself.
        """
        return None

    def unready(self, split: str) -> tuple[str, ...]:
        """Recordings that opening makes ready, once, which takes a while; none where it takes no time."""
        return ()

    def films_here(self, split: str) -> str | None:
        """Such as ``2 of 3 films``, where not all that a split should have is here; None where it is."""
        return None

    def truth_of(self, recording: Recording) -> np.ndarray:
        """The roll that answers are scored against, (88, T), bool."""
        if self.truth == "sounding":
            return recording.sounding
        assert recording.pressed is not None, recording.id
        return recording.pressed

    def held_notes(self, recording_id: str) -> Notes | None:
        """A recording's true notes, those whose keys were let go while the sustain pedal was down held until
        it goes up or the key is struck again; None where labels do not tell keys from pedal.
        """
        return None

    def split_hash(self, split: str) -> str:
        """SHA-256 over a split's ids and truth, so that scores of different truths are never compared."""
        digest = hashlib.sha256()
        for recording_id in self.ids(split):
            recording = self.recording(recording_id)
            digest.update(recording_id.encode())
            for roll in (recording.sounding, recording.pressed):
                digest.update(repr(None if roll is None else roll.shape).encode())
                digest.update(b"" if roll is None else np.packbits(roll).tobytes())
        return digest.hexdigest()


def open_corpus(name: str, seed: int = 0) -> Corpus:
    """Open a corpus by its name.

    Parameters
    ----------
    name : str
        ``simulated`` is always there; ``audeo-reenacted`` and ``asap`` need local data, registered once by
        ``audeo-bench data add``, and ``audeo`` the authors' release, by ``audeo-bench import-release``. Any
        other name is that of a set of films: ``audeo-bench data list`` shows them.
    seed : int
        Other seeds give other simulated pieces, pianists and cameras; the boards use 0.

    Raises
    ------
    AudeoBenchError
        If there is no such corpus (names the closest), or its data are not registered.
    """
    if name not in CORPORA:
        from audeo_bench.corpus.sets.here import known_sets

        sets = known_sets()
        check_choice("corpus", name, [*CORPORA, *sets], "audeo-bench")
        from audeo_bench.corpus.films.recordings import FilmCorpus

        return FilmCorpus(name, seed)
    # Local data can be registered anew at any time; the simulated corpus cannot change, so its recordings are
    # kept.
    return _open_once(name, seed) if name == "simulated" else _open(name, seed)


def corpus_class(name: str) -> type[Corpus]:
    """The class behind a known name, without opening its data."""
    module, _, attribute = CORPORA[name].partition(":")
    return getattr(import_module(module), attribute)


def _open(name: str, seed: int) -> Corpus:
    return corpus_class(name)(seed=seed)


_open_once = lru_cache(maxsize=4)(_open)


@lru_cache(maxsize=4)
def _reopened(name: str, seed: int, version: str) -> Corpus:
    corpus = open_corpus(name, seed=seed)
    if corpus.version != version:
        raise AudeoBenchError(
            f"corpus {name}: {platform.node()} has version {corpus.version}, asked for is {version}; "
            "register the same data on every machine."
        )
    return corpus


def check_choice(kind: str, found: str, choices: Iterable[str], where: str) -> None:
    """Refuse a name that is not among the choices, with the closest one as a hint."""
    known = list(choices)
    if found in known:
        return
    close = difflib.get_close_matches(found, known, n=1, cutoff=0.5)
    shown = ", ".join(known[:8]) + (", ..." if len(known) > 8 else "")
    hint = f"did you mean {close[0]}?" if close else f"choose one of: {shown}."
    raise AudeoBenchError(f"{where} has no {kind} {found!r}; {hint}")
