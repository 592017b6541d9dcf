"""How both Roll2Midi nets are trained: a least-squares GAN on windows of four seconds."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from audeo_bench.api import TrainingContext
from audeo_bench.nn.stage import RollRefiner, keys_of
from audeo_bench.training.loop import Recipe, optimise
from audeo_bench.training.recipes import validation_score

WINDOW, STEP = 100, 50
"""Frames of one training window, and between two of them (paper: 4 seconds, sliding by two)."""


def fit_refiner(
    stage: RollRefiner,
    discriminator: nn.Module,
    context: TrainingContext,
    epochs: int = 10,
    batch: int = 16,
    steps: int = 150,
) -> None:
    """Train on rolls of recordings that the first stage did not train on; loss weights and rates as released.

    Parameters
    ----------
    discriminator : nn.Module
        (N, 1, keys, T) -> scores of patches, 1 = a real roll.
    """
    fabric, keys = context.fabric, keys_of(stage.options["keys"])
    pairs = [(roll[keys], truth[keys].astype(np.float32)) for roll, truth in context.training_rolls()]
    starts = [(r, s) for r, (roll, _) in enumerate(pairs) for s in range(0, roll.shape[1] - WINDOW, STEP)]
    validation = context.validation_rolls()
    both = nn.ModuleDict({"generator": stage.net, "discriminator": discriminator})
    both.apply(initialise)
    generator, discriminator = both["generator"], both["discriminator"]
    generator, of_generator = fabric.setup(generator, torch.optim.Adam(generator.parameters(), 5e-4))
    discriminator, of_discriminator = fabric.setup(
        discriminator, torch.optim.Adam(discriminator.parameters(), 5e-4)
    )

    def draw(rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        windows = []
        for choice in rng.integers(len(starts), size=batch):
            number, start = starts[choice]
            # The grid of windows is the paper's; the shift keeps the net from learning its phase.
            start = min(start + int(rng.integers(STEP)), pairs[number][0].shape[1] - WINDOW)
            windows.append([side[:, start : start + WINDOW] for side in pairs[number]])
        rolls, truths = (torch.from_numpy(np.stack(side)[:, None]) for side in zip(*windows, strict=True))
        return rolls, truths

    def step(roll: Tensor, truth: Tensor) -> Tensor:
        made = generator(roll)
        of_generator.zero_grad()
        judged = discriminator(made)
        loss = 0.001 * F.mse_loss(judged, torch.ones_like(judged)) + 0.999 * F.mse_loss(made, truth)
        fabric.backward(loss)
        of_generator.step()
        of_discriminator.zero_grad()
        real, fake = discriminator(truth), discriminator(made.detach())
        wrong = F.mse_loss(real, torch.ones_like(real)) + F.mse_loss(fake, torch.zeros_like(fake))
        fabric.backward(0.5 * wrong)
        of_discriminator.step()
        return loss

    def validate() -> float:
        answers = ((stage.midi(roll), truth) for roll, truth in validation)
        return validation_score(answers, context.validation_corpus_of, keys)[0]

    recipe = Recipe(both, [of_generator, of_discriminator], draw, step, validate, epochs, steps)
    optimise(recipe, context, stage.name)


def initialise(module: nn.Module) -> None:
    """The release's initialisation: weights N(0, 0.02), batch-norm gains N(1, 0.02)."""
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
