"""ResNet + Aggregation + slope of Table 1 (Koepke et al., "Sight to Sound", ICASSP 2020), at Audeo's input.

Each of the five frames passes the stem and the first basic blocks alone, with shared weights; a 5x1x1
convolution merges the five maps into one ("a channel-wise temporal weighted average"); a positional ramp
along the keyboard ("slope") joins the map before the last stage. No code was released: where the paper is
silent, the plain reading is taken and said.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from audeo_bench.api import TrainingContext
from audeo_bench.nn.frames import STACK
from audeo_bench.nn.resnet import initialise, stage
from audeo_bench.nn.stage import StackedFrames

SLOPE = 88
"""Values of the ramp 0..1, one for each key."""


class Aggregation(nn.Module):
    """(5 N, channels, h, w), frame by frame -> (N, channels, h, w): a 3-D convolution of 5x1x1 over time.

    Written as the sum of five 1x1 convolutions that it is, of chunks of one batch, so that neither a map nor
    its gradient is copied into another layout.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(STACK * channels, channels, 1, bias=False)
        self.bn = nn.BatchNorm2d(channels)

    def forward(self, maps: Tensor) -> Tensor:
        frames, weights = maps.chunk(STACK), self.conv.weight.chunk(STACK, 1)
        summed = F.conv2d(frames[0], weights[0])
        for time in range(1, STACK):
            summed = summed + F.conv2d(frames[time], weights[time])
        return torch.relu(self.bn(summed))


class Slope(nn.Module):
    """Adds where along the keyboard each column lies: two 1-d convolutions on a ramp, laid over the map's
    columns.
    """

    def __init__(self, channels: int, slope_channels: int) -> None:
        super().__init__()
        self.ramp = nn.Sequential(
            nn.Conv1d(1, slope_channels, 3, padding=1),
            nn.ReLU(),
            nn.Conv1d(slope_channels, slope_channels, 3, padding=1),
            nn.ReLU(),
        )
        self.merge = nn.Conv2d(channels + slope_channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        ramp = self.ramp(torch.linspace(0, 1, SLOPE, device=x.device, dtype=x.dtype)[None, None])
        # How 88 places become the map's columns is not said; linear interpolation, repeated over rows, is the
        # plain reading.
        columns = F.interpolate(ramp.float(), size=x.shape[-1], mode="linear", align_corners=True).to(x.dtype)
        laid = columns[:, :, None].expand(x.shape[0], -1, x.shape[-2], -1)
        return torch.relu(self.merge(torch.cat([x, laid], 1)))


class AggregationSlopeNet(nn.Module):
    """(N, 5, height, width) in 0..1 -> (N, keys) logits. Full size: width 64, 100x900."""

    def __init__(self, width: int = 64, keys: int = 51) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.aggregation = Aggregation(width)
        self.layer1 = stage(width, width)
        self.layer2 = stage(width, 2 * width, 2)
        self.layer3 = stage(2 * width, 4 * width, 2)
        self.slope = Slope(4 * width, width)
        self.layer4 = stage(4 * width, 8 * width, 2)
        self.fc = nn.Linear(8 * width, keys)
        initialise(self)

    def forward(self, frames: Tensor) -> Tensor:
        one_by_one = frames.transpose(0, 1).flatten(0, 1)[:, None]
        maps = F.relu(self.bn1(self.conv1(one_by_one)))
        # Their maps are merged at the stem's size, "64x73x400", before the max-pool.
        x = F.max_pool2d(self.aggregation(maps), 3, 2, 1)
        x = self.slope(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.layer4(x).mean((2, 3)))


class ResNetAggregationSlope(StackedFrames):
    name = "resnet_aggregation_slope"

    def __init__(self, width: int = 16, keys: int = 88, frame_shape: tuple[int, int] = (50, 450)) -> None:
        self.options = {"width": width, "keys": keys, "frame_shape": list(frame_shape)}
        self.net = AggregationSlopeNet(width, keys)

    def fit(self, context: TrainingContext) -> None:
        from audeo_bench.training.recipes import fit_stacks  # training's libraries take seconds to import

        fit_stacks(self, context)
