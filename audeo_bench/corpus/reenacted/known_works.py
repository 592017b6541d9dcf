"""Works that exist and that people have recorded, acted out before the simulated camera.

The scores are those that music21 travels with (``pip install 'audeo-bench[known-works]'``); nothing of them
is copied or shipped here. music21 is BSD licensed; its corpus holds works out of copyright in encodings
"distributed with the permission of the encoders", some of them not for commercial use
(``music21/corpus/license.txt``). The pianist is simulated, with the tempi below.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import ClassVar

import numpy as np

from audeo_bench.api import FRAMES_PER_SECOND, AudeoBenchError, Provenance, Recording, Work
from audeo_bench.corpus import Corpus
from audeo_bench.corpus.reenacted.recordings import clavier_work
from audeo_bench.corpus.simulated.acting import WORLD, ActedFrames, stream
from audeo_bench.corpus.simulated.composer import Piece
from audeo_bench.corpus.simulated.ear import listen
from audeo_bench.corpus.simulated.performer import BACH, ROMANTIC, Style, perform
from audeo_bench.roll import notes_to_roll
from audeo_bench.synth.fluidsynth import render

__all__ = ["KNOWN_WORKS", "KnownWorks", "piece_of"]

PHRASE_BARS = 8
"""A phrase's length for the simulated pianist, who slows at its end."""


@dataclass(frozen=True)
class Known:
    """A work, and where music21 has its score.

    Attributes
    ----------
    score : str
        As ``music21.corpus.parse`` takes it.
    tempo : float
        Quarter beats a minute.
    beats_per_bar : float
        Quarter beats.
    """

    score: str
    work: Work
    tempo: float
    beats_per_bar: float
    style: Style = BACH


def _polonaise(number: int, key: str) -> Known:
    title = f"Polonaise in {key}, Op. 1 No. {number}"
    work = Work("Clara Schumann", title, "Quatre Polonaises, Op. 1", number, key=key)
    return Known(f"schumann_clara/polonaise_op1n{number}", work, 96, 3, ROMANTIC)


KNOWN_WORKS: Mapping[str, Known] = {
    "bwv846-prelude": Known("bach/bwv846", clavier_work(1, 1, "Prelude"), 69, 4),
    "maple-leaf-rag": Known("joplin/maple_leaf_rag", Work("Scott Joplin", "Maple Leaf Rag"), 92, 2),
    "k545-allegro": Known(
        "mozart/k545/movement1_exposition",
        Work("Wolfgang Amadeus Mozart", "Piano Sonata No. 16 in C major, K. 545: I. Allegro", key="C major"),
        132,
        4,
    ),
    "mazurka-op6-2": Known(
        "chopin/mazurka06-2",
        Work("Frédéric Chopin", "Mazurka in C-sharp minor, Op. 6 No. 2", key="C-sharp minor"),
        132,
        3,
        ROMANTIC,
    ),
    "polonaise-op1-1": _polonaise(1, "E-flat major"),
    "polonaise-op1-2": _polonaise(2, "C major"),
    "polonaise-op1-3": _polonaise(3, "D major"),
    "polonaise-op1-4": _polonaise(4, "C major"),
}


@cache
def piece_of(name: str) -> Piece:
    """The score of a known work, repeats left out, ornaments as their main notes.

    Raises
    ------
    AudeoBenchError
        music21 is not installed, or came without its corpus.
    """
    from music21 import converter, corpus
    from music21.exceptions21 import Music21Exception

    known = KNOWN_WORKS[name]
    try:
        score = converter.parse(corpus.getWork(known.score))
    except Music21Exception as problem:
        raise AudeoBenchError(
            f"known-works: music21 cannot read {known.score} ({problem}); reinstall music21 with its corpus."
        ) from None
    rows = [
        (float(note.offset), float(note.quarterLength), pitch.midi, voice)
        for voice, part in enumerate(score.parts)  # type: ignore[union-attr]
        for note in part.stripTies().flatten().notes
        if note.quarterLength > 0
        for pitch in note.pitches
    ]
    onsets, durations, pitches, voices = _one_note_a_key(np.array(sorted(rows)))
    end = float((onsets + durations).max())
    phrase = known.beats_per_bar * PHRASE_BARS
    return Piece(
        id=name,
        title=known.work.title,
        work=known.work,
        onsets=onsets,
        durations=durations,
        pitches=pitches.astype(np.int64),
        voices=voices.astype(np.int8),
        tempo=known.tempo,
        beats_per_bar=known.beats_per_bar,
        cadences=np.append(np.arange(phrase, end - phrase / 2, phrase), end),
        right_voices=1,
    )


def _one_note_a_key(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Onset, duration, pitch and voice of each note, (n, 4), by onset and pitch; a key that is asked for
    while it is down is struck again, one that two voices strike together is struck once.
    """
    rows = rows[np.lexsort((-rows[:, 1], rows[:, 2], rows[:, 0]))]
    again = np.zeros(len(rows), bool)
    again[1:] = (np.diff(rows[:, 0]) == 0) & (np.diff(rows[:, 2]) == 0)
    rows = rows[~again]
    for pitch in np.unique(rows[:, 2]):
        places = np.flatnonzero(rows[:, 2] == pitch)
        rows[places[:-1], 1] = np.minimum(rows[places[:-1], 1], np.diff(rows[places, 0]))
    return rows[:, 0], rows[:, 1], rows[:, 2], rows[:, 3]


class KnownWorks(Corpus):
    """Real scores, a simulated pianist, ear and camera; the one split is ``known``.

    Raises
    ------
    AudeoBenchError
        music21 is not installed.
    """

    name: ClassVar[str] = "known-works"
    provenance: ClassVar[Provenance] = "re-enacted"

    def __init__(self, seed: int = 0) -> None:
        super().__init__(seed)
        if importlib.util.find_spec("music21") is None:
            raise AudeoBenchError(
                "corpus known-works: reads its scores from music21; pip install 'audeo-bench[known-works]'."
            )
        from music21._version import __version__

        self.version = f"{WORLD}+music21-{__version__}"

    def listing(self) -> Mapping[str, tuple[str, ...]]:
        return {"known": tuple(KNOWN_WORKS)}

    def work(self, recording_id: str) -> Work:
        return KNOWN_WORKS[recording_id].work

    def make(self, recording_id: str) -> Recording:
        known, known_as = KNOWN_WORKS[recording_id], f"{self.name}/{recording_id}"
        played = perform(piece_of(recording_id), stream(self.seed, known_as, "performer"), known.style)
        frames = round(played.seconds * FRAMES_PER_SECOND)
        seconds = frames / FRAMES_PER_SECOND
        heard = listen(played.notes, played.pedal, stream(self.seed, known_as, "ear"), seconds)
        return Recording(
            id=recording_id,
            title=f"{known.work.title} (re-enacted)",
            work=known.work,
            split="known",
            provenance=self.provenance,
            frames=ActedFrames(played.notes, played.hands, frames, self.seed, known_as),
            pressed=notes_to_roll(played.notes, frames),
            sounding=notes_to_roll(heard, frames),
            notes=heard,
            audio=partial(render, played.notes, played.pedal, seconds=seconds),
        )
