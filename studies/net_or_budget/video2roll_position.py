"""Video2Roll Net that is told where each column lies: does it lack the place, or the training?"""

from __future__ import annotations

from position import PositionedFrames


class Video2RollPosition(PositionedFrames):
    name, of = "video2roll_position", "video2roll"
