"""Keywise, audeo-bench's own contestant: every key is read from its own columns of the picture.

A net that averages the whole picture before it answers must learn from samples where each key lies. A
keyboard seen from above needs no such search: key k lies at a known share of the crop's width. So a small
convolutional trunk keeps the columns, each key's features are interpolated from the map at the key's centre
and at its two edges, and one classifier, the same for all keys, answers from them with a short memory in
time. No pooling over the keyboard, hence few weights.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from audeo_bench.api import KEYS, Frames, VideoToRoll, windows
from audeo_bench.corpus.simulated.keyboard import IS_BLACK, KEY_X, KEYBOARD_WIDTH, WHITE_WIDTH
from audeo_bench.nn.frames import shrink, to_unit
from audeo_bench.nn.resnet import initialise
from audeo_bench.nn.stage import TorchStage, channels_last, default_device
from audeo_bench.training.frames import cached_frames
from audeo_bench.training.loop import optimise
from audeo_bench.training.recipes import roll_f1

Size = int | tuple[int, int]
CONTEXT = 16
"""Frames of memory on each side: the sum of the time convolutions' reaches, plus the neighbours in the first
layer.
"""


def convolution(
    channels_in: int, channels: int, kernel: Size, stride: Size = 1, padding: Size = 0, dilation: Size = 1
) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels, kernel, stride, padding, dilation, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(),
    )


class TimeBlock(nn.Module):
    """A residual convolution over time (five frames, dilated) and three neighbouring keys."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.conv = convolution(channels, channels, (5, 3), 1, (2 * dilation, 1), (dilation, 1))
        self.mix = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.mix(self.conv(x))


def reading_matrix(columns: int) -> np.ndarray:
    """Linear interpolation from a map's columns to the left edge, centre and right edge of each key:
    (columns, 3 * 88).
    """
    offsets = np.array([-0.4, 0.0, 0.4]) * WHITE_WIDTH
    places = (KEY_X[None] + offsets[:, None]).ravel() / KEYBOARD_WIDTH * columns - 0.5
    places = np.clip(places, 0, columns - 1)
    return np.maximum(0, 1 - np.abs(places[None] - np.arange(columns)[:, None])).astype(np.float32)


class KeywiseNet(nn.Module):
    """(N, T, height, width) in 0..1 -> (N, 88, T) logits."""

    reading: Tensor
    colour: Tensor

    def __init__(self, width: int = 16, frame_shape: tuple[int, int] = (50, 450)) -> None:
        super().__init__()
        features = 4 * width
        # Height shrinks fast, width slowly: what tells a pressed key from its neighbours lies side by side.
        self.trunk = nn.Sequential(
            convolution(3, 3 * width // 2, (7, 5), (4, 2), (3, 2)),
            convolution(3 * width // 2, 2 * width, 3, (1, 2), 1),
            convolution(2 * width, 3 * width, 3, (2, 1), 1),
            convolution(3 * width, 3 * width, 3, 1, 1),
        )
        height, columns = (frame_shape[0] + 7) // 8, (frame_shape[1] + 3) // 4
        self.collapse = convolution(3 * width, features, (height, 1))
        self.register_buffer("reading", torch.from_numpy(reading_matrix(columns)), persistent=False)
        colour = np.stack([IS_BLACK, ~IS_BLACK]).astype(np.float32)
        self.register_buffer("colour", torch.from_numpy(colour), persistent=False)
        self.enter = convolution(3 * features + 2, features, 1)
        self.over_time = nn.Sequential(*(TimeBlock(features, dilation) for dilation in (1, 2, 4)))
        self.leave = nn.Conv2d(features, 1, 1)
        initialise(self)

    def forward(self, frames: Tensor) -> Tensor:
        n, time = frames.shape[:2]
        padded = torch.cat([frames[:, :1], frames, frames[:, -1:]], 1)
        triples = torch.stack([padded[:, :-2], frames, padded[:, 2:]], 2).flatten(0, 1)
        maps = self.trunk(triples.contiguous(memory_format=torch.channels_last))
        columns = self.collapse(maps)[:, :, 0]
        read = torch.einsum("ncw,wk->nck", columns, self.reading.to(columns.dtype))
        read = read.unflatten(2, (3, KEYS)).flatten(1, 2)
        read = torch.cat([read, self.colour.to(read.dtype).expand(n * time, 2, KEYS)], 1)
        keys = read.unflatten(0, (n, time)).transpose(1, 2)
        keys = self.over_time(self.enter(keys.contiguous(memory_format=torch.channels_last)))
        return self.leave(keys)[:, 0].transpose(1, 2)


class Keywise(TorchStage, VideoToRoll):
    name = "keywise"

    def __init__(self, width: int = 16, frame_shape: tuple[int, int] = (50, 450)) -> None:
        self.options = {"width": width, "frame_shape": list(frame_shape)}
        self.net = KeywiseNet(width, frame_shape)

    @torch.inference_mode()
    def roll(self, frames: Frames) -> np.ndarray:
        answer = np.zeros((KEYS, len(frames)), np.float32)
        device, shape = default_device(), tuple(self.options["frame_shape"])
        net = channels_last(self.net).to(device).eval()
        for start, window in windows(frames, 128, CONTEXT):
            logits = net(to_unit(shrink(window, shape), device)[None])[0]
            kept = logits[:, CONTEXT : logits.shape[1] - CONTEXT]
            answer[:, start : start + kept.shape[1]] = torch.sigmoid(kept).float().cpu().numpy()
        return answer

    def fit(self, context, epochs: int = 10, batch: int = 8, length: int = 40, steps: int = 80) -> None:
        """Random windows of ``length`` frames, every frame of the middle counted; BCE, Adam 2e-3."""
        fabric, shape = context.fabric, tuple(self.options["frame_shape"])
        frames = cached_frames(context.sources, shape)
        truths = [recording.sounding.astype(np.float32) for recording in context.training]
        lengths = np.array([truth.shape[1] for truth in truths])
        net = channels_last(self.net)
        net, optimiser = fabric.setup(net, torch.optim.Adam(net.parameters(), 2e-3))

        def draw(rng: np.random.Generator) -> tuple[Tensor, Tensor]:
            chosen = rng.choice(len(truths), size=batch, p=lengths / lengths.sum())
            starts = [int(rng.integers(lengths[r] - length)) for r in chosen]
            pixels = np.stack([frames[r][s : s + length] for r, s in zip(chosen, starts, strict=True)])
            truth = np.stack([truths[r][:, s : s + length] for r, s in zip(chosen, starts, strict=True)])
            return torch.from_numpy(pixels), torch.from_numpy(truth)

        def step(pixels: Tensor, truth: Tensor) -> Tensor:
            optimiser.zero_grad()
            # The outermost frames are answered without their whole memory; they are not held against the net.
            inner = slice(4, -4)
            logits = net(pixels.float() / 255)[..., inner].float()
            loss = F.binary_cross_entropy_with_logits(logits, truth[..., inner])
            fabric.backward(loss)
            optimiser.step()
            return loss

        optimise(
            fabric,
            self.net,
            [optimiser],
            draw,
            step,
            lambda: roll_f1(context.answers(self, shape)),
            epochs=epochs if context.epochs is None else context.epochs,
            steps_per_epoch=steps,
            **context.loop_options(self.name),
        )
