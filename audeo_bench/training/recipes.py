"""The paper's recipe for nets that answer from stacked frames, and the validation score of every training."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from audeo_bench.api import PAPER_KEYS, TrainingContext
from audeo_bench.nn.stage import StackedFrames, channels_last, keys_of
from audeo_bench.roll import roll_to_notes
from audeo_bench.score import THRESHOLD
from audeo_bench.score.frames import average, frame_counts
from audeo_bench.score.notes import roll_note_counts
from audeo_bench.training.frames import BalancedDraws, stacks
from audeo_bench.training.keyboards import on_another
from audeo_bench.training.loop import Recipe, optimise
from audeo_bench.training.pictures import vary

DRAWS_PER_EPOCH = 20_000
"""Draws in one epoch, as in the release."""
THRESHOLDS = (0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)


def fit_stacks(
    stage: StackedFrames,
    context: TrainingContext,
    epochs: int = 10,
    batch: int = 64,
) -> None:
    """The paper's recipe: draws balanced over classes including the silent one, BCE, Adam 1e-3, batch 64.

    What differs from the release is meant to: the best epoch is judged on validation recordings, never on the
    test split; the rate falls along a cosine (:func:`optimise`) instead of on plateaus; the balance is half
    (:class:`.BalancedDraws`); the pictures are varied (:func:`vary`); the labels are the keys that are down,
    where that is known; every other draw of a net that sees the keyboard at rest is laid over a photograph's
    keyboard, where there are some (:mod:`.keyboards`); corpora that are trained on together are drawn from
    equally often; and at the end the last layer's bias is moved so that the threshold that is best on
    validation becomes 0.4, the benchmark's (:func:`settle`).
    """
    fabric, keys, shape = context.fabric, keys_of(stage.options["keys"]), tuple(stage.options["frame_shape"])
    frames = context.frames(shape)
    idle = context.idle(shape) if stage.sees_idle else None
    others = context.other_keyboards(shape) if stage.sees_idle else []
    truths = [context.truth(recording)[keys] for recording in context.training]
    corpus_of = np.array(context.corpus_of)
    members = [np.flatnonzero(corpus_of == corpus) for corpus in np.unique(corpus_of)]
    balanced = [BalancedDraws([truths[r] for r in each]) for each in members]
    net = channels_last(stage.net)
    net, optimiser = fabric.setup(net, torch.optim.Adam(net.parameters(), 1e-3))

    def draw(rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        shares = np.bincount(rng.integers(len(members), size=batch), minlength=len(members))
        drawn = [draws(rng, share) for draws, share in zip(balanced, shares, strict=True)]
        recording = np.concatenate([each[r] for each, (r, _) in zip(members, drawn, strict=True)])
        middle = np.concatenate([m for _, m in drawn])
        truth = np.stack([truths[r][:, m] for r, m in zip(recording, middle, strict=True)])
        shown = stacks(frames, recording, middle, stage.stack, idle)
        if others:
            on_another(shown, others, rng)
        return torch.from_numpy(vary(shown, rng, stage.sees_idle)), torch.from_numpy(truth.astype(np.float32))

    def step(pixels: Tensor, truth: Tensor) -> Tensor:
        optimiser.zero_grad()
        # Bytes are laid out anew in half the time that numbers take.
        logits = net(pixels.contiguous(memory_format=torch.channels_last).float().div_(255))
        loss = F.binary_cross_entropy_with_logits(logits.float(), truth)
        fabric.backward(loss)
        optimiser.step()
        return loss

    def judged() -> tuple[float, float]:
        return validation_score(context.answers(stage, shape), context.validation_corpus_of, keys)

    recipe = Recipe(stage.net, [optimiser], draw, step, lambda: judged()[0], epochs, DRAWS_PER_EPOCH // batch)
    optimise(recipe, context, stage.name)
    settle(stage, judged()[1])


def settle(stage: StackedFrames, threshold: float) -> None:
    """Move the bias of ``stage.net.fc`` so that what was answered with ``threshold`` is answered with 0.4."""
    with torch.no_grad():
        stage.net.fc.bias += float(_logit(THRESHOLD) - _logit(threshold))  # type: ignore[union-attr, operator]


def _logit(probability: float) -> float:
    return float(np.log(probability / (1 - probability)))


def validation_score(
    answers: Iterable[tuple[np.ndarray, np.ndarray]], corpora: Sequence[str], keys: slice
) -> tuple[float, float]:
    """How good answers are, at the threshold that suits them best.

    Parameters
    ----------
    answers : iterable of (probabilities, truth)
        Both (88, T).
    corpora : sequence of str
        Where each recording is from.
    keys : slice
        Those that the net models.

    Returns
    -------
    score : float, 0..1
        The mean of frame F1 (mean per frame) and onset F1 within 100 ms, averaged over the recordings of each
        corpus and then over corpora.
    threshold : float
        One of ``THRESHOLDS``: the best for all recordings together.
    """
    scores: dict[str, list[np.ndarray]] = defaultdict(list)
    for corpus, (probabilities, truth) in zip(corpora, answers, strict=True):
        counts = frame_counts(truth, probabilities, THRESHOLDS, keys="51" if keys == PAPER_KEYS else "88")
        true = np.zeros_like(truth)
        true[keys] = truth[keys]
        notes = roll_to_notes(true)
        onsets = [roll_note_counts(notes, probabilities, t)["onset@100"].f1 for t in THRESHOLDS]
        scores[corpus].append((average(counts).f1 + np.array(onsets)) / 2)
    mean = np.mean([np.mean(each, axis=0) for each in scores.values()], axis=0)
    return float(mean.max()), THRESHOLDS[int(mean.argmax())]
