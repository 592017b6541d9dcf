"""How like real music the simulated compositions are: real beside simulated, printed as a Markdown table.

Run ``python -m audeo_bench.corpus.simulated.composer_likeness --shared FOLDER``, the folder with ``pianoyt`` and
``asap``. Real performances give what time is needed for; real scores, whose notated tempo says little, give the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pretty_midi
import typer
from rich import box
from rich.console import Console
from rich.table import Table

from audeo_bench.corpus.simulated.composer import Piece, compose

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
    """How many keys are down, 100 times over every beat's length."""
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


def _share(of: Callable[[np.ndarray], np.ndarray], quantity: Callable[[Music], np.ndarray]) -> Callable[[Music], float]:
    return lambda music: float(of(quantity(music)).mean() * 100)


def _steps_apart(music: Music) -> np.ndarray:
    return np.diff(np.unique(np.round(music.onsets, 2)))


MEASURES: dict[str, tuple[bool, Callable[[Music], float]]] = {
    "notes a second": (
        True,
        lambda music: len(music.pitches) / (music.offsets.max() * music.beat_seconds),
    ),
    "keys down, mean": (True, lambda music: float(keys_down(music).mean())),
    **{
        f"time with {count} keys down, %": (True, _share(lambda down, count=count: down == count, keys_down))
        for count in range(5)
    },
    "time with 5 or more keys down, %": (True, _share(lambda down: down >= 5, keys_down)),
    **{
        f"pitch, {percent} % below": (True, lambda music, percent=percent: float(np.percentile(music.pitches, percent)))
        for percent in (5, 25, 50, 75, 95)
    },
    "note length, median, quarter beats": (
        False,
        lambda music: float(np.median(music.offsets - music.onsets)),
    ),
    "time between onsets a sixteenth or less, %": (False, _share(lambda gap: gap < 0.27, _steps_apart)),
    "highest notes: repeated, %": (False, _share(lambda step: step == 0, _skyline)),
    "highest notes: a second, %": (False, _share(lambda step: (step > 0) & (step < 3), _skyline)),
    "highest notes: a third or fourth, %": (False, _share(lambda step: (step > 2) & (step < 6), _skyline)),
    "highest notes: a fifth to an octave, %": (False, _share(lambda step: (step > 5) & (step < 13), _skyline)),
    "on beats: unisons and octaves, %": (False, _share(lambda apart: apart == 0, _intervals_on_beats)),
    "on beats: thirds and sixths, %": (
        False,
        _share(lambda apart: np.isin(apart, (3, 4, 8, 9)), _intervals_on_beats),
    ),
    "on beats: fourths and fifths, %": (False, _share(lambda apart: np.isin(apart, (5, 7)), _intervals_on_beats)),
    "on beats: seconds, sevenths, tritones, %": (
        False,
        _share(lambda apart: np.isin(apart, (1, 2, 6, 10, 11)), _intervals_on_beats),
    ),
}
"""Name -> (whether performances rather than scores are the real ones, the measure)."""


def _cell(values: Iterable[float]) -> str:
    array = np.array(list(values))
    return f"{array.mean():.1f} ({array.min():.1f} to {array.max():.1f})" if array.size else "absent"


def likeness(shared: Path, seed: int = 0) -> Table:
    """Real beside simulated: the mean over pieces of each measure, and its range."""
    paths = [shared / "pianoyt" / "pianoyt_MIDI" / f"audio_{number}.0.midi" for number in PAPER_TEST]
    performances = [of_midi(path, performed=True) for path in paths if path.is_file()]
    scores = [
        of_midi(path, performed=False)
        for form in ("Prelude", "Fugue")
        for path in sorted((shared / "asap" / "Bach" / form).glob("*/midi_score.mid"))
    ]
    books = {book: [of_piece(compose(book, number, seed)) for number in range(1, 25)] for book in (1, 2)}
    table = Table(box=box.MARKDOWN)
    for heading in ("measure", "real", "simulated, Book I", "simulated, Book II"):
        table.add_column(heading, no_wrap=True)
    for name, (performed, measure) in MEASURES.items():
        real = performances if performed else scores
        table.add_row(
            f"{name} ({'performances' if performed else 'scores'})",
            _cell(map(measure, real)),
            *(_cell(map(measure, books[book])) for book in (1, 2)),
        )
    return table


def main(shared: Path = Path("../shared"), seed: int = 0) -> None:
    """Print the comparison."""
    Console(width=200).print(likeness(shared, seed))


if __name__ == "__main__":
    typer.run(main)
