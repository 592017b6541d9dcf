"""PerfNet (Wang & Yang, "PerformanceNet", AAAI 2019) as Audeo uses it (Su, Liu & Shlizerman, NeurIPS 2020).

A one-dimensional U-Net turns a piano roll into a spectrogram (ContourNet), residual blocks over bands of its
channels add detail (TextureNet), a two-dimensional U-Net refines the bins below 4.5 kHz, where all
fundamentals lie, for rolls that were predicted and have faults, and Griffin-Lim finds phases.

Long pieces are answered in windows of two seconds that overlap by half and are cross-faded: instance norm
makes a window's answer depend on the whole window, so windows side by side would be heard as joins.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from audeo_bench.api import KEYS, LOWEST_PITCH, AudeoBenchError, Recording, Synthesizer, TrainingContext
from audeo_bench.nn.stage import TorchStage, default_device
from audeo_bench.synth.griffin_lim import BINS, HOP, N_FFT, griffin_lim_blocks, log_spectrogram
from audeo_bench.synth.loudness import at_level

PITCHES = 128
PIECE = 128
"""Spectrogram frames of one window: the 126 of two seconds, padded to a multiple of 16."""
STRIDE = PIECE // 2
REFINED_BINS = 576
DEPTHS = 5
SAMPLES_PER_FRAME = 640
VALIDATION_SECONDS = 20


class Block(nn.Sequential):
    """Two convolutions over time, each with instance norm and leaky ReLU."""

    def __init__(self, channels_in: int, channels: int) -> None:
        super().__init__(*layer(channels_in, channels), *layer(channels, channels))


def layer(channels_in: int, channels: int) -> list[nn.Module]:
    return [nn.Conv1d(channels_in, channels, 3, padding=1), nn.InstanceNorm1d(channels), nn.LeakyReLU(0.01)]


class Decode(nn.Module):
    """Twice the length, joined with the encoder's map of that length and with the onset encoder's, if any."""

    def __init__(self, channels_in: int, skip: int, condition: int, channels: int, kernel: int) -> None:
        super().__init__()
        # The paper's kernels 6, 4, 3, 2 with padding 1 double the length only at 4. These paddings double it
        # exactly for each, so that maps need no cropping and stay aligned.
        padding, extra = {6: (2, 0), 4: (1, 0), 3: (1, 1), 2: (0, 0)}[kernel]
        self.up = nn.Sequential(
            nn.ConvTranspose1d(channels_in, channels, kernel, 2, padding, extra),
            nn.InstanceNorm1d(channels),
            nn.LeakyReLU(0.01),
        )
        self.first = nn.Sequential(*layer(channels + skip, channels))
        self.second = nn.Sequential(*layer(channels + condition, channels))

    def forward(self, x: Tensor, skip: Tensor, condition: Tensor | None) -> Tensor:
        x = self.first(torch.cat([self.up(x), skip], 1))
        return self.second(x if condition is None else torch.cat([x, condition], 1))


class Bands(nn.Module):
    """A residual block whose channels fall into bands that do not see each other."""

    def __init__(self, channels: int, bands: int) -> None:
        super().__init__()
        self.model = nn.Sequential(
            nn.Conv1d(channels, channels, 3, padding=1, groups=bands),
            nn.InstanceNorm1d(channels),
            nn.LeakyReLU(0.01),
            nn.Conv1d(channels, channels, 3, padding=1, groups=bands),
            nn.InstanceNorm1d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.model(x)


class PerformanceNet(nn.Module):
    """(N, 128, T) rolls, T a multiple of 16 -> (N, 1025, T) log spectrograms. Full size: width 256."""

    def __init__(self, width: int = 256) -> None:
        super().__init__()
        channels = [width * 2**stage for stage in range(DEPTHS)]
        out = [8 * width, 4 * width, 4 * width, 4 * width]
        self.encoder = nn.ModuleList(Block(low, high) for low, high in pairwise([PITCHES, *channels]))
        self.onsets = nn.ModuleList(Block(low, high) for low, high in pairwise([PITCHES, *channels[:3]]))
        conditions = [channels[2], channels[1], 0, 0]
        self.decoder = nn.ModuleList(
            Decode(*sizes)
            for sizes in zip(
                [channels[-1], *out], channels[-2::-1], conditions, out, (6, 4, 3, 2), strict=False
            )
        )
        self.texture = nn.Sequential(*(Bands(out[-1], bands) for bands in (2, 4, 8, 16)))
        self.output = nn.Conv1d(out[-1], BINS, 3, padding=1)

    def forward(self, roll: Tensor) -> Tensor:
        # +1 at a note's first frame, -1 just after its last.
        strikes = roll - F.pad(roll, (1, 0))[..., :-1]
        conditions = []
        for block in self.onsets:
            strikes = F.max_pool1d(block(strikes), 2)
            conditions.append(strikes)
        x, skips = roll, []
        for block in self.encoder:
            x = block(F.max_pool1d(x, 2) if skips else x)
            skips.append(x)
        skips.pop()
        for decode, condition in zip(self.decoder, [conditions[2], conditions[1], None, None], strict=True):
            x = decode(x, skips.pop(), condition)
        return F.leaky_relu(self.output(self.texture(x)), 0.01)


class Refinement(nn.Module):
    """A five-depth U-Net on the lowest 576 bins: (N, 1025, T) -> the same, T a multiple of 32."""

    def __init__(self, width: int) -> None:
        super().__init__()
        widths = [width * min(2**depth, 8) for depth in range(DEPTHS + 1)]
        self.first = plane(1, width)
        self.down = nn.ModuleList(plane(low, high) for low, high in pairwise(widths))
        self.up = nn.ModuleList(
            plane(high + low, low) for low, high in zip(widths[-2::-1], widths[:0:-1], strict=True)
        )
        self.last = nn.Conv2d(width, 1, 1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]

    def forward(self, spectrogram: Tensor) -> Tensor:
        low = spectrogram[:, :REFINED_BINS]
        x = self.first(low[:, None])
        skips = []
        for down in self.down:
            skips.append(x)
            x = down(F.max_pool2d(x, 2))
        for up in self.up:
            x = up(torch.cat([F.interpolate(x, scale_factor=2), skips.pop()], 1))
        return torch.cat([low + self.last(x)[:, 0], spectrogram[:, REFINED_BINS:]], 1)


def plane(channels_in: int, channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(channels),
        nn.LeakyReLU(0.2),
        nn.Conv2d(channels, channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(channels),
        nn.LeakyReLU(0.2),
    )


class PerfNet(TorchStage, Synthesizer):
    name = "perfnet"

    def __init__(self, width: int = 16, iterations: int = 60) -> None:
        if width < 4 or width % 4:
            raise AudeoBenchError(f"perfnet: found width {width}; give a multiple of 4 (the paper's is 256).")
        self.options = {"width": width, "iterations": iterations}
        self.net = nn.ModuleDict(
            {"performance": PerformanceNet(width), "refinement": Refinement(max(4, width // 4))}
        )

    def audio(self, roll: np.ndarray) -> np.ndarray:
        """Sound of a (88, T) bool roll: float32, 16 kHz, ``640 T`` samples."""
        samples = np.concatenate([*self.stream(roll), np.zeros(0, np.float32)])
        return at_level(samples)

    def stream(self, roll: np.ndarray) -> Iterator[np.ndarray]:
        """The same sound in consecutive blocks, not yet scaled; memory does not grow with its length."""
        wanted = SAMPLES_PER_FRAME * roll.shape[1]
        if not roll.any():
            yield np.zeros(wanted, np.float32)
            return
        amplitudes = (np.sqrt(np.expm1(block)) for block in self.spectrogram_blocks(roll))
        for block in griffin_lim_blocks(amplitudes, self.options["iterations"]):
            yield block[:wanted]
            wanted -= len(block[:wanted])
        if wanted > 0:
            yield np.zeros(wanted, np.float32)

    def spectrogram(self, roll: np.ndarray) -> np.ndarray:
        """log(1 + power) of the sound of a (88, T) bool roll: (1025, 1 + 640 T // 256), float32."""
        return np.concatenate(list(self.spectrogram_blocks(roll)), axis=1)

    @torch.inference_mode()
    def spectrogram_blocks(
        self, roll: np.ndarray, stride: int = STRIDE, batch: int = 8
    ) -> Iterator[np.ndarray]:
        """:meth:`spectrogram` in consecutive blocks; windows every ``stride`` frames, cross-faded."""
        device = default_device()
        net = self.net.to(device).eval()
        assert isinstance(net, nn.ModuleDict)
        total = 1 + SAMPLES_PER_FRAME * roll.shape[1] // HOP
        fade = np.minimum(np.arange(PIECE) + 0.5, PIECE - np.arange(PIECE) - 0.5).astype(np.float32)
        if stride == PIECE:
            fade[:] = 1
        # The first window begins half before the sound, so that every frame lies in as many windows.
        starts = list(range(stride - PIECE, total, stride))
        heap, weight = np.zeros((BINS, PIECE), np.float32), np.zeros(PIECE, np.float32)
        for first in range(0, len(starts), batch):
            chosen = starts[first : first + batch]
            pieces = torch.from_numpy(np.stack([piece_of(roll, start) for start in chosen])).to(device)
            answers = net["refinement"](net["performance"](pieces)).clamp_(min=0).float().cpu().numpy()
            done = []
            for start, answer in zip(chosen, answers, strict=True):
                heap += answer * fade
                weight += fade
                ready = heap[:, :stride] / weight[:stride]
                done.append(ready[:, max(0, -start) : max(0, total - start)])
                heap = np.concatenate([heap[:, stride:], np.zeros((BINS, stride), np.float32)], axis=1)
                weight = np.concatenate([weight[stride:], np.zeros(stride, np.float32)])
            yield np.concatenate(done, axis=1)

    def fit(self, context: TrainingContext, epochs: int = 10, batch: int = 16, steps: int = 120) -> None:
        """MSE for the spectrogram of the true roll, L1 for the refined one of the predicted roll; Adam 1e-3.

        The two nets are trained side by side, every third batch for the refinement, which passes nothing
        back. Behind a first stage (``keywise+perfnet``) the predicted rolls are that stage's, of recordings
        that it did not train on; alone they are true rolls with drawn faults.
        """
        # Training's libraries take seconds to import.
        from audeo_bench.training.loop import Recipe, optimise
        from audeo_bench.training.misread import misread

        fabric, sounds = context.fabric, context.sounds()
        if context.first_stage is None:
            rolls = [recording.sounding for recording in context.training]
            read = [misread(roll, np.random.default_rng([context.seed, n])) for n, roll in enumerate(rolls)]
        else:
            pairs = context.training_rolls()
            rolls, read = [truth for _, truth in pairs], [roll >= 0.4 for roll, _ in pairs]
        assert isinstance(self.net, nn.ModuleDict)
        performance, refinement = self.net["performance"], self.net["refinement"]
        output = performance.get_submodule("output")
        assert isinstance(output, nn.Conv1d) and output.bias is not None
        with torch.no_grad():  # a head start: the mean spectrum
            output.bias.copy_(torch.from_numpy(log_spectrogram(sounds[0][: 60 * 16_000]).mean(1)))
        performance, first = fabric.setup(performance, torch.optim.Adam(performance.parameters(), 1e-3))
        refinement, second = fabric.setup(refinement, torch.optim.Adam(refinement.parameters(), 1e-3))

        def draw(rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
            predicted = bool(rng.integers(3) == 0)
            count = batch // 2 if predicted else batch
            true, faulty, targets = [], [], []
            for number in rng.integers(len(rolls), size=count):
                sound = sounds[number]
                start = int(rng.integers(8, len(sound) // HOP - PIECE - 8))
                true.append(piece_of(rolls[number], start))
                faulty.append(piece_of(read[number], start))
                targets.append(np.array(sound[HOP * start - N_FFT // 2 :][: HOP * (PIECE - 1) + N_FFT]))
            pieces = np.stack(faulty if predicted else true)
            return (
                torch.from_numpy(pieces),
                torch.from_numpy(np.stack(targets)).float(),
                torch.tensor(predicted),
            )

        def step(pieces: Tensor, samples: Tensor, predicted: Tensor) -> Tensor:
            window = torch.hann_window(N_FFT, device=samples.device)
            spectrum = torch.stft(samples, N_FFT, HOP, window=window, center=False, return_complex=True)
            target = torch.log1p(spectrum.abs().square())
            if bool(predicted):
                with torch.no_grad():
                    made = performance(pieces)
                second.zero_grad()
                loss = F.l1_loss(refinement(made)[:, :REFINED_BINS].float(), target[:, :REFINED_BINS])
                fabric.backward(loss)
                second.step()
            else:
                first.zero_grad()
                loss = F.mse_loss(performance(pieces).float(), target)
                fabric.backward(loss)
                first.step()
            return loss

        def validate() -> float:
            return self.explained(context.validation)

        recipe = Recipe(self.net, [first, second], draw, step, validate, epochs, steps, score="validation_r2")
        optimise(recipe, context, self.name)

    def explained(self, recordings: list[Recording]) -> float:
        """Share of the log spectrogram's variance that the net explains from rolls with faults; mean."""
        from audeo_bench.training.misread import misread

        shares = []
        for number, recording in enumerate(recordings):
            assert recording.audio is not None
            frames = min(recording.sounding.shape[1], 25 * VALIDATION_SECONDS)
            truth = log_spectrogram(recording.audio()[: SAMPLES_PER_FRAME * frames])
            roll = misread(recording.sounding[:, :frames], np.random.default_rng(number))
            shares.append(1 - np.mean((self.spectrogram(roll) - truth) ** 2) / np.var(truth))
        return float(np.mean(shares))


def piece_of(roll: np.ndarray, start: int) -> np.ndarray:
    """Spectrogram frames start..start+128 of a roll, silent beyond its ends: (128, 128), float32, row = MIDI
    pitch.
    """
    frames = (np.arange(start, start + PIECE) * HOP) // SAMPLES_PER_FRAME
    inside = (frames >= 0) & (frames < roll.shape[1])
    piece = np.zeros((PITCHES, PIECE), np.float32)
    piece[LOWEST_PITCH : LOWEST_PITCH + KEYS, inside] = roll[:, frames[inside]]
    return piece
