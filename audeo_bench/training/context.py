"""What a contestant's ``fit`` is given: recordings, frames, rolls and sound to train on, device and folder.

The split ``wtc1`` trains, ``validation`` (cut from wtc1) chooses the checkpoint, and no test split is ever
opened here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from lightning_fabric import Fabric

from audeo_bench.api import AudeoBenchError, Recording, VideoToRoll
from audeo_bench.corpus import open_corpus
from audeo_bench.formats.npz import map_array, read_array
from audeo_bench.nn.stage import TorchStage
from audeo_bench.progress import progress_bar
from audeo_bench.training.frames import Source, cached_frames, is_sealed, sealed_write

TRAINING_TAKES = (0, 1, 2)
"""Performances of every training work that a first stage sees."""
SECOND_STAGE_TAKES = (3, 4)
"""Performances that only second stages train on, so that their rolls are no cleaner than the test's
(cross-fitting).
"""
VALIDATION_FRAMES = 1200
"""Frames at the head of each validation recording that are answered after every epoch: 48 seconds."""


@dataclass
class Context:
    """The :class:`audeo_bench.api.TrainingContext` of ``audeo-bench train``."""

    fabric: Fabric
    corpus: str
    corpus_seed: int
    seed: int
    epochs: int | None
    folder: Path
    resume: bool = True
    smoke: bool = False
    identity: Mapping[str, str] = field(default_factory=dict)
    first_stage: VideoToRoll | None = None

    @cached_property
    def takes(self) -> tuple[int, ...]:
        """The performances of each work that this training sees."""
        has_takes = open_corpus(self.corpus, seed=self.corpus_seed).has_takes
        if self.smoke:
            return (SECOND_STAGE_TAKES[0] if has_takes and self.first_stage else 0,)
        if self.first_stage is None:
            return TRAINING_TAKES if has_takes else (0,)
        if not has_takes:
            raise AudeoBenchError(
                f"corpus {self.corpus}: has one performance a work, all of which the first stage trained on; "
                "train a second stage on --corpus simulated."
            )
        return SECOND_STAGE_TAKES

    @property
    def _limit(self) -> int | None:
        return 1 if self.smoke else None

    def data_digest(self) -> str:
        """SHA-256 over the ids and the truth of all recordings that are trained or validated on."""
        digest = hashlib.sha256()
        for recording in (*self.training, *self.validation):
            digest.update(f"{recording.id} {recording.sounding.shape}".encode())
            digest.update(np.packbits(recording.sounding).tobytes())
        return digest.hexdigest()

    @cached_property
    def _training(self) -> list[Source]:
        return [Source(self.corpus, self.corpus_seed, "wtc1", take, self._limit) for take in self.takes]

    @cached_property
    def _validation(self) -> list[Source]:
        return [Source(self.corpus, self.corpus_seed, "validation", 0, self._limit)]

    @cached_property
    def _recordings(self) -> tuple[list[Recording], list[Recording]]:
        training, validation = (
            [recording for source in sources for recording in source.recordings()]
            for sources in (self._training, self._validation)
        )
        return training, validation

    @property
    def training(self) -> list[Recording]:
        return self._recordings[0]

    @property
    def validation(self) -> list[Recording]:
        return self._recordings[1]

    def frames(self, shape: tuple[int, int]) -> list[np.ndarray]:
        return cached_frames(self._training, shape)

    def answers(self, stage: VideoToRoll, shape: tuple[int, int]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for frames, recording in zip(cached_frames(self._validation, shape), self.validation, strict=True):
            with self.fabric.autocast():
                roll = stage.roll(frames[:VALIDATION_FRAMES])
            yield roll, recording.sounding[:, : roll.shape[1]]

    def training_rolls(self) -> list[tuple[np.ndarray, np.ndarray]]:
        return self._rolls(self._training, self.training)

    def validation_rolls(self) -> list[tuple[np.ndarray, np.ndarray]]:
        return self._rolls(self._validation, self.validation)

    def sounds(self) -> list[np.ndarray]:
        paths = [self.folder / "audio" / f"{recording.id}.npy" for recording in self.training]
        with progress_bar("rendering training sound", total=len(paths), unit="recordings") as bar:
            for path, recording in zip(paths, self.training, strict=True):
                if recording.audio is None:
                    raise AudeoBenchError(f"{recording.id}: has no sound; train on --corpus simulated.")
                if not is_sealed(path):
                    with sealed_write(path) as temporary:
                        np.save(temporary, recording.audio().astype(np.float16))
                bar.advance()
        return [map_array(path, remedy="delete it, and it is rendered again") for path in paths]

    def _rolls(
        self, sources: Sequence[Source], recordings: Sequence[Recording]
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        stage = self.first_stage
        if not isinstance(stage, TorchStage):
            raise AudeoBenchError(
                "a roll-to-MIDI stage trains behind a first stage: name both, as in video2roll+roll2midi."
            )
        maps = cached_frames(sources, tuple(stage.options["frame_shape"]))
        pairs = []
        with progress_bar("first stage answers", total=len(recordings), unit="recordings") as bar:
            for frames, recording in zip(maps, recordings, strict=True):
                kept = self.folder / "rolls" / self.identity["first stage"] / f"{recording.id}.npy"
                if not is_sealed(kept):
                    with self.fabric.autocast(), sealed_write(kept) as temporary:
                        np.save(temporary, stage.roll(frames))
                roll = read_array(kept, [], remedy="delete it, and it is answered again")
                pairs.append((roll, recording.sounding))
                bar.advance()
        return pairs
