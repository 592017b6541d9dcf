"""ResNet that is told where each column lies: does it lack the place, or the training?"""

from __future__ import annotations

from position import PositionedFrames


class ResNetPosition(PositionedFrames):
    name, of = "resnet_position", "resnet"
