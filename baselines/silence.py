"""Nobody plays: the row that says what a score is worth. Frames in which nothing sounds count as right."""

from __future__ import annotations

import numpy as np

from audeo_bench.api import KEYS, Frames, VideoToRoll


class Silence(VideoToRoll):
    name = "silence"

    def roll(self, frames: Frames) -> np.ndarray:
        return np.zeros((KEYS, len(frames)), np.float32)
