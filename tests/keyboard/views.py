"""Simulated views of a keyboard: the simulated camera's piano, looked at from anywhere."""

import cv2
import numpy as np

from audeo_bench.corpus.simulated.appearance import Appearance
from audeo_bench.corpus.simulated.optics import plane_to_picture
from audeo_bench.corpus.simulated.piano import build_piano
from audeo_bench.keyboard.warp import plane_to_film

SIZE = (640, 360)
LEVEL = np.array([[30.0, 140.0], [610.0, 140.0], [610.0, 211.0], [30.0, 211.0]])


def view(corners: np.ndarray, seed: int = 1, size: tuple[int, int] = SIZE) -> np.ndarray:
    """A film's picture, (height, width), uint8, whose keys have these corners."""
    rng = np.random.default_rng(seed)
    appearance = Appearance.draw(rng)
    up = np.clip(build_piano(appearance).up, 0, 255).astype(np.uint8)
    # The camera's crop shows the keys alone from side to side; cheek blocks stand beside them.
    up = cv2.copyMakeBorder(up, 0, 0, 20, 20, cv2.BORDER_CONSTANT, value=25)
    beside = np.array([[1, 0, -20], [0, 1, 0], [0, 0, 1.0]])
    matrix = plane_to_film(corners) @ np.linalg.inv(plane_to_picture(appearance)) @ beside
    room = np.full((size[1], size[0]), 70, np.uint8)
    room[size[1] // 2 :] = 95
    film = cv2.warpPerspective(up, matrix, size, dst=room, borderMode=cv2.BORDER_TRANSPARENT)
    noise = rng.normal(0, 2, film.shape)
    return np.clip(cv2.GaussianBlur(film.astype(float), (0, 0), 0.6) + noise, 0, 255).astype(np.uint8)


def turned(corners: np.ndarray, degrees: float, size: tuple[int, int] = SIZE) -> np.ndarray:
    """The corners, turned about the middle of the picture."""
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    middle = np.array(size) / 2 - 0.5
    return (corners - middle) @ turn + middle


def mirrored(corners: np.ndarray, size: tuple[int, int] = SIZE) -> np.ndarray:
    """As a camera films that swaps left and right."""
    return corners * [-1, 1] + [size[0] - 1, 0]
