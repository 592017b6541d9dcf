"""The picture seen straight on: keys stand upright and of equal width, and are measured along lanes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np

from audeo_bench.keyboard import KEYBOARD_WIDTH, OCTAVE

SCALE = 0.75
"""Pixels a mm of the levelled picture."""
REACH = 230.0
"""Millimetres that the levelled picture shows to either side of the row in which the rhythm was found."""
FARTHEST = 1.1 * KEYBOARD_WIDTH
_LANE = 3.5


@dataclass(frozen=True)
class Levelled:
    """The picture in the reading frame, rows downwards.

    Attributes
    ----------
    grey : np.ndarray, shape (rows, columns), float32
    seen : np.ndarray, shape (rows, columns), bool
        Where the picture is.
    left, top : float
        x of the first column's and y of the first row's middle, mm; y falls downwards.
    """

    grey: np.ndarray
    seen: np.ndarray
    left: float
    top: float

    def turned(self) -> Levelled:
        """Rows in the opposite order."""
        return replace(self, grey=self.grey[::-1], seen=self.seen[::-1])

    def columns(self, x: np.ndarray | float) -> np.ndarray:
        """Fractional columns of x in mm."""
        return (np.asarray(x, float) - self.left) * SCALE

    def rows(self, y: np.ndarray | float) -> np.ndarray:
        """Fractional rows of y in mm."""
        return (self.top - np.asarray(y, float)) * SCALE

    def lanes(self, x: np.ndarray, half: float = _LANE) -> np.ndarray:
        """Mean brightness of the lanes around every x, NaN where not seen: (rows, lanes)."""
        low = np.round(self.columns(x - half)).astype(int)
        high = np.maximum(np.round(self.columns(x + half)).astype(int), low + 1)
        width = self.grey.shape[1]
        inside = (low >= 0) & (high <= width)
        low, high = low.clip(0, width), high.clip(0, width)
        bright, counted = self._sums
        total, count = bright[:, high] - bright[:, low], counted[:, high] - counted[:, low]
        return np.where(inside & (count >= 0.8 * (high - low)), total / np.maximum(count, 1), np.nan)

    @cached_property
    def _sums(self) -> tuple[np.ndarray, np.ndarray]:
        bright = np.zeros((self.grey.shape[0], self.grey.shape[1] + 1))
        counted = np.zeros(bright.shape, np.int32)
        np.cumsum(np.where(self.seen, self.grey, 0), 1, out=bright[:, 1:])
        np.cumsum(self.seen, 1, out=counted[:, 1:])
        return bright, counted


def level(
    picture: np.ndarray, matrix: np.ndarray, x_middle: float, y_middle: float = 0.0, reach: float = REACH
) -> Levelled:
    """Warp the picture into the reading frame of ``matrix``, as far along x as the picture shows it at
    y_middle, and as a keyboard may reach from x_middle.
    """
    height, width = picture.shape
    left, right = _seen_x(matrix, width, height, y_middle)
    left, right = max(left, x_middle - FARTHEST), min(right, x_middle + FARTHEST)
    columns = max(2, int((right - left) * SCALE + 1))
    rows = int(2 * reach * SCALE)
    top = y_middle + reach
    to_canvas = np.array([[SCALE, 0, -SCALE * left], [0, -SCALE, SCALE * top], [0, 0, 1.0]]) @ matrix
    shrinks = 1 / np.hypot(*gradients(to_canvas, _centre(matrix, 0.5 * (left + right), y_middle))[0])
    source = cv2.GaussianBlur(picture, (0, 0), 0.4 * shrinks) if 1.5 < shrinks < 50 else picture
    grey = cv2.warpPerspective(source, to_canvas, (columns, rows), flags=cv2.INTER_LINEAR).astype(np.float32)
    seen = cv2.warpPerspective(
        np.full(picture.shape, 255, np.uint8), to_canvas, (columns, rows), flags=cv2.INTER_LINEAR
    )
    return Levelled(grey, seen > 250, left, top)


def _centre(matrix: np.ndarray, x: float, y: float) -> np.ndarray:
    point = np.linalg.solve(matrix, [x, y, 1.0])
    return point[:2] / point[2]


def _seen_x(matrix: np.ndarray, width: int, height: int, y: float) -> tuple[float, float]:
    """The range of x in mm that the picture shows on the line of y."""
    line = matrix[1] - y * matrix[2]
    columns = np.arange(width, dtype=float)
    if abs(line[1]) < 1e-12:
        return 0.0, OCTAVE
    rows = -(line[0] * columns + line[2]) / line[1]
    inside = (rows > -0.1 * height) & (rows < 1.1 * height)
    points = np.stack([columns, rows, np.ones(width)])[:, inside]
    depth = matrix[2] @ points
    usual = np.sign(np.median(depth))
    x = (matrix[0] @ points / depth)[(depth * usual) > 0.15 * np.abs(np.median(depth))]
    return float(x.min()), float(x.max())


def gradients(matrix: np.ndarray, point: np.ndarray) -> np.ndarray:
    """The slopes of a homography at a point: (2, 2)."""
    mapped = matrix @ [*point, 1.0]
    return (matrix[:2, :2] * mapped[2] - np.outer(mapped[:2], matrix[2, :2])) / mapped[2] ** 2


def running_median(values: np.ndarray, width: int) -> np.ndarray:
    """The median over ``width`` (odd) neighbours, the ends repeated."""
    padded = np.pad(values, width // 2, mode="edge")
    return np.median(np.lib.stride_tricks.sliding_window_view(padded, width), 1)
