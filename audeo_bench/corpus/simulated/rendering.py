"""One frame: keys, hands, shadows, codec, exposure, each a compiled step; no frame needs another.

numba's cache looks only at the file a function stands in. So compiled functions call none of another file,
and what they need from elsewhere comes in as an argument.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from audeo_bench.api import FRAME_HEIGHT, FRAME_WIDTH
from audeo_bench.corpus.simulated.codec import COSINES, code
from audeo_bench.corpus.simulated.piano import Piano
from audeo_bench.corpus.simulated.skin import film_hand

ROWS, COLUMNS = 104, 904
"""The picture padded to whole blocks of the codec."""
_GROUP = 25
"""Frames from one key frame of the codec to the next."""


@dataclass(frozen=True)
class Scene:
    """Everything that is the same for all frames of a recording, and what is known of each frame beforehand.

    Attributes
    ----------
    piano : Piano
    up : np.ndarray, shape (104, 904), float32
        All keys up, padded.
    references : np.ndarray, shape (n, 104, 904), float32
        The idle keyboard as the codec shows it, one per kind of key frame.
    depths : np.ndarray, shape (T, 88), float32
    gains, shifts : np.ndarray, shapes (T,) and (T, 2), float32
        Exposure, and (column, row) by which the picture is moved.
    noise_at : np.ndarray, shape (T, 2), int64
        Where in ``noise`` each frame's two noise pictures begin.
    noise : np.ndarray, float32
        Unit variance.
    camera, homography, light, look : np.ndarray
        See ``skin.film_hand``.
    """

    piano: Piano
    up: np.ndarray
    references: np.ndarray
    depths: np.ndarray
    gains: np.ndarray
    shifts: np.ndarray
    noise_at: np.ndarray
    noise: np.ndarray
    camera: np.ndarray
    homography: np.ndarray
    light: np.ndarray
    look: np.ndarray
    shadow_strength: float
    shutter: float
    edge: float
    sensor_noise: float
    quantiser: float


def render(out: np.ndarray, first: int, tips: np.ndarray, wrists: np.ndarray, scene: Scene) -> None:
    """Fill ``out``, shape (n, 100, 900), uint8, with the frames from ``first`` on."""
    picture = np.empty((ROWS, COLUMNS), np.float32)
    busy = np.zeros((ROWS // 8, COLUMNS // 8), np.uint8)
    cover, hands = np.zeros((2, FRAME_HEIGHT, FRAME_WIDTH), np.float32)
    buffers = np.zeros((4, FRAME_HEIGHT, FRAME_WIDTH), np.float32)
    shadow = np.zeros((FRAME_HEIGHT // 2 + 1, FRAME_WIDTH // 2 + 1), np.float32)
    piano = scene.piano
    level = np.float32(scene.sensor_noise)
    for index in range(len(out)):
        frame = first + index
        press(picture, busy, scene.up, scene.depths[frame], piano.patches, piano.columns, piano.rows)
        for hand in range(2):
            box = film_hand(
                frame,
                hand,
                tips,
                wrists,
                scene.camera,
                scene.homography,
                scene.light,
                scene.look,
                scene.shutter,
                scene.edge,
                scene.noise,
                cover,
                hands,
                shadow,
                buffers,
            )
            composite(picture, busy, cover, hands, shadow, scene.shadow_strength, box)
        reference = scene.references[(frame // _GROUP) % len(scene.references)]
        code(
            picture, reference, busy, scene.noise[scene.noise_at[frame, 0] :], level, scene.quantiser, COSINES
        )
        noise = scene.noise[scene.noise_at[frame, 1] :]
        expose(picture, scene.gains[frame], scene.shifts[frame], noise, np.float32(0.35 * level), out[index])


@njit(cache=True)
def _touch(busy, top, bottom, left, right):
    for row in range(max(0, top) // 8, min(busy.shape[0] * 8 - 1, bottom) // 8 + 1):
        for column in range(max(0, left) // 8, min(busy.shape[1] * 8 - 1, right) // 8 + 1):
            busy[row, column] = 1


@njit(cache=True)
def press(picture, busy, up, depths, patches, columns, rows):
    """Start a frame with its keys at ``depths``, shape (88,); ``busy`` marks the blocks that change."""
    picture[:] = up
    busy[:] = 0
    width = patches.shape[2]
    for key in range(len(depths)):
        depth = depths[key]
        if depth > 0.001:
            left = columns[key]
            _touch(busy, rows[key, 0], rows[key, 1], left, left + width)
            for row in range(rows[key, 0], rows[key, 1]):
                for column in range(width):
                    picture[row, left + column] += depth * patches[key, row, column]


@njit(cache=True)
def composite(picture, busy, cover, hands, shadow, strength, box):
    """Lay a hand and its shadow over the keys inside ``box``, and clear its layers for the next one."""
    top, bottom, first, last = box[0], box[1], box[2], box[3]
    if top >= bottom or first >= last:
        return
    _touch(busy, top, bottom, first, last)
    for row in range(top, bottom):
        cell_row = row // 2
        next_row = min(cell_row + 1, shadow.shape[0] - 1) if row % 2 else max(cell_row - 1, 0)
        for column in range(first, last):
            cell = column // 2
            beside = min(cell + 1, shadow.shape[1] - 1) if column % 2 else max(cell - 1, 0)
            dark = 0.5625 * shadow[cell_row, cell] + 0.1875 * shadow[cell_row, beside]
            dark += 0.1875 * shadow[next_row, cell] + 0.0625 * shadow[next_row, beside]
            lit = picture[row, column] * (1.0 - strength * dark)
            picture[row, column] = lit * (1.0 - cover[row, column]) + hands[row, column]
            cover[row, column] = 0
            hands[row, column] = 0
    shadow[max(0, top // 2 - 1) : bottom // 2 + 2, max(0, first // 2 - 1) : last // 2 + 2] = 0


@njit(cache=True)
def expose(picture, gain, shift, noise, noise_level, out):
    """Shift by less than a pixel, scale, add the last noise, round."""
    down, across = int(np.floor(shift[1])), int(np.floor(shift[0]))
    low, near = np.float32(shift[1] - down), np.float32(shift[0] - across)
    one = np.float32(1)
    line = np.empty(FRAME_WIDTH + 4, np.float32)
    for row in range(FRAME_HEIGHT):
        above = min(max(row + down, 0), FRAME_HEIGHT - 1)
        below = min(max(row + down + 1, 0), FRAME_HEIGHT - 1)
        for column in range(FRAME_WIDTH):
            line[column + 2] = gain * ((one - low) * picture[above, column] + low * picture[below, column])
        line[0] = line[1] = line[2]
        line[FRAME_WIDTH + 2] = line[FRAME_WIDTH + 3] = line[FRAME_WIDTH + 1]
        for column in range(FRAME_WIDTH):
            place = column + 2 + across
            level = (one - near) * line[place] + near * line[place + 1]
            level += noise_level * noise[row * FRAME_WIDTH + column] + np.float32(0.5)
            out[row, column] = np.uint8(min(max(level, np.float32(0)), np.float32(255)))
