"""A found keyboard drawn into its picture: every key outlined, the Cs named."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from audeo_bench.files import atomic_write
from audeo_bench.keyboard import BLACK_LENGTH, BLACK_WIDTH, IS_BLACK, KEY_X, WHITE_LENGTH
from audeo_bench.keyboard.finding import Keyboard
from audeo_bench.keyboard.warp import key_edges, plane_to_film, project
from audeo_bench.roll import LOWEST_PITCH

WHITE_COLOR, BLACK_COLOR, END_COLOR, NAME_COLOR = (
    (60, 170, 255),
    (255, 150, 40),
    (90, 255, 90),
    (255, 70, 220),
)
WIDTH = 1920
"""Smaller pictures are enlarged to at least half of this, so that names can be read."""


def draw_keyboard(picture: np.ndarray, keyboard: Keyboard) -> np.ndarray:
    """The picture, (height, width) or (height, width, 3), with the keyboard drawn in: RGB, uint8, at least
    960 wide.
    """
    if picture.ndim == 2:
        picture = cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB)
    scale = max(1.0, WIDTH / 2 / picture.shape[1])
    drawn = cv2.resize(
        np.ascontiguousarray(picture), None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR
    )
    matrix = plane_to_film(keyboard.corners, keyboard.lowest_key, keyboard.highest_key)

    def pixels(points: list[tuple[float, float]]) -> np.ndarray:
        return ((project(matrix, np.array(points)) + 0.5) * scale - 0.5).round().astype(np.int32)

    whites = [key for key in _keys(keyboard) if not IS_BLACK[key]]
    for key in whites:
        left, right = key_edges(key + LOWEST_PITCH)
        outline = [(left, 0.0), (right, 0.0), (right, WHITE_LENGTH), (left, WHITE_LENGTH)]
        cv2.polylines(drawn, [pixels(outline)], True, WHITE_COLOR, 1, cv2.LINE_AA)
        if key % 12 == 3:
            _name(drawn, f"C{key // 12 + 1}", pixels([(float(KEY_X[key]), 22.0)])[0])
    for key in _keys(keyboard):
        if IS_BLACK[key]:
            left, right = KEY_X[key] - BLACK_WIDTH / 2, KEY_X[key] + BLACK_WIDTH / 2
            near = WHITE_LENGTH - BLACK_LENGTH
            outline = [(left, near), (right, near), (right, WHITE_LENGTH), (left, WHITE_LENGTH)]
            cv2.polylines(drawn, [pixels(outline)], True, BLACK_COLOR, 1, cv2.LINE_AA)
    corners = ((keyboard.corners + 0.5) * scale - 0.5).round().astype(np.int32)
    cv2.polylines(drawn, [corners], True, END_COLOR, 2, cv2.LINE_AA)
    return drawn


def save_drawing(picture: np.ndarray, keyboard: Keyboard, path: Path) -> None:
    """Write the drawing; the suffix of ``path`` chooses the format."""
    from PIL import Image

    with atomic_write(path) as temporary:
        Image.fromarray(draw_keyboard(picture, keyboard)).save(temporary)


def _keys(keyboard: Keyboard) -> range:
    return range(keyboard.lowest_key - LOWEST_PITCH, keyboard.highest_key - LOWEST_PITCH + 1)


def _name(drawn: np.ndarray, text: str, at: np.ndarray) -> None:
    size = max(0.35, drawn.shape[1] / 3200)
    (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, size, 1)
    place = (int(at[0] - width / 2), int(at[1] + height / 2))
    cv2.putText(drawn, text, place, cv2.FONT_HERSHEY_SIMPLEX, size, (0, 0, 0), 3, cv2.LINE_AA)
    cv2.putText(drawn, text, place, cv2.FONT_HERSHEY_SIMPLEX, size, NAME_COLOR, 1, cv2.LINE_AA)
