"""Real performances, simulated camera: provenance ``re-enacted``.

``audeo-reenacted`` acts out the labels of the paper's own recordings, as PianoYT publishes them; ``asap``
acts out performances on Disklavier pianos. Both need local data, registered once by ``audeo-bench data add``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import ClassVar

import numpy as np

from audeo_bench.api import Provenance, Recording, Work
from audeo_bench.corpus import Corpus
from audeo_bench.corpus.reenacted.pianoyt import LABELS, Label
from audeo_bench.corpus.reenacted.pressing import key_presses
from audeo_bench.corpus.registry import find
from audeo_bench.corpus.simulated.acting import WORLD, ActedFrames, stream
from audeo_bench.corpus.simulated.ear import listen
from audeo_bench.corpus.simulated.fingering import split_hands
from audeo_bench.formats.midi import read_midi
from audeo_bench.roll import FRAMES_PER_SECOND, Notes, notes_to_roll
from audeo_bench.synth.fluidsynth import render

__all__ = ["AsapReenacted", "AudeoReenacted", "clavier_work"]

VALIDATION_NUMBERS = (5, 14, 21)
"""Of Book I; the same works as in the simulated corpus."""
LEAD_SECONDS = 0.5
"""Kept before the first note: the videos open with ten seconds of title."""
TAIL_SECONDS = 1.0
TONICS = ("C", "C-sharp", "D", "E-flat", "E", "F", "F-sharp", "G", "A-flat", "A", "B-flat", "B")
MINOR_TONICS = {3: {1: "E-flat", 2: "D-sharp"}, 8: {1: "G-sharp", 2: "G-sharp"}}
"""Where Bach spells the minor key otherwise than the major one: place in the scale -> book -> tonic."""


def clavier_work(book: int, number: int, part: str = "Prelude and Fugue") -> Work:
    """Bach's Well-Tempered Clavier: book 1 or 2, number 1..24.

    Parameters
    ----------
    part : str
        ``Prelude``, ``Fugue`` or ``Prelude and Fugue``.
    """
    place, minor = divmod(number - 1, 2)
    tonic = MINOR_TONICS.get(place, {}).get(book, TONICS[place]) if minor else TONICS[place]
    key = f"{tonic} {'minor' if minor else 'major'}"
    bwv = (845, 869)[book - 1] + number
    collection = f"The Well-Tempered Clavier, Book {'I' * book}"
    title = f"{part} No. {number} in {key}, BWV {bwv}"
    return Work("Johann Sebastian Bach", title, collection=collection, number=number, bwv=bwv, key=key)


class AudeoReenacted(Corpus):
    """The paper's recordings by their published labels: ``wtc2`` is its test set; 18 of its 24
    training recordings are ``wtc1`` (15) and ``validation`` (3).

    ``sounding`` and ``notes`` are the real labels, made from the real sound by Onsets and Frames. ``pressed``
    is what was acted out, derived by :func:`.pressing.key_presses`. ``audio`` is the labels through
    FluidSynth, since the real sound is not published. The ten seconds of title that open each video
    are left out.
    """

    name: ClassVar[str] = "audeo-reenacted"
    provenance: ClassVar[Provenance] = "re-enacted"

    def __init__(self, seed: int = 0) -> None:
        super().__init__(seed)
        self.data = find("pianoyt")
        self.version = WORLD if self.data.as_published else f"{WORLD}+{self.data.fingerprint}"
        self._labels = {f"wtc{label.book}-{label.number:02d}": label for label in LABELS}

    def listing(self) -> Mapping[str, tuple[str, ...]]:
        return clavier_listing({name: (label.book, label.number) for name, label in self._labels.items()})

    def work(self, recording_id: str) -> Work:
        label = self._labels[recording_id]
        return clavier_work(label.book, label.number)

    def make(self, recording_id: str) -> Recording:
        label: Label = self._labels[recording_id]
        heard = _from_first_note(read_midi(self.data.open(label.file)).notes)
        frames = math.ceil(heard.intervals[:, 1].max() * FRAMES_PER_SECOND)
        pressed, hands = key_presses(heard)
        work = self.work(recording_id)
        return Recording(
            id=recording_id,
            title=f"{work.title} (re-enacted)",
            work=work,
            split=self.split_of(recording_id),
            provenance=self.provenance,
            frames=ActedFrames(pressed, hands, frames, self.seed, f"{self.name}/{recording_id}"),
            pressed=notes_to_roll(pressed, frames),
            sounding=notes_to_roll(heard, frames),
            notes=heard,
            audio=partial(render, heard, seconds=frames / FRAMES_PER_SECOND),
        )


class AsapReenacted(Corpus):
    """Disklavier performances of the Well-Tempered Clavier: true keys and pedal, simulated ear and camera.

    A recording is one pianist's prelude or fugue. Splits by book: BWV 846-869 ``wtc1``, 870-893 ``wtc2``.
    """

    name: ClassVar[str] = "asap"
    provenance: ClassVar[Provenance] = "re-enacted"

    def __init__(self, seed: int = 0) -> None:
        super().__init__(seed)
        self.data = find("asap")
        self.version = f"{WORLD}+{self.data.fingerprint}"
        self._files: dict[str, tuple[str, int, int, str]] = {}
        for file in self.data.files:
            _, part, folder, performance = file.split("/")
            bwv = int(folder.removeprefix("bwv_"))
            book, number = (1, bwv - 845) if bwv < 870 else (2, bwv - 869)
            name = f"wtc{book}-{number:02d}-{part.lower()}-{performance.removesuffix('.mid')}"
            self._files[name] = (file, book, number, part)

    def listing(self) -> Mapping[str, tuple[str, ...]]:
        return clavier_listing({name: (book, number) for name, (_, book, number, _) in self._files.items()})

    def work(self, recording_id: str) -> Work:
        _, book, number, part = self._files[recording_id]
        return clavier_work(book, number, part)

    def make(self, recording_id: str) -> Recording:
        file = self._files[recording_id][0]
        midi = read_midi(self.data.open(file))
        pressed, pedal = midi.notes, midi.pedal
        frames = math.ceil((pressed.intervals[:, 1].max() + TAIL_SECONDS) * FRAMES_PER_SECOND)
        seconds = frames / FRAMES_PER_SECOND
        known_as = f"{self.name}/{recording_id}"
        heard = listen(pressed, pedal, stream(self.seed, known_as, "ear"), seconds)
        work = self.work(recording_id)
        return Recording(
            id=recording_id,
            title=f"{work.title} (re-enacted)",
            work=work,
            split=self.split_of(recording_id),
            provenance=self.provenance,
            frames=ActedFrames(pressed, split_hands(pressed), frames, self.seed, known_as),
            pressed=notes_to_roll(pressed, frames),
            sounding=notes_to_roll(heard, frames),
            notes=heard,
            audio=partial(render, pressed, pedal, seconds=seconds),
        )


def clavier_listing(places: Mapping[str, tuple[int, int]]) -> dict[str, tuple[str, ...]]:
    """Splits of recordings by their book and number; validation is cut from Book I by work."""
    ordered = sorted(places, key=lambda name: (*places[name], name))
    first = tuple(name for name in ordered if places[name][0] == 1)
    return {
        "wtc1": tuple(name for name in first if places[name][1] not in VALIDATION_NUMBERS),
        "validation": tuple(name for name in first if places[name][1] in VALIDATION_NUMBERS),
        "wtc2": tuple(name for name in ordered if places[name][0] == 2),
    }


def _from_first_note(notes: Notes) -> Notes:
    """The same notes with the first one at :data:`LEAD_SECONDS`."""
    shift = LEAD_SECONDS - float(notes.intervals[:, 0].min())
    return Notes(np.maximum(notes.intervals + shift, 0.0), notes.pitches, notes.velocities)
