"""From four corners to the picture of a keyboard that contestants are shown, and back: the one geometry.

Film pixels count from the centre of the top left one, which is (0, 0), as OpenCV counts them.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from audeo_bench.errors import AudeoBenchError
from audeo_bench.keyboard import (
    BEFORE,
    BEHIND,
    FRAME_HEIGHT,
    FRAME_WIDTH,
    IS_BLACK,
    KEY_X,
    KEYBOARD_WIDTH,
    WHITE_LENGTH,
    WHITE_WIDTH,
)
from audeo_bench.roll import KEYS, LOWEST_PITCH

HIGHEST_PITCH = LOWEST_PITCH + KEYS - 1
CORNERS = np.array([[0, WHITE_LENGTH], [KEYBOARD_WIDTH, WHITE_LENGTH], [KEYBOARD_WIDTH, 0], [0, 0]])
"""Of the keys on their plane, mm: A0 far, C8 far, C8 near, A0 near."""


def homography(
    corners: np.ndarray,
    width: int = FRAME_WIDTH,
    height: int = FRAME_HEIGHT,
    behind: float = BEHIND,
    before: float = BEFORE,
) -> np.ndarray:
    """Where every pixel of the benchmark's picture of a keyboard lies in the film.

    ``cv2.warpPerspective(film, homography(corners), (width, height), flags=cv2.INTER_LINEAR |
    cv2.WARP_INVERSE_MAP)`` is the picture: A0 on the left, the player below, whichever way the film shows
    them.

    Parameters
    ----------
    corners : np.ndarray, shape (4, 2)
        The outer corners of the white keys in film pixels: A0 far (at the fallboard), C8 far, C8 near, A0
        near. They may lie outside of the film.
    width, height : int
        Of the picture.
    behind, before : float
        Millimetres shown behind the keys and before them, where a white key is 150 long.

    Returns
    -------
    np.ndarray, shape (3, 3), float64
        Maps (column, row, 1) of the picture to the film's, both counted from pixel centres; last entry 1.

    Raises
    ------
    AudeoBenchError
        The corners are not four finite points around a convex area.
    """
    scale_x, scale_y = KEYBOARD_WIDTH / width, (WHITE_LENGTH + behind + before) / height
    to_plane = np.array(
        [
            [scale_x, 0.0, 0.5 * scale_x],
            [0.0, -scale_y, WHITE_LENGTH + behind - 0.5 * scale_y],
            [0.0, 0.0, 1.0],
        ]
    )
    matrix = plane_to_film(corners) @ to_plane
    return matrix / matrix[2, 2]


def plane_to_film(
    corners: np.ndarray, lowest: int = LOWEST_PITCH, highest: int = HIGHEST_PITCH
) -> np.ndarray:
    """The homography from the key plane to film pixels: (3, 3), float64. The plane is in mm, x from the left
    edge of A0, y from the front edge away from the player.

    ``corners`` are those of the keys from MIDI pitch ``lowest`` to ``highest``: :func:`key_edges`. Raises as
    :func:`homography` does.
    """
    corners = np.asarray(corners, np.float64)
    if corners.shape != (4, 2) or not np.isfinite(corners).all():
        raise AudeoBenchError(
            f"corners of shape {corners.shape}: give four finite points, A0 far, C8 far, C8 near, A0 near."
        )
    sides = np.roll(corners, -1, 0) - corners
    following = np.roll(sides, -1, 0)
    turns = sides[:, 0] * following[:, 1] - sides[:, 1] * following[:, 0]
    if not ((turns > 1e-6).all() or (turns < -1e-6).all()):
        raise AudeoBenchError(
            f"corners {corners.round(1).tolist()} go round no area; give A0 far, C8 far, C8 near, A0 near."
        )
    left, right = key_edges(lowest)[0], key_edges(highest)[1]
    plane = np.array([[left, WHITE_LENGTH], [right, WHITE_LENGTH], [right, 0.0], [left, 0.0]])
    rows = np.zeros((8, 8))
    rows[0::2, :2] = rows[1::2, 3:5] = plane
    rows[0::2, 2] = rows[1::2, 5] = 1
    rows[:, 6:] = -corners.reshape(8, 1) * np.repeat(plane, 2, 0)
    return np.append(np.linalg.solve(rows, corners.reshape(8)), 1.0).reshape(3, 3)


def key_edges(pitch: int) -> tuple[float, float]:
    """The left and right edge in mm of the white key of a MIDI pitch; for a black key, of the lane from the
    middle of its left white neighbour to the middle of its right one.
    """
    whites = int((~IS_BLACK[: max(0, pitch - LOWEST_PITCH)]).sum())
    left = whites * WHITE_WIDTH
    if IS_BLACK[pitch - LOWEST_PITCH]:
        left -= WHITE_WIDTH / 2
    return left, left + WHITE_WIDTH


def whole_keyboard(corners: np.ndarray, lowest: int, highest: int) -> np.ndarray:
    """The corners that A0..C8 would have where ``corners`` are those of the keys ``lowest``..``highest``: the
    plane of the keys carried on to 88 of them. Shape (4, 2); raises as :func:`homography` does.
    """
    return project(plane_to_film(corners, lowest, highest), CORNERS)


def worst_key(marked: np.ndarray, corners: np.ndarray, depths: Sequence[float]) -> float:
    """How far in mm the worst of the 88 keys stands beside its place in a picture warped by ``marked``.

    Parameters
    ----------
    marked, corners : np.ndarray, shape (4, 2)
        Where the corners of the keys were thought to be, and where they are.
    depths : sequence of float
        Where the keys are looked at, mm from their front edges.
    """
    keys = np.stack(np.meshgrid(KEY_X, depths), -1)
    seen = project(np.linalg.inv(plane_to_film(marked)), project(plane_to_film(corners), keys))
    return float(np.abs(seen - keys)[..., 0].max())


def project(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Points of shape (..., 2) through a homography of shape (3, 3)."""
    points = np.asarray(points, np.float64)
    return cv2.perspectiveTransform(points.reshape(-1, 1, 2), matrix).reshape(points.shape)
