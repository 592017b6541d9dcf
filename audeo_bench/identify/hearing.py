"""One system plays one recording, and the offline listeners say what it is: one unit of work for a crew."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from audeo_bench.identify.catalogue.engine import CatalogueService, EngineName
from audeo_bench.identify.catalogue.store import Catalogue
from audeo_bench.identify.players import true_sound
from audeo_bench.identify.segments import Segment, cut
from audeo_bench.identify.service import Reply
from audeo_bench.runs.spread import loaded

if TYPE_CHECKING:
    from audeo_bench.contestants.parcel import Parcel
    from audeo_bench.corpus import Corpus


@dataclass(frozen=True)
class Ears:
    """The offline listeners, as any process can open them.

    Attributes
    ----------
    names : tuple of EngineName
    catalogue : Path or None
        None where there are no names.
    digest : str
        Of the catalogue, so that one that was built again is opened again.
    """

    names: tuple[EngineName, ...] = ()
    catalogue: Path | None = None
    digest: str = ""

    @classmethod
    def of(cls, services: list[CatalogueService]) -> Ears:
        """What opens the same listeners elsewhere."""
        if not services:
            return cls()
        known = services[0].catalogue
        names: tuple[EngineName, ...] = tuple(each.name for each in services)  # type: ignore[assignment]
        return cls(names, known.folder, known.digest)


@dataclass(frozen=True)
class Heard:
    """What was played and said.

    Attributes
    ----------
    segments : list of Segment
    replies : list of (str, str, Reply)
        The listener, the segment's SHA-256 and the answer.
    """

    segments: list[Segment]
    replies: list[tuple[str, str, Reply]]


@dataclass(frozen=True)
class Played:
    """What is played: one system's roll of one recording, or the recording itself.

    Attributes
    ----------
    corpus : Corpus
    recording, system : str
    roll : np.ndarray, shape (88, T), bool, or None
    """

    corpus: Corpus
    recording: str
    system: str
    roll: np.ndarray | None


def hear(
    played: Played, ears: Ears, answered: frozenset[tuple[str, str]], synthesizer: Parcel | None = None
) -> Heard:
    """On a worker: play, and ask about every segment.

    Parameters
    ----------
    answered : frozenset of (str, str)
        Listeners and segments that need not be asked again.
    """
    recording = played.recording
    if synthesizer is None or played.roll is None:
        samples = true_sound(played.corpus.recording(recording))
    else:
        with loaded(synthesizer, seed=0) as worker:
            samples = worker.audio(played.roll, recording)
    segments = cut(samples, f"{played.system}, {recording}", recording)
    replies = [
        (name, segment.sha256, _listener(name, ears).answer(segment))
        for segment in segments
        for name in ears.names
        if (name, segment.sha256) not in answered
    ]
    return Heard(segments, replies)


@lru_cache(maxsize=4)
def _listener(name: EngineName, ears: Ears) -> CatalogueService:
    return CatalogueService(name, _catalogue(ears))


@lru_cache(maxsize=2)
def _catalogue(ears: Ears) -> Catalogue:
    assert ears.catalogue is not None
    return Catalogue(ears.catalogue)
