"""One frame: keys, hands, shadows, lens, tone, codec, exposure, each a compiled step; no frame needs another.

numba's cache looks only at the file a function stands in. So compiled functions call none of another file,
and what they need from elsewhere comes in as an argument.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from audeo_bench.api import FRAME_HEIGHT, FRAME_WIDTH
from audeo_bench.corpus.simulated.anatomy import CAPSULES, EXPOSURES, pose
from audeo_bench.corpus.simulated.codec import COSINES, code
from audeo_bench.corpus.simulated.lap import LapPicture, sit
from audeo_bench.corpus.simulated.piano import Piano
from audeo_bench.corpus.simulated.skin import film_hand

_STEPS = 8
"""Steps of the tone curve in a grey level."""
_STILL = 0.75
"""Grey levels; a block of the film that differs by less from the idle keyboard is skipped by the codec."""


_SEEN_SWAY = 0.05
"""Columns; legs that sway by less stand still."""


@dataclass(frozen=True)
class Scene:
    """Everything that is the same for all frames of a recording, and what is known of each frame beforehand.

    The film has its own size (rows, columns, filled up to whole blocks of the codec) and its own rate: it has
    F frames, of which the T of the benchmark are a choice.

    Attributes
    ----------
    piano : Piano
    shown : np.ndarray, shape (T,), int64
        Which frame of the film each of the benchmark's shows.
    tips, wrists : np.ndarray, shapes (F, 2, 5, 3) and (F, 2, 3), float32
        Of ``HandTracks``, at the film's times.
    depths : np.ndarray, shape (F, 88), float32
    lens : two pairs of np.ndarray
        ``optics.lens`` of rows and of columns.
    tone : np.ndarray, float32
        Level in the film by eighths of the scene's level.
    film_size : tuple of 2 ints
        Rows and columns of the film without filling.
    idle : np.ndarray, shape (rows, columns), float32
        The keyboard without hands as the film's sensor sees it.
    references : np.ndarray, shape (n, rows, columns), float32
        The same as the codec shows it, one per kind of key frame.
    key_frames : int
        Frames from one key frame to the next.
    skips : bool
        Whether the codec leaves out blocks in which nothing moves.
    gains, shifts : np.ndarray, shapes (F,) and (F, 2), float32
        Exposure, and (column, row) by which the picture is moved.
    seen : tuple of 2 ints
        First column of the picture that the film shows, and the one after the last.
    noise_at : np.ndarray, shape (F,), int64
        Where in ``noise`` each frame's noise begins.
    noise : np.ndarray, float32
        Unit variance.
    camera, homography, light, look : np.ndarray
        See ``skin.film_hand``.
    lap : LapPicture
    sway : np.ndarray, shape (F,), float32
        Columns by which the player's legs stand to the right of their place in ``piano.up``.
    """

    piano: Piano
    shown: np.ndarray
    tips: np.ndarray
    wrists: np.ndarray
    depths: np.ndarray
    lens: tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
    tone: np.ndarray
    film_size: tuple[int, int]
    idle: np.ndarray
    references: np.ndarray
    key_frames: int
    skips: bool
    gains: np.ndarray
    shifts: np.ndarray
    seen: tuple[int, int]
    noise_at: np.ndarray
    noise: np.ndarray
    camera: np.ndarray
    homography: np.ndarray
    light: np.ndarray
    look: np.ndarray
    lap: LapPicture
    sway: np.ndarray
    shadow_strength: float
    shutter: float
    sensor_noise: float
    quantiser: float


def render(out: np.ndarray, first: int, scene: Scene) -> None:
    """Fill ``out``, shape (n, 100, 900), uint8, with the frames from ``first`` on."""
    picture = np.empty((FRAME_HEIGHT, FRAME_WIDTH), np.float32)
    film = np.empty_like(scene.idle)
    busy = np.ones((film.shape[0] // 8, film.shape[1] // 8), np.uint8)
    cover, hands = np.zeros((2, FRAME_HEIGHT, FRAME_WIDTH), np.float32)
    buffers = np.zeros((3, FRAME_HEIGHT, FRAME_WIDTH), np.float32)
    shadow = np.zeros((FRAME_HEIGHT // 2 + 1, FRAME_WIDTH // 2 + 1), np.float32)
    parts = np.zeros((EXPOSURES, CAPSULES, 15))
    dirty = np.zeros(FRAME_WIDTH, np.bool_)
    piano = scene.piano
    level = np.float32(scene.sensor_noise)
    for index in range(len(out)):
        frame = scene.shown[first + index]
        if index and frame == scene.shown[first + index - 1]:
            out[index] = out[index - 1]
            continue
        press(picture, dirty, piano.up, scene.depths[frame], piano.patches, piano.columns, piano.rows)
        if abs(scene.sway[frame]) > _SEEN_SWAY:
            lap = scene.lap
            sit(picture, dirty, lap.first, lap.bare, lap.cloth, lap.share, lap.free, scene.sway[frame])
        for hand in range(2):
            exposures, count = pose(frame, hand, scene.tips, scene.wrists, scene.look, scene.shutter, parts)
            box = film_hand(
                *(parts, exposures, count, scene.camera, scene.homography, scene.light, scene.look),
                *(cover, hands, shadow, buffers),
            )
            composite(picture, dirty, cover, hands, shadow, piano.light, scene.shadow_strength, box)
        film[:] = scene.idle
        shoot(picture, dirty, *scene.lens[0], *scene.lens[1], scene.tone, film)
        if scene.skips:
            find_busy(film, scene.idle, _STILL, busy)
        reference = scene.references[(frame // scene.key_frames) % len(scene.references)]
        code(film, reference, busy, scene.noise[scene.noise_at[frame] :], level, scene.quantiser, COSINES)
        expose(film, scene.film_size, scene.gains[frame], scene.shifts[frame], scene.seen, out[index])


@njit(cache=True)
def press(picture, dirty, up, depths, patches, columns, rows):
    """Start a frame with its keys at ``depths``, shape (88,); ``dirty`` marks columns that are not idle."""
    picture[:] = up
    dirty[:] = False
    width = patches.shape[2]
    for key in range(len(depths)):
        depth = depths[key]
        if depth > 0.001:
            left = columns[key]
            dirty[left : left + width] = True
            for row in range(rows[key, 0], rows[key, 1]):
                for column in range(width):
                    picture[row, left + column] += depth * patches[key, row, column]


@njit(cache=True)
def composite(picture, dirty, cover, hands, shadow, light, strength, box):
    """Lay a hand and its shadow over the keys inside ``box``, and clear its layers for the next one."""
    top, bottom, first, last = box[0], box[1], box[2], box[3]
    if top >= bottom or first >= last:
        return
    dirty[first:last] = True
    for row in range(top, bottom):
        cell_row = row // 2
        next_row = min(cell_row + 1, shadow.shape[0] - 1) if row % 2 else max(cell_row - 1, 0)
        for column in range(first, last):
            cell = column // 2
            beside = min(cell + 1, shadow.shape[1] - 1) if column % 2 else max(cell - 1, 0)
            dark = 0.5625 * shadow[cell_row, cell] + 0.1875 * shadow[cell_row, beside]
            dark += 0.1875 * shadow[next_row, cell] + 0.0625 * shadow[next_row, beside]
            lit = picture[row, column] * (1.0 - strength * dark)
            picture[row, column] = lit * (1.0 - cover[row, column]) + hands[row, column] * light[row, column]
            cover[row, column] = 0
            hands[row, column] = 0
    shadow[max(0, top // 2 - 1) : bottom // 2 + 2, max(0, first // 2 - 1) : last // 2 + 2] = 0


@njit(cache=True)
def shoot(picture, dirty, first_row, row_weights, first_column, column_weights, tone, film):
    """Through the lens on the film: blur and scale, then the tone curve, where ``picture`` has ``dirty``
    columns; what fills the film up to whole blocks repeats its edges.
    """
    height, width = picture.shape
    rows, columns = len(first_row), len(first_column)
    taps, reach = row_weights.shape[1], column_weights.shape[1]
    # One row of the film's height at the picture's width, with room for taps beyond both ends.
    line = np.empty(width + 2 * reach, np.float32)
    wanted = np.empty(columns, np.int64)
    count = 0
    left, right = width, 0
    for column in range(columns):
        low = min(max(first_column[column], 0), width - 1)
        high = min(max(first_column[column] + reach, 1), width)
        if dirty[low:high].any():
            wanted[count] = column
            count += 1
            left, right = min(left, low), max(right, high)
    last = np.float32(len(tone) - 1)
    for row in range(rows if count else 0):
        line[reach + left : reach + right] = 0
        for tap in range(taps):
            weight = row_weights[row, tap]
            source = picture[min(max(first_row[row] + tap, 0), height - 1)]
            for column in range(left, right):
                line[reach + column] += weight * source[column]
        if left == 0:
            line[:reach] = line[reach]
        if right == width:
            line[reach + width :] = line[reach + width - 1]
        for index in range(count):
            column = wanted[index]
            start = reach + first_column[column]
            level = np.float32(0)
            for tap in range(reach):
                level += column_weights[column, tap] * line[start + tap]
            film[row, column] = tone[int(min(max(level * np.float32(_STEPS), np.float32(0)), last))]
        film[row, columns:] = film[row, columns - 1]
    for row in range(rows, film.shape[0]):
        film[row] = film[rows - 1]


@njit(cache=True)
def find_busy(film, idle, still, busy):
    """Mark the blocks of ``film`` that differ anywhere by more than ``still`` from ``idle``."""
    for block_row in range(busy.shape[0]):
        for block in range(busy.shape[1]):
            most = np.float32(0)
            for row in range(block_row * 8, block_row * 8 + 8):
                for column in range(block * 8, block * 8 + 8):
                    most = max(most, abs(film[row, column] - idle[row, column]))
            busy[block_row, block] = most > still


@njit(cache=True)
def expose(film, size, gain, shift, seen, out):
    """Warp the film to the picture, moved by less than a pixel; scale, round; black where nothing is seen."""
    rows, columns = size
    height, width = out.shape
    one = np.float32(1)
    line = np.empty(columns + 1, np.float32)
    before = np.empty(width, np.int64)
    near = np.empty(width, np.float32)
    for column in range(width):
        place = min(max((column + 0.5 + shift[0]) * columns / width - 0.5, 0.0), columns - 1.0)
        before[column] = int(place)
        near[column] = place - before[column]
    for row in range(height):
        place = min(max((row + 0.5 + shift[1]) * rows / height - 0.5, 0.0), rows - 1.0)
        above = int(place)
        low = np.float32(place - above)
        upper, lower = film[above], film[min(above + 1, rows - 1)]
        for column in range(columns):
            line[column] = gain * ((one - low) * upper[column] + low * lower[column]) + np.float32(0.5)
        line[columns] = line[columns - 1]
        out[row] = 0
        for column in range(seen[0], seen[1]):
            start = before[column]
            level = (one - near[column]) * line[start] + near[column] * line[start + 1]
            out[row, column] = np.uint8(min(max(level, np.float32(0)), np.float32(255)))
