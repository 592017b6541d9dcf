"""What a contestant's ``fit`` is given: recordings, frames, rolls and sound to train on, device and folder.

A corpus's training split trains, its ``validation`` chooses the checkpoint, and no test split is ever opened
here.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from lightning_fabric import Fabric

from audeo_bench.api import AudeoBenchError, Recording, VideoToRoll
from audeo_bench.corpus import PICTURES, Corpus, open_corpus
from audeo_bench.formats.npz import map_array, read_array
from audeo_bench.nn.stage import TorchStage
from audeo_bench.progress import progress_bar
from audeo_bench.training.frames import Source, cached_frames, cached_idle, is_sealed, sealed_write
from audeo_bench.training.keyboards import Photographs
from audeo_bench.training.loop import Timed

TRAINING_TAKES = (0, 1, 2)
"""Performances of every training work that a first stage sees: 630 clips, each before a camera of its own."""
SECOND_STAGE_TAKES = (3,)
"""Performances that only second stages train on, so that their rolls are no cleaner than the test's
(cross-fitting).
"""
TRAINING_ROLLS, VALIDATION_ROLLS = "the first stage's rolls", "its rolls of validation"
VALIDATION_FRAMES, VALIDATION_TOTAL = 1200, 7200
"""Frames at the head of each validation recording that are answered after every epoch, at most; and of all of
them together, about.
"""


def _share(recordings: int) -> int:
    """Frames of each of so many validation recordings that are answered after an epoch."""
    return min(VALIDATION_FRAMES, VALIDATION_TOTAL // max(1, recordings))


@dataclass
class Context:
    """The :class:`audeo_bench.api.TrainingContext` of ``audeo-bench train``."""

    fabric: Fabric
    corpora: tuple[str, ...]
    chosen_on: tuple[str, ...]
    corpus_seed: int
    seed: int
    epochs: int | None
    folder: Path
    resume: bool = True
    smoke: bool = False
    timed: bool = False
    """Whether only to measure how long it would take, see :class:`audeo_bench.training.loop.Timed`."""
    whole: bool = False
    """Whether to train on whole performances, as what sees no video does, first stage or not."""
    identity: Mapping[str, str] = field(default_factory=dict)
    first_stage: VideoToRoll | None = None
    workers: int | None = None
    scheduler: str | None = None
    """Who prepares frames, as :func:`.frames.cached_frames` takes it."""
    photographs: Photographs | None = None
    _shapes: set[tuple[int, int]] = field(default_factory=set)
    """Of the frames that were asked for."""
    _each: dict[str, float] = field(default_factory=dict)
    """What is made of each recording before training -> seconds for one."""
    _answered: bool = False
    """Whether validation has asked for :meth:`answers`."""

    def _open(self, name: str) -> Corpus:
        return open_corpus(name, seed=self.corpus_seed)

    def _takes(self, corpus: Corpus, smoke: bool) -> tuple[int, ...]:
        """The performances of each work that this training sees."""
        if not corpus.has_takes:
            return (0,)
        takes = TRAINING_TAKES if self.first_stage is None else SECOND_STAGE_TAKES
        return takes[:1] if smoke else takes

    @cached_property
    def _training(self) -> list[Source]:
        return self._training_of(self.smoke)

    def _training_of(self, smoke: bool) -> list[Source]:
        limit = 1 if smoke else None
        opened = {name: self._open(name) for name in self.corpora}
        # Of films that the first stage trained on its rolls are cleaner than of any other. Where there are
        # no others, they have to do, as they did for the paper.
        fresh = self.first_stage is not None and any(corpus.has_takes for corpus in opened.values())
        return [
            Source(name, self.corpus_seed, self._split(corpus), take, limit)
            for name, corpus in opened.items()
            if corpus.has_takes or not fresh
            for take in self._takes(corpus, smoke)
        ]

    def _split(self, corpus: Corpus) -> str:
        return corpus.whole_training_split if self.whole else corpus.training_split

    @cached_property
    def _validation(self) -> list[Source]:
        return self._validation_of(self.smoke)

    def _validation_of(self, smoke: bool) -> list[Source]:
        limit = 1 if smoke else None
        return [Source(name, self.corpus_seed, "validation", 0, limit) for name in self.chosen_on]

    @cached_property
    def trained_on(self) -> tuple[str, ...]:
        """What the weights will have seen, as a contestant declares it."""
        seen = tuple(map(self._named, self._training))
        if self.photographs is None:
            return seen
        count = len(self.photographs.keyboards(self.workers))
        return (*seen, f"{PICTURES}/{self.photographs.folder.resolve().name} ({count} keyboards)")

    @cached_property
    def validated_on(self) -> tuple[str, ...]:
        """What chose the checkpoint, named as ``trained_on`` names it."""
        return tuple(map(self._named, self._validation))

    def _named(self, source: Source) -> str:
        part = self._open(source.corpus).films_here(source.split)
        take = f"~t{source.take}" if source.take else ""
        return f"{source.corpus}/{source.split}{take}" + (f" ({part})" if part else "")

    @cached_property
    def _by_source(self) -> list[tuple[Source, list[Recording]]]:
        return [(source, source.recordings()) for source in (*self._training, *self._validation)]

    @property
    def training(self) -> list[Recording]:
        return [one for _, each in self._by_source[: len(self._training)] for one in each]

    @property
    def validation(self) -> list[Recording]:
        return [one for _, each in self._by_source[len(self._training) :] for one in each]

    @property
    def corpus_of(self) -> list[str]:
        return [source.corpus for source, each in self._by_source[: len(self._training)] for _ in each]

    @property
    def validation_corpus_of(self) -> list[str]:
        return [source.corpus for source, each in self._by_source[len(self._training) :] for _ in each]

    def truth(self, recording: Recording) -> np.ndarray:
        heard = self.first_stage is not None and not self._films
        return recording.sounding if heard or recording.pressed is None else recording.pressed

    @cached_property
    def _films(self) -> bool:
        return any(self._open(name).provenance == "recorded" for name in self.corpora)

    def data_digest(self) -> str:
        """SHA-256 over the ids and the truth of all recordings that are trained or validated on."""
        digest = hashlib.sha256()
        for recording in (*self.training, *self.validation):
            truth = self.truth(recording)
            digest.update(f"{recording.id} {truth.shape}".encode())
            digest.update(np.packbits(truth).tobytes())
        return digest.hexdigest()

    def frames(self, shape: tuple[int, int]) -> list[np.ndarray]:
        return self._cached(self._training, shape)

    def idle(self, shape: tuple[int, int]) -> list[np.ndarray]:
        return cached_idle(self._training, shape, self.workers, self.scheduler)

    def other_keyboards(self, shape: tuple[int, int]) -> list[np.ndarray]:
        return [] if self.photographs is None else self.photographs.at(shape, self.workers)

    def _cached(self, sources: Sequence[Source], shape: tuple[int, int]) -> list[np.ndarray]:
        self._shapes.add(shape)
        return cached_frames(sources, shape, self.workers, self.scheduler)

    def answers(self, stage: VideoToRoll, shape: tuple[int, int]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        kept, self._answered = self._cached(self._validation, shape), True
        share = _share(len(kept))
        for frames, recording in zip(kept, self.validation, strict=True):
            with self.fabric.autocast():
                roll = stage.roll(frames[:share])
            yield roll, self.truth(recording)[:, : roll.shape[1]]

    def told_of_all(self, found: Timed) -> Timed:
        """What was measured on one recording as it will be of all."""
        training, validation = self._training_of(False), self._validation_of(False)
        judged, all_ = (sum(len(each.ids()) for each in part) for part in (self._validation, validation))
        found.validating *= all_ / judged * (_share(all_) / _share(judged) if self._answered else 1.0)
        learned = sum(len(each.ids()) for each in training)
        for what, seconds in self._each.items():
            found.making[what] = seconds * (all_ if what == VALIDATION_ROLLS else learned)
        found.frames = [(source, shape) for source in (*training, *validation) for shape in self._shapes]
        return found

    def training_rolls(self) -> list[tuple[np.ndarray, np.ndarray]]:
        return self._rolls(TRAINING_ROLLS, self._training, self.training)

    def validation_rolls(self) -> list[tuple[np.ndarray, np.ndarray]]:
        return self._rolls(VALIDATION_ROLLS, self._validation, self.validation)

    def sounds(self) -> list[np.ndarray]:
        paths = [self.folder / "audio" / f"{recording.id}.npy" for recording in self.training]
        began = time.monotonic()
        with progress_bar("rendering training sound", total=len(paths), unit="recordings") as bar:
            for path, recording in zip(paths, self.training, strict=True):
                if recording.audio is None:
                    raise AudeoBenchError(f"{recording.id}: has no sound; train on --corpus simulated.")
                if not is_sealed(path):
                    with sealed_write(path) as temporary:
                        np.save(temporary, recording.audio().astype(np.float16))
                bar.advance()
        self._each["sound"] = (time.monotonic() - began) / max(1, len(paths))
        return [map_array(path, remedy="delete it, and it is rendered again") for path in paths]

    def _rolls(
        self, what: str, sources: Sequence[Source], recordings: Sequence[Recording]
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        stage = self.first_stage
        if not isinstance(stage, TorchStage):
            raise AudeoBenchError(
                "a roll-to-MIDI stage trains behind a first stage: name both, as in video2roll+roll2midi."
            )
        maps = self._cached(sources, tuple(stage.options["frame_shape"]))
        pairs, began = [], time.monotonic()
        with progress_bar("first stage answers", total=len(recordings), unit="recordings") as bar:
            for frames, recording in zip(maps, recordings, strict=True):
                kept = self.folder / "rolls" / self.identity["first stage"] / f"{recording.id}.npy"
                if not is_sealed(kept):
                    with self.fabric.autocast(), sealed_write(kept) as temporary:
                        np.save(temporary, stage.roll(frames))
                roll = read_array(kept, [], remedy="delete it, and it is answered again")
                pairs.append((roll, self.truth(recording)))
                bar.advance()
        self._each[what] = (time.monotonic() - began) / max(1, len(pairs))
        return pairs
