"""The keyboard as the camera sees it without hands: all keys up, and what each pressed key changes.

Every ray is followed once, through black keys, white keys, gaps, key slip and fallboard; a frame is then
``up + sum(depth[k] * patches[k])``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from audeo_bench.api import FRAME_HEIGHT, FRAME_WIDTH
from audeo_bench.corpus.simulated.appearance import Appearance
from audeo_bench.corpus.simulated.optics import blur, plane_to_picture
from audeo_bench.keyboard import (
    BLACK_HEIGHT,
    BLACK_LENGTH,
    IS_BLACK,
    KEY_DIP,
    KEY_X,
    WHITE_LENGTH,
    WHITE_WIDTH,
)

PATCH_WIDTH = 40
_PIVOT = 230.0
_BLACK_FRONT = WHITE_LENGTH - BLACK_LENGTH
_WHITE_KEYS = np.flatnonzero(~IS_BLACK)
# Which black key stands on the line left of each of the 52 white keys (-1: none), and where.
_BLACK_AT = np.array([k - 1 if k and IS_BLACK[k - 1] else -1 for k in _WHITE_KEYS] + [-1])
_BLACK_X = np.where(_BLACK_AT >= 0, KEY_X[_BLACK_AT], -1e6)


@dataclass(frozen=True)
class Piano:
    """Pictures of one piano under one light.

    Attributes
    ----------
    up : np.ndarray, shape (100, 900), float32
        All keys up.
    patches : np.ndarray, shape (88, 100, 40), float32
        What is added where a key is fully down.
    columns : np.ndarray, shape (88,), int64
        The picture's column where each patch begins.
    rows : np.ndarray, shape (88, 2), int64
        First row, and the one after the last, where a patch is not zero.
    """

    up: np.ndarray
    patches: np.ndarray
    columns: np.ndarray
    rows: np.ndarray


@njit(cache=True)
def _sink(y: float) -> float:
    return KEY_DIP * (1.0 - y / _PIVOT)


@njit(cache=True)
def _owner(x: float, y: float, half_slot: float, black_x: np.ndarray) -> tuple[int, float]:
    """The white key (0..51) under (x, y), -1 in a black key's slot; and the distance to its nearer side."""
    white = int(np.floor(x / WHITE_WIDTH))
    if white < 0 or white > 51:
        return -2, 0.0
    left, right = white * WHITE_WIDTH, (white + 1) * WHITE_WIDTH
    if y > _BLACK_FRONT - 1.5:
        if black_x[white] > 0.0:
            left = black_x[white] + half_slot
            if x < left:
                if x > black_x[white] - half_slot:
                    return -1, 0.0
                return white - 1, black_x[white] - half_slot - x
        if black_x[white + 1] > 0.0:
            right = black_x[white + 1] - half_slot
            if x > right:
                if x < black_x[white + 1] + half_slot:
                    return -1, 0.0
                return white + 1, x - black_x[white + 1] - half_slot
    return white, min(x - left, right - x)


@njit(cache=True)
def _black(x0, y0, camera, light, tone, wear, black_x, black_at, pressed):
    """Grey level where the ray meets a black key, or -1."""
    first = int(np.floor(x0 / WHITE_WIDTH))
    slope_x, slope_y = (camera[0] - x0) / camera[2], (camera[1] - y0) / camera[2]
    for line in range(max(0, first), min(52, first + 2)):
        key = black_at[line]
        if key < 0 or abs(x0 - black_x[line]) > 14.0 or y0 < _BLACK_FRONT - 6.0:
            continue
        sunk = 0.0
        if key == pressed:
            sunk = _sink(y0) * 0.95
        height = BLACK_HEIGHT - sunk
        if abs(x0 + slope_x * height / 2 - black_x[line]) > 5.5 + abs(slope_x) * height / 2:
            continue
        for step in range(6):
            z = height * (1.0 - step / 5.0)
            down = (height - z) / BLACK_HEIGHT
            x, y = x0 + slope_x * z, y0 + slope_y * z
            half = 4.4 + 1.1 * down
            front = _BLACK_FRONT + 4.5 * (1.0 - down)
            if y < front or y > WHITE_LENGTH or abs(x - black_x[line]) > half:
                continue
            level = tone[1] * wear[key]
            if step == 0:
                side = (x - black_x[line]) / half
                edge = max(0.0, abs(side) - 0.72) / 0.28
                if side * light[0] > 0:
                    level += 26.0 * edge
                else:
                    level -= 5.0 * edge
                # The lamp's reflection wanders when the key tilts.
                centre = tone[5] - (16.0 if key == pressed else 0.0)
                away = (y - centre) / (tone[6] * 2.2)
                level += tone[4] * np.exp(-away * away) * (0.35 + 0.65 * max(0.0, 1.0 - abs(side - 0.3)))
                level += 14.0 * max(0.0, 1.0 - (y - front) / 5.0)
                return level * (1.0 - 0.1 * (sunk > 0.0))
            if y < front + 1.2 and abs(x - black_x[line]) < half - 0.4:
                return level + (34.0 if key != pressed else 20.0) * (1.0 - 0.6 * down)
            return level + (9.0 if (x - black_x[line]) * light[0] > 0 else -7.0)
    return -1.0


@njit(cache=True)
def _shade(x0, y0, camera, light, tone, wear, black_x, black_at, white_keys, pressed):
    """Grey level, before illumination, of the ray through (x0, y0) of the key plane; ``pressed``: -1 none."""
    level = _black(x0, y0, camera, light, tone, wear, black_x, black_at, pressed)
    if level >= 0.0:
        return level
    slope_x, slope_y = (camera[0] - x0) / camera[2], (camera[1] - y0) / camera[2]
    if y0 > WHITE_LENGTH:
        if y0 < WHITE_LENGTH + 3.5:
            return tone[7]
        return tone[8] * (1.0 + 0.5 * np.exp(-(((y0 - WHITE_LENGTH - 7.0) / 1.5) ** 2)))
    if y0 < 0.0:
        if y0 > -2.5:
            # Under the lip: a pressed key no longer covers the dark gap before the key slip.
            return 30.0
        if y0 > -24.0:
            return tone[9] * (1.0 + 0.9 * np.exp(-(((y0 + 4.0) / 1.6) ** 2)))
        return 12.0
    white, inside = _owner(x0, y0, 6.4, black_x)
    if white < -1:
        return 22.0
    if white == -1:
        return 16.0
    half_gap = tone[2] / 2
    down = white_keys[white] == pressed
    x, y = x0, y0
    if down:
        sink = _sink(y0)
        x, y = x0 - slope_x * sink, y0 - slope_y * sink
        below, inside = _owner(x, y, 6.4, black_x)
        if y < 0.0:
            return 34.0
        if below != white:
            return 0.8 * tone[0]  # the neighbour's flank
    if inside < half_gap:
        return tone[3] * (0.85 if down else 1.0)
    level = tone[0] * wear[white_keys[white]]
    level *= 1.0 - 0.10 * max(0.0, 1.0 - y / 3.0) - 0.05 * max(0.0, 1.0 - (inside - half_gap) / 1.0)
    if down:
        level *= 1.0 - tone[10] * (1.0 - 0.6 * y / WHITE_LENGTH)
        # The neighbour on the lamp's side shades a strip of the sunken key.
        middle = KEY_X[white_keys[white]]
        reach = 1.0 + abs(light[0]) / light[2] * _sink(y)
        if (x - middle) * light[0] > 0 and inside < half_gap + reach:
            level *= 0.94
    shadow = 0.0
    for step in range(3 if y > 40.0 else 0):
        z = 1.5 + 3.6 * step
        at_x, at_y = x + light[0] / light[2] * z * 1.35, y + light[1] / light[2] * z
        line = int(np.floor(at_x / WHITE_WIDTH + 0.5))
        raised = 0 <= line < 52 and black_at[line] >= 0 and black_at[line] != pressed
        if raised and abs(at_x - black_x[line]) < 5.6 and at_y > _BLACK_FRONT:
            shadow += 0.333
    return level * (1.0 - 0.3 * shadow - 0.10 * max(0.0, (y - 60.0) / 90.0))


@njit(cache=True)
def _look(
    first, last, top, bottom, to_plane, camera, light, tone, wear, black_x, black_at, white_keys, pressed
):
    """Average 3x2 rays a pixel for columns first..last and rows top..bottom."""
    picture = np.zeros((bottom - top, last - first), np.float32)
    for row in range(top, bottom):
        for column in range(first, last):
            total = 0.0
            for ray in range(6):
                u = column + (ray % 3 + 0.5) / 3
                v = row + (ray // 3 + 0.5) / 2
                depth = to_plane[2, 0] * u + to_plane[2, 1] * v + to_plane[2, 2]
                x = (to_plane[0, 0] * u + to_plane[0, 1] * v + to_plane[0, 2]) / depth
                y = (to_plane[1, 0] * u + to_plane[1, 1] * v + to_plane[1, 2]) / depth
                total += _shade(x, y, camera, light, tone, wear, black_x, black_at, white_keys, pressed)
            picture[row - top, column - first] = total / 6
    return picture


def illuminate(appearance: Appearance) -> np.ndarray:
    """The light's gradient and large soft shadow over the picture, shape (100, 900), float32, around 1."""
    row, column = np.mgrid[-1 : 1 : FRAME_HEIGHT * 1j, -1 : 1 : FRAME_WIDTH * 1j]
    terms = np.stack([np.ones_like(row), column, row, column**2, column * row, row**2])
    light = (appearance.illumination[:, None, None] * terms).sum(0)
    place, width, slope, depth = appearance.cast_shadow
    edge = ((column + 1) / 2 - place - slope * row * 0.15) / width
    return (light * (1 - abs(depth) / (1 + np.exp(-np.sign(depth) * 4 * edge)))).astype(np.float32)


def build_piano(appearance: Appearance) -> Piano:
    """Look at the piano of ``appearance`` once with all keys up and once for every pressed key."""
    to_picture = plane_to_picture(appearance)
    to_plane = np.linalg.inv(to_picture)
    tone = np.array(
        [
            appearance.white_level,
            appearance.black_level,
            appearance.gap_width,
            appearance.gap_level,
            *appearance.sheen,
            appearance.felt_level,
            appearance.fallboard_level,
            appearance.slip_level,
            appearance.press_dimming,
        ]
    )
    camera, light = np.array(appearance.camera), np.array(appearance.light)
    scene = (to_plane, camera, light, tone, appearance.wear, _BLACK_X, _BLACK_AT, _WHITE_KEYS)
    illumination = illuminate(appearance)
    sharp = _look(0, FRAME_WIDTH, 0, FRAME_HEIGHT, *scene, -1)
    patches = np.zeros((88, FRAME_HEIGHT, PATCH_WIDTH), np.float32)
    columns = np.zeros(88, np.int64)
    for key in range(88):
        middle = to_picture @ [KEY_X[key], WHITE_LENGTH / 2, 1]
        columns[key] = np.clip(int(middle[0] / middle[2]) - PATCH_WIDTH // 2, 0, FRAME_WIDTH - PATCH_WIDTH)
        # Rays further than this from the key's middle cannot change; the rest of the patch gives the blur
        # room.
        begin, end = columns[key] + 3, columns[key] + PATCH_WIDTH - 3
        if IS_BLACK[key]:
            begin, end = begin + 4, end - 4
        pressed = _look(begin, end, 0, FRAME_HEIGHT, *scene, key)
        patches[key, :, begin - columns[key] : end - columns[key]] = pressed - sharp[:, begin:end]
        patches[key] *= illumination[:, columns[key] : columns[key] + PATCH_WIDTH]
    patches = blur(patches, appearance.lens_blur)
    patches[np.abs(patches) < 0.02] = 0
    filled = np.abs(patches).max(2) > 0
    rows = np.stack([filled.argmax(1), FRAME_HEIGHT - filled[:, ::-1].argmax(1)], 1)
    return Piano(blur(sharp * illumination, appearance.lens_blur), patches, columns, rows)
