"""How like real music the simulated compositions are: ``python -m studies.composer_likeness --help``.

Real performances (PianoYT) are the measure where time counts; real scores (ASAP), whose notated tempo says
little, where it does not.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import pretty_midi
import typer

from audeo_bench.corpus.simulated.composer import Piece, compose
from studies.tables import Keep, Table, show

PAPER_TEST = (169, 168, 167)
"""PianoYT numbers of the paper's test recordings."""


class Music(NamedTuple):
    """Notes in quarter beats, and how many seconds such a beat lasts (NaN where nobody plays)."""

    onsets: np.ndarray
    offsets: np.ndarray
    pitches: np.ndarray
    beat_seconds: float


def of_piece(piece: Piece) -> Music:
    return Music(piece.onsets, piece.onsets + piece.durations, piece.pitches, 60 / piece.tempo)


def of_midi(path: Path, performed: bool) -> Music:
    """A MIDI file; a performance counts in seconds, a score in quarter beats."""
    midi = pretty_midi.PrettyMIDI(str(path))
    notes = sorted((note.start, note.pitch, note.end) for part in midi.instruments for note in part.notes)
    onsets, pitches, offsets = (np.array(column) for column in zip(*notes, strict=True))
    if performed:
        return Music(onsets, offsets, pitches, 1.0)
    in_beats = np.vectorize(lambda second: midi.time_to_tick(second) / midi.resolution, otypes=[float])
    return Music(in_beats(onsets), in_beats(offsets), pitches, np.nan)


def keys_down(music: Music) -> np.ndarray:
    """How many keys are down, at regular times."""
    times = np.arange(0, music.offsets.max(), 0.01 if music.beat_seconds == 1 else 0.05)
    started = np.searchsorted(np.sort(music.onsets), times, "right")
    return started - np.searchsorted(np.sort(music.offsets), times, "right")


def _skyline(music: Music) -> np.ndarray:
    """Sizes of the steps, in semitones, between the highest notes of successive onsets."""
    _, first = np.unique(np.round(music.onsets, 2), return_index=True)
    return np.abs(np.diff(np.maximum.reduceat(music.pitches, first)))


def _intervals_on_beats(music: Music) -> np.ndarray:
    """Intervals, modulo the octave, between all notes that sound on a quarter beat."""
    found: list[np.ndarray] = []
    for beat in np.arange(0, music.offsets.max(), 1.0):
        sounding = np.unique(music.pitches[(music.onsets <= beat + 0.01) & (music.offsets > beat + 0.02)])
        lower, upper = np.triu_indices(len(sounding), 1)
        found.append((sounding[upper] - sounding[lower]) % 12)
    return np.concatenate(found)


def _steps_apart(music: Music) -> np.ndarray:
    return np.diff(np.unique(np.round(music.onsets, 2)))


def _percent(hits: np.ndarray) -> float:
    return float(hits.mean() * 100)


def in_time(music: Music) -> dict[str, float]:
    """What a performance shows: density, keys down, pitches."""
    down = keys_down(music)
    return {
        "notes a second": len(music.pitches) / (music.offsets.max() * music.beat_seconds),
        "keys down, mean": float(down.mean()),
        **{f"time with {count} keys down, %": _percent(down == count) for count in range(5)},
        "time with 5 or more keys down, %": _percent(down >= 5),
        **{
            f"pitch, {rank} % below": float(np.percentile(music.pitches, rank))
            for rank in (5, 25, 50, 75, 95)
        },
    }


def on_paper(music: Music) -> dict[str, float]:
    """What a score shows: rhythm, melodic steps of the highest notes, intervals on the beats."""
    step, apart = _skyline(music), _intervals_on_beats(music)
    return {
        "note length, median, quarter beats": float(np.median(music.offsets - music.onsets)),
        "time between onsets a sixteenth or less, %": _percent(_steps_apart(music) < 0.27),
        "highest notes: repeated, %": _percent(step == 0),
        "highest notes: a second, %": _percent((step > 0) & (step < 3)),
        "highest notes: a third or fourth, %": _percent((step > 2) & (step < 6)),
        "highest notes: a tritone to an octave, %": _percent((step > 5) & (step < 13)),
        "on beats: unisons and octaves, %": _percent(apart == 0),
        "on beats: thirds and sixths, %": _percent(np.isin(apart, (3, 4, 8, 9))),
        "on beats: fourths and fifths, %": _percent(np.isin(apart, (5, 7))),
        "on beats: seconds, sevenths, tritones, %": _percent(np.isin(apart, (1, 2, 6, 10, 11))),
    }


def _cell(values: Iterable[float]) -> str:
    array = np.array(list(values))
    return f"{array.mean():.1f} ({array.min():.1f} to {array.max():.1f})" if array.size else "absent"


def likeness(pianoyt: Path | None, asap: Path | None, seed: int = 0) -> Table:
    """Real beside simulated: the mean over pieces of each measure, and its range."""
    played = [pianoyt / "pianoyt_MIDI" / f"audio_{number}.0.midi" for number in PAPER_TEST] if pianoyt else []
    performances = [of_midi(path, performed=True) for path in played]
    written = [
        path
        for form in ("Prelude", "Fugue")
        for path in (sorted((asap / "Bach" / form).glob("*/midi_score.mid")) if asap else ())
    ]
    scores = [of_midi(path, performed=False) for path in written]
    books = {book: [of_piece(compose(book, number, seed)) for number in range(1, 25)] for book in (1, 2)}
    rows = []
    for measures, real, kind in ((in_time, performances, "performances"), (on_paper, scores, "scores")):
        columns = [[measures(music) for music in pieces] for pieces in (real, books[1], books[2])]
        for name in columns[1][0]:
            cells = (_cell(measured[name] for measured in column) for column in columns)
            rows.append((f"{name} ({kind})", *cells))
    return Table(("measure", "real", "simulated, Book I", "simulated, Book II"), tuple(rows))


def main(
    pianoyt: Annotated[Path | None, typer.Option(help="PianoYT's root folder: real performances.")] = None,
    asap: Annotated[Path | None, typer.Option(help="ASAP's root folder: real scores.")] = None,
    seed: int = 0,
    keep: Keep = None,
) -> None:
    """Print how like real music the simulated compositions are."""
    show([likeness(pianoyt, asap, seed)], keep)


if __name__ == "__main__":
    typer.run(main)
