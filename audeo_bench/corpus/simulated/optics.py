"""From millimetres of the keyboard to pixels: a pinhole camera and a crop with a slight perspective."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d

from audeo_bench.api import FRAME_HEIGHT, FRAME_WIDTH
from audeo_bench.corpus.simulated.appearance import Appearance


def plane_to_picture(appearance: Appearance) -> np.ndarray:
    """The homography, shape (3, 3), from (x, y, 1) on the key plane to (column, row, 1) times a factor."""
    pixels = [(0, 0), (FRAME_WIDTH, 0), (FRAME_WIDTH, FRAME_HEIGHT), (0, FRAME_HEIGHT)]
    rows, right = [], []
    for (x, y), (column, row) in zip(appearance.corners, pixels, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -column * x, -column * y], [0, 0, 0, x, y, 1, -row * x, -row * y]]
        right += [column, row]
    return np.append(np.linalg.solve(np.array(rows), np.array(right, float)), 1.0).reshape(3, 3)


def blur(picture: np.ndarray, sigma: float) -> np.ndarray:
    """The lens: a Gaussian over the last two axes."""
    return gaussian_filter1d(gaussian_filter1d(picture, sigma, -1, truncate=3), sigma, -2, truncate=3)
