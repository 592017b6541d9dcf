"""From millimetres of the keyboard to the picture: a pinhole camera whose film is warped on the key plane."""

from __future__ import annotations

import numpy as np

from audeo_bench.corpus.simulated.appearance import Appearance
from audeo_bench.keyboard.warp import homography


def plane_to_picture(appearance: Appearance) -> np.ndarray:
    """The homography, shape (3, 3), from (x, y, 1) on the key plane to (column, row, 1) times a factor.

    Columns and rows count from the outer edge of the first pixel, whose centre is (0.5, 0.5).
    """
    from_edges = np.array([[1.0, 0.0, -0.5], [0.0, 1.0, -0.5], [0.0, 0.0, 1.0]])
    return np.linalg.inv(homography(appearance.marks) @ from_edges)


def lens(pixels: int, film_pixels: int, blur: float, sharpening: float) -> tuple[np.ndarray, np.ndarray]:
    """How one axis of a finely drawn picture becomes that axis of a film.

    Parameters
    ----------
    pixels, film_pixels : int
        Of the picture and of the film; the film has at most as many.
    blur : float
        Of the lens, standard deviation in the picture's pixels, above 0.
    sharpening : float
        Weight of the unsharp mask of the camera, 0 none.

    Returns
    -------
    first : np.ndarray, shape (film_pixels,), int64
        The first of the picture's pixels that each pixel of the film sees. It may lie outside.
    weights : np.ndarray, shape (film_pixels, n), float32
        Of that one and those behind it; their sum is 1.
    """
    scale = pixels / film_pixels
    # A pixel of the picture is already a mean over its own width.
    sigma = np.sqrt(blur**2 + (scale**2 - 1) / 12)
    wide = 1.6 * sigma
    reach = int(np.ceil(2.2 * (wide if sharpening else sigma)))
    middle = (np.arange(film_pixels) + 0.5) * scale - 0.5
    first = np.rint(middle).astype(np.int64) - reach
    away = first[:, None] + np.arange(2 * reach + 1) - middle[:, None]
    near, far = (np.exp(-0.5 * (away / width) ** 2) for width in (sigma, wide))
    weights = near / near.sum(1, keepdims=True) * (1 + sharpening)
    weights -= far / far.sum(1, keepdims=True) * sharpening
    return first, weights.astype(np.float32)
