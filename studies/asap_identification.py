"""How well does the pitch engine know real performances? ``python -m studies.asap_identification ASAP``.

The catalogue holds one performance of every piece of the ASAP dataset; the queries are 20-second excerpts
from other pianists' performances of the same pieces, as they are (``performed``), as a roll at 25 frames a
second (``clean``), and as rolls spoiled to a frame precision and recall of .65/.70 (``n2``) and .50/.55
(``n3``).

ASAP is not part of audeo-bench; get it from https://github.com/fosfrancesco/asap-dataset.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.progress import track

from audeo_bench.formats.midi import read_midi
from audeo_bench.identify.catalogue.pitch import Candidate, PitchIndex, salience
from audeo_bench.identify.segments import SEGMENT_SECONDS
from audeo_bench.roll import FRAMES_PER_SECOND, Notes, notes_to_roll
from audeo_bench.synth.fluidsynth import render, render_roll
from studies.noise import degrade
from studies.tables import Keep, Table, show

CATALOGUE_PROGRAM, QUERY_PROGRAM = 1, 0
NOISE = {"n2": (0.65, 0.70), "n3": (0.50, 0.55)}
LEAST_SCORE = 0.35


def performances(folder: Path) -> dict[str, list[Path]]:
    """Performance files by piece, sorted."""
    pieces: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*.mid")):
        if path.name != "midi_score.mid":
            pieces.setdefault(str(path.parent.relative_to(folder)), []).append(path)
    return pieces


def excerpt(notes: Notes, pedal: np.ndarray, start: float) -> tuple[Notes, np.ndarray]:
    """The notes and pedal of 20 seconds, timed from their beginning."""
    stop = start + SEGMENT_SECONDS
    inside = (notes.intervals[:, 1] > start) & (notes.intervals[:, 0] < stop)
    intervals = np.clip(notes.intervals[inside] - start, 0, SEGMENT_SECONDS)
    held = pedal[(pedal[:, 1] > start) & (pedal[:, 0] < stop)] - start
    return Notes(intervals, notes.pitches[inside], notes.velocities[inside]), np.clip(
        held, 0, SEGMENT_SECONDS
    )


def sounds(notes: Notes, pedal: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """One excerpt in every condition."""
    roll = notes_to_roll(notes, SEGMENT_SECONDS * FRAMES_PER_SECOND)
    found = {
        "performed": render(notes, pedal, program=QUERY_PROGRAM, seconds=SEGMENT_SECONDS),
        "clean": render_roll(roll, program=QUERY_PROGRAM),
    }
    for name, (precision, recall) in NOISE.items():
        found[name] = render_roll(degrade(roll, precision, recall, rng), program=QUERY_PROGRAM)
    return found


def score_and_margin(candidates: list[Candidate], absent: int | None = None) -> tuple[int, float, float]:
    """Best entry, its score, and the distance to the second; ``absent`` is left out, as if unknown."""
    known = [candidate for candidate in candidates if candidate.entry != absent]
    return known[0].entry, known[0].score, known[0].score - known[1].score


def main(
    asap: Annotated[Path, typer.Argument(help="ASAP's root folder.")],
    pieces: Annotated[int | None, typer.Option(help="Only the first so many pieces.")] = None,
    excerpts: Annotated[int, typer.Option(help="Excerpts of each queried performance.")] = 1,
    keep: Keep = None,
) -> None:
    """Print how well the pitch engine knows excerpts of other pianists' performances."""
    chosen = dict(list(performances(asap).items())[:pieces])
    if not chosen:
        typer.echo(f"{asap}: no performances (*.mid) found; give the folder of the ASAP dataset.", err=True)
        raise typer.Exit(2)
    frames, rng = [], np.random.default_rng(0)
    for paths in track(chosen.values(), description="catalogue"):
        midi = read_midi(paths[0])
        frames.append(salience(render(midi.notes, midi.pedal, program=CATALOGUE_PROGRAM)))
    index = PitchIndex(np.concatenate(frames), np.cumsum([0, *map(len, frames)]))
    hours = sum(map(len, frames)) / 2.5 / 3600
    results: dict[str, list[tuple[bool, float, float, float, float]]] = {}
    seconds = 0.0
    queried = [(entry, path) for entry, paths in enumerate(chosen.values()) for path in paths[1:]]
    for entry, path in track(queried, description="queries"):
        midi = read_midi(path)
        notes, pedal = midi.notes, midi.pedal
        earliest = float(notes.intervals[:, 0].min())  # one file begins with four silent minutes
        latest = max(earliest, float(notes.intervals[:, 1].max()) - SEGMENT_SECONDS)
        for start in rng.uniform(earliest, latest, excerpts):
            for name, audio in sounds(*excerpt(notes, pedal, start), rng).items():
                begun = time.process_time()
                candidates = index.search(audio)
                seconds += time.process_time() - begun
                best, score, margin = score_and_margin(candidates)
                _, other_score, other_margin = score_and_margin(candidates, absent=entry)
                results.setdefault(name, []).append((best == entry, score, margin, other_score, other_margin))
    asked = sum(map(len, results.values()))
    cells = []
    for name, rows in results.items():
        right, score, margin, other_score, other_margin = map(np.asarray, zip(*rows, strict=True))
        false = np.where(other_score > LEAST_SCORE, other_margin, 0)
        threshold = np.quantile(false, 0.98)
        identified = right & (score > LEAST_SCORE) & (margin > threshold)
        shares = (f"{100 * right.mean():.1f}", f"{100 * identified.mean():.1f}")
        cells.append((name, str(len(rows)), *shares, f"{threshold:.3f}", f"{np.median(margin):.3f}"))
    header = (
        "queries",
        "n",
        "top-1 %",
        "identified % at 2 % false accepts",
        "margin for that",
        "median margin",
    )
    asked_of = (
        f"{len(chosen)} pieces, {hours:.1f} h; {asked} queries, {1000 * seconds / asked:.1f} ms CPU each"
    )
    show([Table(header, tuple(cells))], keep, asked=asked_of)


if __name__ == "__main__":
    typer.run(main)
