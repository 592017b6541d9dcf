"""Spectral templates per key and age of the note, fitted by least squares, phases by Griffin-Lim.

What a synthesizer reaches without a net: the least that PerfNet has to beat.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import nn

from audeo_bench.api import FRAMES_PER_SECOND, KEYS, SAMPLE_RATE, Synthesizer, TrainingContext
from audeo_bench.nn.stage import TorchStage
from audeo_bench.synth.griffin_lim import BINS, HOP, sound_blocks
from audeo_bench.synth.loudness import at_level
from audeo_bench.synth.templates import MOMENTS, TEMPLATE_BINS, fit_templates, template_weights

SPAN = 1024
"""Spectrogram frames that are added up at a time."""


class Templates(TorchStage, Synthesizer):
    name = "templates"

    def __init__(self, iterations: int = 16) -> None:
        self.options = {"iterations": iterations}
        self.net = nn.Module()
        self.net.register_parameter(
            "templates", nn.Parameter(torch.zeros(KEYS, MOMENTS, TEMPLATE_BINS), False)
        )

    def fit(self, context: TrainingContext) -> None:
        """Least squares on the training recordings' sound, from the keys that were pressed: what is heard of
        them has faults, and each would quieten a template.
        """
        recordings = context.training
        rolls = [each.sounding if each.pressed is None else each.pressed for each in recordings]
        sounds = (np.asarray(sound, np.float32) for sound in context.sounds())
        templates = torch.from_numpy(fit_templates(zip(rolls, sounds, strict=True)))
        self.net.get_parameter("templates").data.copy_(templates)

    def audio(self, roll: np.ndarray) -> np.ndarray:
        """Sound of a (88, T) bool roll: float32, 16 kHz, ``640 T`` samples."""
        return at_level(np.concatenate(list(self.stream(roll))))

    def stream(self, roll: np.ndarray) -> Iterator[np.ndarray]:
        """The same sound in consecutive blocks, not yet scaled."""
        samples = roll.shape[1] * SAMPLE_RATE // FRAMES_PER_SECOND
        return sound_blocks(self.amplitudes(roll), samples, self.options["iterations"])

    def amplitudes(self, roll: np.ndarray) -> Iterator[np.ndarray]:
        """Consecutive blocks, (1025, t), of the spectrogram's ``1 + 640 T // 256`` frames."""
        templates = self.net.get_parameter("templates").flatten(0, 1).detach().numpy()
        total = 1 + roll.shape[1] * SAMPLE_RATE // FRAMES_PER_SECOND // HOP
        for start in range(0, total, SPAN):
            weights = template_weights(roll, start, min(SPAN, total - start)).reshape(len(templates), -1)
            block = np.zeros((BINS, weights.shape[1]), np.float32)
            block[:TEMPLATE_BINS] = templates.T @ weights
            yield block
