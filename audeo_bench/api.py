"""Everything that a contestant sees.

A contestant is one Python file that defines one class: a :class:`VideoToRoll`, a :class:`RollToMidi` or a
:class:`Synthesizer`. The harness loads the file by its path, feeds the class recordings, keeps what it
answered and scores the answers. This module imports no torch, so that ``audeo-bench --help`` stays fast.

Besides this module a contestant may import the toolkit, which the shipped ones use too and which stays as it
is: :mod:`audeo_bench.nn` (nets of five-frame stacks, weights as safetensors), :mod:`audeo_bench.keyboard`
(where each key lies), :mod:`audeo_bench.synth` (FluidSynth, spectrograms and their inversion) and, inside
``fit``, :mod:`audeo_bench.training` (the training loop and recipes). Everything else of the package is the
harness's own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol

import numpy as np

from audeo_bench.errors import AudeoBenchError
from audeo_bench.keyboard import FRAME_HEIGHT, FRAME_WIDTH
from audeo_bench.keyboard.rest import at_rest
from audeo_bench.roll import (
    FRAMES_PER_SECOND,
    KEYS,
    LOWEST_PITCH,
    PAPER_KEYS,
    Notes,
    notes_to_roll,
    roll_to_notes,
)

__all__ = [
    "FRAMES_PER_SECOND",
    "FRAME_HEIGHT",
    "FRAME_WIDTH",
    "KEYS",
    "LOWEST_PITCH",
    "PAPER_KEYS",
    "SAMPLE_RATE",
    "AudeoBenchError",
    "Frames",
    "Notes",
    "Provenance",
    "Recording",
    "RollToMidi",
    "Stage",
    "Synthesizer",
    "TrainingContext",
    "VideoToRoll",
    "Work",
    "idle_keyboard",
    "roll_to_notes",
    "windows",
]

SAMPLE_RATE = 16_000
"""Samples a second of every audio signal, mono float32."""

Provenance = Literal["simulated", "re-enacted", "recorded"]


class Frames(Protocol):
    """Grey frames of the keyboard crop, uint8, left = lowest key; a memory map, a decoder or a renderer.

    Slicing with step 1 yields an array of shape (frames, 100, 900); nothing else is promised, so read windows
    in order.
    """

    @property
    def shape(self) -> tuple[int, int, int]: ...

    def __len__(self) -> int: ...

    def __getitem__(self, window: slice, /) -> np.ndarray: ...


def windows(frames: Frames, size: int = 256, context: int = 0) -> Iterator[tuple[int, np.ndarray]]:
    """Read frames in consecutive windows, so that memory stays flat however long the recording is.

    Parameters
    ----------
    frames : Frames
    size : int
        Frames a window answers for; the last one may answer for fewer.
    context : int
        Neighbours added on both sides of every window. Where the recording has no neighbour, its first or
        last frame is repeated.

    Yields
    ------
    start : int
        The index of the first frame answered for.
    window : np.ndarray, shape (context + n + context, 100, 900), uint8
    """
    total = len(frames)
    for start in range(0, total, size):
        stop = min(start + size, total)
        low, high = max(0, start - context), min(total, stop + context)
        window = np.asarray(frames[low:high])
        before, after = low - (start - context), (stop + context) - high
        if before or after:
            window = np.concatenate([window[:1].repeat(before, 0), window, window[-1:].repeat(after, 0)])
        yield start, window


def idle_keyboard(frames: Frames, pictures: int = 64) -> np.ndarray:
    """The recording's keyboard at rest: a robust still of it without hands.

    It shows a net, beside the frames, what the keys of this piano look like when nobody presses them.

    Parameters
    ----------
    frames : Frames
    pictures : int
        How many frames, spread over the recording, it is made of; see :mod:`audeo_bench.keyboard.rest`.

    Returns
    -------
    np.ndarray, shape (100, 900), uint8
    """
    places = np.unique(np.linspace(0, len(frames) - 1, min(pictures, len(frames))).round().astype(int))
    return at_rest(np.stack([np.asarray(frames[place : place + 1])[0] for place in places]))


@dataclass(frozen=True)
class Work:
    """A composition, as title matching and leak checks need it."""

    composer: str
    title: str
    collection: str | None = None
    number: int | None = None
    bwv: int | None = None
    key: str | None = None


@dataclass(frozen=True, repr=False)
class Recording:
    """One performance of one work, with everything that may be known about it.

    Attributes
    ----------
    id : str
        Unique in its corpus and safe as a file name, such as ``wtc2-01``.
    frames : Frames
        Shape (T, 100, 900); lazily rendered or decoded.
    pressed : np.ndarray or None, shape (88, T), bool
        The key is down. None where nobody knows.
    sounding : np.ndarray, shape (88, T), bool
        What the ear, or an audio transcriber, says. Table 1 scores this one.
    notes : Notes or None
        The notes behind ``sounding`` in continuous time, for the note metrics.
    audio : callable or None
        Renders or reads float32 mono samples at 16 kHz when called.
    """

    id: str
    title: str
    work: Work
    split: str
    provenance: Provenance
    frames: Frames
    sounding: np.ndarray
    pressed: np.ndarray | None = None
    notes: Notes | None = None
    audio: Callable[[], np.ndarray] | None = None

    def __len__(self) -> int:
        return self.sounding.shape[1]

    @property
    def seconds(self) -> float:
        return len(self) / FRAMES_PER_SECOND

    def __repr__(self) -> str:
        return f"Recording({self.id}: {self.title}, {self.provenance}, {self.split}, {self.seconds:.1f} s)"


class TrainingContext(Protocol):
    """What ``Stage.fit`` is given.

    Attributes
    ----------
    fabric : lightning_fabric.Fabric
        Device, precision and processes.
    seed : int
        Fixes initial weights and every draw.
    epochs : int or None
        The user's wish; None leaves the contestant's own recipe.
    folder : Path
        Work files of this training.
    resume : bool
        Whether to go on where an earlier training in this folder stopped.
    smoke : bool
        Only try whether it runs: few recordings, few steps.
    timed : bool
        Only measure how long it would take, which the toolkit's loop does; any other is tried as in a smoke
        run.
    identity : mapping of str to str
        All that a training depends on beside seed and recipe: a stopped one goes on only under the same.
    first_stage : VideoToRoll or None
        What stands before the contestant in the chain that is trained, with its weights.
    """

    fabric: Any
    seed: int
    epochs: int | None
    folder: Path
    resume: bool
    smoke: bool
    timed: bool
    identity: Mapping[str, str]
    first_stage: VideoToRoll | None

    @property
    def training(self) -> list[Recording]:
        """The recordings to train on. Behind a first stage they are others than that one trained on."""
        ...

    @property
    def validation(self) -> list[Recording]:
        """Recordings of works that training never hears."""
        ...

    def frames(self, shape: tuple[int, int]) -> list[np.ndarray]:
        """Each training recording's frames at (height, width), uint8, as read-only memory maps."""
        ...

    @property
    def corpus_of(self) -> list[str]:
        """For each training recording the name of its corpus, where several are trained on."""
        ...

    @property
    def validation_corpus_of(self) -> list[str]:
        """The same of the validation recordings."""
        ...

    def truth(self, recording: Recording) -> np.ndarray:
        """The labels to learn, (88, T), bool: the keys that are down, where somebody knows.

        Behind a first stage what is heard, unless real films are trained on, whose labels are presses.
        """
        ...

    def idle(self, shape: tuple[int, int]) -> list[np.ndarray]:
        """Each training recording's keyboard at rest at (height, width), uint8; see :func:`idle_keyboard`."""
        ...

    def other_keyboards(self, shape: tuple[int, int]) -> list[np.ndarray]:
        """Keyboards at rest out of the photographs of ``train --keyboards``, each (height, width), uint8."""
        ...

    def answers(self, stage: VideoToRoll, shape: tuple[int, int]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """(probabilities, truth) of the validation recordings' first seconds (48 at most), both (88, T),
        from frames at ``shape``.
        """
        ...

    def training_rolls(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """(roll, truth) of each training recording, both (88, T); the roll is the first stage's answer."""
        ...

    def validation_rolls(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """(roll, truth) of each validation recording."""
        ...

    def sounds(self) -> list[np.ndarray]:
        """Each training recording's samples, float16 mono at 16 kHz, as read-only memory maps."""
        ...


class Stage(ABC):  # noqa: B024 (its three subclasses have the abstract verbs)
    """What the three kinds of contestants share. Subclass one of the three below, not this."""

    name: ClassVar[str] = ""
    keeps_state: ClassVar[bool] = False
    """Every recording gets a fresh instance, unless the class says that it keeps state on purpose; then what
    it keeps must not change its answers.
    """
    reads: ClassVar[Sequence[str]] = ()
    """Files beside the contestant's, such as ``"table.json"``, on whose content its answers depend: kept
    answers are current only as long as these are the same. What is imported, and weights, count anyway.
    """
    trained_on: Sequence[str] = ()
    """The recordings that the weights saw, as ``corpus/recording`` ids, or whole splits as ``corpus/split``;
    where films of it were missing, with how many were there: ``audeo-films/wtc1 (19 of 21 films)``.
    """

    def fit(self, context: TrainingContext) -> None:
        """Train on ``context.training``, choose the checkpoint on ``context.validation``; never sees a test
        split.
        """
        raise AudeoBenchError(f"{self.name}: this contestant does not train.")

    def save(self, weights: Path) -> None:
        """Write what :meth:`fit` learned as a file that :meth:`load` reads."""
        raise AudeoBenchError(f"{self.name}: this contestant keeps no weights.")

    def load(self, weights: Path) -> None:
        """Read trained weights."""
        raise AudeoBenchError(f"{weights}: {self.name} takes no weights.")

    def describe(self) -> dict[str, Any]:
        """Facts for the row: parameters, configuration."""
        return {}


class VideoToRoll(Stage):
    """Video frames -> piano roll."""

    @abstractmethod
    def roll(self, frames: Frames) -> np.ndarray:
        """Probability that each key sounds in each frame: float32 in [0, 1], shape (88, len(frames))."""


class RollToMidi(Stage):
    """Piano roll of probabilities -> refined piano roll ("Midi" in the paper)."""

    @abstractmethod
    def midi(self, roll: np.ndarray) -> np.ndarray:
        """From (88, T) probabilities to (88, T) probabilities, float32 in [0, 1]."""


class Synthesizer(Stage):
    """Piano roll -> sound."""

    @abstractmethod
    def audio(self, roll: np.ndarray) -> np.ndarray:
        """From a (88, T) bool roll to float32 mono samples at 16 kHz, ``T / 25`` seconds long."""

    def stream(self, roll: np.ndarray) -> Iterator[np.ndarray]:
        """The same sound in consecutive blocks that need not be scaled. Define it where a long recording's
        sound is too large to hold.
        """
        yield self.audio(roll)

    def play(self, notes: Notes, seconds: float) -> Iterator[np.ndarray]:
        """Notes as :meth:`stream` gives them. Define it where velocities are heard."""
        yield from self.stream(notes_to_roll(notes, round(seconds * FRAMES_PER_SECOND)))
