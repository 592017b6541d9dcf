"""What goes into a catalogue: the simulated works and distractors, or a folder of one's own recordings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import scipy.fft

from audeo_bench.api import SAMPLE_RATE, AudeoBenchError, Work
from audeo_bench.formats.sound import read_sound
from audeo_bench.formats.text import read_csv
from audeo_bench.identify.catalogue.store import Source
from audeo_bench.progress import tell
from audeo_bench.roll import Notes

if TYPE_CHECKING:
    from audeo_bench.corpus.simulated.composer import Piece

DISTRACTORS = 500
REFERENCE_SEED = 1_000_003
"""Reference performers draw from a seed that no recording of the corpus uses."""
VOICES = (4, 5, 6)
"""General MIDI's electric pianos and harpsichord. Recordings and reconstructions are played on program 0; in
the bundled sound font the other pianos are made of that one's samples, these are not.
"""
DETUNED, EQUALISED, OCTAVES = 25.0, 6.0, 7
"""References are at most so many cents out of tune, and so many decibels louder or softer in an octave."""


@dataclass(frozen=True)
class SimulatedSource:
    """A reference performance of a simulated piece: another pianist, tempo and instrument than the queries'.

    Attributes
    ----------
    book : int
        1 or 2; 0 for a piece in another style, 3 for a distractor.
    number : int
        1..24, 1..9, or any index from 0.
    """

    book: int
    number: int
    seed: int = 0

    @property
    def id(self) -> str:
        prefix = ("other", "wtc1", "wtc2", "distractor")[self.book]
        return f"{prefix}-{self.number:02d}-reference"

    @property
    def work(self) -> Work:
        return self._piece().work

    def _piece(self):
        from audeo_bench.corpus.simulated import composer

        if self.book == 0:
            return composer.other_styles(self.seed)[self.number - 1]
        if self.book == 3:
            return composer.distractor(self.number, self.seed)
        return composer.compose(self.book, self.number, self.seed)

    def audio(self) -> np.ndarray:
        rng = np.random.default_rng([REFERENCE_SEED, self.seed, self.book, self.number])
        return reference_sound(self._piece(), rng)


def reference_sound(piece: Piece, rng: np.random.Generator) -> np.ndarray:
    """A piece as the catalogue knows it, float32 at 16 kHz: others than the queries' play and record it."""
    from audeo_bench.corpus.simulated.performer import Style, perform

    piece = replace(piece, tempo=piece.tempo * float(np.exp(rng.uniform(-0.17, 0.17))))
    style = Style(rubato=0.1, slowing=0.16, loudness=75, jitter=0.012, pedal=0.2)
    played = perform(piece, rng, style)
    return another_voice(played.notes, played.pedal, played.seconds, rng)


def another_voice(
    notes: Notes, pedal: np.ndarray | None, seconds: float | None, rng: np.random.Generator
) -> np.ndarray:
    """Notes on one of :data:`VOICES`, slightly out of tune, through an equaliser: (n,), float32, 16 kHz."""
    from audeo_bench.synth.fluidsynth import render

    program, cents = int(rng.choice(VOICES)), float(rng.uniform(-DETUNED, DETUNED))
    sound = render(notes, pedal, program=program, seconds=seconds, cents=cents)
    return equalised(sound, rng.uniform(-EQUALISED, EQUALISED, OCTAVES))


def equalised(sound: np.ndarray, decibels: np.ndarray) -> np.ndarray:
    """A sound, (n,), float32 at 16 kHz, through an equaliser: a slider an octave, the last below 8 kHz."""
    length = scipy.fft.next_fast_len(len(sound), real=True)
    hertz = np.maximum(scipy.fft.rfftfreq(length, 1 / SAMPLE_RATE), 1)
    slider = np.log2(hertz / (SAMPLE_RATE / 2)) + len(decibels) - 0.5
    gain = 10 ** (np.interp(slider, np.arange(len(decibels)), decibels) / 20)
    spectrum = np.asarray(scipy.fft.rfft(sound, length)) * gain.astype(np.float32)
    return np.asarray(scipy.fft.irfft(spectrum, length), np.float32)[: len(sound)]


@dataclass(frozen=True)
class KnownSource:
    """A reference performance of a work of the corpus ``known-works``, by its name there."""

    name: str
    number: int
    seed: int = 0

    @property
    def id(self) -> str:
        return f"{self.name}-reference"

    @property
    def work(self) -> Work:
        from audeo_bench.corpus.reenacted.known_works import KNOWN_WORKS

        return KNOWN_WORKS[self.name].work

    def audio(self) -> np.ndarray:
        from audeo_bench.corpus.reenacted.known_works import piece_of

        rng = np.random.default_rng([REFERENCE_SEED, self.seed, 4, self.number])
        return reference_sound(piece_of(self.name), rng)


def known_sources(seed: int = 0) -> list[Source]:
    """The works of ``known-works``."""
    from audeo_bench.corpus.reenacted.known_works import KNOWN_WORKS

    return [KnownSource(name, number, seed) for number, name in enumerate(KNOWN_WORKS)]


def simulated_sources(seed: int = 0, distractors: int = DISTRACTORS) -> list[Source]:
    """The works of both simulated books, the nine in other styles, and so many distractors."""
    works: list[Source] = [SimulatedSource(book, number, seed) for book in (1, 2) for number in range(1, 25)]
    works += [SimulatedSource(0, number, seed) for number in range(1, 10)]
    return works + [SimulatedSource(3, index, seed) for index in range(distractors)]


@dataclass(frozen=True)
class FileSource:
    """An audio or MIDI file."""

    path: Path
    work: Work

    @property
    def id(self) -> str:
        return self.path.stem

    def audio(self) -> np.ndarray:
        if self.path.suffix.lower() in (".mid", ".midi"):
            from audeo_bench.formats.midi import read_midi

            midi = read_midi(self.path, pedal="hold")
            tell(self.path, midi.remarks)
            return another_voice(midi.notes, None, None, np.random.default_rng(list(self.id.encode())))
        heard = read_sound(self.path)
        tell(self.path, heard.remarks)
        return heard.samples


def folder_sources(folder: Path, titles: Path) -> list[Source]:
    """The files that a CSV names, with their titles.

    Parameters
    ----------
    folder : Path
    titles : Path
        Columns ``file`` (relative to the folder) and ``title``; optional ``composer``, ``collection``,
        ``number``, ``bwv`` and ``key``. Files with equal titles are performances of one work.

    Raises
    ------
    AudeoBenchError
        If the CSV or a file that it names is missing, or a column or number is wrong.
    """
    rows = read_csv(titles, ("file", "title"), remedy="give a CSV with file,title")
    sources: list[Source] = []
    for line, row in enumerate(rows, 2):
        if not row.get("file") or not row.get("title"):
            raise AudeoBenchError(
                f"{titles}, line {line}: needs a file and a title; the header is file,title,..."
            )
        path = folder / row["file"]
        if not path.is_file():
            raise AudeoBenchError(f"{titles}, line {line}: {path} is no file that is there.")
        try:
            number, bwv = (int(row[column]) if row.get(column) else None for column in ("number", "bwv"))
        except ValueError:
            raise AudeoBenchError(f"{titles}, line {line}: number and bwv are whole numbers.") from None
        work = Work(
            row.get("composer") or "",
            row["title"],
            row.get("collection") or None,
            number,
            bwv,
            row.get("key") or None,
        )
        sources.append(FileSource(path, work))
    return sources
