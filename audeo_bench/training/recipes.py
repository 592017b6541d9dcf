"""The paper's recipe for nets that answer from five stacked frames, and the validation score of every
training.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from audeo_bench.api import KEYS, TrainingContext
from audeo_bench.nn.stage import StackedFrames, channels_last, keys_of
from audeo_bench.score.frames import average, frame_counts
from audeo_bench.training.frames import BalancedDraws, stacks
from audeo_bench.training.loop import Recipe, optimise

DRAWS_PER_EPOCH = 20_000
"""Draws in one epoch, as in the release."""
THRESHOLD = 0.4


def fit_stacks(
    stage: StackedFrames,
    context: TrainingContext,
    epochs: int = 10,
    batch: int = 64,
) -> None:
    """The paper's recipe: class-balanced draws including the silent class, BCE, Adam 1e-3, batch 64, cut on
    plateau.

    Three things differ from the release and are meant to: the plateau and the best epoch are judged on
    validation recordings, never on the test split; the rate is also cut late in the run (see
    :func:`optimise`); and the pictures are varied (:func:`vary`).
    """
    fabric, keys, shape = context.fabric, keys_of(stage.options["keys"]), tuple(stage.options["frame_shape"])
    frames = context.frames(shape)
    truths = [recording.sounding[keys] for recording in context.training]
    balanced = BalancedDraws(truths)
    net = channels_last(stage.net)
    net, optimiser = fabric.setup(net, torch.optim.Adam(net.parameters(), 1e-3))

    def draw(rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        recording, middle = balanced(rng, batch)
        truth = np.stack([truths[r][:, m] for r, m in zip(recording, middle, strict=True)])
        pixels = vary(stacks(frames, recording, middle), rng)
        return torch.from_numpy(pixels), torch.from_numpy(truth.astype(np.float32))

    def step(pixels: Tensor, truth: Tensor) -> Tensor:
        optimiser.zero_grad()
        logits = net((pixels.float() / 255).contiguous(memory_format=torch.channels_last))
        loss = F.binary_cross_entropy_with_logits(logits.float(), truth)
        fabric.backward(loss)
        optimiser.step()
        return loss

    def validate() -> float:
        return roll_f1(context.answers(stage, shape))

    recipe = Recipe(stage.net, [optimiser], draw, step, validate, epochs, DRAWS_PER_EPOCH // batch)
    optimise(recipe, context, stage.name)


def vary(stacks: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Another camera's view of the same stacks: moved by a pixel or two, lit and exposed otherwise, noisier.

    The training recordings show few pianos and lamps; a net that may learn them by heart does.
    """
    varied = np.empty_like(stacks)
    height, width = stacks.shape[2:]
    along = np.linspace(-1, 1, width, dtype=np.float32)
    grain = rng.standard_normal(2 * stacks[0].size, np.float32)
    for stack, out in zip(stacks, varied, strict=True):
        rows = np.clip(np.arange(height) + rng.integers(-2, 3), 0, height - 1)
        columns = np.clip(np.arange(width) + rng.integers(-2, 3), 0, width - 1)
        light = np.float32(rng.uniform(0.75, 1.25)) + np.float32(rng.uniform(-0.15, 0.15)) * along
        start = rng.integers(stack.size)
        noise = grain[start : start + stack.size].reshape(stack.shape) * np.float32(rng.uniform(0, 4))
        moved = stack[:, rows[:, None], columns]
        out[:] = np.clip(moved * light + np.float32(rng.uniform(-20, 20)) + noise, 0, 255)
    return varied


def roll_f1(pairs: Iterable[tuple[np.ndarray, np.ndarray]]) -> float:
    """Mean over recordings of the per-frame F1 at 0.4 on the paper's 51 keys, from (probabilities, truth)
    pairs.
    """
    scores = []
    for probabilities, truth in pairs:
        assert probabilities.shape[0] == KEYS
        counts = frame_counts(truth, probabilities, (THRESHOLD,), keys="51")
        scores.append(float(average(counts).f1[0]))
    return float(np.mean(scores))
