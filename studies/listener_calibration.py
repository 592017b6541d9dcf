"""What does a rate of Table 2 mean? The offline listeners' rates against the onset F1 of spoiled rolls.

``python -m studies.listener_calibration`` spoils true rolls of the identification test by
:func:`audeo_bench.training.misread.misread`, plays them as contestants' rolls are played, and asks both
listeners about every segment of the first minute. The thresholds are found on another corpus seed, with other
works in recordings and catalogue: ``audeo_bench.identify.catalogue.engine.REJECTIONS`` holds them. With
``--asap FOLDER`` both are also asked about real performances: the catalogue then has one pianist's of every
piece of the ASAP dataset (https://github.com/fosfrancesco/asap-dataset), and others play.
"""

from __future__ import annotations

import re
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.progress import track

from audeo_bench.api import SAMPLE_RATE, Work
from audeo_bench.corpus import open_corpus
from audeo_bench.formats.midi import read_midi
from audeo_bench.identify.catalogue.engine import (
    REJECTIONS,
    CatalogueService,
    EngineName,
    Rejection,
    best_and_second,
)
from audeo_bench.identify.catalogue.sources import FileSource, simulated_sources
from audeo_bench.identify.catalogue.store import Source, build
from audeo_bench.identify.players import true_sound
from audeo_bench.identify.segments import cut
from audeo_bench.identify.table import interval_over_performances
from audeo_bench.roll import FRAMES_PER_SECOND, Notes, notes_to_roll, roll_to_notes
from audeo_bench.score.notes import note_counts
from audeo_bench.synth.fluidsynth import render, render_roll
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
class Played:
    """The first minute of a performance that the listeners are asked about.

    Attributes
    ----------
    name, title : str
        Of the performance, and of the work.
    sound : np.ndarray, shape (n,), float32
        The recording, at 16 kHz.
    roll : np.ndarray, shape (88, T), bool
        What sounds in it.
    """

    name: str
    title: str
    sound: np.ndarray
    roll: np.ndarray


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


def sounds(played: Played, seed: int) -> Iterator[tuple[str, float, np.ndarray]]:
    """What is played of a performance: a name, the onset F1 within 50 ms of its notes, and 16 kHz samples."""
    yield TRUTH, 1.0, played.sound
    yield "true roll, 25 frames a second", 1.0, render_roll(played.roll)
    true = roll_to_notes(played.roll)
    for level, (share, jitter) in enumerate(LEVELS):
        spoiled = misread(played.roll, np.random.default_rng([seed, level]), share, share, jitter)
        counts = note_counts(true, roll_to_notes(spoiled))["onset@50"]
        name = f"{100 * share:.0f} % missed, {100 * share:.0f} % invented, {1000 * jitter:.0f} ms"
        yield name, counts.f1, render_roll(spoiled)


def simulated(seed: int, count: int) -> Iterator[Played]:
    """So many performances of the identification test, spread over it."""
    corpus = open_corpus("simulated", seed=seed)
    names = [*corpus.ids("wtc1-variants"), *corpus.ids("wtc2-other")]
    for place in np.linspace(0, len(names) - 1, count).round().astype(int):
        recording = corpus.recording(names[place])
        sound = true_sound(recording)[: SECONDS * SAMPLE_RATE]
        roll = np.asarray(recording.sounding[:, : SECONDS * FRAMES_PER_SECOND], bool)
        yield Played(recording.id, recording.work.title, sound, roll)


def asap_pieces(folder: Path) -> dict[str, list[Path]]:
    """Performances by piece, both sorted; with its repeats or without, it is one piece."""
    pieces: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.rglob("*.mid")):
        if path.name != "midi_score.mid":
            pieces[re.sub(r"_(no_.*|repeat)$", "", str(path.parent.relative_to(folder)))].append(path)
    if not pieces:
        typer.echo(f"{folder}: no performances (*.mid) found; give the folder of the ASAP dataset.", err=True)
        raise typer.Exit(2)
    return pieces


def real(pieces: dict[str, list[Path]], count: int) -> Iterator[Played]:
    """So many performances by others than the catalogue's pianists, spread over the pieces."""
    others = [(piece, path) for piece, paths in pieces.items() for path in paths[1:]]
    for place in np.unique(np.linspace(0, len(others) - 1, count).round().astype(int)):
        piece, path = others[place]
        midi = read_midi(path)
        first = midi.notes.intervals[:, 0].min()  # one file begins with four silent minutes
        sound = render(_later(midi.notes, first), midi.pedal - first, seconds=SECONDS)
        heard = notes_to_roll(_later(read_midi(path, pedal="hold").notes, first), SECONDS * FRAMES_PER_SECOND)
        yield Played(f"{piece}/{path.stem}", piece, sound, heard)


def _later(notes: Notes, first: float) -> Notes:
    return Notes(notes.intervals - first, notes.pitches, notes.velocities)


def listen(played: Iterable[Played], sources: list[Source], total: int) -> list[Asked]:
    """Ask both listeners, who know the sources, about every sound of every performance."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        catalogue = build(sources, Path(folder) / "catalogue", "study", "study")
        listeners = [CatalogueService(name, catalogue) for name in REJECTIONS]
        for place, one in enumerate(track(played, "performances", total)):
            for sound, onset_f1, samples in sounds(one, place):
                for segment in cut(samples, one.name, one.name):
                    for listener in listeners:
                        works = listener.search(segment)
                        others = [each.score for each in works if each.work.title != one.title]
                        own = bool(works) and works[0].work.title == one.title
                        scores = best_and_second([each.score for each in works])
                        rest = best_and_second(others)
                        found.append(Asked(listener.name, sound, one.name, onset_f1, own, scores, rest))
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


def asked_about(asked: Sequence[Asked]) -> str:
    """How much was asked, and how often another work was named, for a caption."""
    segments = sum(each.sound == TRUTH for each in asked) // len(REJECTIONS)
    performances = len({each.performance for each in asked})
    wrong = sum(not each.own and REJECTIONS[each.listener].accepts(*each.found) for each in asked)  # type: ignore[index]
    shares = [
        f"{name} {100 * false_accepts([each for each in asked if each.listener == name], rejection):.1f} %"
        for name, rejection in REJECTIONS.items()
    ]
    return (
        f"{segments} segments of {performances} performances; {wrong} wrong names of {len(asked)} answers; "
        f"false accepts {', '.join(shares)}"
    )


def main(
    recordings: Annotated[int, typer.Option(min=2, help="Performances of each corpus seed.")] = 12,
    seed: Annotated[int, typer.Option(help="Corpus seed of the curves.")] = 0,
    fit_seed: Annotated[int, typer.Option(help="Corpus seed on which margins are found.")] = 1,
    distractors: Annotated[int, typer.Option(help="Of each catalogue, beside its 57 works.")] = 60,
    asap: Annotated[Path | None, typer.Option(help="ASAP's root folder: also ask about real ones.")] = None,
    keep: Keep = None,
) -> None:
    """Print both listeners' rates against onset F1, and how their thresholds are found."""
    fitted, tested = (
        listen(simulated(each, recordings), simulated_sources(each, distractors), recordings)
        for each in (fit_seed, seed)
    )
    facts = {
        "asked": f"corpus seed {seed}, {57 + distractors} works: {asked_about(tested)}; margins of {fit_seed}"
    }
    tables = [curve(tested), thresholds(fitted, tested)]
    if asap is not None:
        pieces = asap_pieces(asap)
        known = [FileSource(paths[0], Work("", piece)) for piece, paths in pieces.items()]
        performed = listen(real(pieces, recordings), list(known), recordings)
        facts["asked of ASAP"] = f"{len(pieces)} pieces: {asked_about(performed)}"
        tables.append(curve(performed))
    show(tables, keep, **facts)


if __name__ == "__main__":
    typer.run(main)
