"""Video2Roll Net (Su, Liu & Shlizerman, NeurIPS 2020, section 3): five grey frames -> the keys of the middle
one.

A ResNet18 whose stages 2, 3 and 4 are brought to one size (feature transform), re-weighted from the top down
(feature refinement) and combined by an attention over space (correlation learning). Parameter names are the
authors' release's, so that at ``width=64`` its checkpoints load.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from audeo_bench.api import FRAME_HEIGHT, FRAME_WIDTH, TrainingContext
from audeo_bench.nn.resnet import initialise, stage
from audeo_bench.nn.stage import StackedFrames


class FeatureTransform(nn.Module):
    """1x1 convolution as residual, two 3x3 convolutions, sum, average pooling."""

    def __init__(self, channels_in: int, channels: int, pool: int, pool_stride: int) -> None:
        super().__init__()
        self.conv0 = nn.Conv2d(channels_in, channels, 1, padding=1, bias=False)
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.pool, self.pool_stride = pool, pool_stride

    def forward(self, x: Tensor) -> Tensor:
        residual = self.conv0(x)
        x = self.conv2(torch.relu(self.bn1(self.conv1(residual))))
        return F.avg_pool2d(x + residual, self.pool, self.pool_stride)


class FeatureRefinement(nn.Module):
    """Re-weights the channels of the lower map by what both maps hold."""

    def __init__(self, channels: int, channels_above: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(channels + channels_above, channels)
        self.fc2 = nn.Linear(channels, channels)

    def forward(self, low: Tensor, high: Tensor) -> Tensor:
        both = torch.cat([low, high], 1).mean((2, 3))
        return low * torch.sigmoid(self.fc2(torch.relu(self.fc1(both))))[:, :, None, None]


class Video2RollNet(nn.Module):
    """(N, 5, height, width) in 0..1 -> (N, keys) logits. Full size: width 64, 100x900."""

    def __init__(self, width: int = 64, keys: int = 51) -> None:
        super().__init__()
        joint = 2 * width
        self.conv1 = nn.Conv2d(5, width, 11, stride=2, padding=4, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.layer1 = stage(width, width)
        self.layer2 = stage(width, 2 * width, 2)
        self.layer3 = stage(2 * width, 4 * width, 2)
        self.layer4 = stage(4 * width, 8 * width, 2)
        self.FTB2_1 = FeatureTransform(2 * width, joint, 2, 2)
        self.FTB2_2 = FeatureTransform(joint, joint, 2, 2)
        self.FTB3 = FeatureTransform(4 * width, joint, 2, 2)
        self.FTB4 = FeatureTransform(8 * width, joint, 3, 1)
        self.FRB2 = FeatureRefinement(joint, joint)
        self.FRB3 = FeatureRefinement(joint, joint)
        self.FRB4 = FeatureRefinement(joint, width)
        self.toplayer = nn.Conv2d(8 * width, width, 1)
        self.toplayer_bn = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(joint, joint, 1)
        self.fc = nn.Linear(joint, keys)
        initialise(self)

    def forward(self, frames: Tensor) -> Tensor:
        x = F.max_pool2d(torch.relu(self.bn1(self.conv1(frames))), 3, 2, 1)
        stage2 = self.layer2(self.layer1(x))
        stage3 = self.layer3(stage2)
        stage4 = self.layer4(stage3)

        top = torch.relu(self.toplayer_bn(self.toplayer(stage4)))
        size = stage4.shape[-2:]
        # At 100x900 all three maps come out at stage 4's size by themselves; other pictures need this to
        # agree.
        transformed3 = F.adaptive_avg_pool2d(self.FTB3(stage3), size)
        transformed2 = F.adaptive_avg_pool2d(self.FTB2_2(self.FTB2_1(stage2)), size)
        refined4 = self.FRB4(self.FTB4(stage4), top)
        refined3 = self.FRB3(transformed3, refined4)
        refined2 = self.FRB2(transformed2, refined3)

        attention = (refined2 * refined3).flatten(2).softmax(-1).view_as(refined4)
        correlated = self.conv2(attention * refined4) + refined4
        return self.fc(correlated.mean((2, 3)))


class Video2Roll(StackedFrames):
    name = "video2roll"

    def __init__(self, width: int = 16, keys: int = 88, frame_shape: tuple[int, int] = (50, 450)) -> None:
        self.options = {"width": width, "keys": keys, "frame_shape": list(frame_shape)}
        self.net = Video2RollNet(width, keys)

    @classmethod
    def release_options(cls, state: Mapping[str, Tensor]) -> dict[str, Any]:
        return {
            "width": len(state["conv1.weight"]),
            "keys": len(state["fc.bias"]),
            "frame_shape": (FRAME_HEIGHT, FRAME_WIDTH),
        }

    def fit(self, context: TrainingContext) -> None:
        from audeo_bench.training.recipes import fit_stacks  # training's libraries take seconds to import

        fit_stacks(self, context)
