"""ResNet18's basic blocks and stages, under torchvision's parameter names (He et al., 2016)."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class BasicBlock(nn.Module):
    """Two 3x3 convolutions with batch norm, added to their input; the first may shrink height and width."""

    def __init__(self, channels_in: int, channels: int, stride: int | tuple[int, int] = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.downsample = (
            nn.Sequential(nn.Conv2d(channels_in, channels, 1, stride, bias=False), nn.BatchNorm2d(channels))
            if stride != 1 or channels_in != channels
            else None
        )

    def forward(self, x: Tensor) -> Tensor:
        residual = x if self.downsample is None else self.downsample(x)
        x = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(x)) + residual)


def stage(channels_in: int, channels: int, stride: int | tuple[int, int] = 1) -> nn.Sequential:
    """One of ResNet18's four stages: two basic blocks."""
    return nn.Sequential(BasicBlock(channels_in, channels, stride), BasicBlock(channels, channels))


def initialise(net: nn.Module) -> None:
    """He initialisation of every convolution, as torchvision's ResNet does."""
    for module in net.modules():
        # On the meta device only shapes are asked for, and drawing would import a compiler for two seconds.
        if isinstance(module, nn.Conv2d) and not module.weight.is_meta:
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
