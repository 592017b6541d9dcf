"""A net of Table 1 with a sixth picture: a ramp along the keyboard, which says where each column lies."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from audeo_bench.api import TrainingContext
from audeo_bench.contestants.loading import find
from audeo_bench.contestants.module import load_class
from audeo_bench.nn.frames import STACK
from audeo_bench.nn.resnet import initialise
from audeo_bench.nn.stage import StackedFrames


class Positioned(nn.Module):
    """(N, 5, height, width) in 0..1 -> (N, keys) logits.

    Parameters
    ----------
    name : str
        A shipped contestant whose net's first convolution is ``conv1``.
    options : dict
        Of that contestant.
    """

    ramp: Tensor

    def __init__(self, name: str, options: dict) -> None:
        super().__init__()
        net = load_class(find(name))(**options).net  # type: ignore[attr-defined]
        first = net.conv1
        net.conv1 = nn.Conv2d(
            STACK + 1, first.out_channels, first.kernel_size, first.stride, first.padding, bias=False
        )
        initialise(net.conv1)
        self.net = net
        self.register_buffer("ramp", torch.linspace(0, 1, options["frame_shape"][1]), persistent=False)

    @property
    def fc(self) -> nn.Linear:
        return self.net.fc

    def forward(self, frames: Tensor) -> Tensor:
        ramp = torch.ones_like(frames[:, :1]) * self.ramp.to(frames.dtype)
        return self.net(torch.cat([frames, ramp], 1))


class PositionedFrames(StackedFrames):
    """The contestant; a subclass says of which shipped one's net."""

    of: ClassVar[str]

    def __init__(self, width: int = 16, keys: int = 88, frame_shape: tuple[int, int] = (50, 450)) -> None:
        self.options = {"width": width, "keys": keys, "frame_shape": list(frame_shape)}
        self.net = Positioned(self.of, self.options)

    def fit(self, context: TrainingContext) -> None:
        from audeo_bench.training.recipes import fit_stacks  # training's libraries take seconds to import

        fit_stacks(self, context)
