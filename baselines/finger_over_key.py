"""A key is down where something lies on its near half: a guesser that has learned nothing.

What lies there differs from the keyboard at rest by :data:`DIFFERENCE` grey levels. The answer is the share
of covered pixels, where a finger would press: on the white keys' front, on the near half of the black keys.
It tells hands from keys, never pressed keys from hovering fingers; what a net scores beyond it, it has seen.
"""

from __future__ import annotations

import numpy as np

from audeo_bench.api import FRAME_WIDTH, KEYS, Frames, VideoToRoll, idle_keyboard, windows
from audeo_bench.keyboard import BLACK_WIDTH, IS_BLACK, KEY_X, KEYBOARD_WIDTH, WHITE_WIDTH

DIFFERENCE = 30
WHITE_ROWS, BLACK_ROWS = slice(60, 95), slice(30, 60)
"""Of 100, the far end first."""


class FingerOverKey(VideoToRoll):
    name = "finger_over_key"

    def roll(self, frames: Frames) -> np.ndarray:
        idle, reading = idle_keyboard(frames).astype(np.int16), reading_matrix()
        answer = np.empty((KEYS, len(frames)), np.float32)
        for start, window in windows(frames):
            covered = np.abs(window.astype(np.int16) - idle) >= DIFFERENCE
            white, black = (covered[:, rows].mean(1) @ reading for rows in (WHITE_ROWS, BLACK_ROWS))
            answer[:, start : start + len(window)] = np.where(IS_BLACK, black, white).T
        return answer


def reading_matrix() -> np.ndarray:
    """The mean over the middle 80 % of each key's columns: (900, 88)."""
    columns = (np.arange(FRAME_WIDTH) + 0.5) / FRAME_WIDTH * KEYBOARD_WIDTH
    half = 0.4 * np.where(IS_BLACK, BLACK_WIDTH, WHITE_WIDTH)
    within = np.abs(columns[:, None] - KEY_X) <= half
    return within / within.sum(0)
