"""Training contestants: what a contestant's ``fit`` is given, and how its weights, log and curve are kept.

The split ``wtc1`` trains, ``validation`` (cut from wtc1) chooses the checkpoint, and no test split is ever
opened here.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from lightning_fabric import Fabric

from audeo_bench.api import AudeoBenchError, Recording, VideoToRoll
from audeo_bench.contestants.loading import DEFAULT_SYSTEMS, find, load_class, sha256_of, system
from audeo_bench.corpus import open_corpus
from audeo_bench.files import atomic_write
from audeo_bench.nn.stage import TorchStage
from audeo_bench.progress import progress_bar
from audeo_bench.provenance import commit, hardware, versions
from audeo_bench.training.curve import draw_learning_curve, score_column
from audeo_bench.training.frames import Source, cached_frames

TRAINING_TAKES = (0, 1, 2)
"""Performances of every training work that a first stage sees."""
SECOND_STAGE_TAKES = (3, 4)
"""Performances that only second stages train on, so that their rolls are no cleaner than the test's
(cross-fitting).
"""
VALIDATION_FRAMES = 1200
"""Frames at the head of each validation recording that are answered after every epoch: 48 seconds."""


@dataclass
class TrainingContext:
    """What ``Stage.fit`` is given.

    Attributes
    ----------
    fabric : Fabric
        Device, precision and processes.
    corpus, corpus_seed : str, int
    seed : int
        Fixes initial weights and every draw.
    epochs : int or None
        The user's wish; None leaves the contestant's own recipe.
    folder : Path
        Work files of this training.
    first_stage : VideoToRoll or None
        What a RollToMidi refines.
    """

    fabric: Fabric
    corpus: str
    corpus_seed: int
    seed: int
    epochs: int | None
    folder: Path
    resume: bool = True
    first_stage: VideoToRoll | None = None

    def _sources(self, takes: tuple[int, ...]) -> list[Source]:
        return [Source(self.corpus, self.corpus_seed, "wtc1", take) for take in takes]

    @cached_property
    def _takes(self) -> tuple[int, ...]:
        return TRAINING_TAKES if open_corpus(self.corpus, seed=self.corpus_seed).has_takes else (0,)

    @cached_property
    def sources(self) -> list[Source]:
        """Where the training recordings come from, for :func:`cached_frames`."""
        return self._sources(self._takes)

    @cached_property
    def training(self) -> list[Recording]:
        """The training recordings, in the order of :func:`cached_frames`'s answer for ``sources``."""
        return [recording for source in self.sources for recording in source.recordings()]

    @cached_property
    def validation(self) -> list[Recording]:
        """Recordings of works that training never hears."""
        return Source(self.corpus, self.corpus_seed, "validation").recordings()

    def loop_options(self, title: str) -> dict[str, Any]:
        """The arguments of :func:`loop.optimise` that do not differ between contestants."""
        return {"folder": self.folder, "seed": self.seed, "title": title, "resume": self.resume}

    def answers(self, stage: VideoToRoll, shape: tuple[int, int]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """(probabilities, truth) of the validation recordings' first 48 seconds, both (88, T)."""
        source = Source(self.corpus, self.corpus_seed, "validation")
        for frames, recording in zip(cached_frames([source], shape), self.validation, strict=True):
            with self.fabric.autocast():
                roll = stage.roll(frames[:VALIDATION_FRAMES])
            yield roll, recording.sounding[:, : roll.shape[1]]

    def _rolls(self, sources: list[Source]) -> list[tuple[np.ndarray, np.ndarray]]:
        stage = self.first_stage
        if not isinstance(stage, TorchStage):
            raise AudeoBenchError(
                "a roll-to-MIDI stage trains behind a first stage: name both, as in video2roll+roll2midi."
            )
        recordings = [recording for source in sources for recording in source.recordings()]
        maps = cached_frames(sources, tuple(stage.options["frame_shape"]))
        pairs = []
        with progress_bar("first stage answers", total=len(recordings), unit="recordings") as bar:
            for frames, recording in zip(maps, recordings, strict=True):
                kept = self.folder / "rolls" / f"{recording.id}.npy"
                if not kept.exists():
                    with self.fabric.autocast(), atomic_write(kept) as temporary:
                        np.save(temporary, stage.roll(frames))
                pairs.append((np.load(kept), recording.sounding))
                bar.advance()
        return pairs

    def held_out_rolls(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """(roll, truth) of recordings that the first stage did not train on, for training a second stage.

        In the simulated corpus these are fresh takes of the training works: other performers, pianos, light
        and ears.
        """
        if not open_corpus(self.corpus, seed=self.corpus_seed).has_takes:
            raise AudeoBenchError(
                f"corpus {self.corpus}: has one performance a work, all of which the first stage trained on; "
                "train a roll-to-MIDI stage on --corpus simulated."
            )
        return self._rolls(self._sources(SECOND_STAGE_TAKES))

    def validation_rolls(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """(roll, truth) of the validation recordings."""
        return self._rolls([Source(self.corpus, self.corpus_seed, "validation")])


def choose_precision() -> str:
    """bf16 where the hardware multiplies it natively, else full precision."""
    if torch.cuda.is_available():
        return "bf16-mixed" if torch.cuda.is_bf16_supported() else "32-true"
    return "bf16-mixed" if torch.cpu._is_amx_tile_supported() else "32-true"


def train(
    name: str,
    *,
    corpus: str = "simulated",
    seed: int = 0,
    width: int | None = None,
    epochs: int | None = None,
    output: Path = Path("trainings"),
    resume: bool = True,
    precision: str = "auto",
    device: str = "auto",
) -> Path:
    """Train the last contestant of a chain from scratch.

    Parameters
    ----------
    name : str
        A contestant, or a chain such as ``video2roll+roll2midi`` whose earlier stages have weights: in
        ``output`` from an earlier training with the same seed, else beside their files.
    seed : int
        Of the training. The corpus keeps its own seed 0, so that trainings differ in nothing else.
    output : Path
        Gets ``seed<SEED>/<name>.safetensors`` with ``.json`` (what made it), ``.csv`` (log) and ``.png``
        (curve) beside it, and ``work/<name>/`` with the checkpoint that a stopped training resumes from.

    Returns
    -------
    Path
        The weights.

    Raises
    ------
    AudeoBenchError
        If the contestant cannot train, a chain's earlier stage has no weights, or a checkpoint is of another
        training.
    """
    folder = _folder(output, seed, width)
    earlier, _, last = name.rpartition("+")
    own = [
        f"{stem}={folder / stem}.safetensors"
        for stem in earlier.split("+")
        if stem and _weights(folder, stem).exists()
    ]
    torch.manual_seed(seed)
    cls = load_class(find(last))
    stage = cls() if width is None else cls(width=width)  # type: ignore[call-arg]
    fabric = Fabric(
        accelerator=device,
        devices="auto",
        precision=choose_precision() if precision == "auto" else precision,  # type: ignore[arg-type]
    )
    fabric.launch()
    work = folder / "work" / name
    if not resume and work.exists():
        shutil.rmtree(work)
    context = TrainingContext(fabric, corpus, 0, seed, epochs, work, resume)
    facts: dict[str, Any] = {}
    if earlier:
        first = system(earlier, own).stages[-1]
        context.first_stage = first.load()  # type: ignore[assignment]
        facts["first_stage_weights_sha256"] = first.weights_sha256
    stage.fit(context)
    if not isinstance(stage, TorchStage):
        raise AudeoBenchError(f"{name}: trained, but its weights cannot be kept: it is no TorchStage.")
    opened = open_corpus(corpus, seed=0)
    takes = (SECOND_STAGE_TAKES if earlier else TRAINING_TAKES) if opened.has_takes else (0,)
    stage.trained_on = tuple(f"{corpus}/wtc1~t{take}" if take else f"{corpus}/wtc1" for take in takes)
    weights = _weights(folder, name)
    if fabric.global_rank == 0:
        stage.save(weights)
        _describe(weights, stage, context, facts)
    return weights


def train_all(
    *, output: Path = Path("trainings"), seed: int = 0, width: int | None = None, **options: Any
) -> list[Path]:
    """Retrain everything that is shipped: first stages, second stages on their rolls, the synthesizer.

    Trainings that are finished are kept, so that the same command continues after an interruption.
    """
    chains = [*sorted(DEFAULT_SYSTEMS, key=lambda name: name.count("+")), "perfnet"]
    done = []
    for name in chains:
        weights = _weights(_folder(output, seed, width), name)
        if not (weights.exists() and options.get("resume", True)):
            weights = train(name, output=output, seed=seed, width=width, **options)
        done.append(weights)
    return done


def _folder(output: Path, seed: int, width: int | None) -> Path:
    return output / (f"seed{seed}" if width is None else f"seed{seed}-width{width}")


def _weights(folder: Path, name: str) -> Path:
    return folder / f"{name}.safetensors"


def _describe(weights: Path, stage: TorchStage, context: TrainingContext, facts: dict[str, Any]) -> None:
    """Keep the log, the curve and what made the weights beside them."""
    log = context.folder / "log.csv"
    history = pd.read_csv(log)
    shutil.copyfile(log, weights.with_suffix(".csv"))
    draw_learning_curve(
        history, weights.with_suffix(".png"), title=f"{weights.stem} · {context.corpus} corpus"
    )
    best = history.loc[history[score_column(history)].idxmax()]
    record = {
        "contestant": weights.stem,
        "weights_sha256": sha256_of(weights),
        "command": " ".join(["audeo-bench", *sys.argv[1:]]),
        "seed": context.seed,
        "corpus": context.corpus,
        "trained_on": list(stage.trained_on),
        "options": stage.options,
        "parameters": stage.describe()["parameters"],
        "precision": str(context.fabric._precision.precision),
        "epochs": len(history),
        "best_epoch": int(best["epoch"]),
        score_column(history): float(best[score_column(history)]),
        "training_seconds": float(history["seconds"].iloc[-1]),
        "commit": commit(),
        "versions": versions(),
        "hardware": hardware(),
        **facts,
    }
    with atomic_write(weights.with_suffix(".json")) as temporary:
        temporary.write_text(json.dumps(record, indent=2, sort_keys=True) + "\n")
