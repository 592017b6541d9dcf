"""What does a rate of Table 2 mean? The offline listeners' rates against the onset F1 of spoiled rolls.

``python -m studies.listener_calibration`` spoils true rolls of the identification test by
:func:`audeo_bench.training.misread.misread`, plays them as contestants' rolls are played, and asks both
listeners about every segment of the first minute. The thresholds are found on another corpus seed, with other
works in recordings and catalogue: ``audeo_bench.identify.catalogue.engine.REJECTIONS`` holds them.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.progress import track

from audeo_bench.api import SAMPLE_RATE, Recording
from audeo_bench.corpus import open_corpus
from audeo_bench.identify.catalogue.engine import (
    REJECTIONS,
    CatalogueService,
    EngineName,
    Rejection,
    best_and_second,
)
from audeo_bench.identify.catalogue.sources import simulated_sources
from audeo_bench.identify.catalogue.store import build
from audeo_bench.identify.players import true_sound
from audeo_bench.identify.segments import cut
from audeo_bench.identify.table import interval_over_performances
from audeo_bench.roll import FRAMES_PER_SECOND, roll_to_notes
from audeo_bench.score.notes import note_counts
from audeo_bench.synth.fluidsynth import render_roll
from audeo_bench.training.misread import misread
from studies.tables import Keep, Table, show

SECONDS = 60
"""Of each performance."""
LEVELS = ((0.05, 0.015), (0.15, 0.03), (0.3, 0.03), (0.4, 0.04), (0.5, 0.05), (0.7, 0.06))
"""Share of notes missed, and again invented, and the standard deviation of their times in seconds."""
TRUTH = "the recording"
ALLOWED = 0.01
"""False accepts with which the thresholds are found, so that another seed keeps below 2 %."""


@dataclass(frozen=True)
class Asked:
    """What one listener found in one segment.

    Attributes
    ----------
    sound : str
    onset_f1 : float
        Of the roll that was played, over the whole minute; 1 for the recording.
    own : bool
        The best work is the one that was played.
    found, others : (float, float)
        The scores of the best two works, and of the best two with the played one left out.
    """

    listener: str
    sound: str
    performance: str
    onset_f1: float
    own: bool
    found: tuple[float, float]
    others: tuple[float, float]


def sounds(recording: Recording, seed: int) -> Iterator[tuple[str, float, np.ndarray]]:
    """What is played of a recording: a name, the onset F1 within 50 ms of its notes, and 16 kHz samples."""
    yield TRUTH, 1.0, true_sound(recording)[: SECONDS * SAMPLE_RATE]
    roll = np.asarray(recording.sounding[:, : SECONDS * FRAMES_PER_SECOND], bool)
    yield "true roll, 25 frames a second", 1.0, render_roll(roll)
    true = roll_to_notes(roll)
    for level, (share, jitter) in enumerate(LEVELS):
        spoiled = misread(roll, np.random.default_rng([seed, level]), share, share, jitter)
        counts = note_counts(true, roll_to_notes(spoiled))["onset@50"]
        name = f"{100 * share:.0f} % missed, {100 * share:.0f} % invented, {1000 * jitter:.0f} ms"
        yield name, counts.f1, render_roll(spoiled)


def listen(seed: int, recordings: int, distractors: int) -> list[Asked]:
    """Ask both listeners about every sound of so many performances of a corpus, spread over it."""
    corpus = open_corpus("simulated", seed=seed)
    names = [*corpus.ids("wtc1-variants"), *corpus.ids("wtc2-other")]
    chosen = [names[place] for place in np.linspace(0, len(names) - 1, recordings).round().astype(int)]
    found = []
    with tempfile.TemporaryDirectory() as folder:
        sources = simulated_sources(seed, distractors)
        catalogue = build(sources, Path(folder) / "catalogue", "study", "simulated", workers=1)
        listeners = [CatalogueService(name, catalogue) for name in REJECTIONS]
        for place, name in enumerate(track(chosen, f"seed {seed}")):
            recording = corpus.recording(name)
            for sound, onset_f1, samples in sounds(recording, place):
                for segment in cut(samples, name, name):
                    for listener in listeners:
                        works = listener.search(segment)
                        others = [each.score for each in works if each.work.title != recording.work.title]
                        own = bool(works) and works[0].work.title == recording.work.title
                        scores = best_and_second([each.score for each in works])
                        found.append(
                            Asked(listener.name, sound, name, onset_f1, own, scores, best_and_second(others))
                        )
    return found


def least_margin(asked: Sequence[Asked], score: float) -> float:
    """The least margin, in thousandths, with which no more than :data:`ALLOWED` is accepted falsely."""
    margins = (step / 1000 for step in range(1000))
    return next(margin for margin in margins if false_accepts(asked, Rejection(score, margin)) <= ALLOWED)


def false_accepts(asked: Sequence[Asked], rejection: Rejection) -> float:
    """Share of the segments that are named with the right piece left out of the catalogue."""
    return float(np.mean([rejection.accepts(*each.others) for each in asked]))


def curve(asked: Sequence[Asked], listeners: Sequence[EngineName] = tuple(REJECTIONS)) -> Table:
    """The rate of segments named rightly, with its interval over performances, for every sound."""
    rows = []
    for sound in dict.fromkeys(each.sound for each in asked):
        onset_f1 = np.mean([each.onset_f1 for each in asked if each.sound == sound])
        cells = [sound, f"{100 * onset_f1:.0f}"]
        for listener in listeners:
            rejection = REJECTIONS[listener]
            here = [each for each in asked if (each.sound, each.listener) == (sound, listener)]
            strips = defaultdict(list)
            for each in here:
                named = each.own and rejection.accepts(*each.found)
                strips[each.performance].append("right" if named else "nothing")
            rate = 100 * np.mean([found == "right" for strip in strips.values() for found in strip])
            low, high = interval_over_performances(strips) or (0.0, 100.0)
            cells += [f"{rate:.0f} ({low:.0f} to {high:.0f})", f"{100 * false_accepts(here, rejection):.1f}"]
        rows.append(tuple(cells))
    header = ("sound", "onset F1", *(title for name in listeners for title in (f"`{name}` right", "false")))
    return Table(header, tuple(rows))


def thresholds(fitted: Sequence[Asked], tested: Sequence[Asked]) -> Table:
    """What is in use, what would be found today, and the false accepts of both corpora."""
    rows = []
    for name, rejection in REJECTIONS.items():
        here, there = ([each for each in asked if each.listener == name] for asked in (fitted, tested))
        cells = (f"{100 * false_accepts(asked, rejection):.1f}" for asked in (here, there))
        least = least_margin(here, rejection.score)
        rows.append((f"`{name}`", f"{rejection.score:g}", f"{least:g}", f"{rejection.margin:g}", *cells))
    header = ("listener", "score", "margin found", "margin in use", "false %", "false % on the other seed")
    return Table(header, tuple(rows))


def main(
    recordings: Annotated[int, typer.Option(min=2, help="Performances of each corpus seed.")] = 12,
    seed: Annotated[int, typer.Option(help="Corpus seed of the curves.")] = 0,
    fit_seed: Annotated[int, typer.Option(help="Corpus seed on which margins are found.")] = 1,
    distractors: Annotated[int, typer.Option(help="Of each catalogue, beside its 57 works.")] = 60,
    keep: Keep = None,
) -> None:
    """Print both listeners' rates against onset F1, and how their thresholds are found."""
    fitted, tested = (listen(each, recordings, distractors) for each in (fit_seed, seed))
    wrong = sum(not each.own and REJECTIONS[each.listener].accepts(*each.found) for each in tested)  # type: ignore[index]
    segments = sum(each.sound == TRUTH for each in tested) // len(REJECTIONS)
    facts = (
        f"{segments} segments of {recordings} performances, {57 + distractors} works, corpus seed {seed}; "
        f"margins found on seed {fit_seed}; {wrong} wrong names of {len(tested)} answers"
    )
    show([curve(tested), thresholds(fitted, tested)], keep, asked=facts)


if __name__ == "__main__":
    typer.run(main)
