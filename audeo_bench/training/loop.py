"""The training loop: seeded draws, checkpoints that survive kill -9, the best epoch on validation, a learning
curve.

Device, precision and several processes are lightning-fabric's business (`Fabric`); a contestant writes one
`step`. Several processes draw the same batch and each takes its part of it, so that their number changes
nothing but what batch norms see.
"""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import Optimizer

from audeo_bench.api import AudeoBenchError, TrainingContext
from audeo_bench.files import atomic_write
from audeo_bench.nn.stage import as_stored
from audeo_bench.progress import progress_bar
from audeo_bench.training.frames import Source

SAVE_EVERY = 30.0
"""Seconds between checkpoints: what a kill -9 may cost."""
SMOKE_STEPS = 5
TIMED_STEPS = 3
LAST_RATE = 0.01
"""What is left of the learning rate at the end."""


class Diverged(AudeoBenchError):
    """A training whose loss became NaN or infinite; ``history`` has the epochs before."""

    def __init__(self, words: str, history: list[dict[str, float]]) -> None:
        super().__init__(words)
        self.history = history


class Timed(Exception):
    """Raised by :func:`optimise` instead of training, where ``context.timed``: how long it would take.

    Attributes
    ----------
    steps : int
    seconds : float
        Of all steps.
    validating : float
        Seconds of all validations.
    making : dict
        What is made before -> seconds: a first stage's rolls, the recordings' sound.
    frames : list
        Which recordings' frames are asked for, as :func:`.frames.seconds_to_keep` takes them.
    """

    def __init__(self, steps: int, seconds: float, validating: float) -> None:
        super().__init__(f"{steps} steps in {seconds:.0f} s")
        self.steps = steps
        self.seconds = seconds
        self.validating = validating
        self.making: dict[str, float] = {}
        self.frames: list[tuple[Source, tuple[int, int]]] = []


@dataclass(frozen=True)
class Recipe:
    """What is trained and how.

    Attributes
    ----------
    net : nn.Module
        All that is trained; is left with the weights of the best epoch.
    optimisers : sequence of Optimizer
        As ``fabric.setup`` gave them.
    draw : callable
        A batch from a random generator. Every step has a generator of its own, made from (seed, epoch, step),
        so that a resumed training draws exactly what an unbroken one would have.
    step : callable
        Takes the batch's tensors, does backward and optimiser steps, returns the loss.
    validate : callable
        The validation score, higher is better; called after every epoch with the net in eval mode, by the
        first process alone.
    epochs, steps : int
        Epochs, unless the user wishes others, and the steps of each.
    score : str
        What the validation score is called in the log: ``validation_`` and its name.
    """

    net: nn.Module
    optimisers: Sequence[Optimizer]
    draw: Callable[[np.random.Generator], tuple[Tensor, ...]]
    step: Callable[..., Tensor]
    validate: Callable[[], float]
    epochs: int
    steps: int
    score: str = "validation_score"


def optimise(recipe: Recipe, context: TrainingContext, title: str) -> list[dict[str, float]]:
    """Train ``recipe.net`` and leave in it the weights of the epoch with the highest validation score.

    The learning rates fall from the optimisers' own along half a cosine to a hundredth at the last step.

    ``context.folder`` receives ``checkpoint.pt`` (at least every 30 s) and ``log.csv`` (a line per epoch).

    Returns
    -------
    list of dict
        One per epoch: epoch, loss, the score, learning_rate, seconds and processor_seconds (of all threads).

    Raises
    ------
    KeyboardInterrupt
        After the checkpoint was saved; the same call resumes.
    Diverged
        The loss is no number; ``net`` has the best epoch's weights, if there is one.
    AudeoBenchError
        The checkpoint is of another training or another number of processes, or damaged; a batch cannot be
        divided among the processes.
    """
    fabric, net, optimisers, seed = context.fabric, recipe.net, recipe.optimisers, context.seed
    epochs, steps = recipe.epochs if context.epochs is None else context.epochs, recipe.steps
    if context.timed:
        each = _seconds_a_step(recipe, context, title)
        raise Timed(epochs * steps, epochs * steps * each, epochs * _seconds_of_judging(recipe))
    if context.smoke:
        epochs, steps = 1, min(steps, SMOKE_STEPS)
    checkpoint = context.folder / "checkpoint.pt"
    progress = {"epoch": 0, "step": 0, "loss_sum": 0.0, "best": -math.inf}
    progress |= {"seconds": 0.0, "processor_seconds": 0.0}
    history: list[dict[str, float]] = []
    best_weights = as_stored(net.state_dict())
    fingerprint = {
        "contestant": title,
        "seed": str(seed),
        "epochs": str(epochs),
        "steps": str(steps),
        **context.identity,
        **({"processes": str(fabric.world_size)} if fabric.world_size > 1 else {}),
    }
    if context.resume and checkpoint.exists():
        saved = _read(checkpoint)
        _check_same(checkpoint, saved.get("fingerprint"), fingerprint)
        try:
            net.load_state_dict(saved["net"])
            for optimiser, state in zip(optimisers, saved["optimisers"], strict=True):
                optimiser.load_state_dict(state)
            progress, history, best_weights = saved["progress"], saved["history"], saved["best_weights"]
        except (KeyError, ValueError, RuntimeError, TypeError, AttributeError) as fault:
            raise _damaged(checkpoint, fault) from fault

    def save() -> None:
        if fabric.global_rank:
            return
        with atomic_write(checkpoint) as temporary:
            torch.save(
                {
                    "fingerprint": fingerprint,
                    "net": net.state_dict(),
                    "optimisers": [optimiser.state_dict() for optimiser in optimisers],
                    "progress": progress,
                    "history": history,
                    "best_weights": best_weights,
                },
                temporary,
            )

    groups = [group for optimiser in optimisers for group in optimiser.param_groups]
    for group in groups:
        group.setdefault("initial_lr", group["lr"])

    with progress_bar(title, total=epochs * steps, unit="steps") as bar:
        bar.advance(progress["epoch"] * steps + progress["step"])
        last_save = time.monotonic()
        try:
            while progress["epoch"] < epochs:
                epoch = progress["epoch"]
                net.train()
                while progress["step"] < steps:
                    began, busy = time.monotonic(), time.process_time()
                    share = (epoch + progress["step"] / steps) / epochs
                    for group in groups:
                        group["lr"] = group["initial_lr"] * _rate(share)
                    loss = _stepped(recipe, context, title, epoch, progress["step"])
                    if not math.isfinite(value := float(fabric.all_reduce(loss, reduce_op="mean"))):
                        where = f"step {progress['step'] + 1} of epoch {epoch + 1}"
                        if history:
                            net.load_state_dict(best_weights)
                            net.eval()
                        raise Diverged(f"{title}: the loss is {value} at {where}", history)
                    progress["loss_sum"] += value
                    progress["step"] += 1
                    progress["seconds"] += time.monotonic() - began
                    progress["processor_seconds"] += time.process_time() - busy
                    best = f"best {100 * progress['best']:.1f} %" if history else "no validation yet"
                    bar.advance(1, f"loss {progress['loss_sum'] / progress['step']:.4f} · validation {best}")
                    if time.monotonic() - last_save > SAVE_EVERY:
                        save()
                        last_save = time.monotonic()
                # Judged is what will be stored.
                exact, rounded = _copy(net), as_stored(net.state_dict())
                net.load_state_dict(rounded)
                net.eval()
                # One process judges for all: what batch norms have seen differs, what is decided may not.
                value = fabric.broadcast(0.0 if fabric.global_rank else recipe.validate())
                net.load_state_dict(exact)
                history.append(
                    {
                        "epoch": epoch + 1,
                        "loss": progress["loss_sum"] / steps,
                        recipe.score: value,
                        "learning_rate": optimisers[0].param_groups[0]["lr"],
                        "seconds": round(progress["seconds"], 1),
                        "processor_seconds": round(progress["processor_seconds"], 1),
                    }
                )
                if value > progress["best"]:
                    progress["best"], best_weights = value, rounded
                progress.update(epoch=epoch + 1, step=0, loss_sum=0.0)
                save()
                last_save = time.monotonic()
        except KeyboardInterrupt:
            save()
            raise
        finally:
            if history and not fabric.global_rank:
                _write_log(context.folder / "log.csv", history)
    net.load_state_dict(best_weights)
    net.eval()
    return history


def _stepped(recipe: Recipe, context: TrainingContext, title: str, epoch: int, step: int) -> Tensor:
    """Draw, and take one step; the loss."""
    fabric = context.fabric
    rng = np.random.default_rng([context.seed, epoch, step, 0])
    torch.manual_seed(int(rng.integers(2**62)))
    batch = (_part(tensor, fabric, title) for tensor in recipe.draw(rng))
    return recipe.step(*(tensor.to(fabric.device) for tensor in batch)).detach()


def _seconds_a_step(recipe: Recipe, context: TrainingContext, title: str) -> float:
    """The median of a few steps behind a first one, which has memory to find."""
    recipe.net.train()
    taken = []
    for step in range(1 + TIMED_STEPS):
        began = time.monotonic()
        float(_stepped(recipe, context, title, 0, step))  # which waits until it is done
        taken.append(time.monotonic() - began)
    return float(np.median(taken[1:]))


def _seconds_of_judging(recipe: Recipe) -> float:
    recipe.net.eval()
    recipe.validate()  # which makes ready what it needs
    began = time.monotonic()
    recipe.validate()
    return time.monotonic() - began


def _rate(share: float) -> float:
    """What is left of the learning rate when ``share`` of the training is done."""
    return LAST_RATE + (1 - LAST_RATE) * (1 + math.cos(math.pi * share)) / 2


def _part(tensor: Tensor, fabric: Fabric, title: str) -> Tensor:
    """This process's part of a batch that all have drawn; a single number is everybody's."""
    if not tensor.ndim:
        return tensor
    if len(tensor) % fabric.world_size:
        raise AudeoBenchError(
            f"{title}: a batch of {len(tensor)} cannot be divided among {fabric.world_size} processes; start "
            "as many as divide it."
        )
    return tensor.chunk(fabric.world_size)[fabric.global_rank]


def _check_same(checkpoint: Path, was: Any, now: dict[str, str]) -> None:
    if was == now:
        return
    was = was if isinstance(was, dict) else {}
    names = [*now, *(name for name in was if name not in now)]
    other = [
        f"{name} {was.get(name)}, now {now.get(name)}" for name in names if was.get(name) != now.get(name)
    ]
    raise AudeoBenchError(
        f"{checkpoint}: is of another training ({'; '.join(other)}). Use another --output, or --fresh to "
        "start over."
    )


def _damaged(checkpoint: Path, fault: Exception) -> AudeoBenchError:
    return AudeoBenchError(
        f"{checkpoint}: cannot be read as a checkpoint ({type(fault).__name__}). Use --fresh to start over."
    )


def _copy(net: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().cpu().clone() for name, value in net.state_dict().items()}


def _read(checkpoint: Path) -> dict[str, Any]:
    try:
        return torch.load(checkpoint, map_location="cpu", weights_only=True)
    except Exception as fault:
        raise _damaged(checkpoint, fault) from fault


def _write_log(path: Path, history: list[dict[str, float]]) -> None:
    with atomic_write(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, history[0].keys())
        writer.writeheader()
        writer.writerows(history)
