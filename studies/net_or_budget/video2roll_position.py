"""Video2Roll Net that is told where each column lies: does it lack the place, or the training?"""

from __future__ import annotations

from position import Positioned

from audeo_bench.api import TrainingContext
from audeo_bench.nn.stage import StackedFrames


class Video2RollPosition(StackedFrames):
    name = "video2roll_position"

    def __init__(self, width: int = 16, keys: int = 88, frame_shape: tuple[int, int] = (50, 450)) -> None:
        self.options = {"width": width, "keys": keys, "frame_shape": list(frame_shape)}
        self.net = Positioned("video2roll", self.options)

    def fit(self, context: TrainingContext) -> None:
        from audeo_bench.training.recipes import fit_stacks  # training's libraries take seconds to import

        fit_stacks(self, context)
