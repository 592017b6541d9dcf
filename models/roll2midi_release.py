"""Roll2Midi Net as the authors released it: a U-Net that never shrinks, and a patch discriminator.

The paper (Su, Liu & Shlizerman, NeurIPS 2020, section 3) halves keys and time at each of five depths, which
`roll2midi` follows. The released code keeps full size throughout, at about fifty times the cost; this file
follows it, under its parameter names, so that at ``width=64`` its checkpoints load.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from audeo_bench.api import TrainingContext
from audeo_bench.nn.stage import RollRefiner, default_device, keys_of

EPSILON = 0.8
"""Added to the variance by the release's batch norms, where 1e-5 is usual; its weights need it."""
PIECE = 100
"""Frames that are answered together."""


class Down(nn.Module):
    """A 3x3 convolution with batch norm (but for the first) and leaky ReLU."""

    def __init__(self, channels_in: int, channels: int, norm: bool = True, dropout: float = 0.0) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(channels_in, channels, 3, padding=1, bias=False)]
        layers += [nn.BatchNorm2d(channels, EPSILON)] if norm else []
        self.model = nn.Sequential(*layers, nn.LeakyReLU(0.2), nn.Dropout(dropout))

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)


class Up(nn.Module):
    """A 3x3 transposed convolution with batch norm and ReLU; the skip connection is put behind it."""

    def __init__(self, channels_in: int, channels: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.model = nn.Sequential(
            nn.ConvTranspose2d(channels_in, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels, EPSILON),
            nn.ReLU(),
            nn.Dropout(dropout),
        )

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        return torch.cat([self.model(x), skip], 1)


class Generator(nn.Module):
    """(N, 1, keys, T) probabilities -> the same shape, any size. Full size: width 64."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        w = width
        self.down1 = Down(1, w, norm=False)
        self.down2 = Down(w, 2 * w)
        self.down3 = Down(2 * w, 4 * w, dropout=0.5)
        self.down4 = Down(4 * w, 8 * w, dropout=0.5)
        self.down5 = Down(8 * w, 16 * w, dropout=0.5)
        self.down6 = Down(16 * w, 16 * w, dropout=0.5)
        self.up1 = Up(16 * w, 8 * w, dropout=0.5)
        self.up2 = Up(8 * w + 16 * w, 4 * w, dropout=0.5)
        self.up3 = Up(4 * w + 8 * w, 2 * w, dropout=0.5)
        self.up4 = Up(2 * w + 4 * w, w)
        self.up5 = Up(w + 2 * w, max(1, w // 4))
        self.conv1d = nn.Conv2d(max(1, w // 4) + w, 1, 1)

    def forward(self, roll: Tensor) -> Tensor:
        down1 = self.down1(roll)
        down2 = self.down2(down1)
        down3 = self.down3(down2)
        down4 = self.down4(down3)
        down5 = self.down5(down4)
        x = self.up1(self.down6(down5), down5)
        x = self.up2(x, down4)
        x = self.up3(x, down3)
        x = self.up4(x, down2)
        x = self.up5(x, down1)
        return torch.sigmoid(self.conv1d(x))


class Discriminator(nn.Module):
    """(N, 1, keys, T) -> (N, 1, ceil(keys / 8), ceil(T / 8)) scores of patches, 1 = a real roll."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(1, width, 3, 2, 1), nn.LeakyReLU(0.2)]
        for (low, high), stride in zip(
            pairwise([width, 2 * width, 4 * width, 8 * width]), (2, 2, 1), strict=True
        ):
            layers += [nn.Conv2d(low, high, 3, stride, 1), nn.InstanceNorm2d(high), nn.LeakyReLU(0.2)]
        self.model = nn.Sequential(*layers, nn.Conv2d(8 * width, 1, 3, 1, 1))

    def forward(self, roll: Tensor) -> Tensor:
        return self.model(roll)


class Roll2MidiRelease(RollRefiner):
    name = "roll2midi_release"

    def __init__(self, width: int = 16, keys: int = 51) -> None:
        self.options = {"width": width, "keys": keys}
        self.net = Generator(width)

    @classmethod
    def release_options(cls, state: Mapping[str, Tensor]) -> dict[str, Any]:
        # The net is the same for any number of keys; the release's are the paper's 51.
        return {"width": len(state["down1.model.0.weight"]), "keys": 51}

    @torch.inference_mode()
    def midi(self, roll: np.ndarray) -> np.ndarray:
        """Refine a (88, T) roll in consecutive pieces of 100 frames, as the release does.

        The release leaves out what does not fill a piece; here the last piece is as long as it is.
        """
        keys, device = keys_of(self.options["keys"]), default_device()
        net = self.inference_net(device)
        answer = np.zeros_like(roll, np.float32)
        for start in range(0, roll.shape[1], PIECE):
            piece = torch.from_numpy(np.ascontiguousarray(roll[keys, start : start + PIECE])).to(device)
            answer[keys, start : start + PIECE] = net(piece[None, None])[0, 0].float().cpu().numpy()
        return answer

    def fit(self, context: TrainingContext) -> None:
        from audeo_bench.training.gan import fit_refiner  # training's libraries take seconds to import

        fit_refiner(self, Discriminator(self.options["width"]), context)
