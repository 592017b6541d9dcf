"""ResNet baseline of Table 1 (Koepke et al., "Sight to Sound", ICASSP 2020), as Audeo retrained it on frame
labels.

ResNet18 whose first convolution takes the five frames as channels; a logit per key.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from audeo_bench.api import TrainingContext
from audeo_bench.nn.resnet import initialise, stage
from audeo_bench.nn.stage import StackedFrames


class ResNet18(nn.Module):
    """(N, 5, height, width) in 0..1 -> (N, keys) logits. Full size: width 64, 100x900."""

    def __init__(self, width: int = 64, keys: int = 51) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(5, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.layer1 = stage(width, width)
        self.layer2 = stage(width, 2 * width, 2)
        self.layer3 = stage(2 * width, 4 * width, 2)
        self.layer4 = stage(4 * width, 8 * width, 2)
        self.fc = nn.Linear(8 * width, keys)
        initialise(self)

    def forward(self, frames: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(frames))), 3, 2, 1)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.mean((2, 3)))


class ResNet(StackedFrames):
    name = "resnet"

    def __init__(self, width: int = 16, keys: int = 88, frame_shape: tuple[int, int] = (50, 450)) -> None:
        self.options = {"width": width, "keys": keys, "frame_shape": list(frame_shape)}
        self.net = ResNet18(width, keys)

    def fit(self, context: TrainingContext) -> None:
        from audeo_bench.training.recipes import fit_stacks  # training's libraries take seconds to import

        fit_stacks(self, context)
