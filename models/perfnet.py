"""PerfNet, after Wang & Yang ("PerformanceNet", AAAI 2019) as Audeo uses it (Su, Liu & Shlizerman, 2020).

A roll becomes a spectrogram, and Griffin-Lim finds phases. The net does not begin from nothing: it is given
what spectral templates make of the roll (`audeo_bench.synth.templates`), and adds to their level.
Convolutions over time draw the contour; convolutions over time and frequency refine it for rolls that were
predicted and have faults. The last layer of both begins at zero: an untrained net plays the templates.

Nothing is padded in time and nothing is normalised over a window: a frame's answer depends on `REACH` frames
on both sides, wherever blocks begin, and its level is kept.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from audeo_bench.api import KEYS, AudeoBenchError, Recording, Synthesizer, TrainingContext
from audeo_bench.nn.stage import TorchStage, default_device
from audeo_bench.synth.griffin_lim import BINS, HOP, N_FFT, sound_blocks, stft
from audeo_bench.synth.loudness import at_level
from audeo_bench.synth.templates import MOMENTS, TEMPLATE_BINS, fit_templates, template_weights

FLOOR = 1e-4
"""Added to powers before the logarithm: 80 dB below the loudest bin of an ordinary recording."""
DILATIONS = (1, 2, 4, 8)
PLANES = 3
REACH = 1 + sum(DILATIONS) + 1 + PLANES
"""Spectrogram frames on both sides that an answer depends on."""
BLOCK, PIECE = 256, 128
"""Spectrogram frames that are answered at a time, and trained on."""
TEMPLATE_RECORDINGS = 21
SAMPLES_PER_FRAME = 640
VALIDATION_SECONDS = 10


class Performance(nn.Module):
    """(N, 792, T + 2 REACH) weights of templates -> (N, 576, T + 2 PLANES) levels, ``log(FLOOR + power)``."""

    def __init__(self, width: int) -> None:
        super().__init__()

        def layer(channels_in: int, dilation: int = 1) -> nn.Module:
            convolution = nn.Conv1d(channels_in, width, 3, dilation=dilation)
            return nn.Sequential(convolution, nn.BatchNorm1d(width), nn.LeakyReLU(0.01))

        self.templates = nn.Parameter(torch.zeros(KEYS * MOMENTS, TEMPLATE_BINS), False)
        self.first = layer(KEYS * MOMENTS + TEMPLATE_BINS)
        self.blocks = nn.ModuleList(layer(width, dilation) for dilation in DILATIONS)
        self.last = begin_at_zero(nn.Conv1d(width, TEMPLATE_BINS, 3))

    def forward(self, weights: Tensor) -> Tensor:
        level = torch.log(FLOOR + (self.templates.T @ weights).float().square())
        x = self.first(torch.cat([weights, scaled(level)], 1))
        for dilation, block in zip(DILATIONS, self.blocks, strict=True):
            x = x[..., dilation:-dilation] + block(x)
        return added(level, self.last(x), weights)


class Refinement(nn.Module):
    """(N, 576, T + 2 PLANES) levels, and the weights that they were made of -> (N, 576, T) levels."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.planes = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(channels, width, 3, padding=(1, 0)), nn.BatchNorm2d(width), nn.LeakyReLU(0.01)
            )
            for channels in (2, *[width] * (PLANES - 1))
        )
        self.last = begin_at_zero(nn.Conv2d(width, 1, 1))

    def forward(self, level: Tensor, weights: Tensor) -> Tensor:
        height = torch.linspace(-1, 1, TEMPLATE_BINS, device=level.device)[:, None].expand_as(level)
        x = torch.stack([scaled(level), height], 1)
        for place, plane in enumerate(self.planes):
            x = plane(x) if place == 0 else x[..., 1:-1] + plane(x)
        return added(level, self.last(x)[:, 0], weights)


def begin_at_zero(layer: nn.Module) -> nn.Module:
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    return layer


def scaled(level: Tensor) -> Tensor:
    """Natural logarithms of powers, brought to about -1..3."""
    return (level + 5) / 5


def added(level: Tensor, change: Tensor, weights: Tensor) -> Tensor:
    """The level, changed, of the frames in the middle that ``change`` has; silence stays silence."""
    sounds = weights.amax(1, keepdim=True) > 0
    return within(level, change) + change.float() * within(sounds, change)


def within(outer: Tensor, inner: Tensor) -> Tensor:
    edge = (outer.shape[-1] - inner.shape[-1]) // 2
    return outer[..., edge : outer.shape[-1] - edge]


class PerfNet(TorchStage, Synthesizer):
    name = "perfnet"

    def __init__(self, width: int = 16, iterations: int = 32) -> None:
        if width < 4 or width % 4:
            raise AudeoBenchError(f"perfnet: found width {width}; give a multiple of 4, such as 16.")
        self.options = {"width": width, "iterations": iterations}
        self.net = nn.ModuleDict(
            {"performance": Performance(4 * width), "refinement": Refinement(width // 2)}
        )

    def audio(self, roll: np.ndarray) -> np.ndarray:
        """Sound of a (88, T) bool roll: float32, 16 kHz, ``640 T`` samples."""
        return at_level(np.concatenate(list(self.stream(roll))))

    def stream(self, roll: np.ndarray) -> Iterator[np.ndarray]:
        """The same sound in consecutive blocks, not yet scaled; memory does not grow with its length."""
        samples = SAMPLES_PER_FRAME * roll.shape[1]
        return sound_blocks(self.amplitudes(roll), samples, self.options["iterations"])

    def amplitudes(self, roll: np.ndarray) -> Iterator[np.ndarray]:
        """Consecutive blocks, (1025, t), of the spectrogram; silent above 4.5 kHz."""
        for level in self.levels(roll):
            block = np.zeros((BINS, level.shape[1]), np.float32)
            block[:TEMPLATE_BINS] = np.sqrt(np.maximum(np.exp(level) - FLOOR, 0))
            yield block

    @torch.inference_mode()
    def levels(self, roll: np.ndarray, block: int = BLOCK) -> Iterator[np.ndarray]:
        """``log(FLOOR + power)`` of the ``1 + 640 T // 256`` frames: consecutive blocks (576, t), float32."""
        device = default_device()
        net = self.net.to(device).eval()
        assert isinstance(net, nn.ModuleDict)
        total = 1 + SAMPLES_PER_FRAME * roll.shape[1] // HOP
        for start in range(0, total, block):
            weights = torch.from_numpy(weights_of(roll, start, min(block, total - start)))[None].to(device)
            yield net["refinement"](net["performance"](weights), weights)[0].cpu().numpy()

    def fit(self, context: TrainingContext, epochs: int = 6, batch: int = 16, steps: int = 50) -> None:
        """Templates by least squares; then squared error of the levels made of true rolls, absolute error of
        those refined from predicted ones; Adam 2e-3.

        The two nets are trained side by side, every third batch for the refinement, which passes nothing
        back. Behind a first stage (``keywise+perfnet``) the predicted rolls are that stage's, of recordings
        that it did not train on; alone they are true rolls with drawn faults.
        """
        # Training's libraries take seconds to import.
        from audeo_bench.training.loop import Recipe, optimise
        from audeo_bench.training.misread import misread

        fabric, sounds, recordings = context.fabric, context.sounds(), context.training
        if context.first_stage is None:
            rolls = [recording.sounding for recording in recordings]
            read = [misread(roll, np.random.default_rng([context.seed, n])) for n, roll in enumerate(rolls)]
        else:
            pairs = context.training_rolls()
            rolls, read = [truth for _, truth in pairs], [roll >= 0.4 for roll, _ in pairs]
        # From the keys that were pressed: what is heard of them has faults, which would quieten templates.
        pressed = [each.sounding if each.pressed is None else each.pressed for each in recordings]
        heard = (np.asarray(sound, np.float32) for sound in sounds[:TEMPLATE_RECORDINGS])
        templates = fit_templates(zip(pressed, heard, strict=False))
        assert isinstance(self.net, nn.ModuleDict)
        performance, refinement = self.net["performance"], self.net["refinement"]
        performance.get_parameter("templates").data.copy_(torch.from_numpy(templates).flatten(0, 1))
        learning = [each for each in performance.parameters() if each.requires_grad]
        performance, first = fabric.setup(performance, torch.optim.Adam(learning, 2e-3))
        refinement, second = fabric.setup(refinement, torch.optim.Adam(refinement.parameters(), 2e-3))

        def draw(rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
            predicted = bool(rng.integers(3) == 0)
            weights, targets = [], []
            for number in rng.integers(len(rolls), size=batch // 4 if predicted else batch):
                sound = sounds[number]
                start = int(rng.integers(8, len(sound) // HOP - PIECE - 8))
                weights.append(weights_of((read if predicted else rolls)[number], start, PIECE))
                targets.append(np.array(sound[HOP * start - N_FFT // 2 :][: HOP * (PIECE - 1) + N_FFT]))
            return (
                torch.from_numpy(np.stack(weights)),
                torch.from_numpy(np.stack(targets)).float(),
                torch.tensor(predicted),
            )

        def step(weights: Tensor, samples: Tensor, predicted: Tensor) -> Tensor:
            window = torch.hann_window(N_FFT, device=samples.device)
            spectrum = torch.stft(samples, N_FFT, HOP, window=window, center=False, return_complex=True)
            target = torch.log(FLOOR + spectrum[:, :TEMPLATE_BINS].abs().square())
            optimiser = second if bool(predicted) else first
            optimiser.zero_grad()
            if bool(predicted):
                with torch.no_grad():
                    made = performance(weights)
                loss = F.l1_loss(refinement(made, weights), target)
            else:
                loss = F.mse_loss(within(performance(weights), target), target)
            fabric.backward(loss)
            optimiser.step()
            return loss

        def validate() -> float:
            return self.explained(context.validation)

        recipe = Recipe(self.net, [first, second], draw, step, validate, epochs, steps, score="validation_r2")
        optimise(recipe, context, self.name)

    def explained(self, recordings: list[Recording]) -> float:
        """Share of the levels' variance that the net explains from rolls with faults; mean."""
        from audeo_bench.training.misread import misread

        shares = []
        for number, recording in enumerate(recordings):
            assert recording.audio is not None
            frames = min(recording.sounding.shape[1], 25 * VALIDATION_SECONDS)
            spectrum = stft(recording.audio()[: SAMPLES_PER_FRAME * frames])[:TEMPLATE_BINS].abs()
            truth = np.log(FLOOR + spectrum.square().numpy())
            roll = misread(recording.sounding[:, :frames], np.random.default_rng(number))
            made = np.concatenate(list(self.levels(roll)), axis=1)
            shares.append(1 - np.mean((made - truth) ** 2) / np.var(truth))
        return float(np.mean(shares))


def weights_of(roll: np.ndarray, start: int, frames: int) -> np.ndarray:
    """How much of each template sounds in the frames start..start+frames and in REACH on both sides:
    (792, frames + 2 REACH), float32.
    """
    weights = template_weights(roll, start - REACH, frames + 2 * REACH)
    return weights.reshape(KEYS * MOMENTS, -1)
