"""The offline engines as services: name the piece, or reject.

A query is named after the best entry's work if the score is high enough *and* stands clear of the best
entry of any other work: the score alone drifts with how clean the query is, the margin does not. A query with
hardly any onsets resembles everything that has them at those places, and is named after nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from audeo_bench.api import Work
from audeo_bench.identify.catalogue import landmark, pitch
from audeo_bench.identify.catalogue.store import Catalogue
from audeo_bench.identify.room import ROOM_VERSION, through_room
from audeo_bench.identify.segments import Segment
from audeo_bench.identify.service import Reply
from audeo_bench.identify.titles import Answer

EngineName = Literal["pitch", "landmark"]


@dataclass(frozen=True)
class Rejection:
    """The least score, and the least margin to the next piece, of an answer."""

    score: float
    margin: float

    def accepts(self, best: float, second: float) -> bool:
        return best > self.score and best - second > self.margin


REJECTIONS: dict[EngineName, Rejection] = {
    "pitch": Rejection(0.3, 0.13),
    "landmark": Rejection(0.12, 0.028),
}
"""Chosen on corpus seeds 1 and 2: no lower than the least margins with which at most 1 % of their segments,
from the recording to rolls of onset F1 20 %, are named with the right piece left out, as ``python -m
studies.listener_calibration`` finds them. The score only keeps a catalogue of a few pieces from naming
everything.
"""
LEAST_ONSETS = 5.0
"""Onsets a second, partials counted, that a query needs to be music to either listener: twenty clicks of a
metronome, or six notes in twenty seconds, have at most 4, the true recordings of the corpus 7.9 and more.
"""
_VERSIONS: dict[EngineName, str] = {
    "pitch": f"features {pitch.FEATURE_VERSION}",
    "landmark": f"features {landmark.FEATURE_VERSION}, search {landmark.SEARCH_VERSION}",
}
_KEPT = 8


@dataclass(frozen=True)
class Found:
    """The best entry of one work.

    Attributes
    ----------
    score : float
    start : float
        Seconds into the reference performance.
    stretch : float
        How many times as long the passage lasts there.
    """

    work: Work
    entry: str
    score: float
    start: float
    stretch: float


class CatalogueService:
    """One of the two engines over one catalogue; opens no socket."""

    def __init__(self, name: EngineName, catalogue: Catalogue) -> None:
        self.name: str = name
        self.catalogue = catalogue
        self.rejection = rejection = REJECTIONS[name]
        self.version = (
            f"{_VERSIONS[name]}, score > {rejection.score:g}, margin > {rejection.margin:g}, "
            f"onsets > {LEAST_ONSETS:g}/s, room {ROOM_VERSION}, "
            f"catalogue {catalogue.name} {catalogue.digest[:12]}"
        )

    @property
    def _index(self) -> pitch.PitchIndex | landmark.LandmarkIndex:
        return self.catalogue.pitch if self.name == "pitch" else self.catalogue.landmark

    async def __aenter__(self) -> CatalogueService:
        return self

    async def __aexit__(self, *exception: object) -> None:
        pass

    def search(self, segment: Segment) -> list[Found]:
        """The works most like a segment, best first, each by its best entry; none where the segment has too
        few onsets to tell. Onsets are counted in what was played, works are found in what is heard of it.
        """
        if len(landmark.peaks(segment.samples)[0]) < LEAST_ONSETS * segment.seconds:
            return []
        found: dict[Work, Found] = {}
        for candidate in self._index.search(through_room(segment)):
            entry = self.catalogue.entries[candidate.entry]
            if entry.work not in found:
                found[entry.work] = Found(
                    entry.work, entry.id, candidate.score, candidate.start, candidate.stretch
                )
        return list(found.values())[:_KEPT]

    async def ask(self, segment: Segment) -> Reply:
        return self.answer(segment)

    def answer(self, segment: Segment) -> Reply:
        """The name of the piece, or no answer; the best works with their scores are kept in the response."""
        found = self.search(segment)
        accepted = bool(found) and self.rejection.accepts(*best_and_second([f.score for f in found]))
        candidates = [
            {
                "entry": each.entry,
                "title": each.work.title,
                "score": round(each.score, 5),
                "start": round(each.start, 2),
                "stretch": round(each.stretch, 4),
            }
            for each in found
        ]
        work = found[0].work if accepted else None
        answer = Answer() if work is None else Answer(work.title, work.composer, work.collection or "")
        return Reply(answer, {"accepted": accepted, "candidates": candidates})


def best_and_second(scores: list[float]) -> tuple[float, float]:
    """The two best scores, of a list with the best first; 0 where there is no other."""
    best, second, *_ = [*scores, 0.0, 0.0]
    return best, second
