"""``audeo-bench train``: a contestant is fitted; its weights, log and curve are kept with what made them."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from lightning_fabric import Fabric

from audeo_bench.api import AudeoBenchError
from audeo_bench.contestants.loading import find, sha256_of, system
from audeo_bench.contestants.roster import roster
from audeo_bench.files import atomic_write
from audeo_bench.nn.stage import TorchStage
from audeo_bench.provenance import commit, hardware, versions
from audeo_bench.training.context import Context
from audeo_bench.training.curve import draw_learning_curve, score_column


@dataclass(frozen=True)
class Options:
    """How to train, whatever is trained.

    Attributes
    ----------
    corpus : str
        Where the recordings come from; it keeps its own seed 0, so that trainings differ in nothing else.
    seed : int
        Of the first weights and of every draw.
    width, epochs : int or None
        None leaves the contestant's own.
    output : Path
        Gets ``seed<SEED>/<name>.safetensors`` with ``.json`` (what made it), ``.csv`` (log) and ``.png``
        (curve) beside it, and ``work/<name>/`` with the checkpoint that a stopped training resumes from.
    resume : bool
    precision, device : str
        As lightning-fabric's, or ``auto``.
    """

    corpus: str = "simulated"
    seed: int = 0
    width: int | None = None
    epochs: int | None = None
    output: Path = Path("trainings")
    resume: bool = True
    precision: str = "auto"
    device: str = "auto"

    @property
    def folder(self) -> Path:
        return self.output / f"seed{self.seed}{'' if self.width is None else f'-width{self.width}'}"

    def weights(self, name: str) -> Path:
        """Where a contestant's or a chain's last contestant's weights go."""
        return self.folder / f"{name}.safetensors"


def choose_precision() -> str:
    """bf16 where the hardware multiplies it natively, else full precision."""
    if torch.cuda.is_available():
        return "bf16-mixed" if torch.cuda.is_bf16_supported() else "32-true"
    return "bf16-mixed" if torch.cpu._is_amx_tile_supported() else "32-true"


def train(name: str, how: Options) -> Path:
    """Train the last contestant of a chain from scratch.

    Parameters
    ----------
    name : str
        A contestant, or a chain such as ``video2roll+roll2midi`` whose earlier stages have weights: in
        ``how.output`` from an earlier training with the same seed, else beside their files.
    how : Options

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
    earlier, _, last = name.rpartition("+")
    own = [
        f"{stem}={how.weights(stem)}" for stem in earlier.split("+") if stem and how.weights(stem).exists()
    ]
    torch.manual_seed(how.seed)
    stage = find(last).create(**({} if how.width is None else {"width": how.width}))
    fabric = Fabric(
        accelerator=how.device,
        devices="auto",
        precision=choose_precision() if how.precision == "auto" else how.precision,  # type: ignore[arg-type]
    )
    fabric.launch()
    work = how.folder / "work" / name
    if not how.resume and work.exists():
        shutil.rmtree(work)
    context = Context(fabric, how.corpus, 0, how.seed, how.epochs, work, how.resume)
    facts: dict[str, Any] = {}
    if earlier:
        first = system(earlier, own).stages[-1]
        context.first_stage = first.load()  # type: ignore[assignment]
        facts["first_stage_weights_sha256"] = first.weights_sha256
    stage.fit(context)
    if not isinstance(stage, TorchStage):
        raise AudeoBenchError(f"{name}: trained, but its weights cannot be kept: it is no TorchStage.")
    stage.trained_on = tuple(
        f"{how.corpus}/wtc1~t{take}" if take else f"{how.corpus}/wtc1" for take in context.takes
    )
    weights = how.weights(name)
    if fabric.global_rank == 0:
        stage.save(weights)
        _describe(weights, stage, context, facts)
    return weights


def train_all(how: Options) -> list[Path]:
    """Retrain everything that is shipped: first stages, second stages on their rolls, the synthesizer.

    Trainings that are finished are kept, so that the same command continues after an interruption.
    """
    return [
        weights if how.resume and (weights := how.weights(name)).exists() else train(name, how)
        for name in roster().train
    ]


def _describe(weights: Path, stage: TorchStage, context: Context, facts: dict[str, Any]) -> None:
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
        temporary.write_text(json.dumps(record, indent=2, sort_keys=True) + "\n", encoding="utf-8")
