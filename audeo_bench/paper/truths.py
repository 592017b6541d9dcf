"""How far two truths of the same films agree, which bounds what any system can score against one of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from audeo_bench.corpus.films.preparing import Job, prepared
from audeo_bench.corpus.films.recordings import counted
from audeo_bench.corpus.sets import films_of
from audeo_bench.corpus.sets.here import open_set
from audeo_bench.corpus.sets.labels import Place, labelled_frames
from audeo_bench.roll import FRAMES_PER_SECOND
from audeo_bench.score.frames import average, frame_counts

__all__ = ["Agreement", "agreements"]


@dataclass(frozen=True)
class Agreement:
    """One truth scored against another, as Table 1 scores a system.

    Attributes
    ----------
    film : str
    truth, beside : str
        Whose labels count, and whose are scored against them.
    frames : int
        For which both speak and which a system is scored on, from the first key of the truth on.
    paper, whole : float
        F1 in per cent: the mean over frames of the paper's 51 keys, and micro-averaged over all 88.
    """

    film: str
    truth: str
    beside: str
    frames: int
    paper: float
    whole: float


def agreements(place: str) -> list[Agreement]:
    """Every film of a set that is here with more than one truth.

    Parameters
    ----------
    place : str
        A set's name, or the path of its file.

    Raises
    ------
    AudeoBenchError
        No such set, or labels that cannot be read.
    """
    found = []
    name = open_set(place)[0].name
    for here in films_of(place):
        row, ready = here.film, prepared(Job(name, here))
        frames = round(here.seconds * FRAMES_PER_SECOND) if ready is None else ready.frames
        used = row if ready is None else ready
        row_place = Place(used.start_s or 0.0, used.rate, used.pitch_add)
        rolls = [
            labelled_frames(each.path, frames, Place() if each.in_film_time else row_place)[:2]
            for each in here.labels
        ]
        for labels, (other, spoken) in zip(here.labels[1:], rolls[1:], strict=True):
            truth, known = rolls[0]
            both = counted(row, known & spoken & (np.cumsum(truth.any(0)) > 0))
            if both.any():
                pair = truth[:, both], other[:, both].astype(np.float32)
                paper = average(frame_counts(*pair, (0.5,), "51")).f1
                whole = average(frame_counts(*pair, (0.5,), "88"), "micro").f1
                found.append(
                    Agreement(
                        row.id,
                        here.labels[0].by,
                        labels.by,
                        int(both.sum()),
                        round(100 * float(paper[0]), 1),
                        round(100 * float(whole[0]), 1),
                    )
                )
    return found
