"""Roll2Midi Net (Su, Liu & Shlizerman, NeurIPS 2020, section 3), after the paper: a U-Net that halves keys
and time.

A standard U-Net of five depths refines the first stage's probabilities; a discriminator of five convolutions
is trained against it. Both are optimised with mean squared error (least-squares GAN). The authors' released
code differs from the paper (no down-sampling, a patch discriminator); this file follows the paper, the
weights of the losses the release.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from audeo_bench.api import TrainingContext
from audeo_bench.nn.stage import RollRefiner, default_device, keys_of

DEPTHS = 5
TRAINED_FRAMES = 100
"""The windows that the net trains on (:mod:`audeo_bench.training.gan`)."""


def block(channels_in: int, channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(channels),
        nn.LeakyReLU(0.2),
    )


class Generator(nn.Module):
    """(N, 1, keys, T) probabilities -> the same shape. Any size: it is padded to whole multiples of 32 and
    cropped.
    """

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        widths = [width * min(2**depth, 8) for depth in range(DEPTHS + 1)]
        self.first = nn.Sequential(block(1, width), block(width, width))
        self.down = nn.ModuleList(
            nn.Sequential(nn.MaxPool2d(2), block(low, high), block(high, high))
            for low, high in pairwise(widths)
        )
        self.up = nn.ModuleList(
            nn.Sequential(block(high + low, low), block(low, low))
            for low, high in zip(widths[-2::-1], widths[:0:-1], strict=True)
        )
        self.last = nn.Conv2d(width + 1, 1, 1)

    def forward(self, roll: Tensor) -> Tensor:
        keys, time = roll.shape[-2:]
        size = 2**DEPTHS
        padded = F.pad(roll, (0, -time % size, 0, -keys % size))
        x = self.first(padded)
        skips = []
        for down in self.down:
            skips.append(x)
            x = down(x)
        for up in self.up:
            x = up(torch.cat([F.interpolate(x, scale_factor=2), skips.pop()], 1))
        return torch.sigmoid(self.last(torch.cat([x, padded], 1)))[..., :keys, :time]


class Discriminator(nn.Module):
    """(N, 1, keys, T) -> (N, 1, patches, patches) scores, 1 = a real roll; five convolutions."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        widths = [width, 2 * width, 4 * width, 8 * width]
        layers: list[nn.Module] = [nn.Conv2d(1, width, 3, 2, 1), nn.LeakyReLU(0.2)]
        for low, high in pairwise(widths):
            layers += [nn.Conv2d(low, high, 3, 2, 1), nn.InstanceNorm2d(high), nn.LeakyReLU(0.2)]
        self.model = nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, 3, 1, 1))

    def forward(self, roll: Tensor) -> Tensor:
        return self.model(roll)


class Roll2Midi(RollRefiner):
    name = "roll2midi"

    def __init__(self, width: int = 16, keys: int = 88) -> None:
        self.options = {"width": width, "keys": keys}
        self.net = Generator(width)

    @torch.inference_mode()
    def midi(self, roll: np.ndarray) -> np.ndarray:
        """Refine a (88, T) roll; the whole recording is one window, since the net is fully convolutional."""
        keys, device = keys_of(self.options["keys"]), default_device()
        net = self.inference_net(device)
        # The net pads to whole multiples of 32, and trained on windows of 100 frames, 4 more than one: where
        # its padding begins elsewhere, the frames before it were never supervised.
        ending = (TRAINED_FRAMES - roll.shape[1]) % 2**DEPTHS
        padded = np.pad(np.asarray(roll, np.float32)[keys], ((0, 0), (0, ending)))
        refined = net(torch.from_numpy(padded[None, None]).to(device))[0, 0, :, : roll.shape[1]]
        answer = np.zeros_like(roll, np.float32)
        answer[keys] = refined.float().cpu().numpy()
        return answer

    def fit(self, context: TrainingContext) -> None:
        from audeo_bench.training.gan import fit_refiner  # training's libraries take seconds to import

        fit_refiner(self, Discriminator(self.options["width"]), context)
